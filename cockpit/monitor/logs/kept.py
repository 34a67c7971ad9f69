"""Log lines that a probe brings from a server, kept in the session for viewers to follow."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from cockpit.adapters.probing import Brought
from cockpit.monitor.logs.cleaning import Cleaning
from cockpit.monitor.logs.fetched import Fetched
from cockpit.monitor.logs.raw_tail import Happening, TailEvent
from cockpit.monitor.logs.tail import TailBatch
from cockpit.safety.redaction.redactor import Known
from cockpit.words import _

_KNOWN_BYTES = 1 << 20
"""So far before the end of what an earlier host kept a line is known again."""


class KeptLines:
    """One probe's lines, cleaned and in order. What the host before this one kept of them does not come again.

    Args:
        known: what is known of the session's secrets at this moment.
        redact: masks them in a text.
    """

    def __init__(self, path: Path, known: Callable[[], Known], redact: Callable[[str], str]) -> None:
        self.path = path
        self._known = known
        self._redact = redact
        self._cleaning = Cleaning()
        self._fetched = Fetched(path)
        self._before: Counter[str] = Counter()

    def begin(self) -> None:
        """Make the file, so that a viewer finds it; where there is one, go on in it and say so."""
        self._before = _last_lines(self.path)
        if self._before:
            self._happened(_("the watch began again here; lines from while nobody watched may be missing"))
        self._fetched.begin(())

    def keep(self, brought: Brought) -> None:
        """The lines of one look, and whether some before them were not brought."""
        if brought.gap:
            self._happened(_("there are more lines than are fetched; some are missing here"))
        done = 0
        for before, text in brought.told:
            self._fetched.keep(TailBatch(lines=self._cleaned(brought.lines[done:before])))
            self._happened(self._redact(text))
            done = before
        self._fetched.keep(TailBatch(lines=self._cleaned(brought.lines[done:])))

    def _happened(self, text: str) -> None:
        self._fetched.keep(TailBatch(events=[TailEvent(Happening.LOST, text)]))

    def away(self, why: str) -> None:
        """The server can't be asked; said once, until it can be again."""
        self._fetched.away(self._redact(why))

    def close(self) -> None:
        """Close the file."""
        self._fetched.close()

    def _cleaned(self, lines: Sequence[str]) -> list[str]:
        if not lines:
            return []
        self._cleaning.learn(self._known())
        whole = "".join(line.replace("\n", "␊") + "\n" for line in lines)
        return [
            line
            for line in self._cleaning.lines(whole.encode("utf-8", "backslashreplace"))
            if not self._stands_there(line)
        ]

    def _stands_there(self, line: str) -> bool:
        """Whether the host before this one kept it: it begins with its time. So often as that, and no oftener."""
        known = self._before[line] > 0
        if known:
            self._before[line] -= 1
        return known


def _last_lines(path: Path) -> Counter[str]:
    """The last lines of a file, each with how often it is there; none where it can't be read."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW), "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _KNOWN_BYTES))
            return Counter(file.read().decode("utf-8", "replace").split("\n")[:-1])
    except OSError:
        return Counter()
