"""What a report tells, worked out from the events and the state they fold to. Pure: nothing is read, nothing formatted.

Durations come from the monotonic clock where two events share a boot; only across a reboot from the wall.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from cockpit.report.attempts import Attempt, attempts_of
from cockpit.session.record.event import Event, Status
from cockpit.session.record.state import SessionState, begins_attempt


@dataclass(frozen=True, slots=True)
class StepTitle:
    """How the runbook calls a step, and the commands of its block by their ids."""

    label: str
    kind: str
    section: str
    parts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PartSaid:
    """One command of a step that did not run: left out, or done by hand."""

    part: str
    status: str
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class StepFacts:
    """A step that something happened to. `by_hand`: ticked or failed by a person, not by what a command returned."""

    step: str
    title: StepTitle
    status: str
    reason: str
    by: str
    at: str
    by_hand: bool
    in_runbook: bool
    attempts: tuple[Attempt, ...]
    answers: Mapping[str, bool]
    said: tuple[PartSaid, ...] = ()


@dataclass(frozen=True, slots=True)
class Moment:
    """One row of the timeline. `since_s` counts from the session's start; `data` are the event's own."""

    seq: int
    t: str
    since_s: float
    actor: str
    kind: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """Everything a report says that the record holds."""

    session: str
    title: str
    runbook_path: str
    runbook_sha256: str
    severity: str | None
    mode: str
    rehearsal: bool
    target: str
    user: str
    origin: str
    version: str
    started_t: str | None
    ended_t: str | None
    duration_s: float | None
    counts: Mapping[str, int]
    steps: tuple[StepFacts, ...]
    timeline: tuple[Moment, ...]
    gaps: tuple[Moment, ...]
    head_seq: int
    head: str

    @property
    def skipped(self) -> tuple[StepFacts, ...]:
        """Steps left out."""
        return tuple(step for step in self.steps if step.status == Status.SKIPPED.value)

    @property
    def parts_said(self) -> tuple[tuple[StepFacts, PartSaid], ...]:
        """Single commands left out, or done by hand."""
        by_person = ("skipped", "passed", "failed")
        return tuple((step, part) for step in self.steps for part in step.said if part.status in by_person)

    @property
    def refused(self) -> tuple[StepFacts, ...]:
        """Steps that did not run because something forbade it."""
        return tuple(step for step in self.steps if step.status == Status.REFUSED.value)

    @property
    def edited(self) -> tuple[tuple[StepFacts, Attempt], ...]:
        """Runs of other text than the runbook's."""
        return tuple((step, run) for step in self.steps for run in step.attempts if run.original is not None)

    @property
    def off_runbook(self) -> tuple[StepFacts, ...]:
        """Commands done by hand, and steps the runbook does not have."""
        return tuple(
            step for step in self.steps if not step.in_runbook or (step.by_hand and step.title.kind == "command")
        )

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


_UNTOLD = frozenset(
    {"step.started", "step.exited", "step.repeated", "state.carried", "viewer.attached", "viewer.detached"}
)
_GAPS = frozenset({"journal.recovered", "host.recovered"})


def facts_of(
    events: Sequence[Event], state: SessionState, titles: Mapping[str, StepTitle], head: tuple[int, str]
) -> ReportFacts:
    """The facts of one session.

    Args:
        events: all of them, in order.
        state: what they fold to.
        titles: the runbook's steps by id, in its order.
        head: seq and hash of the last record.
    """
    started = next((event for event in events if event.kind == "session.started"), None)
    about: Mapping[str, Any] = started.data if started else {}
    moments = tuple(_moments(events))
    told = tuple(moment for moment in moments if moment.kind not in _UNTOLD and not _is_one_more_run(moment))
    return ReportFacts(
        session=state.session,
        title=str(state.runbook.get("title", "")),
        runbook_path=str(state.runbook.get("path", "")),
        runbook_sha256=str(state.runbook.get("sha256", "")),
        severity=state.severity,
        mode=state.mode,
        rehearsal=bool(about.get("rehearsal")),
        target=state.target,
        user=state.user,
        origin=str(about.get("origin", "")),
        version=str(about.get("version", "")),
        started_t=state.started_t,
        ended_t=state.ended_t,
        duration_s=seconds_between(events[0], events[-1]) if events else None,
        counts=dict(state.counts),
        steps=tuple(_steps(events, state, titles)),
        timeline=told,
        gaps=tuple(moment for moment in moments if moment.kind in _GAPS),
        head_seq=head[0],
        head=head[1],
    )


def seconds_between(first: Event, second: Event) -> float:
    """From one event to a later one: by the monotonic clock within a boot, else by the wall."""
    if first.boot == second.boot:
        return (second.m - first.m) / 1e9
    return (datetime.fromisoformat(second.t) - datetime.fromisoformat(first.t)).total_seconds()


def _moments(events: Sequence[Event]) -> Iterable[Moment]:
    for event in events:
        since_s = round(seconds_between(events[0], event), 3)
        yield Moment(event.seq, event.t, since_s, event.actor, event.kind, event.data)


def _steps(events: Sequence[Event], state: SessionState, titles: Mapping[str, StepTitle]) -> Iterable[StepFacts]:
    actors = {int(e.data["run"]): e.actor for e in events if e.kind == "step.intent"}
    by_hand = {e.data["step"]: bool(e.data.get("by_hand")) for e in events if e.kind == "step.finished"}
    order = [*(step for step in titles if step in state.steps), *(s for s in state.steps if s not in titles)]
    for step_id in order:
        step = state.steps[step_id]
        yield StepFacts(
            step=step_id,
            title=titles.get(step_id, StepTitle(step_id, "", "")),
            status=step.status.value,
            reason=step.reason,
            by=step.by,
            at=step.at,
            by_hand=by_hand.get(step_id, False),
            in_runbook=step_id in titles,
            attempts=tuple(attempts_of(step, state, actors)),
            answers=dict(step.answers),
            said=tuple(PartSaid(part, step.parts[part].value, *word) for part, word in step.said.items()),
        )


def _is_one_more_run(moment: Moment) -> bool:
    """The later runs of one attempt are told with it, not as moments of their own."""
    return moment.kind == "step.intent" and not begins_attempt(moment.data)
