"""What the output of a run says of its answer. Where it is printed: answer.py."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FOOT = re.compile(r"-- (?:(\d{3})\b)?")


@dataclass(frozen=True, slots=True)
class Answer:
    """The last answer's status (None: there was no whole answer), all that was answered, and the bodies alone.

    `certain`: of one request the parts are told apart for sure; of several a body could forge a line of ours.
    """

    status: int | None
    said: str
    body: str
    certain: bool


def answer_in(output: str) -> Answer:
    """The answer in the output of an `http` step. The last line that begins with "-- " is the adapter's own."""
    lines = output.split("\n")
    feet = [index for index, line in enumerate(lines) if line.startswith("-- ")]
    foot = _FOOT.match(lines[feet[-1]]) if feet else None
    status = int(foot[1]) if foot and foot[1] else None
    if not feet or "" not in lines or not lines[0].startswith("> "):
        return Answer(status, _without(lines, "> ", "### "), _without(lines, "> ", "### ", "< ", "-- "), False)
    gap = lines.index("")
    said = [*(line for line in lines[:gap] if not line.startswith("> ")), *lines[gap:]]
    return Answer(status, "\n".join(said), "\n".join(lines[gap + 1 : feet[-1]]), True)


def _without(lines: list[str], *marks: str) -> str:
    return "\n".join(line for line in lines if not line.startswith(marks))
