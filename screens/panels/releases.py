"""What is deployed, by Helm or by ArgoCD: which revision, in what state. The probes put what is wrong first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cockpit.monitor.sample import Level, PanelState
from cockpit.words import _
from screens.paint import Line, cropped, line, pad
from screens.panels.readings import LEVEL_MARKS

_REVISION_CELLS, _VERSION_CELLS = 8, 10


def detail(panel: PanelState, width: int) -> list[Line]:
    """The heads, then a row each: name, revision, state, and with room for it the version; and what is wrong."""
    if panel.last_data is None or not panel.last_data.rows:
        return []
    room = width - _REVISION_CELLS - 8
    names = max(8, room // 2)
    states = max(8, room - names)
    versions = _VERSION_CELLS if states > 2 * _VERSION_CELLS else 0
    states -= versions + 1 if versions else 0
    heads = [pad(_("name"), names), pad(_("revision"), _REVISION_CELLS), pad(_("state"), states)]
    heads += [pad(_("version"), versions)] if versions else []
    return [
        line(("    " + " ".join(heads), "dim")),
        *(each for row in panel.last_data.rows for each in _rows(row, (names, states, versions), width)),
    ]


def _rows(row: Mapping[str, Any], cells: tuple[int, int, int], width: int) -> list[Line]:
    """A row, and below one that is not well why that is."""
    first, why = _row(row, *cells), str(row.get("message") or "")
    if not why or row.get("level") not in ("yellow", "red"):
        return [first]
    return [first, cropped(line((f"    {why}", "dim")), width)]


def _row(row: Mapping[str, Any], names: int, states: int, versions: int) -> Line:
    mark, style = LEVEL_MARKS[next((level for level in Level if level == row.get("level")), Level.GREY)]
    revision = row.get("revision")
    told = f"{revision:.0f}" if isinstance(revision, float) else str(revision or "")
    return line(
        (" ", ""),
        (mark, style),
        f" {pad(str(row.get('name', '')), names)} {pad(told, _REVISION_CELLS)} ",
        (pad(str(row.get("status", "")), states), style),
        (f" {pad(str(row.get('version', '')), versions)}", "dim") if versions else "",
    )
