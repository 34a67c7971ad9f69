"""What a process holds in its memory stays there: no core dump, and no other process of the same user looking in."""

from __future__ import annotations

import os
import resource
import sys

# The runner imports this, and starts in a few milliseconds.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_PR_SET_DUMPABLE = 4
# In /proc/PID/stat, counted from the field behind the name.
_ARGUMENTS_START = 45


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


def hide_arguments(texts: Iterable[str]) -> None:
    """Write over these where the kernel shows this process's arguments, so that nobody reads them in `ps` any more.

    They could be read until now; on systems without /proc they still can.
    """
    if not sys.platform.startswith("linux"):
        return
    import ctypes
    from pathlib import Path

    try:
        fields = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
        start, end = int(fields[_ARGUMENTS_START]), int(fields[_ARGUMENTS_START + 1])
    except (OSError, IndexError, ValueError):
        return
    arguments = ctypes.string_at(start, end - start) if start else b""
    for text in map(os.fsencode, texts):
        at = arguments.find(text) if text else -1
        while at >= 0:
            ctypes.memset(start + at, ord("*"), len(text))
            at = arguments.find(text, at + len(text))
