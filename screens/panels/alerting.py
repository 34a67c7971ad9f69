"""Active alerts: a row each, the gravest first, and the runbook that the first of them names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cockpit.monitor.sample import Level, PanelState
from cockpit.session.record.clock import moment
from cockpit.words import _
from screens.clock import age_text
from screens.paint import Line, line, pad
from screens.panels import readings
from screens.panels.readings import LEVEL_MARKS

_SINCE_CELLS, _SEVERITY_CELLS = 8, 9
_KINDS = ("alertmanager", "grafana")
_RANK = {"red": 0, "yellow": 1}


def detail(panel: PanelState, width: int) -> list[Line]:
    """A row an alert: its name, how severe, for how long, and what it says of itself."""
    if panel.last_data is None or not panel.last_data.rows:
        return []
    names = min(28, max(10, width // 3))
    rows = [_row(row, names, width, panel.last_data.t) for row in panel.last_data.rows]
    if urls := runbooks_of([panel]):
        rows.append(line((" r ", "key"), (_("runbook: {url}").format(url=urls[0]), "dim")))
    return rows


def detail_below_readings(panel: PanelState, width: int) -> list[Line]:
    """The readings of a server that has alerts of its own, and then these."""
    return [*readings.detail(panel, width), *detail(panel, width)]


def runbooks_of(panels: Iterable[PanelState]) -> list[str]:
    """The runbooks that alerts name, the gravest alert's first."""
    rows = [row for panel in panels if panel.kind in _KINDS and panel.last_data for row in panel.last_data.rows]
    named = [row for row in rows if row.get("runbook_url")]
    return [str(row["runbook_url"]) for row in sorted(named, key=lambda row: _RANK.get(str(row.get("level")), 2))]


def _row(row: Mapping[str, Any], names: int, width: int, now_t: str) -> Line:
    mark, style = LEVEL_MARKS[next((level for level in Level if level == row.get("level")), Level.GREY)]
    told = str(row.get("summary") or row.get("labels") or "")
    room = width - names - _SINCE_CELLS - _SEVERITY_CELLS - 8
    return line(
        (" ", ""),
        (mark, style),
        f" {pad(str(row.get('name', '')), names)} ",
        (pad(str(row.get("severity", "")), _SEVERITY_CELLS), style),
        (f" {pad(_since(str(row.get('since', '')), now_t), _SINCE_CELLS)} ", "dim"),
        pad(told, room) if room > 8 else "",
    )


def _since(begun_t: str, now_t: str) -> str:
    try:
        begun, now = moment(begun_t.replace("Z", "+00:00")), moment(now_t)
    except ValueError:
        return "-"
    return age_text(max(0.0, (now - begun).total_seconds())) if begun and now else "-"
