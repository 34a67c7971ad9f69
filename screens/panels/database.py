"""A database server: who holds whom up, then what has left its bounds, then all values, then what runs longest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from rich.cells import cell_len

from cockpit.monitor.sample import Level, PanelState, Reading
from cockpit.words import _
from screens.paint import Line, cropped, fit, line, wrapped
from screens.panels.readings import LEVEL_MARKS, rows_of, value_text, worst_first

Row = Mapping[str, Any]

_WIDE_CELLS = 70
_FIRST = (
    *("connections", "connections_percent", "blocked", "longest_query_s", "cache_hit_percent"),
    *("standbys", "standby_lag_s", "streaming", "replay_lag_s"),
)
_NARROW_ROWS, _WIDE_ROWS = 2, 6
"""Of a kind, where there is little room, and where there is more."""
_LEAST_OF_A_STATEMENT = 60
"""With less room beside what it is about, a statement stands on a row of its own."""


def detail(panel: PanelState, width: int) -> list[Line]:
    """All of it; in narrow panels the statements stand on rows of their own, and what is well is told in brief."""
    if panel.last_data is None:
        return []
    rows, readings = panel.last_data.rows, panel.last_data.readings
    ill = [row for row in rows if row.get("level") in ("yellow", "red")]
    well = [row for row in rows if row.get("level") not in ("yellow", "red")]
    if width < _WIDE_CELLS:
        readings = tuple(each for each in readings if each.name in _FIRST or each.level in (Level.YELLOW, Level.RED))
    waiting = [row for row in ill if row.get("what") == "blocked"]
    left_out = waiting[_NARROW_ROWS if width < _WIDE_CELLS else _WIDE_ROWS :]
    lines = [*_told((row for row in ill if row not in left_out), width)]
    if left_out:
        told = _("{n} more wait").format(n=len(left_out))
        lines.append(line((f"     {told}", "dim")))
    lines += [*rows_of(panel, worst_first(readings), width)]
    for title, kinds in (
        (_("longest running"), ("query", "idle", "blocked")),
        (_("slow on average"), ("statement",)),
        (_("standbys"), ("standby",)),
    ):
        most = len(well) if width >= _WIDE_CELLS else _NARROW_ROWS
        if listed := [row for row in well if row.get("what") in kinds][:most]:
            lines += [line((f"  {title}", "dim")), *_told(listed, width)]
    return [*lines, *_told([row for row in well if row.get("what") == "note"], width)]


def _told(rows: Iterable[Row], width: int) -> Iterator[Line]:
    for row in rows:
        mark, style = LEVEL_MARKS[next((level for level in Level if level == row.get("level")), Level.GREY)]
        of_kind = _HEADS.get(str(row.get("what")))
        if of_kind is None:
            yield from wrapped(((str(row.get("text", "")), style or "dim"),), width, first=f"  {mark} ", rest="     ")
            continue
        head, text = of_kind(row), " ".join(str(row.get("text", "")).split())
        first = line(("  ", ""), (mark, style), (f" {head}", style if mark.strip() else ""))
        if width - first.width - 2 >= min(cell_len(text), _LEAST_OF_A_STATEMENT):
            yield cropped(Line((*first.spans, *line("  ", (text, "dim")).spans)), width) if text else first
        else:
            yield cropped(first, width)
            yield line((f"     {fit(text, max(8, width - 6))}", "dim"))


def _age(row: Row) -> str:
    age = row.get("age_s")
    return value_text(Reading("age", age if isinstance(age, int | float) else None, "s"))


def _pid(row: Row) -> str:
    return str(row.get("pid") or _("a prepared transaction"))


def _who(row: Row) -> str:
    """app (reports)."""
    application = f" ({row['application']})" if row.get("application") else ""
    return f"{row.get('user', '')}{application}".strip()


def _blocking(row: Row) -> str:
    told = _("{pid} holds up {n}").format(pid=_pid(row), n=row.get("holds_up", "?"))
    state = f"{row['state']} {_age(row)}" if row.get("state") else ""
    return _behind(told, _who(row), state)


def _blocked(row: Row) -> str:
    holders = str(row.get("holders") or "?")
    told = _("{pid} waits {age} for {holders}").format(pid=_pid(row), age=_age(row), holders=holders)
    return _behind(told, _who(row), str(row.get("wait") or ""))


def _behind(told: str, *more: str) -> str:
    """What matters, then what explains it, as far as there is room."""
    return ": ".join(filter(None, (told, ", ".join(filter(None, more)))))


def _running(row: Row) -> str:
    wait = f" {row['wait']}" if row.get("wait") else ""
    return f"{_age(row)}  {_pid(row)} {_who(row)}{wait}"


def _idle(row: Row) -> str:
    return f"{_age(row)}  {_pid(row)} {_who(row)} {row.get('state', '')}"


def _statement(row: Row) -> str:
    mean = value_text(Reading("mean", row.get("mean_ms"), "ms"))
    return _("{mean} x{calls:.0f}").format(mean=mean, calls=row.get("calls") or 0)


def _standby(row: Row) -> str:
    behind = value_text(Reading("behind", row.get("bytes"), "bytes"))
    return f"{row.get('name', '')} {row.get('client', '')} {row.get('state', '')} {_age(row)} {behind}"


_HEADS: Mapping[str, Callable[[Row], str]] = {
    "blocking": _blocking,
    "blocked": _blocked,
    "query": _running,
    "idle": _idle,
    "statement": _statement,
    "standby": _standby,
}
