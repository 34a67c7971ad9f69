"""A cluster's deployments, nodes and pods: what is not as it should be comes first, as the probe orders it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.cells import cell_len

from cockpit.monitor.sample import Level, PanelState
from cockpit.words import _
from screens.paint import Line, line, pad
from screens.panels.readings import LEVEL_MARKS

_STATE_CELLS, _READY_CELLS, _RESTARTS_CELLS = 16, 7, 8


def detail(panel: PanelState, width: int) -> list[Line]:
    """The heads, then a row each."""
    if panel.last_data is None or not panel.last_data.rows:
        return []
    names = max(6, width - _STATE_CELLS - _READY_CELLS - _RESTARTS_CELLS - 8)
    ready, restarts = _right(_("ready"), _READY_CELLS), _right(_("restarts"), _RESTARTS_CELLS)
    head = f"    {pad(_('name'), names)} {ready} {pad(_('state'), _STATE_CELLS)} {restarts}"
    return [line((head, "dim")), *(_row(row, names) for row in panel.last_data.rows)]


def _right(word: str, width: int) -> str:
    return " " * (width - cell_len(word)) + word


def _row(row: Mapping[str, Any], names: int) -> Line:
    mark, style = LEVEL_MARKS[next((level for level in Level if level == row.get("level")), Level.GREY)]
    restarts = row.get("restarts") or ""
    return line(
        (" ", ""),
        (mark, style),
        f" {pad(str(row.get('name', '')), names)} {_right(str(row.get('ready', '')), _READY_CELLS)} ",
        (pad(str(row.get("status", "")), _STATE_CELLS), style),
        f" {restarts!s:>{_RESTARTS_CELLS}}",
    )
