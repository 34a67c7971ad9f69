"""What a tool's output says by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One value that a tool told.

    `seen` is where it stands. `doubt` says why the value, good as it looks, may not mean what is asked; "" for none.
    """

    value: float | str
    unit: str = ""
    seen: str = ""
    doubt: str = ""


Figures = Mapping[str, Sequence[Figure]]
"""By name; several where the output tells it several times: an expectation has to hold for each."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A program whose output is understood.

    `called` finds its call in a command. `names` are its figures with the ways an author may spell them; `texts` are
    those of them that are words and no numbers. `read` finds them in an output, and none in what is not the tool's.
    """

    name: str
    called: re.Pattern[str]
    names: Mapping[str, Sequence[str]]
    read: Callable[[str], Figures]
    texts: frozenset[str] = frozenset()


def calls(pattern: str) -> re.Pattern[str]:
    """Finds a call of a program: by itself, by its path, or behind what starts it (`sudo`, `npx`, `poetry run`)."""
    return re.compile(rf"(?<![\w-]){pattern}(?![\w-])")
