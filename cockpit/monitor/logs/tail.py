"""Following a log file and showing what comes: clean lines, events, and counts by severity."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from cockpit.monitor.logs.cleaning import Cleaning
from cockpit.monitor.logs.place import LogPlace, OpenLog
from cockpit.monitor.logs.raw_tail import Chunk, Happening, RawTail, Start, TailEvent
from cockpit.monitor.logs.severity import Counts, count
from cockpit.safety.redaction.redactor import Known

__all__ = ["FileTail", "Happening", "TailBatch", "TailEvent"]


@dataclass(slots=True)
class TailBatch:
    """What one poll brought, clean.

    `dropped`: how many lines are not among `lines`, being more than was asked for; `counts` knows them all.
    `provisional`: a line that is not finished; it comes among the lines once it is. `more`: there is more right now.
    """

    lines: list[str] = field(default_factory=list)
    events: list[TailEvent] = field(default_factory=list)
    dropped: int = 0
    counts: Counts = field(default_factory=Counts)
    provisional: str = ""
    more: bool = False


class FileTail:
    """Follows a path by polling; see `RawTail` for what it survives. Lines come redacted and sanitised.

    Args:
        start: "end" begins with the line being written now, "beginning" with the first.
        most_lines: how many lines a poll gives at most: the last ones.
        secrets: exact values to mask.
        clock: monotonic seconds.
        place: where the path is; None for this machine.
    """

    def __init__(
        self,
        path: Path,
        *,
        start: Start = "end",
        most_lines: int = 5000,
        secrets: Iterable[str] = (),
        clock: Callable[[], float] = time.monotonic,
        place: LogPlace | None = None,
    ) -> None:
        self._raw = RawTail(path, start=start, clock=clock, place=place)
        self._cleaning = Cleaning(secrets)
        self._most_lines = most_lines

    def learn(self, known: Known) -> None:
        """Mask these values from now on."""
        self._cleaning.learn(known)

    def poll(self) -> TailBatch:
        """Take what came since the last time. Never raises for the state of the file: that is told as events.

        Raises:
            CockpitError: another machine can't be looked at now; the next poll goes on from here.
        """
        raw = self._raw.poll()
        batch = TailBatch(more=raw.more)
        if raw.before:
            self._cleaning.without_blocks(raw.before)  # the place may lie within a private key
        chunks = [piece for piece in raw.pieces if isinstance(piece, Chunk)]
        for chunk in chunks:
            batch.counts.add(count(chunk.data))
        batch.dropped = surplus = max(0, batch.counts.lines - self._most_lines)
        for piece in raw.pieces:
            if isinstance(piece, TailEvent):
                batch.events.append(replace(piece, before=len(batch.lines)))
            else:
                data, surplus = self._without(piece.data, surplus)
                batch.lines += self._cleaning.lines(data)
        if provisional := self._raw.provisional():
            batch.provisional = self._cleaning.partial(provisional)
        return batch

    @property
    def at(self) -> tuple[OpenLog | None, int]:
        """The file being read, and up to which byte its lines were given."""
        return self._raw.current, self._raw.settled

    @property
    def begun_at(self) -> tuple[OpenLog | None, int]:
        """The file that was read first, as long as it is read, and at which byte that began."""
        return self._raw.current, self._raw.began_at

    def cleaned(self, lines: bytes) -> list[str]:
        """Lines from elsewhere in the file, cleaned as its own are."""
        return self._cleaning.anew().lines(lines)

    def close(self) -> None:
        """Let go of all files."""
        self._raw.close()

    def _without(self, data: bytes, surplus: int) -> tuple[bytes, int]:
        """The data without its first so many lines, and how many are still to leave out."""
        if not surplus:
            return data, 0
        lines = data.count(b"\n")
        if surplus < lines:
            kept = data.split(b"\n", surplus)[-1]
            self._cleaning.without_blocks(data[: len(data) - len(kept)])
            return kept, 0
        self._cleaning.without_blocks(data)  # it may end within a private key
        return b"", surplus - lines
