"""A Cloud Run service's revisions: who gets how much of the traffic, by which tag, how old each is, what ails it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cockpit.monitor.sample import Level, PanelState
from cockpit.session.record.clock import moment
from cockpit.words import _
from screens.clock import age_text
from screens.paint import Line, fit, line, pad
from screens.panels.readings import LEVEL_MARKS

_SHARE_CELLS, _TAG_CELLS, _AGE_CELLS = 4, 8, 7
_BESIDE_CELLS = 4 + _SHARE_CELLS + _TAG_CELLS + _AGE_CELLS + 3
_LEAST_NAME_CELLS, _MOST_NAME_CELLS = 9, 40


def detail(panel: PanelState, width: int) -> list[Line]:
    """The heads, then a row each, the newest first."""
    if panel.last_data is None or not panel.last_data.rows:
        return []
    longest = max(len(str(row.get("name", ""))) for row in panel.last_data.rows)
    names = max(_LEAST_NAME_CELLS, min(longest, width - _BESIDE_CELLS, _MOST_NAME_CELLS))
    revision, tag, age = _("revision"), _("tag"), _("age")
    head = f"    {pad(revision, names)} {_right('%')} {pad(tag, _TAG_CELLS)} {age}"
    now = moment(panel.last_data.t)
    return [line((head, "dim")), *(_row(row, names, width, now) for row in panel.last_data.rows)]


def _row(row: Mapping[str, Any], names: int, width: int, now: datetime | None) -> Line:
    mark, style = LEVEL_MARKS[next((level for level in Level if level == row.get("level")), Level.GREY)]
    made = moment(str(row.get("created", "")).replace("Z", "+00:00"))
    age = age_text(max(0.0, (now - made).total_seconds())) if now and made else "-"
    percent = row.get("percent")
    told = str(row.get("state") or row.get("image") or "")
    room = width - names - _BESIDE_CELLS - 1
    return line(
        (" ", ""),
        (mark, style),
        f" {_name(str(row.get('name', '')), names)} ",
        (_right(f"{percent:g}" if isinstance(percent, int | float) and percent else "-"), style),
        f" {pad(str(row.get('tag', '')), _TAG_CELLS)} ",
        (pad(age, _AGE_CELLS), "dim"),
        (f" {fit(told, room)}", "bad" if row.get("level") == "red" else "dim") if room > 8 and told else "",
    )


def _name(name: str, cells: int) -> str:
    """The name, of a long one the end: revisions of a service differ there."""
    return pad(name if len(name) <= cells else f"…{name[1 - cells :]}", cells)


def _right(word: str) -> str:
    return word.rjust(_SHARE_CELLS)
