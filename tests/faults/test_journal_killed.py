"""kill -9 at every call the journal makes: what was acknowledged is there, and the chain holds or owns up."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cockpit.session.record.folder import SessionFolder
from cockpit.session.record.journal import Journal
from cockpit.session.record.reader import SessionReader
from cockpit.session.record.verify import verify

WRITER = """
import os, signal, sys
from pathlib import Path
from cockpit.session.record.folder import SessionFolder
from cockpit.session.record.journal import Journal, SystemDisk

folder, call, nth, moment = SessionFolder(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3]), sys.argv[4]
calls = {"write": 0, "fsync": 0}

def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)

class DeadlyDisk(SystemDisk):
    def write(self, descriptor: int, data: bytes) -> int:
        calls["write"] += 1
        if call == "write" and calls["write"] == nth:
            if moment == "half":
                super().write(descriptor, data[: len(data) // 2])
            if moment == "all but the newline":
                super().write(descriptor, data[:-1])
            if moment == "after":
                super().write(descriptor, data)
            die()
        return super().write(descriptor, data)

    def fsync(self, descriptor: int) -> None:
        calls["fsync"] += 1
        if call == "fsync" and calls["fsync"] == nth:
            if moment == "after":
                super().fsync(descriptor)
            die()
        super().fsync(descriptor)

journal = Journal.open(folder, disk=DeadlyDisk())
for number in range(6):
    journal.append("note.added", {"text": str(number), "step": None, "by": "kim"}, actor="kim", durable=True)
    print(number, flush=True)
"""
MOMENTS = [
    *(("write", moment) for moment in ("before", "half", "all but the newline", "after")),
    *(("fsync", moment) for moment in ("before", "after")),
]


@pytest.mark.parametrize(("call", "moment"), MOMENTS)
@pytest.mark.parametrize("nth", [1, 2, 5])
def test_a_writer_killed_at_any_call_loses_nothing_it_acknowledged(
    tmp_path: Path, call: str, moment: str, nth: int
) -> None:
    folder = SessionFolder.create(tmp_path, datetime(2026, 11, 21, tzinfo=UTC))
    writer = subprocess.run(
        [sys.executable, "-c", WRITER, str(folder.path), call, str(nth), moment],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert writer.returncode == -9, writer.stderr

    journal = Journal.open(folder)
    journal.append("note.added", {"text": "after", "step": None, "by": "kim"}, actor="kim", durable=True)
    journal.close()

    texts = [event.data["text"] for event in SessionReader(folder).poll() if event.kind == "note.added"]
    acknowledged = writer.stdout.split()
    assert texts[: len(acknowledged)] == acknowledged
    assert texts[-1] == "after"
    assert len(texts) - len(acknowledged) in (1, 2)
    found = verify(folder)
    assert found.ok, found.first_bad
    assert bool(found.gaps) == (moment in ("half", "all but the newline"))
