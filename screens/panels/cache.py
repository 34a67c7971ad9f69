"""A cache server: what is wrong in words, then what has left its bounds, then all values, replicas and databases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cockpit.monitor.sample import Level, PanelState, Reading
from cockpit.words import _
from screens.paint import Line, fit, line, wrapped
from screens.panels.readings import LEVEL_MARKS, rows_of, value_text, worst_first

Row = Mapping[str, Any]

_WIDE_CELLS = 70
_FIRST = ("ping_ms", "memory_bytes", "memory_percent", "hit_percent", "clients", "ops_per_s", "role", "link_up", "keys")


def detail(panel: PanelState, width: int) -> list[Line]:
    """All of it; narrow panels leave out values that seldom tell much while they are within their bounds."""
    if panel.last_data is None:
        return []
    rows, readings = panel.last_data.rows, panel.last_data.readings
    if width < _WIDE_CELLS:
        readings = tuple(each for each in readings if each.name in _FIRST or each.level in (Level.YELLOW, Level.RED))
    lines: list[Line] = []
    for row in (row for row in rows if row.get("what") == "trouble"):
        lines += _sentence(row, width)
    lines += _of_kind(rows, "replica", width, well=False)
    lines += rows_of(panel, worst_first(readings), width)
    lines += _of_kind(rows, "replica", width, well=True)
    lines += _of_kind(rows, "keyspace", width, well=True)
    for row in (row for row in rows if row.get("what") == "note"):
        lines += _sentence(row, width)
    return lines


def _sentence(row: Row, width: int) -> list[Line]:
    mark, style = _mark(row)
    text = str(row.get("text", ""))
    return wrapped(((text, style or "dim"),), width, first=f"  {mark} ", rest="     ")


def _of_kind(rows: tuple[Row, ...], what: str, width: int, *, well: bool) -> Iterator[Line]:
    for row in rows:
        if row.get("what") == what and (row.get("level") not in ("yellow", "red")) is well:
            mark, style = _mark(row)
            told = _replica(row) if what == "replica" else _database(row)
            yield line(("  ", ""), (mark, style), (f" {fit(told, max(8, width - 6))}", "" if mark.strip() else "dim"))


def _mark(row: Row) -> tuple[str, str]:
    return LEVEL_MARKS[next((level for level in Level if level == row.get("level")), Level.GREY)]


def _replica(row: Row) -> str:
    lag = value_text(Reading("lag", row.get("age_s"), "s"))
    behind = value_text(Reading("behind", row.get("bytes"), "bytes"))
    return _("replica {name} {state}, {behind} behind, heard {lag} ago").format(
        name=row.get("name", ""), state=row.get("state", ""), behind=behind, lag=lag
    )


def _database(row: Row) -> str:
    keys, expiring = row.get("keys") or 0, row.get("expires") or 0
    return _("{name}: {keys:.0f} keys, {expiring:.0f} of them expire").format(
        name=row.get("name", ""), keys=keys, expiring=expiring
    )
