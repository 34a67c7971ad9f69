"""Following a log file through whatever happens to it: every byte once, and a mark wherever that can't be promised."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Literal

from cockpit.monitor.logs.framing import Framing
from cockpit.monitor.logs.opened import FileKey, Memory, NotAFile
from cockpit.monitor.logs.place import LocalPlace, LogPlace, OpenLog
from cockpit.words import _

Start = Literal["end", "beginning"]

READ_BYTES = 1024 * 1024
POLL_BYTES = 4 * READ_BYTES
GRACE_S = 0.5
"""How long a file is still read after another took its place: writers lag behind a rotation."""
PATIENCE_S = 5.0
"""How long a replaced file is kept open at most: it holds disk space."""
PROVISIONAL_S = 1.0
GONE_S = 1.0
"""A file may be missing so long between two steps of a rotation before it is worth a word."""
COPY_BYTES = 256
"""A new file that begins with so much of the old one is a copy of it, not just the same first line."""
REMEMBERED_FILES = 8


class Happening(StrEnum):
    """What can happen to a file, besides growing."""

    ROTATED = "rotated"
    SWITCHED = "switched"
    TRUNCATED = "truncated"
    REWRITTEN = "rewritten"
    REPLACED = "replaced"
    LATE = "late"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    NOT_A_FILE = "not-a-file"
    BACK = "back"
    CUT_OFF = "cut-off"
    LOST = "lost"


_DOUBTFUL = frozenset(
    {Happening.TRUNCATED, Happening.REWRITTEN, Happening.UNREADABLE, Happening.CUT_OFF, Happening.LOST}
)


@dataclass(frozen=True, slots=True)
class TailEvent:
    """Something happened to the file. `text` says it in the interface language; `before` is the index, among the
    lines of the same batch, of the line it comes before."""

    happening: Happening
    text: str
    before: int = 0

    @property
    def doubt(self) -> bool:
        """Whether the lines before and after may not join."""
        return self.happening in _DOUBTFUL


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole lines of one file, newlines included: its bytes from `start` to `end`.

    `generation` counts the files that this path has been and each beginning anew; -1 for late lines of a file that
    was left. Long lines and holes are shortened, so `data` may be shorter than the range says.
    """

    data: bytes
    generation: int
    start: int
    end: int


@dataclass(slots=True)
class RawBatch:
    """What one poll brought, in order. `more`: there is more to read right now. `before`: what stands before it all."""

    pieces: list[Chunk | TailEvent] = field(default_factory=list)
    more: bool = False
    before: bytes = b""

    def tell(self, happening: Happening, text: str) -> None:
        """Add an event here."""
        self.pieces.append(TailEvent(happening, text))


