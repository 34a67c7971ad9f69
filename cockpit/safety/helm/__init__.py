"""Typed Helm actions: what one says, and what it does."""
