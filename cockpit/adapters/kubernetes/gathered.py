"""Lines of many streams on their way to whoever looks now and then: bounded, so that a flood waits at its source."""

from __future__ import annotations

import threading
from collections import deque

from msgspec import Struct

_MOST_LINES = 20_000
_MOST_BYTES = 16 << 20


class Gathered(Struct, frozen=True):
    """One thing from a stream: a line, or (`told`) what happened to the stream instead."""

    at_ns: int
    source: str
    text: bytes
    told: bool = False


class Gathering:
    """For several threads that put, and one that takes."""

    def __init__(self, most_lines: int = _MOST_LINES) -> None:
        self._most_lines = most_lines
        self._held: deque[Gathered] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._closed = False

    def put(self, one: Gathered) -> None:
        """Add one; waits while there is no room."""
        with self._changed:
            self._changed.wait_for(self._has_room)
            if not self._closed:
                self._held.append(one)
                self._bytes += len(one.text)
                self._changed.notify_all()

    def wait(self, within_s: float) -> None:
        """Until there is something."""
        with self._changed:
            self._changed.wait_for(lambda: self._held or self._closed, within_s)

    def take(self) -> list[Gathered]:
        """Everything that has come, in the order it came."""
        with self._changed:
            taken = list(self._held)
            self._held.clear()
            self._bytes = 0
            self._changed.notify_all()
        return taken

    def close(self) -> None:
        """Let nobody wait any more; what is put is dropped."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _has_room(self) -> bool:
        return self._closed or (len(self._held) < self._most_lines and self._bytes < _MOST_BYTES)
