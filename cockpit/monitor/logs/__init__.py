"""Logs: followed, read from anywhere, searched, and graded by severity."""
