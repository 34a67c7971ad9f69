"""Figures side by side with those of a peer, and whether each holds its bar."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing measured. `ours` and `peer` are medians in `unit`; `bar` is the most the ratio may be, None for none.

    With `peer` None, `ours` itself is held against the bar.
    """

    name: str
    ours: float | None
    unit: str
    peer: float | None = None
    peer_name: str = ""
    bar: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times the peer's figure ours is."""
        if self.ours is None or not self.peer:
            return None
        return self.ours / self.peer

    @property
    def missed(self) -> bool:
        """Whether there is a bar and it does not hold."""
        measured = self.ours if self.peer is None else self.ratio
        return self.bar is not None and measured is not None and measured > self.bar


def median(values: Iterable[float]) -> float:
    """The middle one."""
    return statistics.median(values)


def share(values: Iterable[float], part: float) -> float:
    """The value below which that part of them lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def shown(figures: Sequence[Figure]) -> str:
    """The figures as a table."""
    rows = [("what", "ours", "peer", "ratio", "bar", "", "")]
    rows += [_row(figure) for figure in figures]
    widths = [max(cell_len(row[n]) for row in rows) for n in range(6)]
    lines = []
    for row in rows:
        cells = [cell + " " * (widths[n] - cell_len(cell)) for n, cell in enumerate(row[:6])]
        lines.append("  ".join([*cells, row[6]]).rstrip())
    return "\n".join([lines[0], "-" * max(map(cell_len, lines)), *lines[1:]])


def _row(figure: Figure) -> tuple[str, str, str, str, str, str, str]:
    verdict = "" if figure.bar is None or figure.ours is None else "MISSED" if figure.missed else "ok"
    peer = f"{_number(figure.peer)} {figure.unit} {figure.peer_name}" if figure.peer is not None else figure.peer_name
    ratio = f"{figure.ratio:.2f}" if figure.ratio is not None else "-"
    bar = f"<= {figure.bar:g}" if figure.bar is not None else "-"
    ours = f"{_number(figure.ours)} {figure.unit}" if figure.ours is not None else "skipped"
    return figure.name, ours, peer, ratio, bar, verdict, figure.note


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
