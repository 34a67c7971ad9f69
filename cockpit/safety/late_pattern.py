"""Regular expressions that are compiled when they are first needed. Stdlib only: the runner starts with it."""

from __future__ import annotations

import re


class LatePattern:
    """A pattern over bytes; `now` is its compiled form."""

    __slots__ = ("_compiled", "_flags", "_source")

    def __init__(self, source: bytes, flags: int = 0) -> None:
        self._source = source
        self._flags = flags
        self._compiled: re.Pattern[bytes] | None = None

    @property
    def now(self) -> re.Pattern[bytes]:
        """The compiled pattern."""
        if self._compiled is None:
            self._compiled = re.compile(self._source, self._flags)
        return self._compiled
