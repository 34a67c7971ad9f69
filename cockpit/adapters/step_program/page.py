"""What a step program prints: lines, tables aligned by terminal cells, and bytes as they came."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from typing import BinaryIO

from rich.cells import cell_len

from cockpit.safety.text import sanitise
from cockpit.words import _

Cell = str | None
"""None is SQL's NULL, or whatever else is absent."""

_WIDEST_CELLS = 160
"""A wider table is printed one value a line instead."""
_LONGEST_CELL = 100_000
_HIDDEN = "[redacted:secret]"
_MAY_BE_SECRET = re.compile(r"pass|pwd|token|secret|credential|key", re.IGNORECASE)
_SPECIMEN = "Zq7-Lx0-Wv4-Tb9"
_IN_A_CELL = str.maketrans({"\n": "␊", "\t": "␉"})


class Page:
    """The step program's standard output."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def write(self, data: bytes) -> None:
        """Bytes as they came: the run's record keeps them, and views clean them."""
        self._out.write(data)
        self._out.flush()

    def line(self, text: str = "") -> None:
        """A line of text, cleaned."""
        self.write(sanitise(text).encode("utf-8", "backslashreplace") + b"\n")

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[Cell]], right: Collection[int] = ()) -> None:
        """Rows under their columns' names, as psql prints them; a table that is too wide, row by row.

        Args:
            right: the numbers of columns to align to the right.
        """
        heads = [_cell(name) for name in columns]
        hidden = _secret_columns(columns)
        cells = [
            [_HIDDEN if number in hidden and value else _cell(value) for number, value in enumerate(row)]
            for row in rows
        ]
        widths = [max(map(cell_len, column)) for column in zip(heads, *cells, strict=True)]
        if sum(widths) + 3 * len(widths) > _WIDEST_CELLS and cells:
            self._records(heads, cells)
            return
        pads = [_right if number in right else _left for number in range(len(widths))]
        lines = [
            _row(heads, widths, [_left] * len(widths)),
            "-" + "-+-".join("-" * width for width in widths) + "-",
            *(_row(row, widths, pads) for row in cells),
        ]
        self.write(("\n".join(lines) + "\n").encode())

    def _records(self, heads: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
        wide = max(map(cell_len, heads))
        for number, row in enumerate(cells, 1):
            lines = [f"-[ {number} ]-"]
            lines += [f"{_left(head, wide)} | {value}".rstrip() for head, value in zip(heads, row, strict=True)]
            self.write(("\n".join(lines) + "\n").encode())


def _secret_columns(columns: Sequence[str]) -> frozenset[int]:
    """Which columns hold secrets, by their names: in a table no name stands beside a value that could tell it."""
    if not any(_MAY_BE_SECRET.search(name) for name in columns):
        return frozenset()
    from cockpit.safety.redaction.redactor import Redactor

    pattern = Redactor()
    named = (f"{name}={_SPECIMEN}" for name in columns)
    return frozenset(number for number, text in enumerate(named) if pattern.redact(text) != text)


def _cell(value: Cell, *, hide: bool = False) -> str:
    if value is None:
        return "NULL"
    if hide and value:
        return _HIDDEN
    if len(value) > _LONGEST_CELL:
        more = _("… {count} more characters").format(count=len(value) - _LONGEST_CELL)
        value = value[:_LONGEST_CELL] + more
    return sanitise(value).translate(_IN_A_CELL)


def _row(cells: Sequence[str], widths: Sequence[int], pads: Sequence[Callable[[str, int], str]]) -> str:
    padded = (pad(cell, width) for cell, width, pad in zip(cells, widths, pads, strict=True))
    return f" {' | '.join(padded)}".rstrip()


def _left(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))


def _right(text: str, width: int) -> str:
    return " " * (width - cell_len(text)) + text
