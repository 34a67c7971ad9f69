"""Output on its way to disk: every byte accounted for, whatever the order, the cap or the fault."""

from __future__ import annotations

import errno
import hashlib
import os
import random
from pathlib import Path
from typing import Any

import pytest

from cockpit.runs.recording import FRAME, NOTE, STDERR, STDOUT, Recorder

SECRET = "wJalrXUtnFEMIK7MDENG"


def recorder(folder: Path, *, cap_bytes: int = 1 << 20, secrets: tuple[str, ...] = ()) -> Recorder:
    return Recorder(str(folder), secrets, cap_bytes)


def frames(folder: Path) -> list[tuple[int, int, int]]:
    return [
        (offset, length, stream) for offset, _m, length, stream in FRAME.iter_unpack((folder / "index").read_bytes())
    ]


def test_the_hash_is_of_the_file_and_the_index_covers_it(tmp_path: Path) -> None:
    made = recorder(tmp_path)
    made.take(STDOUT, b"one\ntw")
    made.take(STDERR, b"err\n")
    made.take(STDOUT, b"o\nlast")
    end = made.finish()

    output = (tmp_path / "output").read_bytes()
    assert output == b"one\nerr\ntwo\nlast"
    assert end == {
        "output_bytes": len(output),
        "output_sha256": hashlib.sha256(output).hexdigest(),
        "dropped_bytes": 0,
    }
    covered = 0
    for offset, length, _stream in frames(tmp_path):
        assert offset == covered
        covered += length
    assert covered == len(output)


@pytest.mark.parametrize("seed", range(20))
def test_under_any_cap_kept_and_dropped_add_up(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    cap = chance.randrange(2, 3000)
    made = recorder(tmp_path, cap_bytes=cap)
    whole = b""
    for _piece in range(chance.randrange(1, 60)):
        piece = bytes(chance.choices(b"abc\n", k=chance.randrange(0, 200)))
        whole += piece
        made.take(STDOUT, piece)
    end = made.finish()

    output = (tmp_path / "output").read_bytes()
    own = b"".join(output[o : o + n] for o, n, stream in frames(tmp_path) if stream != NOTE)
    assert len(own) + int(str(end["dropped_bytes"])) == len(whole)
    assert len(own) == min(cap, len(whole))
    head = cap - cap // 2
    assert own[:head] == whole[:head]
    assert end["dropped_bytes"] == 0 or own[head:] == whole[-(cap // 2) :]


@pytest.mark.parametrize("at", range(1, len(SECRET)))
def test_a_secret_cut_anywhere_is_masked(tmp_path: Path, at: int) -> None:
    made = recorder(tmp_path, secrets=(SECRET,))
    made.take(STDOUT, f"key {SECRET[:at]}".encode())
    made.idle()
    made.take(STDOUT, f"{SECRET[at:]} end\n".encode())
    made.finish()

    output = (tmp_path / "output").read_bytes()
    assert SECRET.encode() not in output
    assert SECRET[-6:].encode() not in output
    assert output.startswith(b"key ")
    assert output.endswith(b" end\n")


class Disk:
    """os.write with a limit on what the file takes."""

    def __init__(self, room: int) -> None:
        self.room = room
        self._write = os.write

    def write(self, descriptor: int, data: bytes) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = self._write(descriptor, data[: self.room])
        self.room -= taken
        return taken


@pytest.mark.parametrize("room", [0, 1, 10, 24, 30, 100, 300])
def test_a_disk_that_fills_and_is_freed_leaves_a_marked_gap(
    tmp_path: Path, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = recorder(tmp_path)
    made.warm_up()
    disk = Disk(room)
    monkeypatch.setattr("cockpit.runs.recording.os.write", disk.write)
    for number in range(20):
        made.take(STDOUT, b"before %03d\n" % number)
    lost = made.dropped_bytes
    disk.room = 1 << 20
    made.take(STDOUT, b"after\n")
    end = made.finish()

    output = (tmp_path / "output").read_bytes()
    assert output.endswith(f"[cockpit: {lost} bytes are not kept here]\nafter\n".encode())
    assert hashlib.sha256(output).hexdigest() == end["output_sha256"]
    assert (tmp_path / "index").stat().st_size % FRAME.size == 0


def test_a_note_that_reaches_over_the_cap_puts_nothing_out_of_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = recorder(tmp_path, cap_bytes=100)
    made.warm_up()
    disk = Disk(10)
    monkeypatch.setattr("cockpit.runs.recording.os.write", disk.write)
    made.take(STDOUT, b"0123456789" * 4 + b"\n")
    disk.room = 1 << 20
    for number in range(60):
        made.take(STDOUT, b"line %d\n" % number)
    made.finish()

    lines = [line for line in (tmp_path / "output").read_bytes().splitlines() if line.startswith(b"line ")]
    numbers = [int(line.split()[1]) for line in lines if len(line.split()) == 2]
    assert numbers == sorted(numbers)
    assert numbers[-1] == 59


def test_a_fault_in_redaction_costs_output_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_self: Any, _chunk: bytes) -> bytes:
        raise RuntimeError

    made = recorder(tmp_path)
    made.take(STDERR, b"fine\n")
    with monkeypatch.context() as patch:
        patch.setattr("cockpit.safety.redaction.redactor.Redactor.feed", broken)
        made.take(STDOUT, b"unclean\n")
    made.take(STDERR, b"fine again\n")
    end = made.finish()

    output = (tmp_path / "output").read_bytes()
    assert b"unclean" not in output
    assert b"fine again\n" in output
    assert end["dropped_bytes"] == len(b"unclean\n")


def test_an_existing_output_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "output").write_bytes(b"evidence")

    with pytest.raises(FileExistsError):
        recorder(tmp_path)

    assert (tmp_path / "output").read_bytes() == b"evidence"
