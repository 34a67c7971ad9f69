from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from cockpit.monitor.logs.file import LogFile
from cockpit.monitor.logs.line_store import LineStore, Place
from cockpit.monitor.logs.page import Sieve
from cockpit.monitor.logs.raw_tail import Chunk, Happening, TailEvent
from cockpit.monitor.logs.search import Direction, Search
from cockpit.monitor.logs.severity import Severity

FOREVER = float("inf")
EVERYTHING = Sieve()


def text_of(place: Place) -> str:
    return place.page.line(place.index).decode()


def backward(store: LineStore, sieve: Sieve = EVERYTHING) -> list[str]:
    last = store.last()
    return [text_of(place) for place in store.backward(last, sieve, FOREVER)][::-1] if last else []


def opened(path: Path, *, keep_lines: int = 50_000) -> LineStore:
    store = LineStore(keep_lines=keep_lines)
    store.attach(LogFile.open(path), path.stat().st_size)
    return store


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "app.log"


@pytest.fixture
def big(log: Path) -> Path:
    """Some 40 pages of lines of all lengths."""
    lengths = random.Random(7)
    log.write_text("".join(f"{n} {'가' * lengths.randrange(0, 60)}\n" for n in range(100_000)))
    return log


def numbers(lines: list[str]) -> list[int]:
    return [int(line.split()[0]) for line in lines]


def test_walking_back_from_the_end_meets_every_line_once(big: Path) -> None:
    assert numbers(backward(opened(big, keep_lines=5000))) == list(range(100_000))


def test_walking_forward_from_the_oldest_line_meets_every_line_once(big: Path) -> None:
    store = opened(big, keep_lines=5000)
    first = store.first()
    assert first
    lines = [text_of(place) for place in store.forward(first, EVERYTHING, FOREVER)]
    assert numbers(lines) == list(range(100_000))


