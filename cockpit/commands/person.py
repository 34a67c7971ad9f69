"""Asking the person at the terminal: passphrases and codes, which are not shown while they are typed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from cockpit.safety.telling import shown

Person = Callable[[str, Sequence[tuple[str, bool]]], Sequence[str]]


def at_terminal() -> Person:
    """Asks on the terminal; answers nothing where there is none."""
    return _ask if sys.stdin.isatty() else lambda _about, _fields: []


def _ask(about: str, fields: Sequence[tuple[str, bool]]) -> list[str]:
    from getpass import getpass

    answers = []
    try:
        for text, seen in fields:
            prompt = f"{shown(about)}: {shown(text.rstrip(': '))}: "
            print(prompt, end="", file=sys.stderr, flush=True)
            answers.append(sys.stdin.readline().rstrip("\n") if seen else getpass(""))
    except (EOFError, OSError):
        return []
    return answers
