"""Which tools are known, and which figure of theirs an author means."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from cockpit.runbook.figures.ab import AB
from cockpit.runbook.figures.alembic import ALEMBIC
from cockpit.runbook.figures.figure import Figure, Tool
from cockpit.runbook.figures.git import GIT_BRANCH, GIT_COMMIT, GIT_STATUS
from cockpit.runbook.figures.newman import NEWMAN
from cockpit.runbook.figures.npm_audit import NPM_AUDIT
from cockpit.runbook.figures.pip_audit import PIP_AUDIT
from cockpit.runbook.figures.pm2 import PM2, STATUSES, about, all_rows
from cockpit.runbook.figures.pytest_summary import PYTEST
from cockpit.runbook.figures.trivy import TRIVY

TOOLS: tuple[Tool, ...] = (
    AB, ALEMBIC, NEWMAN, TRIVY, PIP_AUDIT, NPM_AUDIT, PYTEST, GIT_COMMIT, GIT_STATUS, GIT_BRANCH, PM2,
)  # fmt: skip
_WORDS = re.compile(r"\b(?:ab|alembic|newman|trivy|pip[-_]audit|npm|pm2|py\.?test|git)\b")


@lru_cache(maxsize=64)
def tools_in(code: str) -> tuple[Tool, ...]:
    """The known tools that a command calls, and whose output it prints as it is."""
    if _WORDS.search(code) is None:
        return ()
    return tuple(tool for tool in TOOLS if tool.called.search(code))


def spellings(tools: Sequence[Tool]) -> Iterator[tuple[str, str, bool]]:
    """(how it may be written, the figure's name, whether it is words and no number), the longest first."""
    known = [(way, name, name in tool.texts) for tool in tools for name, ways in tool.names.items() for way in ways]
    yield from sorted(known, key=lambda each: -len(each[0]))


def figures_named(code: str, label: str, output: str) -> list[Figure] | None:
    """What the tools of a command say under a name; [] when they say nothing of it, None when none of them knows it."""
    wanted = " ".join(label.lower().split())
    known = [
        (tool, name) for tool in tools_in(code) for name, ways in tool.names.items() if wanted == name or wanted in ways
    ]
    told = [figures for tool, name in known if (figures := tool.read(output).get(name))]
    if not known:
        return None
    return list(told[0]) if len(told) == 1 else []  # of two tools it is not said which one is meant


def rows_meant(code: str, text: str, output: str) -> Sequence[str] | None:
    """The rows of a table of processes that an author's text is about: each has to hold what is expected.

    None where the output is no such table, or the text names no process.
    """
    return about(text, output) if PM2 in tools_in(code) else None


def row_without(code: str, wanted: str, output: str) -> str | None:
    """A row of such a table that stands in another state than the wanted one; None where all are in it."""
    if wanted not in STATUSES or PM2 not in tools_in(code):
        return None
    return next((row for row in all_rows(output) if wanted not in row), None)
