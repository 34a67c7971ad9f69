"""A thread that polls one tail and hands over what came, so that reading never holds up a screen."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cockpit.monitor.logs.file import LogFile
from cockpit.monitor.logs.opened import OpenedLog
from cockpit.monitor.logs.raw_tail import Chunk, RawTail, Start, TailEvent

BUSY_S = 0.03
QUIET_S = 0.12
QUIET_AFTER = 40
"""So many polls in a row that brought nothing make a log quiet."""
HELD_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Opened:
    """From here on lines lie in this file, beginning at `offset`. Whoever takes it closes it."""

    file: LogFile
    offset: int


Handed = Chunk | TailEvent | Opened


class LogReader:
    """Reads a log in a daemon thread of its own until it is stopped.

    Args:
        arrived: called in that thread when there is something to `take`, once until it was taken.
        provisional_s: how old an unfinished line must be to be shown.
        growth: how many bytes of the log are to be taken as written by now, asked in that thread; None for all.
    """

    def __init__(
        self,
        path: Path,
        arrived: Callable[[], None],
        *,
        start: Start,
        provisional_s: float,
        growth: Callable[[], int] | None = None,
    ) -> None:
        self._tail = RawTail(path, start=start, provisional_s=provisional_s, growth=growth)
        self._arrived = arrived
        self._handed: deque[Handed] = deque()
        self._held_bytes = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._told = False
        self._generation = 0
        self.provisional = b""
        """The line being written, once it has been left unfinished for a while."""
        self._thread = threading.Thread(target=self._run, name=f"log-reader-{path.name}", daemon=True)

    def start(self) -> None:
        """Begin reading."""
        self._thread.start()

    def stop(self) -> None:
        """Stop, and let go of all files; waits for the poll under way, a few milliseconds."""
        self._stop.set()
        self._thread.join()
        for handed in self.take():
            if isinstance(handed, Opened):
                handed.file.close()

    def take(self) -> list[Handed]:
        """All that came since the last time, in order."""
        with self._lock:
            taken = list(self._handed)
            self._handed.clear()
            self._held_bytes = 0
            self._told = False
        return taken

    def _run(self) -> None:
        empty_polls = 0
        while not self._stop.is_set():
            # Who does not take what is there is not given more: the file keeps it.
            if self._held_bytes < HELD_BYTES:
                batch = self._tail.poll()
                brought = self._hand_over(batch.pieces)
                empty_polls = 0 if brought else empty_polls + 1
                if batch.more:
                    continue
            self._stop.wait(BUSY_S if empty_polls < QUIET_AFTER else QUIET_S)
        self._tail.close()

    def _hand_over(self, pieces: list[Chunk | TailEvent]) -> bool:
        handed: list[Handed] = [*self._reopened(), *pieces]
        provisional = self._tail.provisional()
        if not handed and provisional == self.provisional:
            return False
        self.provisional = provisional
        with self._lock:
            self._handed += handed
            self._held_bytes += sum(len(piece.data) for piece in handed if isinstance(piece, Chunk))
            tell = not self._told
            self._told = True
        if tell:
            self._arrived()
        return True

    def _reopened(self) -> list[Opened]:
        """The tail is at another file, or at another beginning of it: hand over a way to read back in it."""
        log = self._tail.current
        if not isinstance(log, OpenedLog) or self._tail.generation == self._generation:
            return []
        first = not self._generation
        self._generation = self._tail.generation
        return [Opened(LogFile(os.dup(log.fd), self._generation), self._tail.began_at if first else 0)]
