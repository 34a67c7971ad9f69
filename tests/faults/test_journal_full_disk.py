"""A disk that is really full: short writes first, then errors, and a journal that is whole all the while."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cockpit.errors import JournalError
from cockpit.session.record.folder import SessionFolder
from cockpit.session.record.journal import Journal
from cockpit.session.record.reader import SessionReader
from cockpit.session.record.verify import verify


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small tmpfs needs root")
    mount = tmp_path / "small"
    mount.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,nr_inodes=32", "none", str(mount)], check=False)
    if made.returncode:
        pytest.skip("this machine allows no mounts")
    yield mount
    subprocess.run(["umount", "-l", str(mount)], check=True)


def note(journal: Journal, text: str) -> None:
    journal.append("note.added", {"text": text, "step": None, "by": "kim"}, actor="operator:kim", durable=True)


def fill(journal: Journal) -> None:
    while True:
        note(journal, "x" * 900)


def test_a_full_disk_refuses_records_whole_and_takes_them_again_once_freed(small: Path) -> None:
    folder = SessionFolder.create(small, datetime(2026, 11, 21, tzinfo=UTC))
    ballast = small / "ballast"
    ballast.write_bytes(b"x" * 30_000)
    journal = Journal.open(folder)
    with pytest.raises(JournalError, match="free some space"):
        fill(journal)
    saved = journal.head[0]
    size = folder.journal.stat().st_size
    for _again in range(3):
        with pytest.raises(JournalError, match="free some space"):
            note(journal, "y" * 2000)
    assert folder.journal.stat().st_size == size
    assert verify(folder).ok

    ballast.unlink()
    note(journal, "at last")
    journal.close()

    events = SessionReader(folder).poll()
    assert saved > 3
    assert [event.seq for event in events] == list(range(1, saved + 2))
    assert events[-1].data["text"] == "at last"
    assert verify(folder).ok
    assert not verify(folder).torn
