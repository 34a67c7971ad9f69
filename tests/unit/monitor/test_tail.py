from __future__ import annotations

import os
from pathlib import Path

import pytest

from cockpit.monitor.logs.framing import HEAD_BYTES
from cockpit.monitor.logs.tail import FileTail, Happening, TailBatch


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "app.log"


def append(path: Path, data: str | bytes) -> None:
    with path.open("ab") as file:
        file.write(data.encode() if isinstance(data, str) else data)


def happened(batch: TailBatch) -> list[Happening]:
    return [event.happening for event in batch.events]


def settle(tail: FileTail, clock: Clock) -> TailBatch:
    """Poll until every grace is over; all that came, as one batch."""
    whole = TailBatch()
    for _ in range(40):
        batch = tail.poll()
        whole.lines += batch.lines
        whole.events += batch.events
        whole.dropped += batch.dropped
        clock.now += 0.25
    return whole


def test_lines_come_once_and_only_when_they_end(log: Path, clock: Clock) -> None:
    append(log, "old\nbegun ")
    tail = FileTail(log, clock=clock)
    assert tail.poll().lines == []
    append(log, "here\r\nnext\nhalf")
    assert tail.poll().lines == ["begun here", "next"]
    assert tail.poll().lines == []
    append(log, "\n")
    assert tail.poll().lines == ["half"]


def test_from_the_beginning_all_lines_come(log: Path, clock: Clock) -> None:
    append(log, "".join(f"줄 {n}\n" for n in range(3000)))
    tail = FileTail(log, start="beginning", clock=clock)
    assert tail.poll().lines == [f"줄 {n}" for n in range(3000)]


def test_a_line_without_end_is_shown_as_provisional_after_a_second(log: Path, clock: Clock) -> None:
    tail = FileTail(log, start="beginning", clock=clock)
    append(log, "진행 중".encode()[:-1])
    assert tail.poll().provisional == ""
    clock.now += 1.1
    assert tail.poll().provisional == "진행 "
    append(log, "중".encode()[-1:] + b"\n")
    batch = tail.poll()
    assert (batch.lines, batch.provisional) == (["진행 중"], "")


def test_only_a_newline_ends_a_line(log: Path, clock: Clock) -> None:
    tail = FileTail(log, start="beginning", clock=clock)
    append(log, "a\x0bb\x1cc\x85d\u2028e\n")
    (line,) = tail.poll().lines
    assert all(letter in line for letter in "abcde")
    assert "\u2028" not in line


def test_bytes_that_are_no_text_are_shown_as_escapes(log: Path, clock: Clock) -> None:
    tail = FileTail(log, start="beginning", clock=clock)
    append(log, b"bad \xff\xfe end\n\x1b]0;title\x07x\n")
    lines = tail.poll().lines
    assert lines[0] == "bad \\xff\\xfe end"
    assert "\x1b" not in lines[1]


def test_a_line_redrawn_with_carriage_returns_keeps_the_last_drawing(log: Path, clock: Clock) -> None:
    tail = FileTail(log, start="beginning", clock=clock)
    append(log, "10 %\r50 %\r100 %\nplain\r\n")
    assert tail.poll().lines == ["100 % (↺2)", "plain"]


def test_secrets_never_come_out(log: Path, clock: Clock) -> None:
    tail = FileTail(log, start="beginning", secrets=["hunter2hunter2"], clock=clock)
    append(log, "login with hunter2hunter2 ok\nAuthorization: Bearer abcdef0123456789abcdef\n")
    shown = "\n".join(tail.poll().lines)
    assert "hunter2hunter2" not in shown
    assert "abcdef0123456789" not in shown


def test_a_private_key_over_several_polls_is_masked(log: Path, clock: Clock) -> None:
    tail = FileTail(log, start="beginning", clock=clock)
    append(log, "-----BEGIN RSA PRIVATE KEY-----\n" + "A" * 64 + "\n")
    shown = tail.poll().lines
    append(log, "B" * 64 + "\n-----END RSA PRIVATE KEY-----\nafter\n")
    shown += tail.poll().lines
    assert shown[-1] == "after"
    assert not any("A" * 8 in line or "B" * 8 in line for line in shown)


