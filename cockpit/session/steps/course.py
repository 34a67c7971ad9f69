"""One command's way to its end: one run, or several that are judged together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cockpit.adapters.base import Outcome
from cockpit.runbook.model import Expectation
from cockpit.safety.permit import Confirmation, Permit
from cockpit.session.record.event import Status
from cockpit.session.record.state import RunRecord, SessionState
from cockpit.session.steps.drafting import Draft
from cockpit.session.steps.repeating import ONCE, Plan
from cockpit.session.steps.sweep import Sweep
from cockpit.words import _

_SHORTEST_S = 1.0


@dataclass(slots=True, eq=False)
class Course:
    """A command under way. `runs` are its runs' numbers so far, `tries` whether each that is over held.

    Every run of it starts from the same exported variables and folder: it is judged as it then stood. `made` and
    `permit` are None for what another host started: it can be followed, and not be run again. `outcome` and `files`
    (hashes by name) are those of the run that ended last, `told` why in one line where it failed. `sweep` is the way
    over a group that it belongs to.
    """

    target: str
    expectations: tuple[Expectation, ...]
    plan: Plan = ONCE
    unrepeated: str = ""
    made: Draft | None = None
    permit: Permit | None = None
    confirmation: Confirmation | None = None
    by: str = ""
    terminal: tuple[int, int] | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    cwd: str | None = None
    runs: list[int] = field(default_factory=list)
    tries: list[bool] = field(default_factory=list)
    settled: bool = False
    outcome: Outcome | None = None
    told: str = ""
    sweep: Sweep | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    task: asyncio.Task[None] | None = None
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    stopped_by: str = "host"
    _began_s: float = field(default_factory=time.monotonic)

    @property
    def known_draft(self) -> Draft:
        """The draft of a course that this host started."""
        assert self.made is not None
        return self.made

    @property
    def known_permit(self) -> Permit:
        """The permit of a course that this host started."""
        assert self.permit is not None
        return self.permit

    @property
    def several(self) -> bool:
        """Whether its runs are judged together."""
        return not self.plan.once and not (self.settled and len(self.runs) == 1)

    @property
    def held(self) -> bool:
        """Whether what the plan asks for came about."""
        return self.plan.next(self.tries, self.elapsed_s) == "held"

    @property
    def elapsed_s(self) -> float:
        """Since it began, by the monotonic clock."""
        return time.monotonic() - self._began_s

    def stop(self, by: str) -> None:
        """Somebody wants no more of it; the first who does is who ended it."""
        if not self.stopped.is_set():
            self.stopped_by = by
        self.stopped.set()

    def ended_by(self, status: Status) -> str:
        """Who the record says ended it so."""
        return self.stopped_by if status is Status.CANCELLED else "host"

    def repetition(self) -> dict[str, Any] | None:
        """What the intent of its newest run says of the others; None for a single run."""
        if self.plan.once:
            return None
        return {"number": len(self.runs), "first": self.runs[0], **self.plan.as_json()}

    def grouping(self) -> dict[str, Any] | None:
        """What the intent of its newest run says of the group; None for a single target."""
        return self.sweep.grouping(self) if self.sweep else None

    def as_json(self) -> dict[str, Any]:
        """What its runs came to, for the record."""
        return {
            **self.plan.as_json(),
            "runs": list(self.runs),
            "held": sum(self.tries),
            "tries": len(self.tries),
            "duration_s": round(self.elapsed_s, 6),
        }

    def timeout_s(self, step_s: float | None) -> float | None:
        """The deadline of its next run: the step's own, and no later than the plan's end."""
        if self.made and (self.made.endless or self.made.interactive):
            return None
        if self.plan.within_s is None:
            return step_s
        left_s = max(_SHORTEST_S, self.plan.within_s - self.elapsed_s)
        return left_s if step_s is None else min(step_s, left_s)

    def takes(self, outcome: Outcome, held: bool | None) -> bool:
        """Take the end of a run; whether another one has to follow."""
        if self.plan.once or self.settled:
            return False
        self.tries.append(bool(held) and outcome.ending == "exited")
        if self.stopped.is_set() or outcome.ending in ("cancelled", "lost"):
            return False
        if self.plan.within_s is None and held is None:
            return False
        return self.made is not None and self.plan.next(self.tries, self.elapsed_s) == "again"

    def stands(self, status: Status | None, reason: str) -> tuple[Status | None, str]:
        """How the step stands after its last run, and why.

        Args:
            status: how the last run stands by itself; None when nothing speaks against it.
            reason: what its adapter said of its end.
        """
        then = self.plan.next(self.tries, self.elapsed_s)
        ending = self.outcome.ending if self.outcome else "lost"
        if then == "held":
            return status, reason
        if self.stopped.is_set() or ending == "cancelled":
            return Status.CANCELLED, reason
        if ending == "lost" or (then == "again" and self.made is None):
            told = _told_of(self.tries)
            return Status.UNKNOWN, f"{told} ({reason})" if reason else told
        if self.plan.within_s is not None:
            told = _("it did not hold within {seconds:g} s, in {tries} runs")
            return status or Status.FAILED, told.format(seconds=self.plan.within_s, tries=len(self.tries))
        told = _("run {number} of {times} did not hold").format(number=len(self.tries), times=self.plan.times)
        return status, told if status else reason

    async def wait_for_its_turn(self) -> bool:
        """Wait until the next run is due; False when the course was stopped meanwhile."""
        due_s = (len(self.runs) - 1) * self.plan.every_s - self.elapsed_s
        try:
            async with asyncio.timeout(max(0.0, due_s)):
                await self.stopped.wait()
        except TimeoutError:
            pass
        return not self.stopped.is_set()


def _told_of(tries: Sequence[bool]) -> str:
    told = _("the host ended in the middle of the runs, {held} of {tries} had held; run it again")
    return told.format(held=sum(tries), tries=len(tries))


def interrupted(record: RunRecord, state: SessionState) -> str:
    """What to say of a step whose runs a host left in the middle, after the run of this record."""
    first = (record.intent.get("repetition") or {}).get("first", record.run)
    return _told_of([each.status is Status.PASSED for each in _runs_from(first, record, state)])


def _runs_from(first: int, record: RunRecord, state: SessionState) -> list[RunRecord]:
    """The runs of a record's step on its target, from the one of this number on."""
    runs = [state.runs[run] for run in state.step(record.step).runs if run >= first]
    return [each for each in runs if each.intent.get("target") == record.intent.get("target")]


def as_long_as_stated(record: RunRecord, outcome: Outcome) -> str:
    """What to say of a command without an end that was stopped after the time its author wants; "" for all others."""
    lasts_s = record.intent.get("lasts_s")
    if not lasts_s or outcome.ending != "cancelled" or outcome.duration_s < lasts_s:
        return ""
    told = _("stopped after {spent:.0f} s; the runbook asks for {lasts:g} s")
    return told.format(spent=outcome.duration_s, lasts=lasts_s)


def course_of_record(record: RunRecord, state: SessionState, expectations: Sequence[Expectation]) -> Course:
    """The course of a run that another host started, as far as the record tells of it."""
    told = record.intent.get("repetition") or {}
    plan = Plan(int(told["times"]), float(told["every_s"]), told["within_s"]) if told else ONCE
    runs = [each.run for each in _runs_from(int(told.get("first", record.run)), record, state)]
    return Course(
        target=str(record.intent.get("target")),
        expectations=tuple(expectations),
        plan=plan,
        runs=runs,
        tries=[state.runs[run].status is Status.PASSED for run in runs if run != record.run],
    )
