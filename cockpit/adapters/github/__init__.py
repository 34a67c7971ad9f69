"""GitHub Actions, by the REST API through httpx."""
