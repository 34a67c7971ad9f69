"""verify: every way of changing a record after the fact is named, and files that a record vouches for are checked."""

from __future__ import annotations

import hashlib
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cockpit.errors import JournalError
from cockpit.session.record.folder import SessionFolder
from cockpit.session.record.journal import Journal
from cockpit.session.record.verify import Verification, verify

Change = Callable[[list[bytes]], list[bytes]]


@pytest.fixture
def folder(tmp_path: Path) -> SessionFolder:
    made = SessionFolder.create(tmp_path, datetime(2026, 11, 21, tzinfo=UTC))
    journal = Journal.open(made)
    for number in range(10):
        journal.append("note.added", {"text": f"note {number}", "step": None, "by": "kim"}, actor="operator:kim")
    journal.close()
    return made


def changed(folder: SessionFolder, change: Change) -> Verification:
    lines = folder.journal.read_bytes().splitlines(keepends=True)
    folder.journal.write_bytes(b"".join(change(lines)))
    return verify(folder)


def replaced(lines: list[bytes], at: int, line: bytes) -> list[bytes]:
    return [*lines[:at], line, *lines[at + 1 :]]


def test_a_whole_journal_is_found_whole(folder: SessionFolder) -> None:
    found = verify(folder)

    assert (found.ok, found.records, found.head_seq, found.first_bad) == (True, 10, 10, None)
    assert found.as_json()["head"] == found.head


CHANGES: dict[str, tuple[Change, int, int]] = {
    "edited": (lambda ls: replaced(ls, 4, ls[4].replace(b"note 4", b"note X")), 5, 5),
    "edited, one bit of the hash": (lambda ls: replaced(ls, 4, ls[4][:-4] + bytes([ls[4][-4] ^ 1]) + b'"}\n'), 5, 5),
    "clock edited": (lambda ls: replaced(ls, 2, ls[2].replace(b'"t":"2', b'"t":"1')), 3, 3),
    "actor edited": (lambda ls: replaced(ls, 9, ls[9].replace(b"kim", b"lee")), 10, 10),
    "removed": (lambda ls: ls[:4] + ls[5:], 5, 5),
    "first removed": (lambda ls: ls[1:], 1, 1),
    "reordered": (lambda ls: [*ls[:4], ls[5], ls[4], *ls[6:]], 5, 5),
    "doubled": (lambda ls: [*ls[:5], ls[4], *ls[5:]], 6, 6),
    "replaced by rubbish": (lambda ls: replaced(ls, 6, b"rubbish\n"), 7, 7),
    "an empty line put in": (lambda ls: [*ls[:3], b"\n", *ls[3:]], 4, 4),
    "cut at the end": (lambda ls: ls[:7], 8, 8),
    "cut in the middle of a record": (lambda ls: [*ls[:7], ls[7][:20]], 8, 9),
    "emptied": (lambda _ls: [], 1, 1),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_named_by_its_record_and_line(folder: SessionFolder, what: str) -> None:
    change, seq, line = CHANGES[what]

    found = changed(folder, change)

    assert not found.ok
    assert found.first_bad is not None
    assert (found.first_bad.seq, found.first_bad.line) == (seq, line)
    assert found.first_bad.why


def test_the_offset_leads_to_the_bad_record(folder: SessionFolder) -> None:
    found = changed(folder, CHANGES["edited"][0])

    assert found.first_bad is not None
    assert folder.journal.read_bytes()[found.first_bad.offset :].startswith(b'{"v":1,"seq":5,')


def test_a_chain_sealed_anew_after_an_edit_does_not_fit_the_kept_head(folder: SessionFolder, tmp_path: Path) -> None:
    other = SessionFolder.create(tmp_path, datetime(2026, 11, 22, tzinfo=UTC))
    journal = Journal.open(other)
    for number in range(12):
        journal.append("note.added", {"text": f"another {number}", "step": None, "by": "kim"}, actor="operator:kim")
    journal.close()

    found = changed(folder, lambda _lines: other.journal.read_bytes().splitlines(keepends=True))

    assert found.first_bad is not None
    assert found.first_bad.seq == 11


def test_no_journal_is_an_error_that_says_where(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match=r"journal\.jsonl"):
        verify(SessionFolder(tmp_path))


def finish_run(folder: SessionFolder, path: str, output: bytes) -> None:
    journal = Journal.open(folder)
    data = {"step": "s", "run": 1, "status": "passed", "output": path, "output_bytes": len(output)}
    journal.append("step.finished", data | {"output_sha256": hashlib.sha256(output).hexdigest()}, actor="host")
    journal.close()


def test_outputs_are_held_against_their_records(folder: SessionFolder) -> None:
    output = folder.run(1) / "output"
    output.parent.mkdir()
    output.write_bytes(b"evidence\n")
    finish_run(folder, "runs/0001/output", b"evidence\n")
    assert (verify(folder).ok, verify(folder).artefacts_checked) == (True, 1)

    output.write_bytes(b"evidencE\n")
    edited = verify(folder)
    output.write_bytes(b"evidence\nand more")
    longer = verify(folder)
    output.unlink()
    gone = verify(folder)

    for found in (edited, longer, gone):
        assert not found.ok
        assert [(bad.seq, bad.path) for bad in found.bad_artefacts] == [(11, "runs/0001/output")]


def test_a_record_that_points_out_of_the_folder_is_bad(folder: SessionFolder, tmp_path: Path) -> None:
    (tmp_path / "outside").write_bytes(b"x")
    finish_run(folder, "../outside", b"x")

    assert "outside" in verify(folder).bad_artefacts[0].why


def test_the_runbooks_copy_is_checked(folder: SessionFolder) -> None:
    folder.runbook.write_bytes(b"# P0\n")
    journal = Journal.open(folder)
    sha256 = hashlib.sha256(b"# P0\n").hexdigest()
    journal.append("session.started", {"session": folder.name, "runbook": {"sha256": sha256}}, actor="host")
    journal.close()
    assert verify(folder).ok

    folder.runbook.write_bytes(b"# P1\n")

    assert [bad.path for bad in verify(folder).bad_artefacts] == ["runbook.md"]


def test_a_large_journal_takes_little_memory(tmp_path: Path) -> None:
    folder = SessionFolder.create(tmp_path, datetime(2026, 11, 23, tzinfo=UTC))
    journal = Journal.open(folder)
    for _number in range(400):
        journal.append("note.added", {"text": "x" * 50_000, "step": None, "by": "kim"}, actor="host")
    journal.close()

    tracemalloc.start()
    found = verify(folder)
    Journal.open(folder).close()
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert found.records == 400
    assert peak < 8 << 20 < folder.journal.stat().st_size
