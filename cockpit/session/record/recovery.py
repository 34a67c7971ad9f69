"""Where a journal ends, and what is wrong with its end: found by reading backwards, whatever the journal's size."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from cockpit.errors import JournalError
from cockpit.runs.kept import read_kept
from cockpit.session.record.chain import GENESIS, Link, link_of
from cockpit.words import _

_BLOCK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Recovered:
    """The end that was found. `damaged_bytes` are whole lines after the last sound record, left where they are;
    `missing_records` were written once, says the head kept beside the journal, and are gone."""

    seq: int
    hash: str
    torn_bytes: int = 0
    torn_sha256: str = ""
    torn_file: str = ""
    damaged_bytes: int = 0
    missing_records: int = 0

    @property
    def anything(self) -> bool:
        """Whether there is something to say."""
        return bool(self.torn_bytes or self.damaged_bytes or self.missing_records)


def recover(folder: Path, descriptor: int) -> Recovered:
    """Set an unterminated tail aside and find the last sound record.

    Raises:
        JournalError: the journal can't be read, or the tail can't be set aside.
    """
    try:
        return _recover(folder, descriptor)
    except OSError as error:
        raise JournalError(
            _("the journal can't be recovered: {error}").format(error=error.strerror), where=str(folder)
        ) from error


def _recover(folder: Path, descriptor: int) -> Recovered:
    size = os.fstat(descriptor).st_size
    end = _last_line_end(descriptor, size)
    torn_sha256, torn_file = _set_aside(folder, descriptor, end, size) if end < size else ("", "")
    link, damaged = _last_sound(descriptor, end)
    seq, digest = (link.seq, link.hash) if link else (0, GENESIS)
    missing = max(0, kept_head(folder)[0] - seq) if not damaged else 0
    return Recovered(seq, digest, size - end, torn_sha256, torn_file, damaged, missing)


def kept_head(folder: Path) -> tuple[int, str]:
    """The seq and hash kept beside the journal; (0, "") when there are none."""
    try:
        told = json.loads(read_kept(folder, "journal.head"))
        return int(told["seq"]), str(told["h"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0, ""


def _last_line_end(descriptor: int, size: int) -> int:
    """The offset just after the last newline."""
    end = size
    while end > 0:
        start = max(0, end - _BLOCK_BYTES)
        newline = os.pread(descriptor, end - start, start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


def _last_sound(descriptor: int, end: int) -> tuple[Link | None, int]:
    """The last record whose own hash fits, and how many bytes of other lines follow it."""
    line_end = end
    while line_end > 0:
        start = _last_line_end(descriptor, line_end - 1)
        link = link_of(os.pread(descriptor, line_end - 1 - start, start))
        if link and link.sound:
            return link, end - line_end
        line_end = start
    return None, end


def _set_aside(folder: Path, descriptor: int, end: int, size: int) -> tuple[str, str]:
    """Move the bytes from `end` on into a file of their own; only then cut them off."""
    name = f"journal.jsonl.torn-{end}"
    digest = hashlib.sha256()
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    with os.fdopen(os.open(folder / name, flags, 0o600), "wb") as file:
        for start in range(end, size, _BLOCK_BYTES):
            block = os.pread(descriptor, min(_BLOCK_BYTES, size - start), start)
            digest.update(block)
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    os.ftruncate(descriptor, end)
    return digest.hexdigest(), name
