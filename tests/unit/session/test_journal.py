"""The journal: what a session's record holds, who may write it, and what is said when something went wrong."""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cockpit.errors import JournalError, NotTheWriter
from cockpit.session.record.chain import GENESIS, hash_of
from cockpit.session.record.folder import SessionFolder
from cockpit.session.record.journal import Journal, SystemDisk
from cockpit.session.record.verify import verify


@pytest.fixture
def folder(tmp_path: Path) -> SessionFolder:
    return SessionFolder.create(tmp_path, datetime(2026, 11, 21, tzinfo=UTC))


@pytest.fixture
def journal(folder: SessionFolder) -> Iterator[Journal]:
    opened = Journal.open(folder)
    yield opened
    opened.close()


def note(journal: Journal, text: str, *, durable: bool = False) -> None:
    journal.append("note.added", {"text": text, "step": None, "by": "kim"}, actor="operator:kim", durable=durable)


class FailingDisk(SystemDisk):
    """Fails the n-th call of one kind (counted from 1), once or for ever; writes may take `short` bytes first."""

    def __init__(self, call: str, nth: int = 1, *, for_ever: bool = False, short: int | None = None) -> None:
        self.call = call
        self.nth = nth
        self.for_ever = for_ever
        self.short = short
        self.calls = {"write": 0, "fsync": 0, "ftruncate": 0}
        self.well = False

    def _fails(self, call: str) -> bool:
        self.calls[call] += 1
        hit = self.calls[call] == self.nth or (self.for_ever and self.calls[call] > self.nth)
        return call in self.call.split("+") and hit and not self.well

    def write(self, descriptor: int, data: bytes) -> int:
        if not self._fails("write"):
            return super().write(descriptor, data)
        if self.short is None:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(descriptor, data[: self.short])

    def fsync(self, descriptor: int) -> None:
        if self._fails("fsync"):
            raise OSError(errno.EIO, "Input/output error")
        super().fsync(descriptor)

    def ftruncate(self, descriptor: int, size: int) -> None:
        if self._fails("ftruncate"):
            raise OSError(errno.EIO, "Input/output error")
        super().ftruncate(descriptor, size)


def lines(folder: SessionFolder) -> list[bytes]:
    return folder.journal.read_bytes().splitlines(keepends=True)


def texts(folder: SessionFolder) -> list[str]:
    records = (json.loads(line) for line in lines(folder) if line.startswith(b'{"v":1') and line.endswith(b'"}\n'))
    return [record["data"]["text"] for record in records if record["kind"] == "note.added"]


def test_a_record_says_who_when_and_what_and_is_chained_over_its_bytes(folder: SessionFolder, journal: Journal) -> None:
    note(journal, "first")
    note(journal, "두 번째\u2028\x1b\ud800")

    first, second = (json.loads(line) for line in lines(folder))
    assert (first["v"], first["seq"], first["actor"], first["kind"]) == (1, 1, "operator:kim", "note.added")
    assert first["t"].endswith("+00:00")
    assert len(first["t"]) == len("2026-11-21T02:03:04.000005+00:00")
    assert (first["prev"], second["prev"]) == (GENESIS, first["h"])
    assert second["data"]["text"] == "두 번째\u2028\x1b\ud800"
    raw = lines(folder)[1]
    assert raw.isascii()
    assert second["h"] == hash_of(second["prev"], raw[: raw.index(b',"h":')])
    assert journal.head == (2, second["h"])


def test_files_are_private_whatever_the_umask(folder: SessionFolder) -> None:
    before = os.umask(0)
    try:
        Journal.open(folder).close()
    finally:
        os.umask(before)

    made = [folder.journal, folder.lock, folder.path / "journal.head"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o600}


def test_the_chain_goes_on_in_the_next_process(folder: SessionFolder) -> None:
    for text in ("one", "two", "three"):
        journal = Journal.open(folder)
        note(journal, text)
        journal.close()

    found = verify(folder)
    assert (found.ok, found.records, found.head_seq) == (True, 3, 3)


def test_a_second_writer_is_told_who_is_the_first(folder: SessionFolder, journal: Journal) -> None:
    with pytest.raises(NotTheWriter, match=str(os.getpid())):
        Journal.open(folder)

    note(journal, "still the writer")
    journal.close()
    Journal.open(folder).close()


def test_texts_are_redacted_before_they_are_written(folder: SessionFolder) -> None:
    journal = Journal.open(folder, redact=lambda text: text.replace("hunter2", "****"))
    event = journal.append("x", {"a": "hunter2", "b": [{"c": "is hunter2"}], "n": 2}, actor="host")
    journal.close()

    assert event.data == {"a": "****", "b": [{"c": "is ****"}], "n": 2}
    assert b"hunter2" not in folder.journal.read_bytes()


def test_what_is_too_big_for_a_record_is_refused_by_name(folder: SessionFolder, journal: Journal) -> None:
    with pytest.raises(JournalError, match="output"):
        journal.append("step.finished", {"step": "a", "output": "x" * 70_000}, actor="host")

    note(journal, "after")
    assert verify(folder).records == 1


def test_what_json_has_no_word_for_is_refused(journal: Journal) -> None:
    with pytest.raises(JournalError, match=r"NaN|nan|Out of range"):
        journal.append("x", {"value": float("nan")}, actor="host")

    assert journal.head == (0, GENESIS)


def test_a_symlink_in_the_journals_place_is_refused(folder: SessionFolder, tmp_path: Path) -> None:
    folder.journal.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(JournalError):
        Journal.open(folder)

    assert not (tmp_path / "elsewhere").exists()


