"""Small private files, there whole or not at all, or in memory only. Stdlib only, and light: the runner imports it."""

from __future__ import annotations

import fcntl
import json
import os

ABANDONED = "abandoned"
"""The mark on a run that was given up before it began: no runner lets its command go any more."""

RECALLED = "recalled"
"""The mark on a run whose session became read-only: what has not yet begun to change anything does not begin."""

# Without O_TRUNC: what was reserved must stay ours until it is written over.
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


def write_whole(folder: str, name: str, document: object, *, durable: bool) -> None:
    """Put a JSON document in the folder under its name at one stroke, 0600.

    Args:
        durable: on the medium, name and all, before this returns.

    Raises:
        OSError: it could not be written; what stood under the name still does.
    """
    descriptor = os.open(_waiting(folder, name), _FLAGS, 0o600)
    try:
        content = json.dumps(document).encode("ascii") + b"\n"
        write_all(descriptor, content)
        os.ftruncate(descriptor, len(content))
        if durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
    _put_in_place(folder, name, durable=durable)


def reserve(folder: str, name: str) -> None:
    """Take the disk space for a document of up to 4 KiB now, so that `write_whole` finds it when the disk is full.

    Raises:
        OSError: there is none.
    """
    descriptor = os.open(_waiting(folder, name), _FLAGS, 0o600)
    try:
        write_all(descriptor, b" " * 4096)
    finally:
        os.close(descriptor)


def _waiting(folder: str, name: str) -> str:
    return f"{folder}/.{name}.new"


def write_all(descriptor: int, data: bytes) -> None:
    """Every byte, however many calls it takes.

    Raises:
        OSError: as os.write.
    """
    while data:
        data = data[os.write(descriptor, data) :]


def in_memory(text: bytes) -> int:
    """A descriptor of a file that holds the text and has no name; sealed against change where the system can."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("cockpit", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        write_all(descriptor, text)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK)
    else:
        import tempfile

        with tempfile.TemporaryFile(buffering=0) as file:
            descriptor = os.dup(file.fileno())
        write_all(descriptor, text)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _put_in_place(folder: str, name: str, *, durable: bool) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.rename(f".{name}.new", name, src_dir_fd=descriptor, dst_dir_fd=descriptor)
        if durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
