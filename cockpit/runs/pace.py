"""How a run's output grew, from its index: what a replay shows of it at a moment."""

from __future__ import annotations

import os
from pathlib import Path

from cockpit.runs.kept import open_kept
from cockpit.runs.recording import FRAME


class Pace:
    """The growth of one run's output. Nothing is kept in memory: an index may have millions of frames."""

    def __init__(self, run: Path) -> None:
        self._run = run
        self._output = run / "output"

    def bytes_at(self, m: int) -> int:
        """How many bytes of output had been written by a moment of the monotonic clock (ns); without frames none."""
        try:
            descriptor = open_kept(self._run, "index")
        except OSError:
            return 0
        try:
            low, high = 0, os.fstat(descriptor).st_size // FRAME.size
            while low < high:
                middle = (low + high) // 2
                if _frame(descriptor, middle)[1] <= m:
                    low = middle + 1
                else:
                    high = middle
            if not low:
                return 0
            offset, _m, length, _stream = _frame(descriptor, low - 1)
            return offset + length
        finally:
            os.close(descriptor)

    def bytes_in_all(self) -> int:
        """How many bytes of output there are."""
        try:
            return self._output.stat().st_size
        except OSError:
            return 0


def _frame(descriptor: int, number: int) -> tuple[int, int, int, int]:
    offset, m, length, stream = FRAME.unpack(os.pread(descriptor, FRAME.size, number * FRAME.size))
    return offset, m, length, stream