def test_a_torn_tail_is_set_aside_and_owned_up_to(folder: SessionFolder) -> None:
    journal = Journal.open(folder)
    note(journal, "whole")
    journal.close()
    size = folder.journal.stat().st_size
    torn = b'{"v":1,"seq":2,"t":"2026'
    with folder.journal.open("ab") as file:
        file.write(torn)

    journal = Journal.open(folder)
    note(journal, "after")
    journal.close()

    recovered = json.loads(lines(folder)[1])
    assert recovered["kind"] == "journal.recovered"
    assert recovered["data"]["bytes"] == len(torn)
    assert (folder.path / recovered["data"]["file"]).read_bytes() == torn
    assert recovered["data"]["file"] == f"journal.jsonl.torn-{size}"
    found = verify(folder)
    assert found.ok
    assert [gap.bytes for gap in found.gaps] == [len(torn)]


def test_a_torn_tail_longer_than_a_block_is_set_aside(folder: SessionFolder) -> None:
    folder.journal.write_bytes(b"x" * 700_000)

    Journal.open(folder).close()

    assert (folder.path / "journal.jsonl.torn-0").stat().st_size == 700_000
    assert verify(folder).ok


def test_records_cut_from_the_end_are_owned_up_to_when_the_session_goes_on(folder: SessionFolder) -> None:
    journal = Journal.open(folder)
    for number in range(5):
        note(journal, str(number))
    journal.close()
    folder.journal.write_bytes(b"".join(lines(folder)[:3]))

    journal = Journal.open(folder)
    journal.close()

    assert json.loads(lines(folder)[-1])["data"]["missing_records"] == 2
    assert verify(folder).gaps[0].records == 2


def test_a_damaged_last_record_stays_where_it_is_and_the_session_goes_on(folder: SessionFolder) -> None:
    journal = Journal.open(folder)
    for number in range(3):
        note(journal, str(number))
    journal.close()
    damaged = folder.journal.read_bytes().replace(b'"text":"2"', b'"text":"9"')
    folder.journal.write_bytes(damaged)

    journal = Journal.open(folder)
    note(journal, "after")
    journal.close()

    assert folder.journal.read_bytes().startswith(damaged)
    found = verify(folder)
    assert not found.ok
    assert found.first_bad is not None
    assert (found.first_bad.seq, found.first_bad.line) == (3, 3)


@pytest.mark.parametrize("call", ["write", "fsync", "ftruncate"])
@pytest.mark.parametrize("for_ever", [False, True])
@pytest.mark.parametrize("nth", range(1, 7))
def test_whatever_call_fails_what_was_acknowledged_is_there(
    folder: SessionFolder, call: str, for_ever: bool, nth: int
) -> None:
    disk = FailingDisk(call, nth, for_ever=for_ever)
    journal = Journal.open(folder, disk=disk)
    written, saved = [], []
    for number in range(8):
        before = journal.head
        try:
            note(journal, str(number), durable=True)
            saved.append(str(number))
            written.append(str(number))
        except JournalError:
            if journal.head != before:
                assert journal.suspect
                written.append(str(number))
    disk.well = True
    note(journal, "at last", durable=True)
    journal.close()

    assert texts(folder) == [*written, "at last"]
    assert verify(folder).ok
    assert bool(journal.suspect) == (call == "fsync")
    assert len(saved) == 8 - (0 if call == "ftruncate" else 9 - nth if for_ever else 1)


def test_a_short_write_of_any_length_is_taken_back(folder: SessionFolder) -> None:
    journal = Journal.open(folder)
    note(journal, "x")
    length = folder.journal.stat().st_size
    journal.close()
    for short in range(length + 1):
        disk = FailingDisk("write", short=short)
        journal = Journal.open(folder, disk=disk)
        with pytest.raises(JournalError):
            note(journal, "lost")
        journal.close()

    assert texts(folder) == ["x"]
    assert verify(folder).ok


def test_a_short_write_that_can_not_be_taken_back_never_spoils_the_next_record(folder: SessionFolder) -> None:
    journal = Journal.open(folder)
    note(journal, "first")
    length = len(lines(folder)[0])
    journal.close()
    for short in range(length + 1):
        disk = FailingDisk("write+ftruncate", short=short, for_ever=True)
        journal = Journal.open(folder, disk=disk)
        with pytest.raises(JournalError):
            note(journal, "lost")
        disk.call = "ftruncate"
        note(journal, f"after {short}")
        journal.close()

    kept = texts(folder)
    assert [text for text in kept if text.startswith("after")] == [f"after {short}" for short in range(length + 1)]
    found = verify(folder)
    assert found.ok, found.first_bad
    assert found.torn


def test_after_a_failed_fsync_nothing_is_called_saved(folder: SessionFolder) -> None:
    journal = Journal.open(folder, disk=FailingDisk("fsync"))
    with pytest.raises(JournalError, match="did not confirm"):
        note(journal, "in doubt", durable=True)

    assert journal.head[0] == 1
    assert "record 1" in journal.suspect
    note(journal, "later", durable=True)
    assert "record 1" in journal.suspect
    journal.close()
    assert verify(folder).ok


def test_a_full_disk_names_its_mend(folder: SessionFolder) -> None:
    journal = Journal.open(folder, disk=FailingDisk("write"))

    with pytest.raises(JournalError, match="free some space"):
        note(journal, "x")

    journal.close()
