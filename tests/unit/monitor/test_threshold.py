"""Bounds: how they are written, what they say at their edges, and how a probe's level comes from them."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.adapters.probing import Value
from cockpit.config.bound import parse_bound
from cockpit.errors import ConfigError
from cockpit.monitor.sample import Level, Outcome, Reading, Sample
from cockpit.monitor.stated import bounds_for
from cockpit.monitor.threshold import graded, measured, never_held
from cockpit.runbook.model import StatedThreshold

numbers = st.floats(min_value=-1e6, max_value=1e6).map(lambda value: round(value, 3))


def sample(value: Value | None = None, outcome: Outcome = Outcome.DATA) -> Sample:
    readings = (Reading(value.name, value.value, value.unit),) if value else ()
    return Sample("api", "http", "2026-01-01T00:00:00+00:00", 0, outcome, Level.GREY, "", readings)


def levels(written: Sequence[str], value: Value) -> tuple[Level, str]:
    """The level of one value against bounds as written, and the bound that decided."""
    one = sample(value)
    done = graded(one, [parse_bound(text, "test") for text in written], [one])
    return done.level, done.readings[0].bound


@pytest.mark.parametrize(
    ("written", "shown", "level"),
    [
        ("5xx > 50 %", "5xx > 50 %", "red"),
        ("p95_ms >= 500", "p95_ms >= 500", "red"),
        ("p95 latency_ms > 200 ms yellow", "p95 latency_ms > 200 ms", "yellow"),
        ("mean of latency > 30s red", "mean latency > 30 s", "red"),
        ("ratio 5xx ≥ 3% over 20 yellow", "ratio 5xx >= 3 %", "yellow"),
        ("memory_bytes > 1.5GB", "memory_bytes > 1.5 GB", "red"),
        ("cpu<70% green", "cpu < 70 %", "green"),
        ("latency_ms > 500 red", "latency_ms > 500", "red"),
        ("status != UP", "status != UP", "red"),
        ('status == "OUT OF ORDER" yellow', 'status == "OUT OF ORDER"', "yellow"),
        ("에러율 > 1.0 % red", "에러율 > 1 %", "red"),
        ("응답 > 10초 yellow", "응답 > 10 초", "yellow"),
    ],
)
def test_bounds_are_read_as_people_write_them(written: str, shown: str, level: str) -> None:
    bound = parse_bound(written, "test")
    assert (str(bound), bound.level) == (shown, level)
    again = parse_bound(f"{bound} {bound.level}", "test")
    assert (again.bound, again.unit, again.statistic) == (bound.bound, bound.unit, bound.statistic)


@pytest.mark.parametrize(
    "written", ["", "latency", "> 5", "a >", "a > 5 b c", "latency ms > 5", "a ~ 5", "a > 5 lightyears"]
)
def test_what_is_no_bound_is_refused_with_an_example(written: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_bound(written, "cockpit.toml: probe.a")
    assert caught.value.where == "cockpit.toml: probe.a"
    assert caught.value.mend


@given(bound=numbers, value=numbers)
def test_an_edge_belongs_to_exactly_one_side(bound: float, value: float) -> None:
    def holds(operator: str) -> bool:
        taken = measured(parse_bound(f"x {operator} {bound:f}", "test"), [sample(Value("x", value))])
        assert taken is not None
        return taken.holds

    assert holds(">") is (value > bound)
    assert holds(">=") is (value >= bound)
    assert holds(">") is not holds("<=")
    assert holds("<") is not holds(">=")
    assert holds("==") is not holds("!=")


@pytest.mark.parametrize(
    ("percent", "expected"),
    [(2.9, Level.GREEN), (3.0, Level.YELLOW), (10.0, Level.YELLOW), (50.0, Level.YELLOW), (50.1, Level.RED)],
)
def test_severity_bands_meet_without_gap_or_overlap(percent: float, expected: Level) -> None:
    assert levels(["5xx > 50 % red", "5xx >= 3 % yellow"], Value("5xx", percent, "%"))[0] is expected


@pytest.mark.parametrize(
    ("percent", "expected"), [(0.49, Level.GREEN), (0.5, Level.YELLOW), (0.51, Level.YELLOW), (1.01, Level.RED)]
)
def test_a_value_that_no_stated_side_claims_counts_as_yellow(percent: float, expected: Level) -> None:
    written = ["errors > 1 % red", "errors > 0.5 % yellow", "errors < 0.5 % green"]
    assert levels(written, Value("errors", percent, "%"))[0] is expected


@given(value=numbers)
def test_red_beats_yellow_whatever_their_order(value: float) -> None:
    bounds = ["x > 10 yellow", "x > 5 red"]
    forward, backward = levels(bounds, Value("x", value)), levels(bounds[::-1], Value("x", value))
    assert forward == backward or forward[0] is backward[0] is Level.GREEN
    assert forward[0] is (Level.RED if value > 5 else Level.GREEN)


@pytest.mark.parametrize(
    ("written", "value", "expected"),
    [
        ("latency_ms > 0.5 s", Value("latency_ms", 500.0, "ms"), Level.GREEN),
        ("latency_ms >= 0.5 s", Value("latency_ms", 500.0, "ms"), Level.RED),
        ("latency >= 0.3 s", Value("latency_ms", 300.0, "ms"), Level.RED),
        ("memory > 1 GB", Value("memory_bytes", 1e9, "bytes"), Level.GREEN),
        ("memory > 1 GB", Value("memory_bytes", 1e9 + 1, "bytes"), Level.RED),
        ("memory >= 1 GiB", Value("memory_bytes", 2.0**30, "bytes"), Level.RED),
        ("uptime < 2 min yellow", Value("uptime_s", 119.0, "s"), Level.YELLOW),
    ],
)
def test_units_are_converted_before_comparing(written: str, value: Value, expected: Level) -> None:
    assert levels([written], value)[0] is expected


@pytest.mark.parametrize(
    "value",
    [
        Value("latency_ms", float("nan"), "ms"),
        Value("latency_ms", None, "ms"),
        Value("latency_ms", "slow", "ms"),
        Value("latency_ms", 900.0, "bytes"),
        Value("latency_ms", True, "ms"),
        Value("other", 900.0, "ms"),
    ],
)
def test_what_can_not_be_compared_has_no_level(value: Value) -> None:
    assert levels(["latency_ms > 500 ms"], value)[0] is Level.GREY


def test_words_and_truth_are_compared_for_equality_alone() -> None:
    assert levels(["status != UP"], Value("status", "DOWN"))[0] is Level.RED
    assert levels(["status != UP"], Value("status", "up"))[0] is Level.GREEN
    assert levels(["healthy == false"], Value("healthy", False))[0] is Level.RED
    assert levels(["healthy > false"], Value("healthy", True))[0] is Level.GREY


@given(values=st.lists(st.floats(min_value=0, max_value=1e4), min_size=1, max_size=40), over=st.integers(1, 20))
def test_statistics_are_over_the_last_samples(values: list[float], over: int) -> None:
    recent = [sample(Value("x", value)) for value in values]
    window = values[-over:]

    def taken(statistic: str) -> float | None:
        found = measured(parse_bound(f"{statistic} x > 0 over {over}", "test"), recent)
        return float(found.value) if found else None

    if len(window) < min(3, over):
        assert taken("mean") is taken("p95") is taken("ratio") is None
        return
    assert taken("mean") == pytest.approx(statistics.fmean(window))
    p95 = taken("p95")
    assert p95 in window
    assert p95 is not None
    assert sum(value <= p95 for value in window) >= 0.95 * len(window)
    assert taken("ratio") == pytest.approx(100 * sum(value > 0 for value in window) / len(window))


def test_samples_without_data_are_no_part_of_a_statistic() -> None:
    recent = [sample(Value("x", 10.0)), *[sample(outcome=Outcome.FAILED)] * 5, *[sample(Value("x", 10.0))] * 2]
    taken = measured(parse_bound("mean x >= 10", "test"), recent)
    assert taken is not None
    assert (taken.value, taken.holds) == (10.0, True)


def test_a_statistic_appears_beside_the_reading_it_is_of() -> None:
    recent = [sample(Value("latency_ms", value, "ms")) for value in (100.0, 200.0, 900.0)]
    done = graded(recent[-1], [parse_bound("mean latency_ms > 300 ms yellow", "test")], recent)
    assert [(r.name, r.value, r.level, r.bound) for r in done.readings] == [
        ("latency_ms", 900.0, Level.GREY, ""),
        ("mean latency_ms", 400.0, Level.YELLOW, "mean latency_ms > 300 ms"),
    ]
    assert done.level is Level.YELLOW


def stated(metric: str, operator: str, bound: float, unit: str, level: str) -> StatedThreshold:
    return StatedThreshold(metric, operator, bound, unit, level, f"{metric} {operator} {bound}{unit}", "section", 1)


def test_bounds_that_a_document_states_are_taken_over_where_they_fit() -> None:
    document = [
        stated("5xx 에러율", ">", 50, "%", "P0"),
        stated("5xx 에러율", ">=", 10, "%", "P1"),
        stated("5xx 에러율", "<=", 50, "%", "P1"),
        stated("평균 응답 시간", ">", 30, "초", "P1"),
        stated("P95 latency", "<", 200, "ms", "green"),
        stated("AI 응답률", "<", 50, "%", "P1"),
        stated("CPU", ">", 90, "%", "red"),
    ]
    assert [f"{bound} {bound.level}" for bound in bounds_for(document, ("5xx", "latency_ms"))] == [
        "ratio 5xx > 50 % red",
        "ratio 5xx >= 10 % yellow",
        "mean latency_ms > 30 초 yellow",
        "p95 latency_ms < 200 ms green",
    ]


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("latency_ms > 500 ms red", ""),
        ("latency > 1 s", ""),
        ("p95 latency_ms > 500 over 20", ""),
        ("ratio latency_ms > 5 % over 20", ""),
        ("latncy_ms > 500 ms", "no value is called latncy_ms (did you mean latency_ms?)"),
        ("status != UP", "no value is called status (latency_ms)"),
        ("latency_ms > 80 %", "latency_ms is in ms, and not in %"),
    ],
)
def test_a_threshold_that_can_never_hold_is_known(written: str, why: str) -> None:
    assert never_held(parse_bound(written, "test"), sample(Value("latency_ms", 3.0, "ms"))) == why


def test_where_there_is_no_value_at_all_nothing_is_known_of_a_threshold() -> None:
    assert never_held(parse_bound("latency_ms > 5", "test"), sample()) == ""
