"""A run of whole lines of one log, and the sieve that says which of them to show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from cockpit.monitor.logs.raw_tail import TailEvent
from cockpit.monitor.logs.severity import Severity, is_continuation, severe_lines

_HEAD_BYTES = 120
_numbers = count()


@dataclass(frozen=True, slots=True)
class Sieve:
    """Which lines to show: those that hold the text, and those of at least that severity with their stack traces.

    Args:
        text: as typed. Small letters find capital ones too; a capital letter finds itself. "a|b" is either of them.
        least: NONE for all lines, else WARN or worse.
    """

    text: str = ""
    least: Severity = Severity.NONE

    def __bool__(self) -> bool:
        return bool(self.text) or self.least > Severity.NONE


class Page:
    """Whole lines, newlines included, as they lie in a file from `start` to `end`; or one event.

    It grows at its end while it is the last one. Lines are cut, and sieved, only when they are asked for. `number` is
    no other page's; `serial` is its place in the ring that keeps it, if one does.
    """

    __slots__ = ("_lines", "_sieved", "count", "data", "end", "event", "generation", "number", "serial", "start")

    def __init__(
        self, data: bytes, *, generation: int = -1, start: int = 0, end: int = 0, event: TailEvent | None = None
    ) -> None:
        self.data = data
        self.generation = generation
        self.start = start
        self.end = end
        self.event = event
        self.number = next(_numbers)
        self.serial: int | None = None
        self.count = 1 if event else data.count(b"\n")
        self._lines: list[bytes] | None = None
        self._sieved: tuple[Sieve, int, list[int]] | None = None

    def grow(self, data: bytes, end: int) -> int:
        """Add whole lines; returns how many."""
        added = data.count(b"\n")
        self.data += data
        self.end = end
        self.count += added
        self._lines = None
        return added

    def line(self, index: int) -> bytes:
        """A line without its newline."""
        if self._lines is None:
            last = self.count - 1 - index
            if last < 200:  # near the end, as when following: cut no more than is needed
                return self._from_end(last)
            self._lines = self.data.split(b"\n")
        return self._lines[index]

    def forget(self) -> None:
        """Let go of the cut lines; they are cut again when asked for."""
        self._lines = None

    def shown(self, sieve: Sieve) -> Sequence[int]:
        """Which lines pass the sieve, in order. Events always do."""
        if not sieve or self.event:
            return range(self.count)
        if self._sieved is None or self._sieved[0] != sieve or self._sieved[1] != self.count:
            self._sieved = (sieve, self.count, self._sift(sieve))
        return self._sieved[2]

    def _from_end(self, last: int) -> bytes:
        end = len(self.data) - 1
        for _ in range(last):
            end = self.data.rindex(b"\n", 0, end)
        return self.data[self.data.rfind(b"\n", 0, end) + 1 : end]

    def _sift(self, sieve: Sieve) -> list[int]:
        found: list[int] | None = None
        if sieve.text:
            found = self._holding_any(sieve.text)
        if sieve.least > Severity.NONE:
            severe = self._severe(sieve.least)
            found = severe if found is None else [index for index in found if index in set(severe)]
        return found or []

    def holding(self, text: str) -> list[int]:
        """The lines that hold the text; small letters find capital ones too."""
        data, needle = folded(self.data, text), text.encode()
        found, at, counted = [], data.find(needle), 0
        index = 0
        while at >= 0:
            index += data.count(b"\n", counted, at)
            counted = at
            found.append(index)
            end = data.find(b"\n", at)
            at = data.find(needle, end) if end >= 0 else -1
        return found

    def _holding_any(self, text: str) -> list[int]:
        either = [each for each in text.split("|") if each] or [text]
        if len(either) == 1:
            return self.holding(either[0])
        return sorted({index for each in either for index in self.holding(each)})

    def _severe(self, least: Severity) -> list[int]:
        found: list[int] = []
        counted = index = 0
        for start in severe_lines(self.data, least):
            index += self.data.count(b"\n", counted, start)
            counted = start
            found.append(index)
            found += self._trace_after(start, index)
        return sorted(set(found))

    def _trace_after(self, start: int, index: int) -> list[int]:
        trace = []
        at = self.data.find(b"\n", start) + 1
        while at and is_continuation(self.data[at : at + _HEAD_BYTES].decode("utf-8", "replace")):
            index += 1
            trace.append(index)
            at = self.data.find(b"\n", at) + 1
        return trace


def folded(data: bytes, text: str) -> bytes:
    """The data in small letters, when the text has no capital one."""
    return data.lower() if text == text.lower() else data
