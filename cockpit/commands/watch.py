"""`cockpit watch`: the screen in read-only mode."""

from __future__ import annotations

import argparse

from cockpit.commands import open as opening


def run(options: argparse.Namespace) -> int:
    """Open the screen; nothing that is not provably read-only will run."""
    return opening.run(options)
