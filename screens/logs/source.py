"""What a log pane can show: a file, what to call it, and how to begin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cockpit.monitor.logs.raw_tail import Start


@dataclass(frozen=True, slots=True)
class LogSource:
    """A file to follow, and what to call it.

    `start` is where reading begins; older lines can be gone back to from either. `redacted`: its secrets were masked
    when it was written. `provisional_s`: how long an unfinished line waits before it is shown. `growth`: how many bytes
    of it are to be taken as written by now, where it is told anew; asked in another thread. `filter` is the text that
    lines must hold to begin with, until the operator says otherwise.
    """

    name: str
    path: Path
    start: Start = "end"
    redacted: bool = False
    provisional_s: float = 1.0
    growth: Callable[[], int] | None = None
    filter: str = ""
