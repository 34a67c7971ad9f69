"""Regular expressions that are compiled when they are first needed. Stdlib only: the runner starts with it."""

from __future__ import annotations

import re


class LatePattern:
    """A pattern over bytes; `now` is its compiled form, and `compiled` too once it was needed."""

    __slots__ = ("_flags", "_source", "compiled")

    def __init__(self, source: bytes, flags: int = 0) -> None:
        self._source = source
        self._flags = flags
        self.compiled: re.Pattern[bytes] | None = None

    @property
    def now(self) -> re.Pattern[bytes]:
        """The compiled pattern."""
        if self.compiled is None:
            self.compiled = re.compile(self._source, self._flags)
        return self.compiled
