"""Typed GitHub actions: what one says, and what it does."""
