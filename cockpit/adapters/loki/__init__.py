"""Loki, through httpx."""
