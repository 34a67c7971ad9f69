"""What hundreds of connections share of this machine: its processor, and the number of files that it may have open."""

from __future__ import annotations

import errno
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from cockpit.errors import NotTried
from cockpit.words import _

_KEPT_FREE = 96
"""Files that no connection takes: for the record, the viewers, logs, and the steps of this machine."""
_FULL = frozenset({errno.EMFILE, errno.ENFILE})


class Turns:
    """So many at once; the others wait, and can be told from those that are at it."""

    def __init__(self, most: int) -> None:
        self._room = threading.BoundedSemaphore(most)
        self._waiting: set[int] = set()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Wait for one's turn, and have it."""
        if not self._room.acquire(blocking=False):
            me = threading.get_ident()
            self._waiting.add(me)
            try:
                self._room.acquire()
            finally:
                self._waiting.discard(me)
        try:
            yield
        finally:
            self._room.release()

    def waits(self, thread: threading.Thread) -> bool:
        """Whether that thread's turn has not come."""
        return thread.ident in self._waiting


ASKED = Turns(4)
"""Programs that are asked where a machine is. Starting one stops all other threads of this process for a moment."""
HANDSHAKES = Turns(8)
"""To agree on keys is work of the processor: hundreds at once would hold up everything else, the screen included."""


def require_room(descriptor: int, where: str) -> None:
    """Leave the rest of the session files to open.

    Args:
        descriptor: the number that a new connection got: the lowest that was free.

    Raises:
        NotTried: there are too few left.
    """
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit != resource.RLIM_INFINITY and descriptor >= limit - min(_KEPT_FREE, limit // 2):
        raise too_many_files(where)


def is_full(error: OSError) -> bool:
    """Whether it says that no further file can be opened here."""
    return error.errno in _FULL


def too_many_files(where: str) -> NotTried:
    """Why a machine was not asked."""
    return NotTried(
        _("this machine has too many files open for another connection"),
        where=where,
        mend=_("raise the limit before the session begins (ulimit -Hn), or watch fewer machines"),
    )
