"""Opening what a session's record names. The record may be another's, or tampered with: what it names is opened only
where it is a plain file inside the session's own folder. Stdlib only.
"""

from __future__ import annotations

import errno
import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

_FILE = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_FOLDER = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_DIRECTORY


class NotKept(OSError):
    """What was named is no plain file inside the folder: it lies elsewhere, or is a link, a pipe or a device."""


def open_kept(folder: Path, name: str) -> int:
    """A descriptor to read a plain file of the folder. Nothing below the folder is followed, and nothing is waited for.

    Raises:
        NotKept: see there. OSError: it can't be opened.
    """
    parts = name.split("/")
    if not name or "\0" in name or any(part in ("", ".", "..") for part in parts):
        raise NotKept(errno.EXDEV, "it lies outside the session folder", name)
    at = os.open(folder, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
    try:
        for number, part in enumerate(parts, 1):
            inner = _step(part, _FILE if number == len(parts) else _FOLDER, at)
            os.close(at)
            at = inner
        if not stat.S_ISREG(os.fstat(at).st_mode):
            raise NotKept(errno.EINVAL, "it is not a plain file", name)
        kept, at = at, -1
        return kept
    finally:
        if at >= 0:
            os.close(at)


def _step(part: str, flags: int, at: int) -> int:
    try:
        return os.open(part, flags, dir_fd=at)
    except OSError as error:
        # ELOOP and, where a folder is wanted, ENOTDIR: a link. ENXIO: a socket.
        if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.ENXIO, errno.EMLINK):
            raise NotKept(error.errno, "it is not a plain file", part) from error
        raise


def read_kept(folder: Path, name: str) -> bytes:
    """All of a plain file of the folder.

    Raises:
        NotKept, OSError: as `open_kept`.
    """
    with os.fdopen(open_kept(folder, name), "rb") as file:
        return file.read()