def test_rename_and_create_drains_the_old_file_first(log: Path, clock: Clock) -> None:
    append(log, "before\n")
    tail = FileTail(log, start="beginning", clock=clock)
    tail.poll()
    append(log, "last of the old\n")
    log.rename(log.with_suffix(".1"))
    append(log, "first of the new\n")
    tail.poll()
    append(log.with_suffix(".1"), "lagging writer\n")
    whole = settle(tail, clock)
    assert whole.lines == ["lagging writer", "first of the new"]
    assert happened(whole) == [Happening.ROTATED]


def test_two_rotations_within_the_grace_lose_nothing(log: Path, clock: Clock) -> None:
    append(log, "1\n")
    tail = FileTail(log, start="beginning", clock=clock)
    lines = tail.poll().lines
    log.rename(log.with_suffix(".1"))
    append(log, "2\n")
    lines += tail.poll().lines
    log.rename(log.with_suffix(".2"))
    append(log, "3\n")
    lines += settle(tail, clock).lines
    assert lines == ["1", "2", "3"]


def test_a_line_cut_by_rotation_is_marked(log: Path, clock: Clock) -> None:
    append(log, "whole\nhalf a li")
    tail = FileTail(log, start="beginning", clock=clock)
    tail.poll()
    log.rename(log.with_suffix(".1"))
    append(log, "new\n")
    whole = settle(tail, clock)
    assert whole.lines == ["half a li", "new"]
    assert happened(whole) == [Happening.CUT_OFF, Happening.ROTATED]


def test_lines_that_a_writer_adds_to_the_left_file_are_marked_as_late(log: Path, clock: Clock) -> None:
    append(log, "1\n")
    tail = FileTail(log, start="beginning", clock=clock)
    tail.poll()
    log.rename(log.with_suffix(".1"))
    append(log, "2\n")
    tail.poll()
    clock.now += 1
    tail.poll()
    append(log.with_suffix(".1"), "very late\n")
    whole = settle(tail, clock)
    assert "very late" in whole.lines
    assert Happening.LATE in happened(whole)


def test_copytruncate_goes_on_from_the_start(log: Path, clock: Clock) -> None:
    append(log, "one\ntwo\n")
    tail = FileTail(log, start="beginning", clock=clock)
    tail.poll()
    os.truncate(log, 0)
    append(log, "new\n")
    batch = tail.poll()
    assert (batch.lines, happened(batch)) == (["new"], [Happening.TRUNCATED])
    assert batch.events[0].doubt


def test_copytruncate_that_grew_past_the_old_place_is_noticed(log: Path, clock: Clock) -> None:
    append(log, "".join(f"old {n}\n" for n in range(10)))
    tail = FileTail(log, start="beginning", clock=clock)
    tail.poll()
    os.truncate(log, 0)
    new = [f"new {n}" for n in range(40)]
    append(log, "\n".join(new) + "\n")
    batch = tail.poll()
    assert batch.lines == new
    assert happened(batch) == [Happening.REWRITTEN]


def test_a_hole_left_by_truncation_is_told_by_its_length(log: Path, clock: Clock) -> None:
    with log.open("wb", buffering=0) as writer:
        writer.write(b"x" * 4999 + b"\n")
        tail = FileTail(log, start="beginning", clock=clock)
        tail.poll()
        os.truncate(log, 0)
        tail.poll()
        writer.write(b"after\n")
    assert tail.poll().lines == ["␀×5000after"]


def test_a_link_switched_to_another_release_is_followed_and_back(tmp_path: Path, clock: Clock) -> None:
    for name in ("v1", "v2"):
        (tmp_path / name).mkdir()
        append(tmp_path / name / "app.log", f"{name} starts\n")
    current = tmp_path / "current"
    current.symlink_to("v2")
    tail = FileTail(current / "app.log", start="beginning", clock=clock)
    assert tail.poll().lines == ["v2 starts"]

    def switch(name: str) -> None:
        (tmp_path / "next").symlink_to(name)
        (tmp_path / "next").rename(current)

    switch("v1")
    whole = settle(tail, clock)
    assert (whole.lines, happened(whole)) == (["v1 starts"], [Happening.SWITCHED])
    switch("v2")
    append(tmp_path / "v2" / "app.log", "v2 again\n")
    assert settle(tail, clock).lines == ["v2 again"]