class RawTail:
    """Follows a path by polling it; no thread of its own. Nothing here raises for the state of the file.

    Args:
        path: may be missing, a symlink, or lie under one; all are looked at anew with each poll.
        start: "end" begins with the line being written at the first poll, "beginning" with the first one. A file that
            appears later is read from its beginning.
        provisional_s: how long an unfinished line must have stood to be given by `provisional`.
        clock: monotonic seconds.
        growth: how many bytes of the file are to be taken as written by now; None for all.
        place: where the path is; None for this machine.
    """

    def __init__(
        self,
        path: Path,
        *,
        start: Start = "end",
        provisional_s: float = PROVISIONAL_S,
        clock: Callable[[], float] = time.monotonic,
        growth: Callable[[], int] | None = None,
        place: LogPlace | None = None,
    ) -> None:
        self._place: LogPlace = place or LocalPlace(path, growth)
        self.generation = 0
        self.began_at = 0
        """At which byte of the first file reading began."""
        self._provisional_s = provisional_s
        self._start = start
        self._clock = clock
        self._files: deque[OpenLog] = deque()
        self._waiting_since = 0.0
        self._left: dict[FileKey, Memory] = {}
        self._late: OpenLog | None = None
        self._late_until = 0.0
        self._framing = Framing()
        self._grew_at = clock()
        self._trouble = _Trouble(clock)
        self._read_failed = False
        self._resolved = ""
        self._begun = False

    @property
    def current(self) -> OpenLog | None:
        """The file being read now, if there is one."""
        return self._files[0] if self._files else None

    def poll(self) -> RawBatch:
        """Take what came since the last time, at most POLL_BYTES of it.

        Raises:
            CockpitError: another machine can't be looked at now. Nothing was taken: the next poll goes on from here.
        """
        batch = RawBatch()
        if not self._begun:
            self._begin(batch)
        exists = self._look(batch)
        if self._files:
            self._read(self._files[0], batch)
            if not batch.more:
                self._move_on(exists, batch)
        if self._late:
            self._read_late(self._late, batch)
        return batch

    @property
    def settled(self) -> int:
        """Up to which byte of the current file its lines were given."""
        return self.current.offset - self._framing.held_bytes if self.current else 0

    def provisional(self) -> bytes:
        """A line that has had no newline for a while; it comes again, whole, once it has one."""
        if self._framing.held_bytes and self._clock() - self._grew_at >= self._provisional_s:
            return self._framing.partial()
        return b""

    def close(self) -> None:
        """Let go of all files."""
        for log in self._files:
            log.close()
        self._files.clear()
        if self._late:
            self._late.close()
            self._late = None

    def _begin(self, batch: RawBatch) -> None:
        left = self._place.left_off()
        self._begun = True
        if left is None:
            return
        log, batch.before = left
        self._files.append(log)
        self.began_at, self.generation = log.offset, 1
        self._resolved = self._place.real_path()
        batch.tell(Happening.BACK, _("the watch goes on where it was left"))

    def _look(self, batch: RawBatch) -> bool:
        """See what the path is now, and open what is new there. False when it can't be read."""
        try:
            key = self._place.look()
            if not self._files or key != self._files[-1].key:
                self._open()
            else:
                self._place.require_readable()
        except NotAFile:
            self._trouble.tell(Happening.NOT_A_FILE, _("not a regular file"), batch, at_once=True)
        except FileNotFoundError:
            nothing_open = not self._files
            self._trouble.tell(Happening.MISSING, _("there is no such file"), batch, at_once=nothing_open)
            self._start = "beginning" if nothing_open else self._start
        except OSError as error:
            self._trouble.tell(Happening.UNREADABLE, _reason(error), batch, at_once=True)
        else:
            self._trouble.over(batch)
            return True
        return False

    def _open(self) -> None:
        log = self._place.open()
        if self._files and log.key == self._files[-1].key:
            log.close()
            return
        if self._files:
            self._waiting_since = self._clock()
        else:
            if self._start == "end" and self.generation == 0:
                log.to_last_line()
                self.began_at = log.offset
            self.generation += 1
            self._resolved = self._place.real_path()
        self._files.append(log)

    def _read(self, log: OpenLog, batch: RawBatch) -> None:
        budget = POLL_BYTES
        try:
            if not log.is_same():
                self._begin_anew(log, batch)
            while budget > 0 and (data := log.read(min(budget, READ_BYTES))):
                budget -= len(data)
                self._take(data, log.offset, batch)
        except OSError as error:
            if not self._read_failed:
                batch.tell(Happening.UNREADABLE, _reason(error))
            self._read_failed = True
            return
        self._read_failed = False
        batch.more = budget <= 0 or log.behind

    def _take(self, data: bytes, end: int, batch: RawBatch) -> None:
        start = end - len(data) - self._framing.held_bytes
        lines = self._framing.feed(data)
        self._grew_at = self._clock()
        if lines:
            batch.pieces.append(Chunk(lines, self.generation, start, end - self._framing.held_bytes))

    def _begin_anew(self, log: OpenLog, batch: RawBatch) -> None:
        shrunk = log.size_bytes() < log.offset
        self._flush(log.offset, batch)
        if shrunk:
            batch.tell(Happening.TRUNCATED, _("the file was truncated: what was not read before is lost"))
        else:
            batch.tell(Happening.REWRITTEN, _("the file was written anew: lines may be missing here"))
        log.resume(0)
        self.generation += 1

    def _flush(self, end: int, batch: RawBatch) -> None:
        """A file ends without a newline: what there is counts as a line."""
        start = end - self._framing.held_bytes
        rest = self._framing.flush()
        if rest:
            batch.pieces.append(Chunk(rest, self.generation, start, end))
            batch.tell(Happening.CUT_OFF, _("the line before this one has no end"))

    def _move_on(self, exists: bool, batch: RawBatch) -> None:
        """The current file is read to its end; when another has its place, change to that one after a grace."""
        if len(self._files) > 1:
            waited_s = self._clock() - self._waiting_since
            if waited_s >= (GRACE_S if self._files[1].size_bytes() else PATIENCE_S):
                self._change(batch)
                batch.more = True
        elif not exists and self._trouble.lasted_s(Happening.MISSING) >= PATIENCE_S:
            gone = self._files.popleft()
            self._flush(gone.offset, batch)
            gone.close()

    def _change(self, batch: RawBatch) -> None:
        old = self._files.popleft()
        new = self._files[0]
        known = self._left.pop(new.key, None)
        if old.offset >= COPY_BYTES and old.memory.stands_in(new):
            new.resume(old.offset)
            batch.tell(Happening.REPLACED, _("a copy took the file's place; it goes on where the old one was"))
        else:
            self._flush(old.offset, batch)
            if old.gone:
                batch.tell(Happening.LOST, _("the file before is gone: what was not read of it is lost"))
            self._tell_change(batch)
            if known and known.stands_in(new):
                new.resume(known.offset)
        self._left[old.key] = old.memory
        while len(self._left) > REMEMBERED_FILES:
            del self._left[next(iter(self._left))]
        self.generation += 1
        self._waiting_since = self._clock()
        if self._late:
            self._late.close()
        self._late, self._late_until = old, self._clock() + PATIENCE_S

    def _tell_change(self, batch: RawBatch) -> None:
        resolved = self._place.real_path()
        if resolved == self._resolved:
            batch.tell(Happening.ROTATED, _("the file was rotated; a new one begins here"))
        else:
            batch.tell(Happening.SWITCHED, _("the link now leads to {path}").format(path=resolved))
        self._resolved = resolved

    def _read_late(self, late: OpenLog, batch: RawBatch) -> None:
        """Lines that a writer still adds to the file that was left."""
        over = self._clock() >= self._late_until
        framing, start = Framing(), late.offset
        try:
            lines = framing.feed(late.read(READ_BYTES))
        except OSError as error:
            batch.tell(Happening.UNREADABLE, _reason(error))
            lines, over = b"", True
        late.offset -= framing.held_bytes
        if over:
            late.offset += framing.held_bytes
            lines += framing.flush()
        if lines:
            batch.tell(Happening.LATE, _("late lines of the file before this one"))
            batch.pieces.append(Chunk(lines, -1, start, late.offset))
            batch.tell(Happening.LATE, _("end of the late lines"))
            self._left[late.key] = late.memory
        if over:
            late.close()
            self._late = None


class _Trouble:
    """Why the path can't be read now: told once, and once more when it is over."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._what: Happening | None = None
        self._since = 0.0
        self._told = False

    def tell(self, what: Happening, text: str, batch: RawBatch, *, at_once: bool) -> None:
        """Say so now, or once it has lasted."""
        if what is not self._what:
            self._what, self._since, self._told = what, self._clock(), False
        if not self._told and (at_once or self._clock() - self._since >= GONE_S):
            self._told = True
            batch.tell(what, text)

    def over(self, batch: RawBatch) -> None:
        """The path can be read."""
        if self._told:
            batch.tell(Happening.BACK, _("the file can be read again"))
        self._what, self._told = None, False

    def lasted_s(self, what: Happening) -> float:
        """For how long it has been that trouble; 0 when it is another one or none."""
        return self._clock() - self._since if self._what is what else 0.0


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
