"""Typed ArgoCD actions: what one says, and what it does."""
