"""A recorded session, told again at its own pace or faster, to panels that can't tell the difference."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from cockpit.runs.pace import Pace
from cockpit.session.record.clock import moment
from cockpit.session.record.event import Event
from cockpit.session.record.folder import SessionFolder
from cockpit.session.record.reader import event_of, folded
from cockpit.session.record.state import SessionState
from cockpit.session.record.tape import Tape
from screens.clock import Clock

# How things stood at a moment is told by what was sampled shortly before.
_SAMPLES_BEFORE_BYTES = 1 << 20


class ReplayClock(Clock):
    """The time in the recording: it runs `speed` times as fast as ours, can be held and moved, and stops at the end.

    `first` and `last` are the recording's, once it has been looked at.
    """

    recorded = True

    def __init__(self, speed: float, own: Clock | None = None) -> None:
        self._own = own or Clock()
        self._speed = speed
        self.paused = False
        self.first = self.last = self._from = self._own.now()
        self._since_s = self._own.monotonic_s()

    @property
    def speed(self) -> float:
        """How many of its seconds pass in one of ours."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        self.go_to(self.now())
        self._speed = speed

    def now(self) -> datetime:
        """The moment that is being told."""
        passed_s = 0.0 if self.paused else (self._own.monotonic_s() - self._since_s) * self._speed
        return max(self.first, min(self._from + timedelta(seconds=passed_s), self.last))

    def monotonic_s(self) -> float:
        """The operator's own time: keys are pressed now."""
        return self._own.monotonic_s()

    def span(self, first: datetime, last: datetime) -> None:
        """Begin at the beginning of a recording."""
        self.first, self.last = first, max(first, last)
        self.go_to(first)

    def go_to(self, at: datetime) -> None:
        """Go on from there."""
        self._from, self._since_s = max(self.first, min(at, self.last)), self._own.monotonic_s()

    def hold(self, paused: bool) -> None:
        """Stop, or go on."""
        self.go_to(self.now())
        self.paused = paused


class Replay:
    """Events, samples and outputs of a folder, each when its time has come. See `feed.Source`.

    Nothing is read before it is asked for, and then only as far as the clock has come.
    """

    def __init__(self, folder: SessionFolder, clock: ReplayClock) -> None:
        self.state = SessionState()
        self.clock = clock
        self._folder = folder
        self._looked_at = False
        self._events = Tape([folder.journal], _event)
        self._samples = Tape([folder.samples.with_suffix(".1.jsonl"), folder.samples], _sample)
        self._begun: dict[int, tuple[datetime, int]] = {}
        self._over: set[int] = set()

    def poll(self) -> list[Event]:
        """Events that have come to pass."""
        self._look_at()
        told = []
        for event in self._events.until(self.clock.now()):
            after = folded(self.state, event)
            if after is not None:
                self.state = after
                self._keep_time(event)
                told.append(event)
        return told

    def poll_samples(self) -> list[dict[str, Any]]:
        """Samples that have been taken."""
        return self._samples.until(self.clock.now())

    def growth(self, run: int) -> Callable[[], int]:
        """How many bytes of a run's output had come; called in the thread that reads it."""
        pace = Pace(self._folder.run(run))

        def bytes_now() -> int:
            begun = self._begun.get(run)
            if begun is None or run in self._over:
                return pace.bytes_in_all() if run in self._over else 0
            return pace.bytes_at(begun[1] + (self.clock.now() - begun[0]) // timedelta(microseconds=1) * 1000)

        return bytes_now

    def seek(self, at: datetime) -> None:
        """Go to another moment: what comes next tells how things stood then."""
        back = at < self.clock.now()
        self.clock.go_to(at)
        self._samples.seek(self.clock.now(), _SAMPLES_BEFORE_BYTES)
        if back:
            self._events.rewind()
            self.state = SessionState()
            self._begun, self._over = {}, set()

    def next_told(self, worth_telling: Callable[[Event], object]) -> datetime | None:
        """When something worth telling comes to pass next; None when nothing does any more."""
        event = self._events.next_such(worth_telling)
        return moment(event.t) if event else None

    def _look_at(self) -> None:
        """See when the recording begins and ends."""
        if self._looked_at:
            return
        self._looked_at = True
        first = self._events.next()
        if first is not None:
            # A host that was killed has taken samples after its last event.
            self.clock.span(first, max(self._events.last() or first, self._samples.last() or first))

    def _keep_time(self, event: Event) -> None:
        run = event.data.get("run")
        at = moment(event.t)
        if run is None or at is None:
            return
        if event.kind in ("step.intent", "step.started"):
            self._begun[run] = (at, event.m)
        elif event.kind in ("step.exited", "step.finished", "target.finished"):
            self._over.add(run)


def _event(line: bytes) -> tuple[str, Event] | None:
    event = event_of(line)
    return (event.t, event) if event else None


def _sample(line: bytes) -> tuple[str, dict[str, Any]] | None:
    try:
        sample = json.loads(line)
        return str(sample["t"]), sample
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
