"""What runs on a cluster: what is not as it should be comes first, as the probe orders it, with why and since when.

In a narrow pane, and where it does not fit, a row's state stands below its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len

from cockpit.monitor.sample import Level, PanelState
from cockpit.words import _
from screens.clock import age_text
from screens.paint import Line, cropped, line, pad
from screens.panels.readings import LEVEL_MARKS, size_text

_READY_CELLS, _RESTARTS_CELLS, _AGE_CELLS, _KIND_CELLS, _USED_CELLS = 7, 8, 7, 6, 8
_MARK_CELLS, _KIND_FROM_CELLS, _WIDE_CELLS = 4, 72, 96
_KINDS = {"deployment": "deploy", "statefulset": "sts", "daemonset": "ds", "job": "job"}
_KINDS |= {"pod": "pod", "node": "node", "autoscaler": "hpa"}
"""As kubectl abbreviates them."""
_TOLD_APART = ("statefulset", "daemonset", "job", "autoscaler")
"""What has its kind before its name where there is no column for it: they may be called as a deployment is."""
_WIDEST_STATE, _NARROWEST_STATE = 28, 16


@dataclass(frozen=True, slots=True)
class _Columns:
    """How wide each column is; 0 for one that there is no room for."""

    width: int
    used: bool
    longest: int = 0
    """The widest name there is: it is shown whole before a state has a column of its own."""

    @property
    def kind(self) -> int:
        return _KIND_CELLS if self.width >= _KIND_FROM_CELLS else 0

    @property
    def state(self) -> int:
        room = self.width - _MARK_CELLS - self._others - self.longest - 1
        return min(room, _WIDEST_STATE) if room >= _NARROWEST_STATE else 0

    @property
    def age(self) -> int:
        return _AGE_CELLS if self.width >= 66 else 0

    @property
    def usage(self) -> int:
        return _USED_CELLS if self.used and self.width >= _WIDE_CELLS else 0

    @property
    def name(self) -> int:
        state = self.state
        return max(6, self.width - _MARK_CELLS - self._others - (state + 1 if state else 0))

    @property
    def _others(self) -> int:
        columns = (self.kind, self.age, self.usage, self.usage, _READY_CELLS, _RESTARTS_CELLS)
        return sum(cells + 1 for cells in columns if cells)


def detail(panel: PanelState, width: int) -> list[Line]:
    """The heads, then the rows."""
    if panel.last_data is None or not panel.last_data.rows:
        return []
    rows = panel.last_data.rows
    used = any("memory_bytes" in row or "memory_percent" in row for row in rows)
    columns = _Columns(width, used, max((cell_len(_name(row, width)) for row in rows if _is_listed(row)), default=0))
    return [_head(columns), *(each for row in rows for each in _lines(row, columns))]


def _head(columns: _Columns) -> Line:
    cells = [
        *([" " * columns.kind] if columns.kind else []),
        pad(_("name"), columns.name),
        _right(_("ready"), _READY_CELLS),
        *([pad(_("state"), columns.state)] if columns.state else []),
        *([_right(_("since"), columns.age)] if columns.age else []),
        *([_right("CPU", columns.usage), _right(_("memory"), columns.usage)] if columns.usage else []),
        _right(_("restarts"), _RESTARTS_CELLS),
    ]
    return line((" " * _MARK_CELLS + " ".join(cells), "dim"))


def _right(word: str, width: int) -> str:
    return " " * (width - cell_len(word)) + word


def _lines(row: Mapping[str, Any], columns: _Columns) -> list[Line]:
    what = row.get("what")
    if what == "note":
        return [cropped(line((f"    {row.get('name', '')}", "dim")), columns.width)]
    if what == "warning":
        return _warning(row, columns)
    mark, style = LEVEL_MARKS[next((level for level in Level if level == row.get("level")), Level.GREY)]
    state, note = str(row.get("status", "")), str(row.get("note", ""))
    ill = row.get("level") in ("yellow", "red")
    used = _used(row, columns)
    if not ill:
        # What a busy one uses says that it is busy.
        state, note = used or ", ".join([text for text in (state, note) if text]), ""
    change = row.get("restarts_change") or 0
    restarts = f"{row.get('restarts') or ''}{f' +{change}' if change else ''}"
    spans = [
        (" ", ""),
        (mark, style),
        (f" {pad(_KINDS.get(str(what), ''), columns.kind)}" if columns.kind else "", "dim"),
        (f" {_fitted(_name(row, columns.width), columns.name)}", ""),
        (f" {_right(str(row.get('ready', '')), _READY_CELLS)}", ""),
        (f" {pad(state, columns.state)}" if columns.state else "", style),
        (f" {_right(_age(row), columns.age)}" if columns.age else "", "dim"),
        (_usage(row, columns), ""),
        (f" {restarts:>{_RESTARTS_CELLS}}", "warn" if change else ""),
    ]
    first = line(*spans)
    told_below = ill or (not columns.state and (used or row.get("note")))
    below = _below(row, state, note, columns) if told_below else ""
    if not below:
        return [first]
    return [first, cropped(line((f"    {below}", style if ill and not columns.state else "dim")), columns.width)]


def _is_listed(row: Mapping[str, Any]) -> bool:
    return row.get("what") not in ("note", "warning")


def _name(row: Mapping[str, Any], width: int) -> str:
    """The name; an autoscaler mostly has that of its deployment, and is told from it."""
    told_apart = width < _KIND_FROM_CELLS and row.get("what") in _TOLD_APART
    return f"{_KINDS[row['what']]}/{row.get('name', '')}" if told_apart else str(row.get("name", ""))


def _fitted(name: str, width: int) -> str:
    """A name in so many cells. Pods of one deployment differ at their ends alone: what is cut is the middle."""
    if cell_len(name) <= width or cell_len(name) != len(name) or width < _MARK_CELLS:
        return pad(name, width)
    end = width // 2
    return pad(f"{name[: width - end - 1]}…{name[-end:]}", width)


def _below(row: Mapping[str, Any], state: str, note: str, columns: _Columns) -> str:
    """What of a row that is not well did not fit into its first line."""
    hidden = [state] if cell_len(state) > columns.state else []
    if not columns.age and _age(row):
        hidden.append(_age(row))
    return " · ".join([text for text in (" ".join(hidden), note) if text])


def _warning(row: Mapping[str, Any], columns: _Columns) -> list[Line]:
    """What was warned of, how often, about what, and when last; below it the words."""
    count = row.get("count") or 1
    times = f" x{count}" if count > 1 else ""
    age = _age(row)
    head = f"{row.get('status', '')}{times} "
    named = line(("    ", ""), (head, "warn"), (str(row.get("name", "")), ""))
    first = Line((*cropped(named, columns.width - cell_len(age) - 1).spans, (f" {age}", "dim")))
    note = str(row.get("note", ""))
    return [first, *([cropped(line((f"    {note}", "dim")), columns.width)] if note else [])]


def _age(row: Mapping[str, Any]) -> str:
    since_s = row.get("since_s")
    return age_text(since_s) if isinstance(since_s, int | float) else ""


def _usage(row: Mapping[str, Any], columns: _Columns) -> str:
    """CPU in cores or percent, and memory; nothing where there is no room for it."""
    cores, memory = row.get("cpu_cores"), row.get("memory_bytes")
    told = (
        f"{cores:.2f}" if isinstance(cores, int | float) else _percent(row.get("cpu_percent")),
        size_text(memory) if isinstance(memory, int | float) else _percent(row.get("memory_percent")),
    )
    return "".join(f" {text:>{columns.usage}}" for text in told) if columns.usage else ""


def _used(row: Mapping[str, Any], columns: _Columns) -> str:
    """CPU and memory in words, where they have no columns."""
    told = _usage(row, _Columns(_WIDE_CELLS, used=True)).split()
    return _("CPU {cpu} {memory}").format(cpu=told[0], memory=" ".join(told[1:])) if told and not columns.usage else ""


def _percent(value: object) -> str:
    return f"{value:.0f}%" if isinstance(value, int | float) else ""
