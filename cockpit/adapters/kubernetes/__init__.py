"""Kubernetes actions as steps, and the probe of what runs there: through the Python client and its credentials."""
