"""A recorded session, told again at its own pace or faster, to panels that can't tell the difference."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from typing import Any

from cockpit.session.event import Event
from cockpit.session.folder import SessionFolder
from cockpit.session.reader import SessionReader
from cockpit.session.state import SessionState, fold
from screens.clock import Clock, moment


class ReplayClock(Clock):
    """The time in the recording: it runs `speed` times as fast as ours, and stops at the end."""

    def __init__(self, speed: float, own: Clock | None = None) -> None:
        self._own = own or Clock()
        self.speed = speed
        self._began_s = self._own.monotonic_s()
        self.first = self._own.now()
        self.last: datetime | None = None

    def now(self) -> datetime:
        """The moment that is being told."""
        told = self.first + timedelta(seconds=(self._own.monotonic_s() - self._began_s) * self.speed)
        return min(told, self.last) if self.last else told

    def monotonic_s(self) -> float:
        """The operator's own time: keys are pressed now."""
        return self._own.monotonic_s()


class Replay:
    """Events and samples of a folder, each when its time has come. See `feed.Source`."""

    def __init__(self, folder: SessionFolder, clock: ReplayClock) -> None:
        reader = SessionReader(folder, every_sample=True)
        self.state = SessionState()
        self._clock = clock
        self._events = deque(reader.poll())
        self._samples = deque(sample for sample in reader.poll_samples() if "t" in sample)
        times = [at for at in (moment(event.t) for event in self._events) if at]
        if times:
            # A host that was killed has taken samples after its last event.
            last = moment(self._samples[-1]["t"]) if self._samples else None
            times.append(max(times[-1], last or times[-1]))
            clock.first, clock.last = times[0], times[-1]

    def poll(self) -> list[Event]:
        """Events that have come to pass."""
        told, now = [], self._clock.now()
        while self._events and (moment(self._events[0].t) or now) <= now:
            event = self._events.popleft()
            self.state = fold(self.state, event)
            told.append(event)
        return told

    def poll_samples(self) -> list[dict[str, Any]]:
        """Samples that have been taken."""
        told, now = [], self._clock.now()
        while self._samples and (moment(self._samples[0]["t"]) or now) <= now:
            told.append(self._samples.popleft())
        return told
