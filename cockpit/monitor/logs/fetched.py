"""The lines of a log on another machine, kept in the session as they are brought here, for viewers to follow."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from cockpit.monitor.logs.tail import TailBatch
from cockpit.safety.text import sanitise
from cockpit.words import _, plural

BOUND_BYTES = 64 << 20


class Fetched:
    """A file of cleaned lines, 0600 and bounded: beyond that it becomes `NAME.1`, replacing an older one.

    What happened to the log, and to the way there, stands between the lines: "--- the file was rotated". A full disk
    costs lines here, never the watch.
    """

    def __init__(self, path: Path, bound_bytes: int = BOUND_BYTES) -> None:
        self.path = path
        self._bound_bytes = bound_bytes
        self._size = 0
        self._descriptor: int | None = None
        self._lost = 0
        self._away = ""

    def begin(self, lines: Iterable[str]) -> None:
        """The lines that stood there before the watch began."""
        self._write("".join(f"{line}\n" for line in lines))

    def keep(self, batch: TailBatch) -> None:
        """All lines of a batch, and its events where they belong."""
        text = [self._mark(_("the machine can be looked at again"))] if self._away else []
        self._away = ""
        if batch.dropped:
            told = plural(
                "{n} line came too fast and was not looked at",
                "{n} lines came too fast and were not looked at",
                batch.dropped,
            )
            text.append(self._mark(told.format(n=batch.dropped)))
        at = 0
        for event in batch.events:
            text += [f"{line}\n" for line in batch.lines[at : event.before]]
            text.append(self._mark(event.text))
            at = event.before
        text += [f"{line}\n" for line in batch.lines[at:]]
        if text:
            self._write("".join(text))

    def away(self, why: str) -> None:
        """The machine can't be looked at; said once, until it can be again."""
        if not self._away:
            self._away = why
            self._write(self._mark(why))

    def close(self) -> None:
        """Close the file; keeping opens it again."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _mark(self, text: str) -> str:
        return f"--- {sanitise(text)}\n"

    def _write(self, text: str) -> None:
        data = text.encode("utf-8", "backslashreplace")
        try:
            descriptor = self._opened(len(data))
            if self._lost:
                self._lost, lost = 0, self._lost
                told = plural("{n} line could not be kept", "{n} lines could not be kept", lost).format(n=lost)
                data = self._mark(told).encode() + data
            while data:
                written = os.write(descriptor, data)
                self._size += written
                data = data[written:]
        except OSError:
            self._lost += data.count(b"\n")

    def _opened(self, more_bytes: int) -> int:
        if self._descriptor is not None and self._size + more_bytes > self._bound_bytes:
            self.close()
            self.path.replace(self.path.with_name(self.path.name + ".1"))
        if self._descriptor is None:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
            self._descriptor = os.open(self.path, flags, 0o600)
            self._size = os.fstat(self._descriptor).st_size
        return self._descriptor
