"""git: the commit and branch that are checked out, as the commands print them whose output is nothing else."""

from __future__ import annotations

import re

from cockpit.runbook.figures.figure import Figure, Figures, Tool, calls
from cockpit.words import _

_COMMIT = re.compile(r"^[0-9a-f]{7,64}$", re.MULTILINE)
_BRANCH = re.compile(r"^(?:On branch|현재 브랜치) (\S+)$", re.MULTILINE)


def _commit(output: str) -> Figures:
    rows = [match[0] for match in _COMMIT.finditer(output)]
    doubt = _("several commits are printed") if len(set(rows)) > 1 else ""
    return {"commit": [Figure(row, seen=row, doubt=doubt) for row in rows]}


def _branch(output: str) -> Figures:
    return {"branch": [Figure(match[1], seen=match[0]) for match in _BRANCH.finditer(output)]}


def _shown(output: str) -> Figures:
    lines = [line for line in output.split("\n") if line.strip()]
    return {"branch": [Figure(lines[0], seen=lines[0])] if len(lines) == 1 else []}


GIT_COMMIT = Tool(
    "git rev-parse", calls(r"git\s(?:[^;|&\n]*\s)?rev-parse\s+(?:--short\s+|--verify\s+)*(?:HEAD|@)"),
    {"commit": ("commit", "revision", "head", "커밋")}, _commit, frozenset({"commit"}),
)  # fmt: skip
_BRANCHES = {"branch": ("current branch", "branch", "현재 브랜치", "브랜치")}
GIT_STATUS = Tool("git status", calls(r"git\s(?:[^;|&\n]*\s)?status"), _BRANCHES, _branch, frozenset({"branch"}))
GIT_BRANCH = Tool(
    "git branch", calls(r"git\s(?:[^;|&\n]*\s)?(?:branch\s+--show-current|rev-parse\s+--abbrev-ref\s+HEAD)"),
    _BRANCHES, _shown, frozenset({"branch"}),
)  # fmt: skip
