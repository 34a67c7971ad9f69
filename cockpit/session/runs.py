"""Runs as their folders tell of them, for hosts and viewers. The work is in `cockpit.runs.run`, below the adapters."""

from cockpit.runs.run import Run, State

__all__ = ["Run", "State"]
