"""A log file of any size, read from wherever one looks: pages of whole lines, found by their bytes, none kept."""

from __future__ import annotations

import os
from pathlib import Path

from cockpit.monitor.logs.framing import holes_told
from cockpit.monitor.logs.page import Page

PAGE_BYTES = 256 * 1024
_ABOVE_BYTES = 8 * 1024
LONGEST_BYTES = 4 * 1024 * 1024
"""A page grows so far in search of a newline; a line that is longer comes in pieces."""

_GOES_ON = "…".encode()


class LogFile:
    """Reads an open file backwards and forwards with pread, so that one which shrinks gives less and never a signal.

    Opening costs the same whatever its size; a page costs one or two reads.

    Args:
        fd: an open file, closed with this object.
        generation: what the pages are to be marked with.
    """

    def __init__(self, fd: int, generation: int = 0) -> None:
        self._fd = fd
        self.generation = generation

    @classmethod
    def open(cls, path: Path) -> LogFile:
        """Open a file.

        Raises:
            OSError: it can't be opened.
        """
        return cls(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK))

    def size_bytes(self) -> int:
        """How long it is now."""
        return os.fstat(self._fd).st_size

    def before(self, end: int) -> Page | None:
        """The page of whole lines that ends there; None at the beginning. `end` is where a line begins."""
        size = PAGE_BYTES
        while end > 0:
            start = max(0, end - size)
            data = self._read(start, end)
            first = data.find(b"\n", 0, len(data) - 1) + 1 if start else 0
            whole = not start or (first and not _begins_inside_key(data[first:]))
            if whole or size >= LONGEST_BYTES:
                return self._page(data[first:], start + first)
            size *= 4
        return None

    def after(self, start: int, limit: int | None = None) -> Page | None:
        """The page that begins there, not going beyond `limit`; None where no whole line follows."""
        size = PAGE_BYTES
        while True:
            end = start + size if limit is None else min(start + size, limit)
            data = self._read(start, end)
            last = _before_open_key(data, data.rfind(b"\n") + 1)
            if last:
                return self._page(data[:last], start)
            if len(data) < size:
                return None
            if size >= LONGEST_BYTES:
                return self._page(data, start)
            size *= 4

    def above(self, start: int) -> bytes:
        """Some whole lines before a place."""
        data = self._read(max(0, start - _ABOVE_BYTES), start)
        return data if start <= _ABOVE_BYTES else data[data.find(b"\n") + 1 :]

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._fd)

    def _read(self, start: int, end: int) -> bytes:
        try:
            return os.pread(self._fd, end - start, start)
        except OSError:
            return b""  # the tail tells why it can't be read

    def _page(self, data: bytes, start: int) -> Page | None:
        if not data:
            return None
        end = start + len(data)
        # A line that is longer than is read at once comes in pieces, which say so.
        if start and self._read(start - 1, start) != b"\n":
            data = _GOES_ON + data
        if not data.endswith(b"\n"):
            data += _GOES_ON + b"\n"
        return Page(holes_told(data), generation=self.generation, start=start, end=end)


def _begins_inside_key(data: bytes) -> bool:
    """A private key can only be told by its first line, so no page may begin within one."""
    end = data.find(b"-----END ")
    return end >= 0 and not 0 <= data.find(b"-----BEGIN ") < end


def _before_open_key(data: bytes, last: int) -> int:
    """Where to end a page, so that the next one does not begin within a key."""
    begin = data.rfind(b"-----BEGIN ", 0, last)
    if begin > 0 and data.find(b"-----END ", begin, last) < 0:
        return data.rfind(b"\n", 0, begin) + 1 or last
    return last
