"""The reading side of a session folder: what every viewer, spectator, replay and report looks through.

It only reads, needs no host, and never blocks: `poll` takes what is there now.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from cockpit.runs.kept import open_kept
from cockpit.session.record.event import Event
from cockpit.session.record.folder import SessionFolder
from cockpit.session.record.state import SessionState, fold

_CHUNK_BYTES = 1 << 20


class LineFollower:
    """Complete lines appended to a file since the last poll. A torn tail is left until its newline comes.

    Args:
        from_last_bytes: start this far from the end, at the next whole line; None reads all.
        older: what the file is called once a new one has taken its place. Its last lines may be known to nobody yet.
    """

    def __init__(self, path: Path, *, from_last_bytes: int | None = None, older: Path | None = None) -> None:
        self.path = path
        self.offset = 0
        self.shrunk = False
        self._from_last_bytes = from_last_bytes
        self._older = older
        self._file: tuple[int, int] | None = None

    def poll(self) -> list[bytes]:
        """New complete lines without their newline; [] while there is no file. Sets `shrunk` on a new one."""
        try:
            descriptor = open_kept(self.path.parent, self.path.name)
        except OSError:
            return []
        try:
            size, file = _identity(descriptor)
            lines = self._lines_before(size, file)
            if self._from_last_bytes is not None:
                self.offset, self._from_last_bytes = _tail(descriptor, size, self._from_last_bytes), None
            new, self.offset = _lines(descriptor, self.offset, size)
            self._file = file
            return lines + new
        finally:
            os.close(descriptor)

    def _lines_before(self, size: int, file: tuple[int, int]) -> list[bytes]:
        """Lines of an older file: the rest of the one we read until now; of one that we never read, the last."""
        read_until = self.offset
        if self._file is None:
            wanted = max(0, (self._from_last_bytes or 0) - size)
        elif file == self._file and size >= self.offset:
            return []
        else:
            self.shrunk, self.offset, wanted = True, 0, _CHUNK_BYTES
        if self._older is None or not wanted:
            return []
        try:
            descriptor = open_kept(self._older.parent, self._older.name)
        except OSError:
            return []
        try:
            older_size, older = _identity(descriptor)
            start = read_until if older == self._file else _tail(descriptor, older_size, wanted)
            return _lines(descriptor, start, older_size)[0]
        finally:
            os.close(descriptor)


def _tail(descriptor: int, size: int, last_bytes: int) -> int:
    """Where the first whole line of the last so many bytes begins."""
    start = max(0, size - last_bytes)
    if not start:
        return 0
    newline = os.pread(descriptor, _CHUNK_BYTES, start).find(b"\n")
    return start + newline + 1 if newline >= 0 else start


def _lines(descriptor: int, start: int, size: int) -> tuple[list[bytes], int]:
    """The complete lines from `start` on, and where the next one begins."""
    lines: list[bytes] = []
    pending = b""
    position = start
    while position < size:
        chunk = os.pread(descriptor, min(_CHUNK_BYTES, size - position), position)
        if not chunk:
            break
        position += len(chunk)
        *complete, pending = (pending + chunk).split(b"\n")
        lines += complete
    return lines, position - len(pending)


def _identity(descriptor: int) -> tuple[int, tuple[int, int]]:
    """A file's size, and which file it is."""
    info = os.fstat(descriptor)
    return info.st_size, (info.st_dev, info.st_ino)


def event_of(line: bytes) -> Event | None:
    """The event a journal line holds; None for a line that is no record (verify names it)."""
    try:
        record = json.loads(line)
        data = record["data"]
        if not isinstance(data, dict):
            return None
        return Event(
            int(record["seq"]),
            str(record["t"]),
            int(record["m"]),
            str(record["boot"]),
            str(record["actor"]),
            str(record["kind"]),
            data,
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def folded(state: SessionState, event: Event) -> SessionState | None:
    """The state after an event; None for one of some other hand's: the rest of the record is told all the same, and
    verify names this one."""
    try:
        return fold(state, event)
    except (LookupError, ValueError, TypeError, AttributeError):
        return None


class SessionReader:
    """A session, read as it grows. `state` is the fold of every event so far; `bad_lines` counts unreadable records.

    Of samples only those of the last MiB are read, which tell how things stand.
    """

    def __init__(self, folder: SessionFolder) -> None:
        self.folder = folder
        self.state = SessionState()
        self.bad_lines = 0
        self._journal = LineFollower(folder.journal)
        self._samples = LineFollower(folder.samples, from_last_bytes=_CHUNK_BYTES, older=folder.older_samples)

    def poll(self) -> list[Event]:
        """New events, folded into `state`."""
        events = []
        for line in self._journal.poll():
            event = event_of(line)
            if event is None:
                self.bad_lines += 1
                continue
            after = folded(self.state, event)
            if after is None:
                self.bad_lines += 1
                continue
            self.state = after
            events.append(event)
        return events

    def poll_samples(self) -> list[dict[str, Any]]:
        """New samples as JSON objects (see monitor.sample.Sample)."""
        samples = []
        for line in self._samples.poll():
            try:
                samples.append(json.loads(line))
            except (ValueError, RecursionError):
                self.bad_lines += 1
        return samples

    def growth(self, run: int) -> None:
        """Nothing holds a run's output back: its file is shown as it grows."""

    def output(self, run: int, offset: int, limit: int = _CHUNK_BYTES) -> bytes:
        """Bytes of a run's output from `offset`, at most `limit`; b"" when there are none yet."""
        try:
            descriptor = open_kept(self.folder.path, f"runs/{run:04d}/output")
        except OSError:
            return b""
        try:
            return os.pread(descriptor, limit, offset)
        finally:
            os.close(descriptor)
