"""Each machine that is watched, each log and each step holds files open, and many systems begin with 1,024 at most."""

from __future__ import annotations

import contextlib
import resource

_WANTED = 4096


def allow_many_files() -> None:
    """Raise this process's own limit as far as it is needed and allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _WANTED if hard == resource.RLIM_INFINITY else min(hard, _WANTED)
    if soft != resource.RLIM_INFINITY and soft < most:
        with contextlib.suppress(OSError, ValueError):  # then what is over the limit says so
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
