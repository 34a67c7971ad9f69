"""An answer in lines: the value first, so that a check compares it and never a number out of a label."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from rich.cells import cell_len

from cockpit.adapters.prometheus.answer import Answer, Series, labels_text, number_text
from cockpit.adapters.prometheus.question import spread, step_of
from cockpit.adapters.step_program.page import Page
from cockpit.errors import Declined
from cockpit.sparkline import sparkline
from cockpit.words import _

CHART_CELLS = 30
"""With three numbers and the beginning of the labels it fits into 80 columns."""
POINTS = 120
"""Values of a range where the block names no step: more than are drawn, so that least and greatest are true."""
_MOST_SERIES = 10_000


def show(answer: Answer, page: Page) -> None:
    """Print one answer, and what the server warns of.

    Raises:
        Declined: it has more series than anybody can look at; the first ones are printed.
    """
    kind = answer.data.kind
    if kind == "string":
        page.line(answer.data.text())
        return
    series = answer.data.series()
    rows = _ranges(series) if kind == "matrix" else _now(series)
    for row in rows:
        page.line(row)
    for warning in (*answer.warnings, *answer.infos):
        page.line(_("the server says: {warning}").format(warning=warning))
    if len(series) > _MOST_SERIES:
        raise Declined(
            _("{count} series are too many; the first {shown} are shown").format(count=len(series), shown=_MOST_SERIES),
            mend=_("ask for less: sum, topk, a narrower selector"),
        )


def _now(series: Sequence[Series]) -> Iterator[str]:
    told = [each for each in series[:_MOST_SERIES] if each.newest is not None]
    if not told:
        yield _("only histograms, which are not shown here") if series else _("no series: nothing matches")
    elif len(told) == 1 and not told[0].metric:
        yield _number(told[0].newest)
    else:
        yield from _aligned([(_("value"), _("series")), *((_number(s.newest), labels_text(s.metric)) for s in told)])


def _ranges(series: Sequence[Series]) -> Iterator[str]:
    told = [each for each in series[:_MOST_SERIES] if each.values]
    if not told:
        yield _("no series: nothing matches")
        return
    times = [point[0] for each in told for point in (each.values[0], each.values[-1])]
    step_s = min(step_of([at for at, _value in each.values]) for each in told)
    bounds = min(times), max(times)
    heads = (_("last"), _("least"), _("greatest"), _("chart"), _("series"))
    yield from _aligned([heads, *(_charted(each, bounds, step_s) for each in told)])
    yield _("from {begin} to {end}").format(begin=_time(bounds[0]), end=_time(bounds[1]))


def _charted(series: Series, bounds: tuple[float, float], step_s: float) -> tuple[str, ...]:
    points = {at: float(value) for at, value in series.values}
    numbers = [value for value in points.values() if value == value]
    chart = sparkline(spread(bounds, step_s, points), CHART_CELLS)
    bounds_of_it = min(numbers, default=None), max(numbers, default=None)
    told = tuple(_number(value, digits=6) for value in (series.newest, *bounds_of_it))
    return (*told, chart, labels_text(series.metric))


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns two blanks apart; the last one as long as it is, charts and words to the left, numbers to the right."""
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            " " * (width - cell_len(cell)) + cell if number < 3 else cell + " " * (width - cell_len(cell))
            for number, (cell, width) in enumerate(zip(row[:-1], widths, strict=False))
        ]
        yield "  ".join([*cells, row[-1]])


def _number(value: float | None, digits: int = 9) -> str:
    return "-" if value is None else number_text(value, digits)


def _time(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
