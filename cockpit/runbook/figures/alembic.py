"""Alembic: what `alembic current` prints, of 1.x; a line a revision that is applied, and its log on stderr."""

from __future__ import annotations

import re

from cockpit.runbook.figures.figure import Figure, Figures, Tool, calls
from cockpit.words import _

_NAMES = {
    "revision": ("current revision", "db revision", "revision", "현재 리비전", "현재 버전", "리비전"),
    "head": (),
}
_PLAIN = re.compile(r"^([0-9A-Za-z_]{4,})((?: \((?:effective head|head|mergepoint|branchpoint)\))*)$", re.MULTILINE)
_VERBOSE = re.compile(r"^Rev: ([0-9A-Za-z_]{4,})((?: \([a-z ]+\))*)", re.MULTILINE)


def read(output: str) -> Figures:
    """Each applied revision, and whether it is a head."""
    rows = list(_VERBOSE.finditer(output)) or list(_PLAIN.finditer(output))
    doubt = _("several revisions are applied") if len({row[1] for row in rows}) > 1 else ""
    return {
        "revision": [Figure(row[1], seen=row[0], doubt=doubt) for row in rows],
        "head": [Figure("head" if "head)" in row[2] else "not head", seen=row[0]) for row in rows],
    }


ALEMBIC = Tool("alembic", calls(r"alembic\s(?:[^;|&\n]*\s)?current"), _NAMES, read, frozenset(_NAMES))
