"""Services of an ECS cluster: how many tasks of each run, the deployments under way, and what ECS last said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.cells import cell_len

from cockpit.monitor.sample import Level, PanelState
from cockpit.words import _
from screens.paint import Line, fit, line, pad
from screens.panels.readings import LEVEL_MARKS

_READY_CELLS, _PENDING_CELLS = 7, 8


def detail(panel: PanelState, width: int) -> list[Line]:
    """The heads, a row a service with its deployments below, then events, newest first."""
    if panel.last_data is None or not panel.last_data.rows:
        return []
    names = min(34, max(12, width // 3))
    ready, pending = _right(_("running"), _READY_CELLS), _right(_("starting"), _PENDING_CELLS)
    head = f"    {pad(_('name'), names)} {ready} {pending} {_('state')}"
    return [line((fit(head, width), "dim")), *(_row(row, names, width) for row in panel.last_data.rows)]


def _right(word: str, width: int) -> str:
    return " " * max(0, width - cell_len(word)) + word


def _row(row: Mapping[str, Any], names: int, width: int) -> Line:
    mark, style = LEVEL_MARKS[next((level for level in Level if level == row.get("level")), Level.GREY)]
    if row.get("row") == "event":
        return line((f"  {str(row.get('at', ''))[11:19]} ", "dim"), (fit(str(row.get("text", "")), width - 12), style))
    inner = "  " if row.get("row") == "deployment" else ""
    ready = _right(str(row.get("ready", "")), _READY_CELLS)
    pending = _right(str(row.get("pending") or ""), _PENDING_CELLS)
    room = width - names - _READY_CELLS - _PENDING_CELLS - 7
    state, told = fit(str(row.get("status", "")), room), str(row.get("detail", ""))
    left = room - cell_len(state) - 2
    return line(
        (" ", ""),
        (mark, style),
        f" {pad(inner + str(row.get('name', '')), names)} {ready} {pending} ",
        (state, style),
        (f"  {fit(told, left)}" if left > 5 else "", "dim"),
    )
