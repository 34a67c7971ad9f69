"""Kubernetes: what a typed action says, what it does, and which requests only read."""
