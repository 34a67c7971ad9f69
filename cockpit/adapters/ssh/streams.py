"""Which stretches of a far step's one output came by standard error."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from cockpit.runs.recording import STDERR, STDOUT


class Streams:
    """Takes marks, and parts the output by them. Both come in order; the marks of a stretch come before it."""

    def __init__(self) -> None:
        self.offset = 0
        """How much of the output has come."""
        self.marked = 0
        """How many bytes of marks have come."""
        self._errors: deque[tuple[int, int]] = deque()

    def mark(self, lines: bytes) -> None:
        """Lines of "START LENGTH"."""
        self.marked += len(lines)
        for line in lines.splitlines():
            start, _space, length = line.partition(b" ")
            if start.isdigit() and length.isdigit():
                self._errors.append((int(start), int(start) + int(length)))

    def parted(self, piece: bytes) -> Iterator[tuple[int, bytes]]:
        """The next piece of the output, as (stream, bytes) in order."""
        while piece:
            while self._errors and self._errors[0][1] <= self.offset:
                self._errors.popleft()
            start, end = self._errors[0] if self._errors else (self.offset + len(piece), 0)
            inside = start <= self.offset
            part = piece[: (end if inside else start) - self.offset]
            self.offset += len(part)
            piece = piece[len(part) :]
            yield (STDERR if inside else STDOUT), part
