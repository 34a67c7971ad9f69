"""Time as the screen tells it. One object, so that stories and snapshots can hold it still."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from cockpit.session.record.clock import moment
from cockpit.words import _


class Clock:
    """The real time. `recorded`: it is a recording's, which can be held and gone about in."""

    recorded = False

    def now(self) -> datetime:
        """The wall clock, in UTC."""
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        """Seconds that only go forward."""
        return time.monotonic()

    def sent_s(self, at_s: float) -> float:
        """`monotonic_s` of when the terminal sent a key, from the process's own monotonic clock."""
        return at_s

    def since_s(self, t: str | None) -> float | None:
        """Seconds since an RFC 3339 time; None for None or for what is no time. Never negative."""
        at = moment(t)
        return None if at is None else max(0.0, (self.now() - at).total_seconds())


def clock_text(seconds: float, *, fine: bool = True) -> str:
    """1:02:03 or 02:03; without `fine` the seconds are left out: 1:02 h, 2 min."""
    total = int(seconds)
    hours, minutes, rest = total // 3600, total % 3600 // 60, total % 60
    if not fine:
        return _("{time} h").format(time=f"{hours}:{minutes:02d}") if hours else _("{n} min").format(n=minutes)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes:02d}:{rest:02d}"


def age_text(seconds: float) -> str:
    """A coarse age, so that what is shown changes seldom: 10 s steps, then minutes, then hours."""
    if seconds < 60:
        return _("{n} s").format(n=int(seconds // 10) * 10)
    return _("{n} min").format(n=int(seconds // 60)) if seconds < 5400 else _("{n} h").format(n=int(seconds // 3600))


def local_time(t: str | None) -> str:
    """HH:MM:SS where the screen stands; "" for no time."""
    at = moment(t)
    return at.astimezone().strftime("%H:%M:%S") if at else ""