def test_opening_reads_only_the_end(big: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    pread = os.pread

    def noted(fd: int, size: int, at: int) -> bytes:
        read.append(size)
        return pread(fd, size, at)

    monkeypatch.setattr(os, "pread", noted)
    store = opened(big)
    last = store.last()
    assert last
    assert text_of(last).startswith("99999")
    assert sum(read) < 600_000


def test_kept_lines_are_bounded_and_older_ones_are_read_again(big: Path) -> None:
    store = opened(big, keep_lines=5000)
    end = big.stat().st_size
    for n in range(100_000, 130_000):
        data = f"{n}\n".encode()
        with big.open("ab") as file:
            file.write(data)
        store.add(Chunk(data, 0, end, end + len(data)))
        end += len(data)
    assert store.kept_lines < 5000 + 20_000  # a page more at most
    assert store.arrived_lines == 30_000
    assert numbers(backward(store)) == list(range(130_000))


def test_one_stands_still_while_the_ring_moves_on(big: Path) -> None:
    store = opened(big, keep_lines=2000)
    last = store.last()
    assert last
    end = big.stat().st_size
    for n in range(100_000, 140_000, 1000):
        data = "".join(f"{m}\n" for m in range(n, n + 1000)).encode()
        with big.open("ab") as file:
            file.write(data)
        store.add(Chunk(data, 0, end, end + len(data)))
        end += len(data)
    lines = [text_of(place) for place in store.forward(last, EVERYTHING, FOREVER)]
    assert numbers(lines) == list(range(99_999, 140_000))


def test_lines_of_a_rotated_file_stay_while_they_are_kept(log: Path) -> None:
    log.write_text("old 1\nold 2\n")
    store = opened(log)
    store.add(TailEvent(Happening.ROTATED, "rotated"))
    log.write_text("new 1\n")
    store.attach(LogFile(os.open(log, os.O_RDONLY), 2), 0)
    store.add(Chunk(b"new 1\n", 2, 0, 6))
    assert backward(store) == ["old 1", "old 2", "", "new 1"]


def test_a_line_longer_than_a_page_comes_whole_or_in_pieces_never_twice(log: Path) -> None:
    log.write_bytes(b"first\n" + b"x" * 900_000 + b"\nlast\n")
    assert [len(line) for line in backward(opened(log))] == [5, 900_000, 4]


def test_pieces_of_a_line_that_is_too_long_to_be_read_at_once_say_that_it_goes_on(log: Path) -> None:
    log.write_bytes(b"first\n" + b"x" * 9_000_000 + b"\nlast\n")
    first, *pieces, last = backward(opened(log))
    assert (first, last) == ("first", "last")
    assert len(pieces) > 1
    assert all(piece.endswith("…") for piece in pieces[:-1])
    assert all(piece.startswith("…") for piece in pieces[1:])
    assert pieces[0].startswith("x")
    assert pieces[-1].endswith("x")


def test_a_file_that_shrinks_while_it_is_looked_at_gives_less_and_no_error(big: Path) -> None:
    store = opened(big, keep_lines=2000)
    os.truncate(big, 1000)
    assert numbers(backward(store))[-1] == 99_999


def test_a_private_key_in_old_lines_is_masked_wherever_pages_are_cut(log: Path) -> None:
    key = "-----BEGIN PRIVATE KEY-----\n" + f"{'Q' * 64}\n" * 40 + "-----END PRIVATE KEY-----\n"
    for padding in range(256 * 1024 - len(key), 256 * 1024, 331):
        log.write_text("start\n" + key + "y" * padding + "\n")
        store = opened(log)
        assert not any("QQQQ" in line for line in backward(store))
        first = store.first()
        assert first
        assert not any("QQQQ" in text_of(place) for place in store.forward(first, EVERYTHING, FOREVER))


def test_a_sieve_lets_through_lines_with_the_text(log: Path) -> None:
    log.write_text("Timeout a\nfine\ntimeout b\n시간 초과 timeout\n")
    assert backward(opened(log), Sieve("timeout")) == ["Timeout a", "timeout b", "시간 초과 timeout"]
    assert backward(opened(log), Sieve("Timeout")) == ["Timeout a"]


def test_a_sieve_of_errors_keeps_their_stack_traces(log: Path) -> None:
    trace = ["10:00 ERROR boom", "java.lang.IllegalStateException: x", "\tat a.B.c(B.java:1)"]
    log.write_text("10:00 INFO fine\n\tindented\n" + "\n".join(trace) + "\n10:01 WARN slow\n10:02 INFO on\n")
    assert backward(opened(log), Sieve(least=Severity.ERROR)) == trace
    assert backward(opened(log), Sieve(least=Severity.WARN)) == [*trace, "10:01 WARN slow"]


def test_a_sieve_sees_lines_that_come_later(log: Path) -> None:
    log.write_text("error 1\n")
    store = opened(log)
    assert backward(store, Sieve("error")) == ["error 1"]
    store.add(Chunk(b"fine\nerror 2\n", 0, 8, 21))
    assert backward(store, Sieve("error")) == ["error 1", "error 2"]


def test_filling_reads_back_what_a_sieve_may_look_at(big: Path) -> None:
    store = opened(big, keep_lines=20_000)
    store.fill()
    assert 15_000 < store.kept_lines <= 20_000


@pytest.mark.parametrize(("direction", "expected"), [(Direction.OLDER, 40_000), (Direction.NEWER, 60_000)])
def test_search_finds_the_next_match_either_way(log: Path, direction: Direction, expected: int) -> None:
    log.write_text("".join(f"{n} {'Needle' if n in (40_000, 50_000, 60_000) else 'hay'}\n" for n in range(100_000)))
    store = opened(log, keep_lines=1000)
    last = store.last()
    assert last
    start = next(p for p in store.backward(last, EVERYTHING, FOREVER) if text_of(p).startswith("50000 "))
    search = Search(store, "needle", start, direction, EVERYTHING)
    while not search.done:
        search.step()
    assert search.found
    assert text_of(search.found) == f"{expected} Needle"


def test_search_goes_on_where_its_time_ran_out(big: Path) -> None:
    store = opened(big, keep_lines=1000)
    last = store.last()
    assert last
    search = Search(store, "no such text", last, Direction.OLDER, EVERYTHING)
    steps = 0
    while not search.done:
        search.step(budget_s=0.0005)
        steps += 1
    assert search.found is None
    assert steps > 3


def test_an_early_deadline_ends_a_walk(big: Path) -> None:
    store = opened(big)
    last = store.last()
    assert last
    walked = list(store.backward(last, EVERYTHING, time.monotonic() - 1))
    assert 0 < len(walked) < 100_000


def test_where_one_is_in_the_file(big: Path) -> None:
    store = opened(big)
    first, last = store.first(), store.last()
    assert first
    assert last
    assert (store.share(first) or 0) < 0.01
    assert store.share(last) == 1.0
