"""One step on every target of a group: where each stands, and what they come to together. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from cockpit.session.record.clock import moment
from cockpit.session.record.event import Status
from cockpit.words import _

if TYPE_CHECKING:
    from cockpit.session.record.state import RunRecord, SessionState

_MOST_NAMED = 6
FEW = 24
"""Targets that can all be named before a command without pushing it out of sight."""


class FanOut(Struct, frozen=True):
    """A step's way over the targets of a group, known by the number of its first run.

    `targets` in the order in which they begin, at most `at_once` at a time; with `stops` none begins any more once one
    has not passed. `runs` are those of all targets so far. `status` is RUNNING while any may still begin or runs.
    """

    first: int
    step: str
    part: str | None
    name: str
    targets: tuple[str, ...]
    at_once: int
    stops: bool
    began_t: str
    runs: tuple[int, ...] = ()
    status: Status = Status.RUNNING
    ended_t: str | None = None
    reason: str = ""

    @property
    def held(self) -> bool:
        """Whether its targets are still its own: a step that runs there now is one of its runs, or has to wait."""
        return self.status is Status.RUNNING

    def lines(self, runs: Mapping[int, RunRecord]) -> tuple[TargetLine, ...]:
        """How every target stands, in their order."""
        newest = {str(runs[run].intent.get("target")): runs[run] for run in self.runs}
        return tuple(TargetLine(name, self._stands(newest.get(name)), newest.get(name)) for name in self.targets)

    def _stands(self, record: RunRecord | None) -> Status:
        if record is None:
            return Status.TODO if self.held else Status.SKIPPED
        unjudged = record.status is Status.AWAITING and self.status.over
        return Status.UNKNOWN if unjudged else record.status


class TargetLine(Struct, frozen=True):
    """One target of a fan-out: SKIPPED where it never began. `record` is that of its newest run."""

    target: str
    status: Status
    record: RunRecord | None

    @property
    def told(self) -> str:
        """In one line why it did not pass; "" where it did, and where nothing was said."""
        result = self.record.result if self.record else {}
        return str(result.get("reason") or result.get("told") or "")


def begun(data: Mapping[str, Any], t: str) -> FanOut:
    """The fan-out that the intent of its first run begins."""
    group = data["group"]
    return FanOut(
        first=int(group["first"]),
        step=data["step"],
        part=data.get("part"),
        name=group["name"],
        targets=tuple(group.get("targets", (data.get("target"),))),
        at_once=int(group.get("at_once", 1)),
        stops=bool(group.get("stop_at_first_failure", True)),
        began_t=t,
    )


def newest(state: SessionState, step: str, part: str | None = None) -> FanOut | None:
    """The fan-out that a step's newest run belongs to; None where that went to one target.

    Args:
        part: only runs of this part count; None: all do.
    """
    for number in reversed(state.step(step).runs):
        record = state.runs[number]
        if part is None or record.intent.get("part") == part:
            return state.fan_outs.get(record.group_first)
    return None


def not_passed(state: SessionState, step: str, part: str | None, targets: Sequence[str]) -> tuple[str, ...]:
    """Those of the targets where the step's newest run did not pass, or where it never ran.

    Args:
        part: only runs of this part count; None: those of the whole step.
    """
    runs = (state.runs[run] for run in state.step(step).runs)
    last = {str(record.intent.get("target")): record for record in runs if record.intent.get("part") == part}
    passed = {name for name, record in last.items() if record.status is Status.PASSED and not record.goes_on}
    return tuple(name for name in targets if name not in passed)


def come_to(lines: Sequence[TargetLine], *, stopped: bool = False) -> tuple[Status, str]:
    """What a step comes to, and which targets did not pass. It passed only where every one of them did.

    Args:
        stopped: a person stopped it, so that what was not begun was not meant to.
    """
    ends = {line.status for line in lines}
    if ends == {Status.PASSED}:
        return Status.PASSED, ""
    began = ends - {Status.SKIPPED}
    if len(began) == 1 and Status.PASSED not in began:
        status = began.pop()
    elif ends & {Status.FAILED, Status.TIMED_OUT, Status.REFUSED}:
        status = Status.FAILED
    elif Status.UNKNOWN in ends or not (stopped or Status.CANCELLED in ends):
        status = Status.UNKNOWN
    else:
        status = Status.CANCELLED
    return status, "; ".join(_told(lines))


def took_s(fan_out: FanOut, lines: Sequence[TargetLine]) -> float | None:
    """Seconds from its first intent to the last end there is; None while there is none."""
    began = moment(fan_out.began_t)
    ends = [at for line in lines if line.record and (at := moment(line.record.finished_t))]
    return round((max(ends) - began).total_seconds(), 6) if ends and began else None


def _told(lines: Sequence[TargetLine]) -> Iterable[str]:
    passed = sum(line.status is Status.PASSED for line in lines)
    yield _("{count} of {total} passed").format(count=passed, total=len(lines))
    for status, words in (
        (Status.FAILED, _("failed: {names}")),
        (Status.TIMED_OUT, _("timed out: {names}")),
        (Status.UNKNOWN, _("unknown: {names}")),
        (Status.AWAITING, _("not judged: {names}")),
        (Status.CANCELLED, _("cancelled: {names}")),
        (Status.REFUSED, _("refused: {names}")),
        (Status.SKIPPED, _("not begun: {names}")),
    ):
        if names := [line.target for line in lines if line.status is status]:
            yield words.format(names=some_of(names))


def some_of(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = len(names) - _MOST_NAMED
    told = ", ".join(names[:_MOST_NAMED])
    return _("{names} and {count} more").format(names=told, count=more) if more > 0 else told


def manner_of(at_once: int, stops: bool, count: int) -> str:
    """How so many targets follow each other, in words."""
    if at_once >= count and count > 1:
        told = _("all at once")
    elif at_once == 1:
        told = _("one after the other")
    else:
        told = _("{count} at a time").format(count=at_once)
    return _("{manner}; the first that does not pass stops the rest").format(manner=told) if stops else told


def questions_of(state: SessionState, step: str) -> list[str]:
    """What a person still has to say of a step's newest runs, each question once."""
    return list(dict.fromkeys(text for record in waiting_of(state, step) for text in _open(record)))


def waiting_of(state: SessionState, step: str) -> tuple[RunRecord, ...]:
    """The runs of a step whose end waits for a person's word: its newest one, or those of its newest fan-out."""
    runs = state.step(step).runs[-1:]
    if runs and (fan_out := newest(state, step)) is not None:
        runs = tuple(line.record.run for line in fan_out.lines(state.runs) if line.record)
    return tuple(state.runs[run] for run in runs if state.runs[run].status is Status.AWAITING)


def _open(record: RunRecord) -> list[str]:
    return [str(found["text"]) for found in record.result.get("expectations", ()) if found.get("held") is None]
