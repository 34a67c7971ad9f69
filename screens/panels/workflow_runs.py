"""The last runs of workflows: how each ended, how long ago it began, how long it took, and who began it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cockpit.monitor.sample import Level, PanelState
from cockpit.session.record.clock import moment
from cockpit.words import _
from screens.clock import age_text, clock_text
from screens.paint import Line, line, pad
from screens.panels.readings import LEVEL_MARKS

_NAME_CELLS, _STATE_CELLS, _AGE_CELLS, _TOOK_CELLS, _WHO_CELLS = 8, 11, 7, 7, 10
_MARK_CELLS = 4


def detail(panel: PanelState, width: int) -> list[Line]:
    """The heads, then a row each; what failed comes first, as the probe orders it."""
    if panel.last_data is None or not panel.last_data.rows:
        return []
    columns = _columns(width)
    heads = [_("workflow"), _("state"), _("age"), _("took"), _("by")]
    head = line((" " * _MARK_CELLS + _cells(heads, columns), "dim"))
    now = moment(panel.last_data.t)
    return [head, *(_row(row, columns, now) for row in panel.last_data.rows)]


def _columns(width: int) -> list[int]:
    """The cells of each column that has room: name, state, age; then how long it took; then who."""
    columns = [_NAME_CELLS, _STATE_CELLS, _AGE_CELLS]
    room = width - _MARK_CELLS - sum(columns) - len(columns)
    if room > _TOOK_CELLS:
        columns.append(_TOOK_CELLS)
        room -= _TOOK_CELLS + 1
        if room > _WHO_CELLS + _NAME_CELLS:
            columns[0] += _NAME_CELLS
            columns.append(room - _NAME_CELLS)
            return columns
    columns[0] += max(0, room)
    return columns


def _cells(texts: list[str], columns: list[int]) -> str:
    return " ".join(pad(text, cells) for text, cells in zip(texts, columns, strict=False)).rstrip()


def _row(row: Mapping[str, Any], columns: list[int], now: datetime | None) -> Line:
    mark, style = LEVEL_MARKS[next((level for level in Level if level == row.get("level")), Level.GREY)]
    took, begun = row.get("duration_s"), moment(str(row.get("began", "")).replace("Z", "+00:00"))
    rest = [
        age_text(max(0.0, (now - begun).total_seconds())) if now and begun else "-",
        clock_text(took) if isinstance(took, int | float) else "-",
        f"{row.get('by', '')}  {row.get('title', '')}",
    ]
    return line(
        (" ", ""),
        (mark, style),
        f" {pad(str(row.get('name', '')), columns[0])} ",
        (pad(str(row.get("state", "")), columns[1]), style),
        (" " + _cells(rest, columns[2:]), "dim"),
    )
