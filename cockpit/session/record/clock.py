"""Wall and monotonic time, as a seam: durations come from the second, and tests bring their own."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Two clocks that may disagree: the wall's jumps are shown, never reckoned with."""

    def now(self) -> datetime:
        """Wall time in UTC."""

    def monotonic_ns(self) -> int:
        """Monotonic time in ns, comparable within one boot."""


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        """Wall time in UTC."""
        return datetime.now(UTC)

    def monotonic_ns(self) -> int:
        """Monotonic time in ns."""
        return time.monotonic_ns()


def rfc3339(moment: datetime) -> str:
    """The moment in UTC with microseconds and +00:00, always of one length, so that texts sort as times do."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def moment(t: str | None) -> datetime | None:
    """The point in time an RFC 3339 text names, in UTC; None for None or nonsense."""
    if not t:
        return None
    try:
        at = datetime.fromisoformat(t)
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
