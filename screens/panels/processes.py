"""Processes under a manager such as PM2: a row each, what restarts standing out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.cells import cell_len

from cockpit.monitor.sample import Level, PanelState
from cockpit.words import _
from screens.paint import Line, line, pad
from screens.panels.readings import LEVEL_MARKS, size_text

_MOST_ROWS = 500


def detail(panel: PanelState, width: int) -> list[Line]:
    """The heads, then the processes."""
    if panel.last_data is None or not panel.last_data.rows:
        return []
    names = max(8, min(24, width - 37))
    name, state, restarts, memory = pad(_("name"), names), pad(_("state"), 9), _("restarts"), _("memory")
    head = f"    {name} {state} {_right(restarts, 8)} {'CPU':>4} {_right(memory, 8)}"
    return [line((head, "dim")), *(_row(row, names) for row in panel.last_data.rows[:_MOST_ROWS])]


def _right(word: str, width: int) -> str:
    return " " * (width - cell_len(word)) + word


def _row(row: Mapping[str, Any], names: int) -> Line:
    mark, style = LEVEL_MARKS[_level(row.get("level"))]
    change = row.get("restarts_change") or 0
    restarts = f"{row.get('restarts', '-')}{f' +{change}' if change else ''}"
    return line(
        (" ", ""),
        (mark, style),
        f" {pad(str(row.get('name', '')), names)} ",
        (pad(str(row.get("status", "")), 9), style),
        (f" {restarts:>8}", "warn" if change else ""),
        f" {_percent(row.get('cpu_percent')):>4} {_size(row.get('memory_bytes')):>8}",
    )


def _level(value: object) -> Level:
    return next((level for level in Level if level == value), Level.GREY)


def _percent(value: object) -> str:
    return f"{value:.0f}%" if isinstance(value, int | float) else "-"


def _size(value: object) -> str:
    return size_text(value) if isinstance(value, int | float) and value else "-"
