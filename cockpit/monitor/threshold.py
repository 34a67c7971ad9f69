"""Where values stand against their bounds. Edges are exact: "> 10 %" does not hold at 10 %, ">= 10 %" does.

Red beats yellow, yellow beats green. A value that no bound claims is green; but where the author also wrote down what
green is, a value on neither side ("red > 0.5", "green < 0.5", and it is 0.5) counts as yellow: a doubt goes up.
"""

from __future__ import annotations

import difflib
import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from msgspec.structs import replace

from cockpit.config import Bound
from cockpit.config.unit import convert
from cockpit.monitor.sample import Level, Outcome, Reading, Sample
from cockpit.words import _

_FEWEST = 3
"""A mean, p95 or ratio needs this many samples (or all of `over`, when that is fewer) before it says anything."""

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_RANK = {Level.GREY: 0, Level.GREEN: 1, Level.YELLOW: 2, Level.RED: 3}
_UNIT_SUFFIXES = ("_ms", "_s", "_percent", "_bytes", "_per_min")


@dataclass(frozen=True, slots=True)
class Measured:
    """A bound's statistic, taken: its value, its unit, and whether the bound holds."""

    value: float | str | bool
    unit: str
    holds: bool


def worst(levels: Iterable[Level]) -> Level:
    """The worst of them; GREY when there is none."""
    return max(levels, key=_RANK.__getitem__, default=Level.GREY)


def reading_of(sample: Sample, metric: str) -> Reading | None:
    """The reading of that name; "latency" also finds "latency_ms", "cpu" finds "cpu_percent"."""
    names = (metric, *(metric + suffix for suffix in _UNIT_SUFFIXES))
    return next((r for name in names for r in sample.readings if r.name == name), None)


def never_held(bound: Bound, sample: Sample) -> str:
    """Why a bound is about nothing that this sample has, in words; "" where it is, or where that can't be known."""
    reading = reading_of(sample, bound.metric)
    if reading is None:
        names = [reading.name for reading in sample.readings]
        near = difflib.get_close_matches(bound.metric, names, n=1, cutoff=0.5)
        told = _("no value is called {word}").format(word=bound.metric)
        known = _("did you mean {word}?").format(word=near[0]) if near else ", ".join(names)
        return f"{told} ({known})" if names else ""
    single = bound.statistic != "ratio"  # which is always in %
    if (
        single
        and _number(reading.value)
        and _number(bound.bound)
        and convert(bound.bound, bound.unit, reading.unit) is None
    ):
        told = _("{name} is in {unit}, and not in {other}")
        return told.format(name=reading.name, unit=reading.unit or "-", other=bound.unit)
    return ""


def measured(bound: Bound, recent: Sequence[Sample]) -> Measured | None:
    """The bound against the newest of `recent` (oldest first), or against the last `over` of them.

    None when there is nothing to compare: no such reading, too few samples, another kind of unit.
    """
    if bound.statistic == "single":
        reading = reading_of(recent[-1], bound.metric) if recent else None
        return None if reading is None or reading.value is None else _held(bound, reading.value, reading.unit)
    found = [reading_of(s, bound.metric) for s in recent[-bound.over :] if s.outcome is Outcome.DATA]
    readings = [r for r in found if r is not None and isinstance(r.value, int | float)]
    if len(readings) < min(_FEWEST, bound.over):
        return None
    values = [float(r.value) for r in readings if isinstance(r.value, int | float)]
    if bound.statistic == "ratio":
        return _held(bound, 100.0 * sum(map(bool, values)) / len(values), "%")
    taken = sum(values) / len(values) if bound.statistic == "mean" else _p95(values)
    return _held(bound, taken, readings[-1].unit)


def graded(sample: Sample, thresholds: Sequence[Bound], recent: Sequence[Sample]) -> Sample:
    """The sample with the level of each reading, and its own. `recent` ends with the sample itself."""
    readings = list(sample.readings)
    for metric in dict.fromkeys((bound.statistic, bound.metric) for bound in thresholds):
        bounds = [bound for bound in thresholds if (bound.statistic, bound.metric) == metric]
        graded_reading = _graded(sample, bounds, recent)
        if graded_reading is None:
            continue
        at = next((i for i, r in enumerate(readings) if r.name == graded_reading.name), None)
        if at is None:
            readings.append(graded_reading)
        else:
            readings[at] = graded_reading
    rows = (Level(row["level"]) for row in sample.rows if row.get("level"))
    level = worst((sample.level, *(reading.level for reading in readings), *rows))
    return replace(sample, readings=tuple(readings), level=level)


def _graded(sample: Sample, bounds: Sequence[Bound], recent: Sequence[Sample]) -> Reading | None:
    """The reading that these bounds, all on one statistic of one metric, are about; None when it can't be had."""
    took = [(bound, taken) for bound in bounds if (taken := measured(bound, recent)) is not None]
    if not took:
        return None
    value = took[0][1]
    level, decisive = _decided([(bound, taken.holds) for bound, taken in took])
    single = reading_of(sample, bounds[0].metric) if bounds[0].statistic == "single" else None
    if single is None:
        name = f"{bounds[0].statistic} {bounds[0].metric}"
        shown = round(value.value, 1) if isinstance(value.value, float) else value.value
        return Reading(name, shown, value.unit, level, decisive)
    own = single.level if _RANK[single.level] > _RANK[level] else level
    return replace(single, level=own, bound=decisive if own is level else single.bound)


def _decided(holds: Sequence[tuple[Bound, bool]]) -> tuple[Level, str]:
    for level in (Level.RED, Level.YELLOW, Level.GREEN):
        hit = next((bound for bound, held in holds if held and bound.level == level.value), None)
        if hit is not None:
            return level, str(hit)
    green = next((bound for bound, _held_here in holds if bound.level == "green"), None)
    if green is not None:
        return Level.YELLOW, str(green)
    return Level.GREEN, str(holds[0][0])


def _held(bound: Bound, value: float | str | bool, unit: str) -> Measured | None:
    wanted: float | str | bool | None = bound.bound
    if _number(value) and _number(wanted):
        wanted = convert(wanted, bound.unit, unit)
        if wanted is None or not math.isfinite(value):
            return None
    elif isinstance(value, str) and isinstance(wanted, str):
        value, wanted = value.casefold(), wanted.casefold()
    elif bound.operator not in ("==", "!=") or type(value) is not type(wanted):
        return None
    return Measured(value, unit or bound.unit, _COMPARE[bound.operator](value, wanted))


def _number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _p95(values: Sequence[float]) -> float:
    """By nearest rank: a value that was really seen, never one in between."""
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]
