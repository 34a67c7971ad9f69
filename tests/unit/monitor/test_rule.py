"""Rules: what they count, what they don't, and what they say of themselves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.config import Rule
from cockpit.config.condition import parse_condition
from cockpit.monitor.rule import CLEARED, RAISED, RuleState, begin, fold_rule, recommendation
from cockpit.monitor.sample import Level, Outcome, Reading, Sample

GOOD, BAD, SILENT = "good", "bad", "silent"


def seen(standing: str, at_s: float = 0.0, *, probe: str = "health") -> Sample:
    """A look at a service: good, bad (slow), silent (the monitor is blind), down (no answer), none."""
    outcome = {
        SILENT: Outcome.FAILED,
        "down": Outcome.FAILED,
        "none": Outcome.NONE,
    }.get(standing, Outcome.DATA)
    level = {SILENT: Level.YELLOW, "down": Level.RED}.get(standing, Level.GREY)
    readings = (Reading("latency_ms", 900.0 if standing == BAD else 20.0, "ms"),) if outcome is Outcome.DATA else ()
    return Sample(probe, "http", f"t{at_s:g}", int(at_s * 1e9), outcome, level, standing, readings, interval_s=5.0)


def rule(*written: str, match: str = "any") -> Rule:
    conditions = tuple(parse_condition(one, "test") for one in written)
    return Rule(name="slow", conditions=conditions, section="p0", match="all" if match == "all" else "any")


def play(state: RuleState, *standings: str, every_s: float = 5.0) -> tuple[RuleState, list[str]]:
    """The state and every change, after looks at that interval."""
    changes = []
    for at, standing in enumerate(standings):
        state, change = fold_rule(state, seen(standing, at * every_s))
        changes.append(change or "-")
    return state, [{RAISED: "raised", CLEARED: "cleared"}.get(change, change) for change in changes]


IN_A_ROW = "health latency_ms > 500 ms 3 in a row"


@pytest.mark.parametrize(
    ("written", "looks", "changes"),
    [
        (IN_A_ROW, [BAD, BAD, BAD], ["-", "-", "raised"]),
        (IN_A_ROW, [BAD, BAD, GOOD, BAD, BAD], ["-"] * 5),
        (IN_A_ROW, [BAD, BAD, SILENT, "down", "none", BAD], [*["-"] * 5, "raised"]),
        (IN_A_ROW, [BAD, BAD, BAD, BAD, GOOD], ["-", "-", "raised", "-", "cleared"]),
        (IN_A_ROW, [BAD, BAD, BAD, SILENT, GOOD], ["-", "-", "raised", "-", "cleared"]),
        ("health failed 2 in a row", ["down", "down"], ["-", "raised"]),
        ("health failed 2 in a row", ["down", SILENT, "down"], ["-", "-", "raised"]),
        ("health failed 2 in a row", ["down", GOOD, "down"], ["-"] * 3),
        ("health failed 2 in a row", ["down", "none", "down"], ["-"] * 3),
        ("health failed or latency_ms > 500 ms 3 in a row", ["down", BAD, "down"], ["-", "-", "raised"]),
        ("health none 2 in a row", ["none", "none"], ["-", "raised"]),
        ("health latency_ms > 500 ms", [BAD, GOOD], ["raised", "cleared"]),
        ("health latency_ms > 500 ms 2 of 4", [BAD, GOOD, GOOD, BAD], ["-", "-", "-", "raised"]),
        ("health latency_ms > 500 ms 2 of 4", [BAD, GOOD, GOOD, GOOD, BAD], ["-"] * 5),
        ("health latency_ms > 500 ms 2 of 4", [BAD, BAD, GOOD, GOOD, GOOD], ["-", "raised", "-", "-", "cleared"]),
        ("health latency_ms > 500 ms for 10 s", [BAD, BAD, BAD], ["-", "-", "raised"]),
        ("health latency_ms > 500 ms for 10 s", [BAD, GOOD, BAD, BAD], ["-"] * 4),
        ("health mean latency_ms > 500 ms over 3", [BAD, BAD, GOOD, GOOD], ["-", "-", "raised", "cleared"]),
    ],
)
def test_a_rule_counts_as_it_says(written: str, looks: list[str], changes: list[str]) -> None:
    assert play(begin(rule(written)), *looks)[1] == changes


@given(st.lists(st.sampled_from([GOOD, BAD, SILENT]), max_size=40), st.integers(1, 5))
def test_in_a_row_is_a_streak_of_samples_with_data(looks: list[str], times: int) -> None:
    state = begin(rule(f"health latency_ms > 500 ms {times} in a row"))
    counted: list[str] = []
    for at, look in enumerate(looks):
        state, _change = fold_rule(state, seen(look, at))
        counted += [look] if look != SILENT else []
        expected = len(counted) >= times and all(one == BAD for one in counted[-times:])
        assert state.holds is expected
        assert (state.raised_t is not None) is expected
        assert len(state.samples) == (times if expected else 0)


@given(st.lists(st.sampled_from([GOOD, BAD, SILENT]), max_size=40), st.integers(1, 4), st.integers(0, 4))
def test_some_of_many_looks_at_the_last_ones(looks: list[str], times: int, more: int) -> None:
    of = times + more
    state, _changes = play(begin(rule(f"health latency_ms > 500 ms {times} of {of}")), *looks)
    counted = [look for look in looks if look != SILENT]
    assert state.holds is (counted[-of:].count(BAD) >= times)


@given(st.lists(st.sampled_from([GOOD, BAD, SILENT]), min_size=1, max_size=200))
def test_what_a_rule_remembers_never_grows(looks: list[str]) -> None:
    for written in (IN_A_ROW, "health latency_ms > 500 ms 2 of 7", "health latency_ms > 500 ms for 30 s"):
        state, _changes = play(begin(rule(written)), *looks)
        assert len(state.conditions[0].decided) <= 7


def test_any_needs_one_probe_and_all_need_every_one() -> None:
    written = ("health latency_ms > 500 ms 2 in a row", "db latency_ms > 500 ms")
    samples = [seen(BAD, 0), seen(BAD, 1, probe="db"), seen(BAD, 2), seen(GOOD, 3, probe="db")]

    def holds(match: str) -> list[bool]:
        state, found = begin(rule(*written, match=match)), []
        for one in samples:
            state, _change = fold_rule(state, one)
            found.append(state.holds)
        return found

    assert holds("any") == [False, True, True, True]
    assert holds("all") == [False, False, True, False]


def test_a_recommendation_names_the_samples_that_made_it() -> None:
    state, _changes = play(begin(rule(IN_A_ROW)), GOOD, BAD, SILENT, BAD, BAD)
    data = recommendation(state, RAISED)
    assert (data["rule"], data["section"], data["when"]) == ("slow", "p0", IN_A_ROW)
    assert [one["t"] for one in data["samples"]] == ["t5", "t15", "t20"]
    assert recommendation(play(state, GOOD)[0], CLEARED)["samples"] == []


def test_a_rule_raised_by_an_earlier_host_is_cleared_by_the_first_good_sample() -> None:
    state = begin(rule(IN_A_ROW), raised_t="before")
    assert play(state, SILENT, BAD, GOOD)[1] == ["-", "-", "cleared"]
    assert play(state, BAD, BAD, BAD)[1] == ["-", "-", "-"]


def test_samples_of_other_probes_are_nothing_to_it() -> None:
    state = begin(rule(IN_A_ROW))
    assert fold_rule(state, seen(BAD, probe="other")) == (state, None)
