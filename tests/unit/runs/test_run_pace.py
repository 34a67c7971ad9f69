"""How a run's output grew, by the index that its recorder wrote."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from cockpit.runs.pace import Pace
from cockpit.runs.recording import FRAME, STDERR, STDOUT, Recorder


def test_without_an_index_nothing_had_come(tmp_path: Path) -> None:
    assert Pace(tmp_path).bytes_at(10**18) == 0
    assert Pace(tmp_path).bytes_in_all() == 0


def test_a_recorders_own_index_tells_what_came_before_and_after(tmp_path: Path) -> None:
    before = time.monotonic_ns()
    recorder = Recorder(str(tmp_path), (), 1 << 20)
    recorder.take(STDOUT, b"one\n")
    recorder.idle()
    between = time.monotonic_ns()
    recorder.take(STDERR, b"two\n")
    recorder.finish()
    pace = Pace(tmp_path)
    assert (pace.bytes_at(before), pace.bytes_at(between), pace.bytes_at(time.monotonic_ns())) == (0, 4, 8)
    assert pace.bytes_in_all() == 8


@given(pieces=st.lists(st.tuples(st.integers(0, 50), st.integers(1, 90)), max_size=40), asked=st.integers(0, 2100))
def test_it_is_the_sum_of_what_had_come(pieces: list[tuple[int, int]], asked: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        frames, m, size, had_come = b"", 0, 0, 0
        for gap, length in pieces:
            m += gap
            frames += FRAME.pack(size, m, length, STDOUT)
            size += length
            had_come = size if m <= asked else had_come
        (Path(folder) / "index").write_bytes(frames + b"torn")
        assert Pace(Path(folder)).bytes_at(asked) == had_come
