"""A gate's criteria held against samples: what is proposed, when, and what is never taken for good."""

from __future__ import annotations

from typing import Any

import pytest

from cockpit.config import ProbeConfig
from cockpit.monitor.gate import GateState, Phase, begin_gate, fold_gate
from cockpit.monitor.sample import Level, Outcome, Reading, Sample
from cockpit.runbook.model import Step, StepKind
from cockpit.runbook.reading import parse

CRITERIA = """# Canary

성공 기준:
```yaml
canary_success_criteria:
  error_rate_max: 0.01
  latency_p95_max_ms: 2500
  duration_minutes: {minutes}
```
"""
QUERIES = {"error_rate": "x", "p95_latency_ms": "y"}


def gate_step(minutes: int = 1, text: str = CRITERIA) -> Step:
    (step,) = (each for each in parse(text.format(minutes=minutes)).steps if each.kind is StepKind.GATE)
    return step


def probes(**queries: str) -> tuple[ProbeConfig, ...]:
    return (ProbeConfig(name="canary", kind="prometheus", options={"queries": queries or QUERIES}),)


def sample(at_s: float, error: Any = 0.001, p95: Any = 300.0, *, unit: str = "", probe: str = "canary") -> Sample:
    readings = (Reading("error_rate", error, unit), Reading("p95_latency_ms", p95, "ms"))
    m = int(at_s * 1e9) + 1
    return Sample(probe, "prometheus", f"t{at_s:g}", m, Outcome.DATA, Level.GREEN, "", readings, interval_s=10.0)


def failed(at_s: float) -> Sample:
    return Sample("canary", "prometheus", "t", int(at_s * 1e9), Outcome.FAILED, Level.RED, "down", interval_s=10.0)


def after(state: GateState, *samples: Sample) -> GateState:
    for each in samples:
        state = fold_gate(state, each)
    return state


def watched(minutes: int = 1) -> GateState:
    return begin_gate(gate_step(minutes), probes())


def test_criteria_are_matched_by_their_words_whatever_their_order_and_unit() -> None:
    state = watched()

    assert [(one.bound.metric, str(one.bound)) for one in state.criteria] == [
        ("error_rate", "error_rate <= 0.01"),
        ("p95_latency_ms", "p95_latency_ms <= 2500 ms"),
    ]
    assert (state.unmatched, state.needed_s, state.phase) == ((), 60.0, Phase.WAITING)


def test_what_no_metric_or_several_answer_is_left_to_a_person() -> None:
    two = (
        *probes(error_rate="x"),
        ProbeConfig(name="other", kind="prometheus", options={"queries": {"rate_error": "x"}}),
    )

    state = begin_gate(gate_step(), two)

    assert state.criteria == ()
    assert state.unmatched == ("error_rate_max: 0.01", "latency_p95_max_ms: 2500")


def test_it_is_proposed_once_all_have_held_for_its_time() -> None:
    state = after(watched(), *(sample(at) for at in range(0, 60, 10)))
    assert (state.phase, state.since_t) == (Phase.HOLDING, "t0")

    assert after(state, sample(60)).phase is Phase.HELD


def test_one_bad_value_begins_the_time_anew() -> None:
    state = after(watched(), *(sample(at) for at in range(0, 60, 10)), sample(60, error=0.02))
    assert (state.phase, state.since_t) == (Phase.FAILING, None)

    state = after(state, *(sample(at) for at in range(70, 130, 10)))
    assert (state.phase, state.since_t) == (Phase.HOLDING, "t70")
    assert after(state, sample(130)).phase is Phase.HELD


def test_three_bad_values_in_a_row_propose_that_it_does_not_hold() -> None:
    state = after(watched(), sample(0), sample(10, error=0.02), sample(20, error=0.02))
    assert state.phase is Phase.FAILING

    state = after(state, sample(30, error=0.02))
    assert state.phase is Phase.BROKEN
    assert after(state, sample(40), sample(50)).phase is Phase.BROKEN


@pytest.mark.parametrize("value", ["NaN", "no data", None, "3 series, one is wanted"])
def test_what_is_no_number_neither_holds_nor_fails(value: Any) -> None:
    state = after(watched(), *(sample(at, error=value) for at in range(0, 200, 10)))

    assert (state.phase, state.since_t, state.criteria[0].held) == (Phase.BLIND, None, None)


def test_a_probe_that_fails_begins_the_time_anew_and_breaks_nothing() -> None:
    state = after(watched(), *(sample(at) for at in range(0, 50, 10)), *(failed(at) for at in range(50, 200, 10)))
    assert state.phase is Phase.BLIND

    assert after(state, sample(200), sample(210)).since_t == "t200"


def test_silence_is_no_holding() -> None:
    state = after(watched(), sample(0), sample(10), sample(100))

    assert (state.phase, state.since_t) == (Phase.HOLDING, "t100")


def test_a_share_of_one_is_not_held_against_percent() -> None:
    state = after(watched(), *(sample(at, error=0.5, unit="%") for at in range(0, 200, 10)))

    assert state.phase is Phase.BLIND
    assert "unit" in state.criteria[0].seen


def test_without_a_time_three_values_are_asked_for() -> None:
    step = gate_step(text=CRITERIA.replace("  duration_minutes: {minutes}\n", ""))
    state = after(begin_gate(step, probes()), sample(0), sample(10))

    assert state.phase is Phase.HOLDING
    assert after(state, sample(20)).phase is Phase.HELD


def test_samples_of_other_probes_say_nothing() -> None:
    state = watched()

    assert after(state, sample(0, probe="other")) is state
