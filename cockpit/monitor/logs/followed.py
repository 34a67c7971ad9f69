"""One file that a log is made of: what is read of it, what is wrong with it, and where its lines go."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cockpit.adapters.far import Far
from cockpit.errors import AccessDenied, CockpitError, ToolMissing
from cockpit.monitor.logs.far import FarPlace
from cockpit.monitor.logs.fetched import Fetched
from cockpit.monitor.logs.left import LeftOff
from cockpit.monitor.logs.tail import FileTail, Happening, TailBatch, TailEvent
from cockpit.safety.redaction.redactor import Known
from cockpit.words import _

_MOST_LINES = 10_000
"""Lines a poll looks at for evidence: a flood is counted whole, but cleaning all of it would take half a core."""
_MOST_FETCHED_LINES = 50_000


class NotThereYet(ToolMissing):
    """There is nothing to follow, which may be as it should."""


class Followed:
    """A file of this machine, which viewers read themselves.

    `trouble` is why there are no lines to be had now; None while there are.
    """

    def __init__(self, path: str, tail: FileTail | None = None) -> None:
        self.path = path
        self.trouble: CockpitError | None = None
        self._tail = tail or FileTail(Path(path), most_lines=_MOST_LINES)

    def poll(self, known: Known) -> TailBatch:
        """What came since the last time, with these secrets masked.

        Raises:
            CockpitError: another machine can't be looked at now.
        """
        self._tail.learn(known)
        batch = self._tail.poll()
        for event in batch.events:
            self.trouble = _trouble(event, self.path)
        if batch.lines:
            self.trouble = None
        return batch

    def keep(self, batch: TailBatch) -> TailBatch:
        """Put what was read where viewers find it; as it is shown."""
        return batch

    def close(self) -> None:
        """Let go of it."""
        self._tail.close()


class Fetching(Followed):
    """A file whose lines are brought into the session, and go on where the host before this one left them.

    Args:
        target: where it is, as the configuration calls it.
        deadline_s: of one question.
        record: where the place is noted that was read to.
    """

    def __init__(self, path: str, far: Far, target: str, deadline_s: float, fetched: Fetched, record: Path) -> None:
        self._left = LeftOff(record, fetched.path, f"{target}:{path}")
        self._place = FarPlace(far, path, deadline_s, self._left.found())
        super().__init__(path, FileTail(Path(path), most_lines=_MOST_FETCHED_LINES, place=self._place))
        self._fetched = fetched
        self.label = ""
        """What stands before each line, where several files come together."""

    def keep(self, batch: TailBatch) -> TailBatch:
        """Note how far it was read, and keep it. See `Followed`."""
        context, self._place.context = self._place.context, b""
        self._left.begin(self._place.standing_at(*self._tail.begun_at))
        self._fetched.begin(map(self._labelled, self._tail.cleaned(context)))
        self._left.note(self._place.standing_at(*self._tail.at))
        shown = batch
        if self.label:
            events = [replace(event, text=self._labelled(event.text)) for event in batch.events]
            shown = replace(batch, lines=[*map(self._labelled, batch.lines)], events=events)
        self._fetched.keep(shown)
        return shown

    def _labelled(self, text: str) -> str:
        return f"{self.label}{text}"


def _trouble(event: TailEvent, path: str) -> CockpitError | None:
    """The error that an event leaves behind; None for one after which lines go on coming."""
    if event.happening is Happening.MISSING:
        return NotThereYet(event.text, where=path, mend=_("is the path right, and has the service written yet?"))
    if event.happening is Happening.UNREADABLE:
        return AccessDenied(event.text, where=path, mend=_("run the cockpit as a user who may read it"))
    if event.happening is Happening.NOT_A_FILE:
        return AccessDenied(event.text, where=path, mend=_("give the path of a plain file"))
    return None
