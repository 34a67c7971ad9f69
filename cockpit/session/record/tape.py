"""A recording's lines in the order of their time, read only as far as they are asked for.

A long session has a hundred megabytes of samples: a replay that read them all before it began would not begin.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Generic, TypeVar

from cockpit.runs.kept import open_kept
from cockpit.session.record.clock import moment

T = TypeVar("T")
Parse = Callable[[bytes], tuple[str, T] | None]
"""From a line to its RFC 3339 time and what it holds; None for a line that is neither."""

_CHUNK_BYTES = 256 * 1024
_LAST_BYTES = 1 << 20


class Tape(Generic[T]):
    """Lines of files of JSON lines, oldest file first; files that are not there are passed over.

    Args:
        parse: see Parse.
    """

    def __init__(self, paths: Sequence[Path], parse: Parse[T]) -> None:
        self._paths = tuple(paths)
        self._parse = parse
        self._file = 0
        self._offset = 0
        self._waiting: deque[tuple[datetime, T]] = deque()

    def until(self, at: datetime) -> list[T]:
        """What came next, up to then."""
        taken: list[T] = []
        while True:
            while self._waiting and self._waiting[0][0] <= at:
                taken.append(self._waiting.popleft()[1])
            if self._waiting or not self._read_on():
                return taken

    def next(self) -> datetime | None:
        """When the next line came; None at the end."""
        while not self._waiting and self._read_on():
            pass
        return self._waiting[0][0] if self._waiting else None

    def next_such(self, wanted: Callable[[T], object]) -> T | None:
        """The next line that is wanted, which stays to be told; None when there is none."""
        seen = 0
        while True:
            for _at, held in islice(self._waiting, seen, None):
                if wanted(held):
                    return held
            seen = len(self._waiting)
            if not self._read_on():
                return None

    def last(self) -> datetime | None:
        """When the last line came; None where there is none."""
        for path in reversed(self._paths):
            size = _size(path)
            lines = _read(path, max(0, size - _LAST_BYTES), size).split(b"\n")
            for line in reversed(lines):
                if found := self._parsed(line):
                    return found[0]
        return None

    def rewind(self) -> None:
        """Back to the first line."""
        self._go(0, 0)

    def seek(self, at: datetime, before_bytes: int) -> None:
        """To a line that came before then, and about so many bytes of lines earlier."""
        for number in reversed(range(len(self._paths))):
            start = self._offset_of(self._paths[number], at)
            if start is not None or not number:
                self._go(number, _line_start(self._paths[number], max(0, (start or 0) - before_bytes)))
                return

    def _go(self, file: int, offset: int) -> None:
        self._waiting.clear()
        self._file, self._offset = file, offset

    def _offset_of(self, path: Path, at: datetime) -> int | None:
        """Some place before a line that came before then, not far from the last such; None when none did."""
        low, high = 0, _size(path)
        while high - low > _CHUNK_BYTES:
            middle = (low + high) // 2
            came = self._first_after(path, middle)
            if came is not None and came <= at:
                low = middle
            else:
                high = middle
        first = self._first_after(path, 0) if not low else None
        return low if low or (first is not None and first <= at) else None

    def _first_after(self, path: Path, offset: int) -> datetime | None:
        """When the first whole line from an offset on came."""
        data = _read(path, offset, offset + _LAST_BYTES)
        for line in data.split(b"\n")[1 if offset else 0 : -1]:
            if found := self._parsed(line):
                return found[0]
        return None

    def _read_on(self) -> bool:
        """Take the next stretch of lines; False when there is none."""
        while self._file < len(self._paths):
            data = _read(self._paths[self._file], self._offset, self._offset + _CHUNK_BYTES)
            end = data.rfind(b"\n") + 1
            if not end and len(data) == _CHUNK_BYTES:
                data = _read(self._paths[self._file], self._offset, _size(self._paths[self._file]))
                end = data.find(b"\n", _CHUNK_BYTES) + 1
            if end:
                self._offset += end
                parsed = (self._parsed(line) for line in data[: end - 1].split(b"\n"))
                self._waiting.extend(each for each in parsed if each)
                return True
            if self._file + 1 == len(self._paths):
                return False
            self._file, self._offset = self._file + 1, 0
        return False

    def _parsed(self, line: bytes) -> tuple[datetime, T] | None:
        parsed = self._parse(line) if line else None
        at = moment(parsed[0]) if parsed else None
        return (at, parsed[1]) if parsed and at else None


def _line_start(path: Path, offset: int) -> int:
    """The first line that begins at an offset or after it."""
    if not offset:
        return 0
    newline = _read(path, offset - 1, offset + _LAST_BYTES).find(b"\n")
    return offset + newline if newline >= 0 else offset


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _read(path: Path, start: int, end: int) -> bytes:
    try:
        descriptor = open_kept(path.parent, path.name)
    except OSError:
        return b""
    try:
        return os.pread(descriptor, max(0, end - start), start)
    finally:
        os.close(descriptor)
