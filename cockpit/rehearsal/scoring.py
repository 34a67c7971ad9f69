"""How well a rehearsal went, from its journal alone: a pure function, and the debrief it is told in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from cockpit.rehearsal.reference import step_named
from cockpit.rehearsal.scenario import Scenario, TimedGoal
from cockpit.runbook.model import Runbook
from cockpit.session.record.event import Event
from cockpit.words import _

_FORBIDDEN_COSTS = 15
_WRONG_TARGET_COSTS = 10
_ACTED = frozenset({"step.finished", "step.answered", "message.prepared"})
_NOT_ACTED = frozenset({"refused", "skipped", "cancelled"})
_SEPARATORS = ("\n", ";", "&&", "||", "|")


@dataclass(frozen=True, slots=True)
class Mark:
    """The points for one goal, out of how many, and what they were given for. `points` is negative for a deduction."""

    goal: str
    points: float
    of: int
    evidence: str


@dataclass(frozen=True, slots=True)
class Score:
    """The marks of a rehearsal. `recovered_s` counts from its start; None when it never recovered."""

    scenario: str
    marks: tuple[Mark, ...]
    recovered_s: float | None
    length_s: float
    runs: int

    @property
    def total(self) -> int:
        """0 to 100."""
        return max(0, round(sum(mark.points for mark in self.marks)))

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {**asdict(self), "total": self.total}


@dataclass(frozen=True, slots=True)
class _Story:
    """The journal, with times as seconds from its start."""

    events: tuple[tuple[float, Event], ...]

    @classmethod
    def of(cls, events: Iterable[Event]) -> _Story:
        timed = [(datetime.fromisoformat(event.t), event) for event in events]
        start = timed[0][0] if timed else None
        return cls(tuple(((t - start).total_seconds() if start else 0.0, event) for t, event in timed))

    def of_kind(self, kind: str) -> Iterator[tuple[float, Mapping[str, Any]]]:
        return ((at_s, event.data) for at_s, event in self.events if event.kind == kind)

    def first_act(self, steps: Sequence[str]) -> float | None:
        """When any of the steps first came to something other than a refusal or a skip."""
        for at_s, event in self.events:
            acted = event.kind in _ACTED and event.data.get("status") not in _NOT_ACTED
            if acted and event.data.get("step") in steps:
                return at_s
        return None

    def recovered(self, probe: str) -> float | None:
        """When the probe was last good after having been bad, and stayed so; None when it did not."""
        was_bad, good_since = False, None
        for at_s, data in self.of_kind("probe.changed"):
            if data.get("probe") != probe:
                continue
            good = data.get("outcome") == "data" and data.get("level") in ("green", "grey")
            was_bad = was_bad or not good
            good_since = (good_since or at_s) if good and was_bad else None
        return good_since

    @property
    def length_s(self) -> float:
        return self.events[-1][0] if self.events else 0.0


def score(scenario: Scenario, runbook: Runbook, events: Iterable[Event], names: Mapping[str, str]) -> Score:
    """Hold the journal of a rehearsal against its scenario's goals.

    Args:
        names: the world's own names, for patterns such as {older_stamp}.

    Raises:
        UsageError: a goal names a step the runbook does not have.
    """
    story = _Story.of(events)
    goals = scenario.goals
    recovered_s = story.recovered(goals.recover.probe)
    marks = [
        _timed("detect", goals.detect, story.first_act(_ids(runbook, goals.detect.steps))),
        _timed("decide", goals.decide, story.first_act(_ids(runbook, goals.decide.steps))),
        _timed("recover", goals.recover, recovered_s),
        _verification(scenario, runbook, story, recovered_s),
        _timed("announce", goals.announce, _sent(story, _ids(runbook, goals.announce.steps))),
        _resolved(scenario, runbook, story, recovered_s),
        _record(scenario, story),
        *_deductions(scenario, story, names),
    ]
    runs = sum(1 for _run in story.of_kind("step.intent"))
    return Score(scenario.id, tuple(marks), recovered_s, story.length_s, runs)


def _ids(runbook: Runbook, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(step_named(runbook, name).id for name in names)


def _timed(goal: str, wanted: Any, at_s: float | None) -> Mark:
    if at_s is None:
        return Mark(goal, 0, wanted.weight, _("it did not happen"))
    share = min(1.0, max(0.0, 2 - at_s / wanted.within_s))
    evidence = _("after {seconds} s of {within} s").format(seconds=round(at_s), within=round(wanted.within_s))
    return Mark(goal, round(share * wanted.weight, 1), wanted.weight, evidence)


def _sent(story: _Story, steps: Sequence[str]) -> float | None:
    return next((at_s for at_s, data in story.of_kind("message.prepared") if data.get("step") in steps), None)


def _resolved(scenario: Scenario, runbook: Runbook, story: _Story, recovered_s: float | None) -> Mark:
    goal: TimedGoal = scenario.goals.resolve
    sent_s = _sent(story, _ids(runbook, goal.steps))
    if sent_s is None or recovered_s is None:
        return Mark("resolve", 0, goal.weight, _("it did not happen"))
    if sent_s < recovered_s:
        return Mark("resolve", 0, goal.weight, _("announced before the service had recovered"))
    return _timed("resolve", goal, sent_s - recovered_s)


def _verification(scenario: Scenario, runbook: Runbook, story: _Story, recovered_s: float | None) -> Mark:
    goal = scenario.goals.verify
    wanted = _ids(runbook, goal.steps)
    passed = {
        data["step"]
        for at_s, data in story.of_kind("step.finished")
        if recovered_s is not None and at_s >= recovered_s and data["status"] == "passed" and not data.get("by_hand")
    }
    held = [step for step in wanted if step in passed]
    missing = [step for step in wanted if step not in passed]
    evidence = _("{held} of {all} verified").format(held=len(held), all=len(wanted))
    if missing:
        evidence += ": " + _("not {steps}").format(steps=", ".join(missing))
    return Mark("verify", round(goal.weight * len(held) / len(wanted), 1), goal.weight, evidence)


def _record(scenario: Scenario, story: _Story) -> Mark:
    goal = scenario.goals.record
    notes = sum(1 for _note in story.of_kind("note.added"))
    share = min(1.0, notes / goal.notes) if goal.notes else 1.0
    return Mark("record", round(share * goal.weight, 1), goal.weight, _("{n} notes").format(n=notes))


def _deductions(scenario: Scenario, story: _Story, names: Mapping[str, str]) -> Iterator[Mark]:
    for goal, patterns, costs in (
        ("must-not", scenario.goals.must_not, _FORBIDDEN_COSTS),
        ("wrong-target", scenario.goals.wrong, _WRONG_TARGET_COSTS),
    ):
        filled = [pattern.format_map(names) for pattern in patterns]
        for _at_s, data in story.of_kind("step.intent"):
            for command in _commands(data):
                if any(fnmatchcase(command, pattern) for pattern in filled):
                    yield Mark(goal, -costs, 0, command)


def _commands(intent: Mapping[str, Any]) -> Iterator[str]:
    """The single commands of a script, with its inputs' values in place, without sudo, paths and quotes."""
    text = str(intent.get("command", ""))
    for name, value in intent.get("inputs", {}).items():
        text = text.replace(f"${{{name}}}", str(value)).replace(f"${name}", str(value))
    for separator in _SEPARATORS:
        text = text.replace(separator, "\n")
    for line in text.split("\n"):
        words = [word.strip("\"'") for word in line.split()]
        if words[:1] == ["sudo"]:
            words = words[1:]
        if words:
            yield " ".join([words[0].rpartition("/")[2], *words[1:]])


def goal_words(goal: str) -> str:
    """What a goal is called on the screen."""
    words = {
        "detect": _("detected"),
        "decide": _("decided"),
        "recover": _("recovered"),
        "verify": _("verified"),
        "announce": _("outage announced"),
        "resolve": _("recovery announced"),
        "record": _("written down"),
        "must-not": _("must not be done"),
        "wrong-target": _("wrong target"),
    }
    return words.get(goal, goal)


def debrief(result: Score) -> str:
    """The score as text, a goal a line."""
    lines = [_("{scenario}: {total} of 100").format(scenario=result.scenario, total=result.total), ""]
    for mark in result.marks:
        points = f"{mark.points:g}/{mark.of}" if mark.of else f"{mark.points:g}"
        lines.append(f"  {points:>8}  {goal_words(mark.goal)}: {mark.evidence}")
    if result.recovered_s is None:
        ending = _("the service did not recover")
    else:
        ending = _("the service was back after {seconds} s").format(seconds=round(result.recovered_s))
    lines += [
        "",
        ending,
        _("{runs} commands run in {seconds} s").format(runs=result.runs, seconds=round(result.length_s)),
    ]
    return "\n".join(lines)
