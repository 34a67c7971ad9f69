"""A container's log that is asked for again since whole seconds: no line twice, and what may be missing is said."""

from __future__ import annotations

import os

from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.adapters.kubernetes.log_position import LogLine, Position, line_of

_NS = 1_000_000_000
_BASE = 1_795_000_000 * _NS


def read(position: Position, lines: list[LogLine]) -> tuple[list[LogLine], bool]:
    """What of a stream is new, and whether something before was said to be missing."""
    taken = [(line, *position.take(line)) for line in lines]
    return [line for line, new, _gap in taken if new], any(gap for _line, _new, gap in taken)


def since(position: Position, log: list[LogLine]) -> list[LogLine]:
    """What an API server gives of a log that is asked for since then."""
    if not position.since:
        return log
    first_ns = line_of(f"{position.since} ".encode()).at_ns
    return [line for line in log if line.at_ns >= first_ns]


# Many lines share a time, and a text, and lie within a few seconds.
logs = st.lists(st.tuples(st.integers(0, 40), st.sampled_from([b"a", b"b"])), max_size=60).map(
    lambda drawn: [LogLine(_BASE + at * _NS // 8, text) for at, text in sorted(drawn, key=lambda one: one[0])]
)


@settings(max_examples=int(os.environ.get("VERDICT_FUZZ_EXAMPLES", "300")))
@given(logs, st.lists(st.integers(0, 60), max_size=6))
def test_however_often_the_link_is_cut_each_line_comes_once_and_none_is_said_to_be_missing(
    log: list[LogLine], cuts: list[int]
) -> None:
    position, got = Position(), list[LogLine]()
    for cut in [*sorted(cuts), len(log)]:
        position.resume()
        new, gap = read(position, since(position, log[:cut]))
        got += new
        assert not gap
    assert got == log


@given(logs, st.integers(1, 60), st.integers(1, 60))
def test_a_rotation_behind_a_cut_link_loses_nothing_unsaid(log: list[LogLine], cut: int, begins: int) -> None:
    position = Position()
    position.resume()
    got, _gap = read(position, log[:cut])
    kept = log[begins:]
    position.resume()
    new, gap = read(position, since(position, kept))
    told = got + new
    later = [line for line in kept if got and line.at_ns > got[-1].at_ns]
    if len(told) < len(log) and later and begins > cut:
        assert gap


def test_times_are_read_in_any_zone_and_precision() -> None:
    assert line_of(b"1970-01-01T00:00:01.5Z x y") == LogLine(1_500_000_000, b"x y")
    assert line_of(b"1970-01-01T09:00:00.000000007+09:00 x") == LogLine(7, b"x")
    assert line_of(b"2026-11-21T00:00:00Z ").text == b""
    assert line_of(b"failed to watch file: no space") == LogLine(0, b"failed to watch file: no space")


def test_lines_of_several_writers_that_are_a_little_out_of_order_all_come() -> None:
    position = Position()
    position.resume()
    lines = [LogLine(_BASE + at, b"x") for at in (5, 3, 9, 7)]
    assert read(position, lines) == (lines, False)
