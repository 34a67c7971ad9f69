"""Incident Cockpit: a Markdown runbook beside a live panel, run step by step, on the record.

Importing this package costs nothing: every subpackage imports what it needs on first use.
"""

__version__ = "0.1.0"
