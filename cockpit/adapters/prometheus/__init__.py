"""Prometheus, and what speaks its API, through httpx."""
