"""The reading side of a session folder: what every viewer, spectator, replay and report looks through.

It only reads, needs no host, and never blocks: `poll` takes what is there now.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cockpit.session.event import Event
from cockpit.session.folder import SessionFolder
from cockpit.session.state import SessionState, fold

_CHUNK_BYTES = 1 << 20


@dataclass(slots=True)
class LineFollower:
    """Complete lines appended to a file since the last poll. A torn tail is left until its newline comes."""

    path: Path
    offset: int = 0
    from_last_bytes: int | None = None
    shrunk: bool = False

    def poll(self) -> list[bytes]:
        """New complete lines, without their newline; [] while there is no file. Sets `shrunk` on a shorter file."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return []
        try:
            size = os.fstat(descriptor).st_size
            if size < self.offset:
                self.shrunk, self.offset = True, 0
            if self.from_last_bytes is not None:
                self._skip_to_tail(descriptor, size)
            return self._read(descriptor, size)
        finally:
            os.close(descriptor)

    def _skip_to_tail(self, descriptor: int, size: int) -> None:
        start = max(0, size - (self.from_last_bytes or 0))
        self.from_last_bytes = None
        if start:
            head = os.pread(descriptor, _CHUNK_BYTES, start)
            newline = head.find(b"\n")
            self.offset = start + newline + 1 if newline >= 0 else start

    def _read(self, descriptor: int, size: int) -> list[bytes]:
        lines: list[bytes] = []
        pending = b""
        position = self.offset
        while position < size:
            chunk = os.pread(descriptor, min(_CHUNK_BYTES, size - position), position)
            if not chunk:
                break
            position += len(chunk)
            *complete, pending = (pending + chunk).split(b"\n")
            lines += complete
        self.offset = position - len(pending)
        return lines


def event_of(line: bytes) -> Event | None:
    """The event a journal line holds; None for a line that is no record (verify names it)."""
    try:
        record = json.loads(line)
        return Event(
            int(record["seq"]),
            record["t"],
            int(record["m"]),
            record["boot"],
            record["actor"],
            record["kind"],
            record["data"],
        )
    except (ValueError, KeyError, TypeError):
        return None


@dataclass(slots=True)
class SessionReader:
    """A session, read as it grows. `state` is the fold of every event so far; `bad_lines` counts unreadable records."""

    folder: SessionFolder
    state: SessionState = field(default_factory=SessionState)
    bad_lines: int = 0
    _journal: LineFollower = field(init=False)
    _samples: LineFollower = field(init=False)

    def __post_init__(self) -> None:
        self._journal = LineFollower(self.folder.journal)
        self._samples = LineFollower(self.folder.samples, from_last_bytes=_CHUNK_BYTES)

    def poll(self) -> list[Event]:
        """New events, folded into `state`."""
        events = []
        for line in self._journal.poll():
            event = event_of(line)
            if event is None:
                self.bad_lines += 1
                continue
            self.state = fold(self.state, event)
            events.append(event)
        return events

    def poll_samples(self) -> list[dict[str, Any]]:
        """New samples as JSON objects (see monitor.sample.Sample)."""
        samples = []
        for line in self._samples.poll():
            try:
                samples.append(json.loads(line))
            except ValueError:
                self.bad_lines += 1
        return samples

    def output(self, run: int, offset: int, limit: int = _CHUNK_BYTES) -> bytes:
        """Bytes of a run's output from `offset`, at most `limit`; b"" when there are none yet."""
        try:
            descriptor = os.open(self.folder.run(run) / "output", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return b""
        try:
            return os.pread(descriptor, limit, offset)
        finally:
            os.close(descriptor)

    def output_size(self, run: int) -> int:
        """Bytes of output so far."""
        try:
            return (self.folder.run(run) / "output").stat().st_size
        except OSError:
            return 0
