"""Where a tail of another machine's log was left, so that the next host goes on there: no line twice, none lost.

What is to be brought is put on record before it is: the place where it begins, how much is kept by then, and the place
where it ends. Whether all of it was kept shows in the size of what is.
"""

from __future__ import annotations

import glob
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

PLACE = ".place"


class Left(Struct, frozen=True):
    """A place in a file of another machine.

    `tail_sha256` is that of the bytes before the place (never the bytes: they may be secret); `real` is what the log's
    path led to without links.
    """

    folder: str
    name: str
    inode: int
    offset: int
    tail_bytes: int
    tail_sha256: str
    real: str

    def follows(self, tail: bytes) -> bool:
        """Whether these are the bytes before the place."""
        return len(tail) == self.tail_bytes and sha256(tail) == self.tail_sha256


class _Record(Struct, frozen=True):
    log: str
    before: Left | None
    kept_bytes: int
    after: Left


class LeftOff:
    """One tail's place on record, 0600.

    Args:
        path: of the record.
        kept: the file of the lines that were brought.
        log: what the configuration calls the log; a record of another one counts for nothing.
    """

    def __init__(self, path: Path, kept: Path, log: str) -> None:
        self._path = path
        self._kept = kept
        self._log = log
        self._last: Left | None = None

    def found(self) -> Left | None:
        """Where the host before this one left it; None where there was none, or nothing can be known."""
        try:
            record = msgspec.json.decode(self._path.read_bytes(), type=_Record)
        except (OSError, msgspec.MsgspecError):
            return None
        if record.log != self._log:
            return None
        self._last = record.before if self._kept_bytes() == record.kept_bytes else record.after
        return self._last

    def begin(self, at: Left | None) -> None:
        """Where reading begins, where nothing says that it was left somewhere; before what stands there is kept."""
        if at is not None and self._last is None and self._saved(_Record(self._log, at, self._kept_bytes(), at)):
            self._last = at

    def note(self, after: Left | None) -> None:
        """Before what was read is kept: where it ends. A disk that is full costs the place, never the watch."""
        if after is None or after == self._last:
            return
        if self._saved(_Record(self._log, self._last, self._kept_bytes(), after)):
            self._last = after

    def _saved(self, record: _Record) -> bool:
        new = self._path.with_name(self._path.name + ".new")
        try:
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(msgspec.json.encode(record))
            new.replace(self._path)
        except OSError:
            return False
        return True

    def _kept_bytes(self) -> int:
        try:
            return self._kept.stat().st_size
        except OSError:
            return 0


def on_record(name: Path, more: str) -> Iterator[str]:
    """The logs whose places are on record in files of that name with an ending like `more`, a pattern, in between."""
    for path in sorted(name.parent.glob(f"{glob.escape(name.name)}.{more}{PLACE}")):
        try:
            yield msgspec.json.decode(path.read_bytes(), type=_Record).log
        except (OSError, msgspec.MsgspecError):
            continue


def sha256(data: bytes) -> str:
    """In hex."""
    return hashlib.sha256(data).hexdigest()
