"""What a process holds in its memory stays there: no core dump, and no other process of the same user looking in."""

from __future__ import annotations

import resource
import sys

_PR_SET_DUMPABLE = 4


def no_core_dumps() -> None:
    """For this process and all it starts: a crash leaves no copy of what it knew."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def keep_to_itself() -> None:
    """No core dumps, and on Linux no debugger and no reading of this process's memory or environment either.

    Not for a process that others look up in /proc: where that is mounted with hidepid, they would no longer find it.
    """
    no_core_dumps()
    if sys.platform.startswith("linux"):
        import ctypes

        # Fails where a sandbox forbids it; then the limit above has to do.
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
