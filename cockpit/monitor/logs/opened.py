"""One open log file, read by position, and whether it is still the file that was read before."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

FINGERPRINT_BYTES = 1024
REMEMBERED_BYTES = 64
LINE_SEARCH_BYTES = 256 * 1024

FileKey = tuple[int, int]
"""Device and inode. No identity by itself: an inode is given out again as soon as its file is gone and closed."""


class NotAFile(OSError):
    """The path is a folder, a pipe or a device."""


def key_of(info: os.stat_result) -> FileKey:
    """The file's device and inode."""
    return info.st_dev, info.st_ino


class Readable(Protocol):
    """A file that can be read from any place in it."""

    def size_bytes(self) -> int:
        """How long it is now."""

    def pread(self, size_bytes: int, at: int) -> bytes:
        """So many bytes from there, or as many as there are."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What was read of a file up to `offset`: its first bytes, and the last ones before the offset."""

    offset: int
    head: bytes
    tail: bytes

    def stands_in(self, log: Readable) -> bool:
        """Whether that file holds the same, in the same places."""
        if log.size_bytes() < self.offset or log.pread(len(self.head), 0) != self.head:
            return False
        return log.pread(len(self.tail), self.offset - len(self.tail)) == self.tail


class OpenedLog:
    """An open file, how far it was read, and enough memory of its content to notice that it was written anew.

    While it is open its inode can't be given to another file, so (device, inode) and this memory together are its
    identity. It is read with pread: a file that shrinks meanwhile gives fewer bytes, never a signal.

    Args:
        growth: how many of its bytes are to be taken as written by now; None for all.

    Raises:
        NotAFile: not a regular file.
        OSError: it can't be opened.
    """

    def __init__(self, path: Path, *, follow_symlink: bool = True, growth: Callable[[], int] | None = None) -> None:
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | (0 if follow_symlink else os.O_NOFOLLOW)
        self.fd = os.open(path, flags)
        info = os.fstat(self.fd)
        if not stat.S_ISREG(info.st_mode):
            os.close(self.fd)
            raise NotAFile(errno.EINVAL, "not a regular file")
        self.key = key_of(info)
        self._growth = growth
        self.offset = 0
        self._head = b""
        self._tail = b""

    @property
    def memory(self) -> Memory:
        """What was read so far."""
        return Memory(self.offset, self._head, self._tail)

    def size_bytes(self) -> int:
        """How long it is now."""
        size = os.fstat(self.fd).st_size
        return size if self._growth is None else min(size, self._growth())

    def pread(self, size_bytes: int, at: int) -> bytes:
        """So many bytes from there, or as many as there are."""
        return os.pread(self.fd, size_bytes, at)

    @property
    def behind(self) -> bool:
        """Never: what is there can be read."""
        return False

    @property
    def gone(self) -> bool:
        """Never: an open file can be read whatever became of its path."""
        return False

    def to_last_line(self) -> None:
        """Go to the beginning of the line that is being written, or to the end when that is too far back."""
        size = self.size_bytes()
        start = max(0, size - LINE_SEARCH_BYTES)
        newline = os.pread(self.fd, size - start, start).rfind(b"\n")
        self.resume(start + newline + 1 if newline >= 0 or not start else size)

    def resume(self, offset: int) -> None:
        """Go on from there, taking what stands before it as known."""
        self.offset = offset
        self._head = os.pread(self.fd, min(FINGERPRINT_BYTES, offset), 0)
        self._tail = os.pread(self.fd, min(REMEMBERED_BYTES, offset), max(0, offset - REMEMBERED_BYTES))

    def is_same(self) -> bool:
        """Whether what was read still stands where it was: neither truncated nor written anew."""
        return not self.offset or self.memory.stands_in(self)

    def read(self, limit_bytes: int) -> bytes:
        """The next bytes, at most so many; empty at the end."""
        # No larger a buffer than is filled: shrunk ones leave holes in memory that nothing else fits into.
        there_bytes = self.size_bytes() - self.offset
        data = os.pread(self.fd, min(limit_bytes, there_bytes), self.offset) if there_bytes > 0 else b""
        if data:
            if len(self._head) < FINGERPRINT_BYTES:
                self._head = (self._head + data[:FINGERPRINT_BYTES])[:FINGERPRINT_BYTES]
            self._tail = (self._tail + data[-REMEMBERED_BYTES:])[-REMEMBERED_BYTES:]
            self.offset += len(data)
        return data

    def close(self) -> None:
        """Let go of the file."""
        os.close(self.fd)
