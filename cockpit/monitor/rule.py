"""Rules: a pure fold over samples that ends in a recommendation and names the samples that made it.

A rule only recommends. What it has counted is in its state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cockpit.config import Condition, Rule
from cockpit.monitor.sample import Level, Outcome, Sample
from cockpit.monitor.threshold import measured

RAISED = "recommendation.raised"
CLEARED = "recommendation.cleared"


@dataclass(frozen=True, slots=True)
class ConditionState:
    """What a condition has counted.

    `recent` are the samples its statistics look back on; `decided` the last ones that counted, with whether each was
    bad: in a row, those of the present streak; "M of N", the last N; for a time, the first and the last of the streak.
    """

    condition: Condition
    recent: tuple[Sample, ...] = ()
    decided: tuple[tuple[Sample, bool], ...] = ()

    @property
    def bad(self) -> tuple[Sample, ...]:
        """The samples that count against the service, oldest first."""
        return tuple(sample for sample, bad in self.decided if bad)

    @property
    def holds(self) -> bool:
        """Whether there is enough of them."""
        bad = self.bad
        if self.condition.for_s is not None:
            return bool(bad) and (bad[-1].m - bad[0].m) / 1e9 >= self.condition.for_s
        return len(bad) >= self.condition.times


@dataclass(frozen=True, slots=True)
class RuleState:
    """A rule and its conditions; `raised_t` since when it recommends, None while it does not."""

    rule: Rule
    conditions: tuple[ConditionState, ...]
    raised_t: str | None = None

    @property
    def holds(self) -> bool:
        """Whether its conditions hold now."""
        decide = any if self.rule.match == "any" else all
        return decide(condition.holds for condition in self.conditions)

    @property
    def samples(self) -> tuple[Sample, ...]:
        """The samples that made it fire, oldest first."""
        found = [sample for condition in self.conditions if condition.holds for sample in condition.bad]
        return tuple(sorted(found, key=lambda sample: sample.m))


def begin(rule: Rule, *, raised_t: str | None = None) -> RuleState:
    """A rule that has seen nothing; `raised_t` when an earlier host already raised it."""
    return RuleState(rule, tuple(ConditionState(condition) for condition in rule.conditions), raised_t)


def fold_rule(state: RuleState, sample: Sample) -> tuple[RuleState, str | None]:
    """The state after one more sample of any probe, and RAISED or CLEARED when that changed."""
    if all(condition.condition.probe != sample.probe for condition in state.conditions):
        return state, None
    after = replace(state, conditions=tuple(_fold(condition, sample) for condition in state.conditions))
    if after.holds and state.raised_t is None:
        return replace(after, raised_t=sample.t), RAISED
    if state.raised_t is not None and not after.holds and _well_again(after, sample):
        return replace(after, raised_t=None), CLEARED
    return after, None


def recommendation(state: RuleState, change: str) -> dict[str, Any]:
    """The data of a recommendation event: rule, section, text, samples [{t, probe, outcome, level, text}]."""
    samples = state.samples if change == RAISED else ()
    return {
        "rule": state.rule.name,
        "section": state.rule.section,
        "text": state.rule.text or state.rule.written,
        "when": state.rule.written,
        "samples": [_witness(sample) for sample in samples],
    }


def is_bad(condition: Condition, recent: Sequence[Sample]) -> bool | None:
    """Whether the newest sample is bad; None when it counts neither way."""
    sample = recent[-1]
    if _stands(condition, sample):
        return True
    if sample.outcome is not Outcome.DATA:
        # "none" is an answer: it breaks a streak of a rule that waits for failures and nothing else.
        answers = sample.outcome is Outcome.NONE and "failed" in condition.standings
        return False if answers and not condition.bounds else None
    taken = [measured(bound, recent) for bound in condition.bounds]
    if any(one is not None and one.holds for one in taken):
        return True
    undecided = bool(taken) and all(one is None for one in taken) and not condition.standings
    return None if undecided else False


def _stands(condition: Condition, sample: Sample) -> bool:
    found = {
        "failed": sample.outcome is Outcome.FAILED and sample.level is Level.RED,
        "none": sample.outcome is Outcome.NONE,
        "red": sample.outcome is Outcome.DATA and sample.level is Level.RED,
        "yellow": sample.outcome is Outcome.DATA and sample.level in (Level.YELLOW, Level.RED),
    }
    return any(found[standing] for standing in condition.standings)


def _fold(state: ConditionState, sample: Sample) -> ConditionState:
    condition = state.condition
    if sample.probe != condition.probe:
        return state
    remembered = max((bound.over for bound in condition.bounds), default=1)
    recent = (*state.recent, sample)[-remembered:]
    bad = is_bad(condition, recent)
    decided = state.decided if bad is None else _counted(condition, (*state.decided, (sample, bad)))
    return replace(state, recent=recent, decided=decided)


def _counted(condition: Condition, decided: tuple[tuple[Sample, bool], ...]) -> tuple[tuple[Sample, bool], ...]:
    """Only what still counts, so that a state never grows."""
    if condition.of is not None:
        return decided[-condition.of :]
    if not decided[-1][1]:
        return ()
    if condition.for_s is not None:
        return (decided[0], decided[-1]) if len(decided) > 1 else decided
    return decided[-condition.times :]


def _well_again(state: RuleState, sample: Sample) -> bool:
    """Whether this sample was a good one: neither silence nor a new host's empty memory clears a recommendation."""
    return any(c.condition.probe == sample.probe and is_bad(c.condition, c.recent) is False for c in state.conditions)


def _witness(sample: Sample) -> Mapping[str, Any]:
    return {
        "t": sample.t,
        "probe": sample.probe,
        "outcome": sample.outcome.value,
        "level": sample.level.value,
        "text": sample.text,
    }