def test_a_copy_put_in_place_of_the_file_is_not_read_again(log: Path, clock: Clock) -> None:
    append(log, "".join(f"line {n}\n" for n in range(100)))
    tail = FileTail(log, start="beginning", clock=clock)
    tail.poll()
    copy = log.with_suffix(".copy")
    copy.write_bytes(log.read_bytes() + b"more\n")
    copy.rename(log)
    whole = settle(tail, clock)
    assert (whole.lines, happened(whole)) == (["more"], [Happening.REPLACED])


def test_a_file_that_is_missing_is_told_and_read_whole_when_it_comes(log: Path, clock: Clock) -> None:
    tail = FileTail(log, clock=clock)
    assert happened(tail.poll()) == [Happening.MISSING]
    assert happened(tail.poll()) == []
    append(log, "first\n")
    batch = tail.poll()
    assert (batch.lines, happened(batch)) == (["first"], [Happening.BACK])


def test_a_file_deleted_and_made_again_is_read_from_its_start(log: Path, clock: Clock) -> None:
    append(log, "a\n")
    tail = FileTail(log, start="beginning", clock=clock)
    tail.poll()
    log.unlink()
    assert happened(settle(tail, clock)) == [Happening.MISSING]
    append(log, "b\n")
    batch = settle(tail, clock)
    assert (batch.lines, happened(batch)) == (["b"], [Happening.BACK])


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_is_no_file_is_told_and_never_blocks(log: Path, clock: Clock, make: object) -> None:
    assert callable(make)
    make(log)
    assert happened(FileTail(log, clock=clock).poll()) == [Happening.NOT_A_FILE]


def test_a_revoked_permission_is_told_while_the_open_file_is_still_read(
    log: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(log, "a\n")
    tail = FileTail(log, clock=clock)
    tail.poll()
    monkeypatch.setattr(os, "access", lambda *_args, **_kwargs: False)
    append(log, "b\n")
    batch = tail.poll()
    assert (batch.lines, happened(batch)) == (["b"], [Happening.UNREADABLE])
    monkeypatch.undo()
    assert happened(tail.poll()) == [Happening.BACK]


def test_a_file_turned_into_a_link_where_others_write_is_not_followed(tmp_path: Path, clock: Clock) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    log = folder / "app.log"
    append(log, "a\n")
    tail = FileTail(log, start="beginning", clock=clock)
    assert tail.poll().lines == ["a"]
    append(tmp_path / "private", "not for you\n")
    log.unlink()
    log.symlink_to(tmp_path / "private")
    whole = settle(tail, clock)
    assert whole.lines == []
    assert Happening.UNREADABLE in happened(whole)


def test_a_huge_line_keeps_its_head_and_tells_how_much_is_missing(log: Path, clock: Clock) -> None:
    tail = FileTail(log, start="beginning", clock=clock)
    for _ in range(6):
        append(log, b"y" * 500_000)
        assert tail.poll().lines == []
    append(log, "\nnext\n")
    huge, following = tail.poll().lines
    assert following == "next"
    assert len(huge) < 300_000
    assert str(3_000_000 - HEAD_BYTES) in huge


def test_more_lines_than_asked_for_are_counted_not_given(log: Path, clock: Clock) -> None:
    tail = FileTail(log, start="beginning", most_lines=10, clock=clock)
    append(log, "".join(f"2026-11-20 ERROR {n}\n" for n in range(25)))
    batch = tail.poll()
    assert batch.lines == [f"2026-11-20 ERROR {n}" for n in range(15, 25)]
    assert (batch.dropped, batch.counts.lines, batch.counts.error) == (15, 25, 25)


def test_many_bytes_are_given_over_several_polls(log: Path, clock: Clock) -> None:
    line = "z" * 99 + "\n"
    append(log, line * 60_000)
    tail = FileTail(log, start="beginning", clock=clock)
    first = tail.poll()
    assert first.more
    second = tail.poll()
    assert first.counts.lines + second.counts.lines == 60_000


def test_events_stand_before_the_line_they_precede(log: Path, clock: Clock) -> None:
    append(log, "a\nb\n")
    tail = FileTail(log, start="beginning", clock=clock)
    tail.poll()
    append(log, "c\nd")
    tail.poll()
    os.truncate(log, 0)
    append(log, "e\n")
    batch = tail.poll()
    assert batch.lines == ["d", "e"]
    assert [(event.happening, event.before) for event in batch.events] == [
        (Happening.CUT_OFF, 1),
        (Happening.TRUNCATED, 1),
    ]
