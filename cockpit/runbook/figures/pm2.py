"""PM2's table of processes, as `pm2 status`, `ls` and what starts, stops or restarts one print it; of 7.x."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from cockpit.runbook.figures.figure import Figure, Figures, Tool, calls
from cockpit.words import _

STATUSES = frozenset({"online", "stopping", "stopped", "launching", "errored", "waiting restart"})
_NAMES = {"restarts": ("restarts", "restart", "restart count", "재시작", "재시작 횟수", "재시작 수")}
_COUNTED_S = 1.0
# "backend 상태 "online"", "backend: online", "backend is online"
_SUBJECT = re.compile(r"\s*([A-Za-z][\w.-]*)\s*(?::|\b상태|\s(?:상태|프로세스|status|state|process|is)\b)")
_NO_NAMES = frozenset({"pm2", "status", "state", "process", "processes", "it", "each", "every", "all"})


def read(output: str) -> Figures:
    """How often each process was restarted. More than once since it was added says nothing of a time that is meant."""
    doubt = _("PM2 counts every restart since the process was added")
    return {"restarts": [_restarts(row, line, doubt) for row, line in _rows(output)]}


def about(text: str, output: str) -> Sequence[str] | None:
    """The rows of the processes that a text names: none where they are not there, None where it names no process."""
    rows = [(row["name"], line) for row, line in _rows(output)]
    if not rows:
        return None
    named = [line for name, line in rows if re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", text)]
    if named:
        return named
    subject = _SUBJECT.match(text)
    return [] if subject and subject[1].lower() not in _NO_NAMES else None


def all_rows(output: str) -> Sequence[str]:
    """The row of each process."""
    return [line for _row, line in _rows(output)]


def _restarts(row: dict[str, str], line: str, doubt: str) -> Figure:
    count = float(row["↺"])
    few = count <= _COUNTED_S
    return Figure(count if few else row["↺"], seen=line, doubt="" if few else doubt)


def _rows(output: str) -> Iterator[tuple[dict[str, str], str]]:
    """Each process as {"name", "status", "↺"}, with its line, of the last table."""
    head: list[str] = []
    found: list[tuple[dict[str, str], str]] = []
    for line in output.split("\n"):
        cells = [cell.strip() for cell in line.strip().strip("│").split("│")]
        if {"name", "status", "↺"} <= set(cells):
            head, found = cells, []
        elif head and len(cells) == len(head):
            row = dict(zip(head, cells, strict=True))
            if row["↺"].isdigit() and row["status"] in STATUSES:
                found.append((row, line.strip()))
    yield from found


PM2 = Tool("pm2", calls(r"pm2\s+(?:status|list|ls|l|ps|start|restart|reload|stop|delete)"), _NAMES, read)
