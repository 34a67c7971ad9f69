"""The way of one command over the targets of a group, as this host takes it."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cockpit.session.record.event import Status
from cockpit.session.record.fanout import FanOut, TargetLine

if TYPE_CHECKING:
    from cockpit.session.steps.course import Course

_GOING_WELL = frozenset({Status.PASSED, Status.RUNNING, Status.TODO})


@dataclass(slots=True, eq=False)
class Sweep:
    """`waiting` are the courses of targets that have not begun, in their order; `first` the number of the first run.

    `cancelled`: a person stopped it. One that was taken over from another host has no permits, and so begins on no
    further target.
    """

    name: str
    targets: tuple[str, ...]
    at_once: int
    stops: bool
    sha256: str
    waiting: deque[Course] = field(default_factory=deque)
    first: int = 0
    remark: str = ""
    cancelled: bool = False
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    task: asyncio.Task[None] | None = None

    @classmethod
    def taken_over(cls, fan_out: FanOut) -> Sweep:
        """What is left of one that another host began: those that run are followed to their end."""
        sweep = cls(fan_out.name, fan_out.targets, fan_out.at_once, fan_out.stops, "", first=fan_out.first)
        sweep.stopped.set()
        return sweep

    def grouping(self, course: Course) -> dict[str, Any]:
        """What the intent of a course's newest run says of the group; with the first of all, everything."""
        self.first = self.first or course.runs[0]
        place = self.targets.index(course.target) + 1
        told: dict[str, Any] = {"name": self.name, "first": self.first, "place": place, "of": len(self.targets)}
        if course.runs[-1] != self.first:
            return told
        policy = {"at_once": self.at_once, "stop_at_first_failure": self.stops, "sha256": self.sha256}
        return {**told, "targets": list(self.targets), **policy}

    def may_begin(self, lines: tuple[TargetLine, ...]) -> bool:
        """Whether another target may begin, by how they stand and what was asked for."""
        if not self.waiting or self.stopped.is_set() or len(self.tasks) >= self.at_once:
            return False
        return not self.stops or all(line.status in _GOING_WELL for line in lines)
