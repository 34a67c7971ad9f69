"""Alertmanager, through httpx."""
