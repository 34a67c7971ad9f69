"""Gates: a pure fold over samples that tells whether a gate's criteria hold, for how long, and what that proposes.

A gate only proposes. It holds when every criterion did, without a gap, for the gate's time and at least three samples;
it is broken when one criterion did not hold three times in a row. No data, NaN, silence and a unit that can't be
compared are neither: they begin the time anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import msgspec

from cockpit.config import Bound, ProbeConfig
from cockpit.config.unit import convert, known
from cockpit.monitor.panel import STALE_INTERVALS
from cockpit.monitor.sample import Outcome, Reading, Sample
from cockpit.monitor.threshold import measured, reading_of
from cockpit.runbook.model import ExpectationKind, Step
from cockpit.words import _

TIMES = 3
"""Samples of each criterion that a proposal rests on at least."""
_UNITS = {"pct": "%", "percent": "%"}
_UNIT_WORDS = frozenset({"ms", "s", "seconds", "percent", "pct", "bytes"})


class Phase(StrEnum):
    """WAITING: not every criterion has been seen. BLIND: one can't be told. The last two are proposals, and final."""

    WAITING = "waiting"
    HOLDING = "holding"
    FAILING = "failing"
    BLIND = "blind"
    HELD = "held"
    BROKEN = "broken"

    @property
    def proposes(self) -> bool:
        """Whether there is nothing more to wait for."""
        return self in (Phase.HELD, Phase.BROKEN)


@dataclass(frozen=True, slots=True)
class Criterion:
    """A bound on one metric of one probe, and what its newest sample said: `held` None is neither yes nor no.

    `in_a_row` counts samples that said the same.
    """

    text: str
    probe: str
    bound: Bound
    held: bool | None = None
    seen: str = ""
    seen_m: int = 0
    in_a_row: int = 0


@dataclass(frozen=True, slots=True)
class GateState:
    """A gate being watched. `since_m` and `since_t`: when all criteria began to hold, None while they don't.

    `unmatched` are criteria that no configured metric answers: a person has to judge them.
    """

    step: str
    criteria: tuple[Criterion, ...]
    unmatched: tuple[str, ...]
    needed_s: float
    phase: Phase = Phase.WAITING
    since_m: int | None = None
    since_t: str | None = None

    def as_json(self) -> dict[str, Any]:
        """For the journal."""
        return {
            "step": self.step,
            "phase": self.phase.value,
            "since_t": self.since_t,
            "needed_s": self.needed_s,
            "unmatched": list(self.unmatched),
            "criteria": [
                {"text": one.text, "probe": one.probe, "metric": one.bound.metric, "held": one.held, "seen": one.seen}
                | {"in_a_row": one.in_a_row}
                for one in self.criteria
            ],
        }


def begin_gate(step: Step, probes: Sequence[ProbeConfig]) -> GateState:
    """The gate of a step before any sample; without criteria where no configured metric is called as they are."""
    criteria, unmatched = [], []
    for expectation in step.expectations:
        if expectation.kind is not ExpectationKind.NUMBER:
            unmatched.append(expectation.text)
            continue
        value = expectation.value
        places = list(_places(str(value["label"]), probes))
        if len(places) != 1:
            unmatched.append(expectation.text)
            continue
        unit = str(value.get("unit") or "")
        wanted = {"metric": places[0][1], "operator": value["operator"], "bound": float(value["bound"])}
        bound = msgspec.convert({**wanted, "unit": _UNITS.get(unit, unit)}, Bound)
        criteria.append(Criterion(expectation.text, places[0][0], bound))
    return GateState(step.id, tuple(criteria), tuple(unmatched), step.timeout_s or 0.0)


def fold_gate(state: GateState, sample: Sample) -> GateState:
    """The state after one more sample of any probe."""
    if state.phase.proposes or all(one.probe != sample.probe for one in state.criteria):
        return state
    gap = any(one.probe == sample.probe and _was_silent(one, sample) for one in state.criteria)
    criteria = tuple(_fold(one, sample) for one in state.criteria)
    phase = _phase(criteria)
    if phase is not Phase.HOLDING:
        return replace(state, criteria=criteria, phase=phase, since_m=None, since_t=None)
    since_m, since_t = (state.since_m, state.since_t) if state.since_m and not gap else (sample.m, sample.t)
    after = replace(state, criteria=criteria, phase=phase, since_m=since_m, since_t=since_t)
    long = (sample.m - since_m) / 1e9 >= state.needed_s
    return replace(after, phase=Phase.HELD) if long and all(one.in_a_row >= TIMES for one in criteria) else after


def _phase(criteria: Iterable[Criterion]) -> Phase:
    seen = tuple(criteria)
    if any(one.held is False and one.in_a_row >= TIMES for one in seen):
        return Phase.BROKEN
    if any(one.held is False for one in seen):
        return Phase.FAILING
    if any(not one.seen_m for one in seen):
        return Phase.WAITING
    return Phase.BLIND if any(one.held is None for one in seen) else Phase.HOLDING


def _was_silent(one: Criterion, sample: Sample) -> bool:
    return bool(one.seen_m) and (sample.m - one.seen_m) / 1e9 > STALE_INTERVALS * sample.interval_s


def _fold(one: Criterion, sample: Sample) -> Criterion:
    if one.probe != sample.probe:
        return one
    held, seen = _told(one.bound, sample)
    again = one.in_a_row + 1 if one.seen_m and held is one.held else 1
    return replace(one, held=held, seen=seen, seen_m=sample.m, in_a_row=again)


def _told(bound: Bound, sample: Sample) -> tuple[bool | None, str]:
    if sample.outcome is not Outcome.DATA:
        return None, sample.text or sample.error or _("no data")
    reading = reading_of(sample, bound.metric)
    if reading is None or not _comparable(bound, reading):
        return None, _("no value in a unit that can be compared") if reading else _("no data")
    taken = measured(bound, [sample])
    return (taken.holds if taken else None), _shown(reading)


def _comparable(bound: Bound, reading: Reading) -> bool:
    """A share of one is not percent, and nobody guesses which one a criterion without a unit means."""
    if not isinstance(reading.value, int | float) or not (known(bound.unit) and known(reading.unit)):
        return True  # told as it is, and held neither way
    return bool(bound.unit) == bool(reading.unit) and convert(1.0, bound.unit, reading.unit) is not None


def _shown(reading: Reading) -> str:
    value = f"{reading.value:.6g}" if isinstance(reading.value, float) else str(reading.value)
    return f"{value} {reading.unit}".strip()


def _places(label: str, probes: Iterable[ProbeConfig]) -> Iterable[tuple[str, str]]:
    """(probe, metric) of every configured metric of that name, its words in any order and without its unit."""
    for probe in probes:
        yield from ((probe.name, metric) for metric in _metrics(probe) if _words(metric) == _words(label))


def _metrics(probe: ProbeConfig) -> tuple[str, ...]:
    named = [probe.options.get(key) for key in ("queries", "values")]
    own = ("latency_ms",) if probe.kind == "http" else ()
    return (*own, *(str(name) for table in named if isinstance(table, Mapping) for name in table))


def _words(name: str) -> frozenset[str]:
    return frozenset(name.lower().replace("-", "_").split("_")) - _UNIT_WORDS
