"""A recording read by its times: everything once, in order, from wherever one goes on."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.session.record.tape import Tape

START = datetime(2024, 1, 27, tzinfo=UTC)


def _line(seconds: float, filler: int = 0) -> bytes:
    return json.dumps({"t": at(seconds).isoformat(), "n": seconds, "x": "x" * filler}).encode() + b"\n"


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def _parse(line: bytes) -> tuple[str, float] | None:
    try:
        record = json.loads(line)
        return str(record["t"]), float(record["n"])
    except (ValueError, KeyError, TypeError):
        return None


def _tape(*paths: Path) -> Tape[float]:
    return Tape(paths, _parse)


def test_lines_come_when_their_time_has_come_through_several_files(tmp_path: Path) -> None:
    older, newer, missing = tmp_path / "a", tmp_path / "b", tmp_path / "c"
    older.write_bytes(b"".join(map(_line, range(5))))
    newer.write_bytes(b"".join(map(_line, range(5, 9))))
    tape = _tape(missing, older, newer)
    assert tape.until(at(2.5)) == [0, 1, 2]
    assert tape.until(at(2.9)) == []
    assert tape.next() == at(3)
    assert tape.until(at(7)) == [3, 4, 5, 6, 7]
    assert tape.next_such(lambda held: held > 20) is None
    assert tape.until(at(100)) == [8]
    assert tape.next() is None
    assert tape.last() == at(8)
    tape.rewind()
    assert tape.until(at(0)) == [0]


def test_what_is_no_record_and_a_torn_end_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(_line(1) + b"no record\n\xff\n[]\n\n" + _line(2) + _line(3)[:-9])
    tape = _tape(path)
    assert tape.until(at(9)) == [1, 2]
    assert tape.last() == at(2)
    with path.open("ab") as file:
        file.write(_line(3)[-9:])
    assert tape.until(at(9)) == [3]


def test_a_line_longer_than_any_stretch_comes_whole(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(_line(1) + _line(2, 700_000) + _line(3))
    assert _tape(path).until(at(9)) == [1, 2, 3]


def test_nothing_at_all_is_an_end(tmp_path: Path) -> None:
    tape = _tape(tmp_path / "missing")
    assert (tape.until(at(1)), tape.next(), tape.last()) == ([], None, None)
    tape.seek(at(5), 100)
    assert tape.until(at(9)) == []


@pytest.fixture(scope="module")
def long_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tape")
    older, newer = folder / "a", folder / "b"
    older.write_bytes(b"".join(_line(n, 500) for n in range(2000)))
    newer.write_bytes(b"".join(_line(n, n % 3000) for n in range(2000, 4000)))
    return older, newer


@given(milliseconds=st.integers(-5000, 4_100_000), before=st.sampled_from([0, 10_000, 1 << 20]))
def test_from_where_one_seeks_all_up_to_then_is_told_without_a_gap(
    long_files: tuple[Path, Path], milliseconds: int, before: int
) -> None:
    tape, seconds = _tape(*long_files), milliseconds / 1000
    tape.seek(at(seconds), before)
    told = tape.until(at(seconds))
    last = min(3999, int(seconds)) if seconds >= 0 else -1
    if told:
        assert told == list(range(int(told[0]), last + 1))
    else:
        # The older file's end came before, and is not gone back into.
        assert last in (-1, 1999)
    assert len(told) * 500 < before + (1 << 20)
    following = tape.next()
    assert following == (at(last + 1) if last < 3999 else None)
