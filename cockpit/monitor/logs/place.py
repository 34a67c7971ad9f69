"""Where a log lies: what a tail needs of the machine that has it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from cockpit.monitor.logs.opened import FileKey, Memory, NotAFile, OpenedLog, key_of


class OpenLog(Protocol):
    """One log file, read by position, however its path is called by now. See `OpenedLog`."""

    key: FileKey
    offset: int

    @property
    def memory(self) -> Memory:
        """What was read so far."""

    @property
    def behind(self) -> bool:
        """Whether more is known to be there than a poll has brought here."""

    @property
    def gone(self) -> bool:
        """Whether it can't be read any more: what was added last is lost."""

    def size_bytes(self) -> int:
        """How long it is now."""

    def pread(self, size_bytes: int, at: int) -> bytes:
        """So many bytes from there, or as many as there are."""

    def to_last_line(self) -> None:
        """Go to the beginning of the line that is being written."""

    def resume(self, offset: int) -> None:
        """Go on from there, taking what stands before it as known."""

    def is_same(self) -> bool:
        """Whether what was read still stands where it was."""

    def read(self, limit_bytes: int) -> bytes:
        """The next bytes, at most so many; empty at the end."""

    def close(self) -> None:
        """Let go of the file."""


class LogPlace(Protocol):
    """A path on some machine, looked at anew with each poll."""

    def look(self) -> FileKey:
        """Which file the path is now.

        Raises:
            FileNotFoundError, NotAFile, PermissionError and other OSErrors: why there is none to read.
            CockpitError: the machine can't be looked at; nothing is known, and nothing was taken.
        """

    def open(self) -> OpenLog:
        """The file that `look` has just seen. Raises as `look` does."""

    def require_readable(self) -> None:
        """Raise PermissionError when the file may not be read any more."""

    def real_path(self) -> str:
        """The path without links."""

    def left_off(self) -> tuple[OpenLog, bytes] | None:
        """The file that an earlier tail was reading, at its place, and what stands before it; None to begin at the end.

        Raises:
            CockpitError: the machine can't be looked at; ask again.
        """


class LocalPlace:
    """A path on this machine.

    Args:
        growth: how many bytes of the file are to be taken as written by now; None for all.
    """

    def __init__(self, path: Path, growth: Callable[[], int] | None = None) -> None:
        self._path = path
        self._growth = growth
        self._was_symlink: bool | None = None

    def look(self) -> FileKey:
        """Which file the path is now. See `LogPlace`."""
        info = self._path.stat()
        if not stat.S_ISREG(info.st_mode):
            raise NotAFile
        return key_of(info)

    def open(self) -> OpenedLog:
        """Open it."""
        return OpenedLog(self._path, follow_symlink=self._may_follow(), growth=self._growth)

    def require_readable(self) -> None:
        """See `LogPlace`."""
        if not os.access(self._path, os.R_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    def real_path(self) -> str:
        """The path without links."""
        return os.path.realpath(self._path)

    def left_off(self) -> None:
        """Viewers read the file itself: there is nothing to go on with."""

    def _may_follow(self) -> bool:
        """A file that turns into a symlink where others can write is a trap, unless a symlink was asked for."""
        if self._was_symlink is None:
            self._was_symlink = self._path.is_symlink()
        return self._was_symlink or not self._path.parent.stat().st_mode & stat.S_IWOTH
