"""One writer a session: a lock the kernel lets go of when its holder dies, so it is never stale."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
from datetime import UTC, datetime

from cockpit.errors import JournalError, NotTheWriter
from cockpit.runs.process import process_start_time
from cockpit.session.record.folder import SessionFolder
from cockpit.words import _


class WriterLock:
    """The lock, held. Made by `take`."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def take(cls, folder: SessionFolder) -> WriterLock:
        """Hold the session, and say in the lock file who does.

        Raises:
            NotTheWriter: somebody else does.
            JournalError: the lock file can't be made, or the file system knows no locks (some NFS mounts).
        """
        try:
            descriptor = os.open(folder.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise JournalError(
                _("the session can't be locked: {error}").format(error=error.strerror), where=str(folder.lock)
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(descriptor, 4096, 0)
            os.close(descriptor)
            raise _refusal(folder, error, holder) from error
        me = {
            "pid": os.getpid(),
            "start_time": process_start_time(os.getpid()),
            "host": socket.gethostname(),
            "since_utc": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(me).encode() + b"\n", 0)
        return cls(descriptor)

    def release(self) -> None:
        """Let go. The file stays: removing it would let two writers hold two files of one name."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _refusal(folder: SessionFolder, error: OSError, holder: bytes) -> JournalError | NotTheWriter:
    if error.errno not in (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES):
        return JournalError(
            _("this file system can't lock files: {error}").format(error=error.strerror),
            where=str(folder.lock),
            mend=_("set COCKPIT_STATE_DIR to a folder on a local disk"),
        )
    try:
        told = json.loads(holder)
        who = _("process {pid} on {host}, since {since}").format(
            pid=told["pid"], host=told["host"], since=told["since_utc"]
        )
    except (ValueError, KeyError, TypeError):
        who = _("another process")
    return NotTheWriter(
        _("the session is already written by {who}").format(who=who),
        where=folder.name,
        mend=_("`cockpit attach {session}` joins it").format(session=folder.name),
    )
