"""Where the reading of a container's log stands: what was read last, so that no line is told twice or missed unsaid.

A stream that broke is asked for again since the last lines' time, which the API takes in whole seconds. So some lines
come again; and where they don't all come again, the file was rotated meanwhile, and others may have gone with it.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from datetime import UTC, datetime
from functools import lru_cache

from msgspec import Struct

_STAMP = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d) ?")
_SPAN_NS = 2_000_000_000
_MOST = 20_000
_NS = 1_000_000_000


class LogLine(Struct, frozen=True):
    """One line: when it was written (ns since 1970; 0 where nobody says), and its bytes without the time."""

    at_ns: int
    text: bytes


def line_of(written: bytes) -> LogLine:
    """A line as the API gives it with timestamps; one without is what the server itself says."""
    found = _STAMP.match(written)
    if found is None:
        return LogLine(0, written)
    fraction = int((found[2] or b"").ljust(9, b"0"))
    return LogLine(_second(found[1], found[3]) * _NS + fraction, written[found.end() :])


@lru_cache(maxsize=64)
def _second(stamp: bytes, zone: bytes) -> int:
    return int(datetime.fromisoformat((stamp + zone).decode()).timestamp())


class Position:
    """What was read of one container's log last; a new one for each container. Not for several threads."""

    def __init__(self) -> None:
        self._recent: deque[LogLine] = deque(maxlen=_MOST)
        self._newest_ns = self._floor_ns = 0
        self._awaited: Counter[LogLine] = Counter()

    @property
    def since(self) -> str:
        """Since when to ask again, RFC 3339 in whole seconds; "" when nothing was read."""
        if not self._recent:
            return ""
        return datetime.fromtimestamp(self._oldest_ns() // _NS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def missing(self) -> bool:
        """Whether lines that were read last have not come again yet."""
        return self._awaited.total() > 0

    def resume(self) -> None:
        """A stream begins that was asked for since `since`: the last lines are awaited once more."""
        self._awaited = Counter(self._recent)
        self._floor_ns = self._oldest_ns()

    def take(self, line: LogLine) -> tuple[bool, bool]:
        """Whether a line is new, and whether lines before it may be missing."""
        if self._awaited[line] > 0:
            self._awaited[line] -= 1
            return False, False
        if not line.at_ns:
            return True, False
        if line.at_ns < self._floor_ns:
            return False, False  # of the same second as the last lines, and before all that are remembered
        gap = line.at_ns > self._newest_ns and self.missing
        if line.at_ns > self._newest_ns:
            self._awaited.clear()
            self._newest_ns, self._floor_ns = line.at_ns, 0
        self._recent.append(line)
        while self._recent[0].at_ns < self._newest_ns - _SPAN_NS:
            self._recent.popleft()
        return True, gap

    def _oldest_ns(self) -> int:
        return min((line.at_ns for line in self._recent), default=0)
