"""Lambda functions: the last five minutes of each in figures, and how the function itself stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.cells import cell_len

from cockpit.monitor.sample import Level, PanelState
from cockpit.words import _
from screens.paint import Line, fit, line, pad
from screens.panels.readings import LEVEL_MARKS

_FIGURE_CELLS, _STATE_CELLS = 8, 14
_FIGURES = ("invocations", "errors", "throttles", "duration_p95_ms")
_GRAVEST = ("errors", "duration_p95_ms")
"""What a narrow panel has room for."""


def detail(panel: PanelState, width: int) -> list[Line]:
    """The heads, then a row a function, and below it why it is not well."""
    if panel.last_data is None or not panel.last_data.rows:
        return []
    shown = _FIGURES if width >= 60 else _GRAVEST
    names = min(34, max(8, width - len(shown) * (_FIGURE_CELLS + 1) - _STATE_CELLS - 6))
    heads = dict(zip(_FIGURES, (_("calls"), _("errors"), _("throttled"), _("p95 ms")), strict=True))
    head = f"    {pad(_('name'), names)} {' '.join(_right(heads[name]) for name in shown)} {_('state')}"
    rows = [line((fit(head, width), "dim"))]
    for row in panel.last_data.rows:
        rows.append(_row(row, shown, names, width))
        if row.get("level") == "red" and row.get("detail"):
            rows.append(line((f"      {fit(str(row['detail']), max(8, width - 7))}", "dim")))
    return rows


def _right(word: str) -> str:
    word = fit(word, _FIGURE_CELLS)
    return " " * (_FIGURE_CELLS - cell_len(word)) + word


def _row(row: Mapping[str, Any], shown: Sequence[str], names: int, width: int) -> Line:
    mark, style = LEVEL_MARKS[next((level for level in Level if level == row.get("level")), Level.GREY)]
    figures = [row.get(name) for name in shown]
    told = " ".join(_right("-" if figure is None else f"{figure:.4g}") for figure in figures)
    room = width - names - len(shown) * (_FIGURE_CELLS + 1) - 6
    state = fit(str(row.get("status", "")), room) if room > 3 else ""
    return line((" ", ""), (mark, style), f" {pad(str(row.get('name', '')), names)} {told} ", (state, style))
