"""The one pure fold: (SessionState, Event) -> SessionState.

Screen, spectator, resume, replay, report and headless output all see a session through this, so they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from cockpit.session.record.event import Event, Status
from cockpit.session.record.fanout import FanOut, begun

_EMPTY: Mapping[Any, Any] = MappingProxyType({})


def _nothing() -> Mapping[Any, Any]:
    return _EMPTY


class RunRecord(Struct, frozen=True):
    """One attempt at a step: what was to run, and how it ended (`status` RUNNING until then).

    `output` is the path of its output inside the session folder; `intent` and `result` are the events' data.
    """

    run: int
    step: str
    status: Status
    intent_t: str
    started_t: str | None = None
    finished_t: str | None = None
    intent: Mapping[str, Any] = field(default_factory=_nothing)
    result: Mapping[str, Any] = field(default_factory=_nothing)
    silence_s: float | None = None

    @property
    def output(self) -> str:
        """Path of the output file inside the session folder."""
        return f"runs/{self.run:04d}/output"

    @property
    def repetition(self) -> tuple[int, int] | None:
        """Which of several runs of one attempt this is, and of how many: (3, 5); 0 where the number is not fixed.

        None for a run that stands alone.
        """
        told = self.intent.get("repetition")
        return (int(told["number"]), int(told["of"])) if told else None

    @property
    def begins_attempt(self) -> bool:
        """Whether an attempt at its step begins with it."""
        return begins_attempt(self.intent)

    @property
    def group_first(self) -> int:
        """The first run of the fan-out that it belongs to; 0 for one that went to a target alone."""
        return int((self.intent.get("group") or {}).get("first", 0))

    @property
    def goes_on(self) -> bool:
        """Whether it ended as one of several runs of which more were to follow."""
        return self.repetition is not None and bool(self.result) and "repetitions" not in self.result

    @property
    def waits(self) -> bool:
        """Whether it is the next of several runs, on record and not yet due."""
        again = self.repetition is not None and self.repetition[0] > 1
        return again and self.status is Status.RUNNING and self.started_t is None


def begins_attempt(intent: Mapping[str, Any]) -> bool:
    """Whether a run is the first of its attempt: of several in a row, and of several targets."""
    number = (intent.get("repetition") or {}).get("number", 1)
    return bool(number == 1 and (intent.get("group") or {}).get("place", 1) == 1)


class StepState(Struct, frozen=True):
    """Where a step stands.

    `runs` are its attempts' numbers in order; `answers` by question text; `parts` the last status of each part that
    was run, ticked or left out alone; `said` why, and who says so, of those that did not run.
    """

    status: Status = Status.TODO
    runs: tuple[int, ...] = ()
    reason: str = ""
    answers: Mapping[str, bool] = field(default_factory=_nothing)
    parts: Mapping[str, Status] = field(default_factory=_nothing)
    said: Mapping[str, tuple[str, str]] = field(default_factory=_nothing)
    by: str = ""
    at: str = ""


class Note(Struct, frozen=True):
    """Something a person wrote down."""

    t: str
    text: str
    step: str | None
    by: str


class ProbeChange(Struct, frozen=True):
    """The last change of a probe that the journal holds."""

    outcome: str
    level: str | None
    text: str
    t: str


class SessionState(Struct, frozen=True):
    """Everything a session has come to, up to event `seq`.

    `brief` is what a trainee is told at the start. `cwd` and `variables` are what steps of a target carry on; `fresh`
    the last run of a target before its shell was begun afresh. `fan_outs`: steps that went to a group, by their first
    run. `gates`: how watched gates stand, by step, as their last `gate.changed` says.
    """

    seq: int = 0
    session: str = ""
    runbook: Mapping[str, Any] = field(default_factory=_nothing)
    mode: str = "live"
    rehearsal: bool = False
    brief: str = ""
    environment: str = ""
    title: str = ""
    enforcement: Mapping[str, Mapping[str, Any]] = field(default_factory=_nothing)
    target: str = "local"
    severity: str | None = None
    started_t: str | None = None
    ended_t: str | None = None
    user: str = ""
    steps: Mapping[str, StepState] = field(default_factory=_nothing)
    runs: Mapping[int, RunRecord] = field(default_factory=_nothing)
    fan_outs: Mapping[int, FanOut] = field(default_factory=_nothing)
    inputs: Mapping[str, str] = field(default_factory=_nothing)
    secret_inputs: frozenset[str] = frozenset()
    cwd: Mapping[str, str] = field(default_factory=_nothing)
    variables: Mapping[str, tuple[str, ...]] = field(default_factory=_nothing)
    fresh: Mapping[str, int] = field(default_factory=_nothing)
    notes: tuple[Note, ...] = ()
    probes: Mapping[str, ProbeChange] = field(default_factory=_nothing)
    recommendations: Mapping[str, Mapping[str, Any]] = field(default_factory=_nothing)
    gates: Mapping[str, Mapping[str, Any]] = field(default_factory=_nothing)
    viewers: Mapping[str, Mapping[str, Any]] = field(default_factory=_nothing)
    warnings: tuple[str, ...] = ()

    def step(self, step_id: str) -> StepState:
        """The step's state; TODO when nothing has happened to it yet."""
        return self.steps.get(step_id, StepState())

    @property
    def running(self) -> tuple[RunRecord, ...]:
        """Runs under way, oldest first."""
        return tuple(run for run in self.runs.values() if run.status is Status.RUNNING)

    @property
    def counts(self) -> dict[str, int]:
        """How many steps ended in each status."""
        counts: dict[str, int] = {}
        for step in self.steps.values():
            if step.status.over:
                counts[step.status.value] = counts.get(step.status.value, 0) + 1
        return counts


def fold(state: SessionState, event: Event) -> SessionState:
    """The state after one more event. Unknown kinds change nothing but `seq`: an older reader stays right."""
    handler = _HANDLERS.get(event.kind)
    after = handler(state, event) if handler else state
    return replace(after, seq=event.seq)


def _with(mapping: Mapping[Any, Any], key: Any, value: Any) -> Mapping[Any, Any]:
    return MappingProxyType({**mapping, key: value})


def _without(mapping: Mapping[Any, Any], key: Any) -> Mapping[Any, Any]:
    return MappingProxyType({k: v for k, v in mapping.items() if k != key})


def _session_started(state: SessionState, event: Event) -> SessionState:
    data = event.data
    return replace(
        state,
        session=data["session"],
        runbook=data.get("runbook", _EMPTY),
        mode=data.get("mode", "live"),
        environment=data.get("environment", ""),
        title=data.get("title", ""),
        brief=str(data.get("brief") or ""),
        rehearsal=bool(data.get("rehearsal", data.get("mode") == "rehearsal")),
        target=data.get("target", "local"),
        user=data.get("user", ""),
        started_t=event.t,
    )


def _session_ended(state: SessionState, event: Event) -> SessionState:
    return replace(state, ended_t=event.t)


def _host_recovered(state: SessionState, event: Event) -> SessionState:
    # Nobody watched while there was no host: what had not come to a proposal is to be begun anew.
    gates = {step: gate for step, gate in state.gates.items() if gate["phase"] in ("held", "broken")}
    return replace(state, ended_t=None, gates=MappingProxyType(gates))


def _step_intent(state: SessionState, event: Event) -> SessionState:
    data = event.data
    run = RunRecord(int(data["run"]), data["step"], Status.RUNNING, event.t, intent=data)
    step = state.step(run.step)
    step = replace(step, status=Status.RUNNING, runs=(*step.runs, run.run), reason="", at=event.t)
    state = replace(state, runs=_with(state.runs, run.run, run), steps=_with(state.steps, run.step, step))
    group = data.get("group")
    if not group:
        return state
    first = int(group["first"])
    known = state.fan_outs.get(first) or begun(data, event.t)
    return replace(state, fan_outs=_with(state.fan_outs, first, replace(known, runs=(*known.runs, run.run))))


def _target_finished(state: SessionState, event: Event) -> SessionState:
    return _change_run(state, event, status=Status(event.data["status"]), finished_t=event.t, result=event.data)


def _step_started(state: SessionState, event: Event) -> SessionState:
    return _change_run(state, event, started_t=event.t)


def _step_exited(state: SessionState, event: Event) -> SessionState:
    data = event.data
    if data.get("group"):
        state = _change_fan_out(state, event, Status.AWAITING)
    else:
        state = _change_run(state, event, status=Status.AWAITING, finished_t=event.t, result=data)
    step = replace(state.step(data["step"]), status=Status.AWAITING, at=event.t)
    return replace(state, steps=_with(state.steps, data["step"], step))


def _step_repeated(state: SessionState, event: Event) -> SessionState:
    status = Status(event.data["status"])
    return _change_run(state, event, status=status, finished_t=event.t, result=event.data)


def _step_silent(state: SessionState, event: Event) -> SessionState:
    return _change_run(state, event, silence_s=float(event.data["silence_s"]))


def _change_run(state: SessionState, event: Event, **changes: Any) -> SessionState:
    run = state.runs.get(int(event.data["run"]))
    if run is None:
        return state
    return replace(state, runs=_with(state.runs, run.run, replace(run, **changes)))


def _change_fan_out(state: SessionState, event: Event, status: Status) -> SessionState:
    first = int(event.data["group"]["first"])
    known = state.fan_outs.get(first)
    if known is None:
        return state
    over = replace(known, status=status, ended_t=event.t, reason=event.data.get("reason") or "")
    return replace(state, fan_outs=_with(state.fan_outs, first, over))


def _step_finished(state: SessionState, event: Event) -> SessionState:
    data = event.data
    status = Status(data["status"])
    if data.get("group"):
        state = _change_fan_out(state, event, status)
    if data.get("run") is not None:
        state = _change_run(state, event, status=status, finished_t=event.t, result=data)
    step = state.step(data["step"])
    if data.get("part"):
        ran = data.get("run") is not None or data.get("group")
        said = _without(step.said, data["part"]) if ran else _with(step.said, data["part"], _word_of(event))
        step = replace(step, parts=_with(step.parts, data["part"], status), said=said)
        status = Status(data.get("step_status", status))
    step = replace(step, status=status, reason=data.get("reason") or "", by=event.actor, at=event.t)
    return replace(state, steps=_with(state.steps, data["step"], step))


def _word_of(event: Event) -> tuple[str, str]:
    return event.data.get("reason") or "", event.actor


def _step_answered(state: SessionState, event: Event) -> SessionState:
    data = event.data
    step = state.step(data["step"])
    step = replace(step, answers=_with(step.answers, data["question"], bool(data["held"])), at=event.t)
    return replace(state, steps=_with(state.steps, data["step"], step))


def _step_reopened(state: SessionState, event: Event) -> SessionState:
    data = event.data
    status = Status(data.get("step_status", Status.TODO))
    step = replace(state.step(data["step"]), status=status, reason=data.get("reason") or "", at=event.t)
    if part := data.get("part"):
        step = replace(step, parts=_without(step.parts, part), said=_without(step.said, part))
    gates = _without(state.gates, event.data["step"])
    return replace(state, steps=_with(state.steps, event.data["step"], step), gates=gates)


def _input_set(state: SessionState, event: Event) -> SessionState:
    name = event.data["name"]
    secret = state.secret_inputs | {name} if event.data.get("secret") else state.secret_inputs - {name}
    return replace(state, inputs=_with(state.inputs, name, event.data["value"]), secret_inputs=secret)


def _state_carried(state: SessionState, event: Event) -> SessionState:
    data = event.data
    target = data["target"]
    return replace(
        state,
        cwd=_with(state.cwd, target, data.get("cwd")),
        variables=_with(state.variables, target, tuple(data.get("variables", ()))),
    )


def _state_reset(state: SessionState, event: Event) -> SessionState:
    target = event.data["target"]
    state = _state_carried(state, event)
    return replace(state, fresh=_with(state.fresh, target, max(state.runs, default=0)))


def _note_added(state: SessionState, event: Event) -> SessionState:
    note = Note(event.t, event.data["text"], event.data.get("step"), event.data.get("by", event.actor))
    return replace(state, notes=(*state.notes, note))


def _probe_changed(state: SessionState, event: Event) -> SessionState:
    data = event.data
    change = ProbeChange(data["outcome"], data.get("level"), data.get("text", ""), event.t)
    return replace(state, probes=_with(state.probes, data["probe"], change))


def _journal_recovered(state: SessionState, event: Event) -> SessionState:
    return replace(state, warnings=(*state.warnings, f"journal recovered: {event.data['bytes']} bytes set aside"))


_HANDLERS: Mapping[str, Callable[[SessionState, Event], SessionState]] = {
    "session.started": _session_started,
    "session.ended": _session_ended,
    "host.recovered": _host_recovered,
    "journal.recovered": _journal_recovered,
    "warning.raised": lambda state, event: replace(state, warnings=(*state.warnings, str(event.data["text"]))),
    "enforcement.found": lambda state, event: replace(
        state, enforcement=_with(state.enforcement, event.data["target"], event.data)
    ),
    "step.intent": _step_intent,
    "step.started": _step_started,
    "step.exited": _step_exited,
    "step.silent": _step_silent,
    "step.repeated": _step_repeated,
    "target.finished": _target_finished,
    "step.finished": _step_finished,
    "step.answered": _step_answered,
    "step.reopened": _step_reopened,
    "input.set": _input_set,
    "state.carried": _state_carried,
    "state.reset": _state_reset,
    "note.added": _note_added,
    "probe.changed": _probe_changed,
    "mode.changed": lambda state, event: replace(state, mode=event.data["mode"]),
    "target.changed": lambda state, event: replace(state, target=event.data["target"]),
    "severity.set": lambda state, event: replace(state, severity=event.data["severity"]),
    "gate.changed": lambda state, event: replace(
        state, gates=_with(state.gates, event.data["step"], {**event.data, "t": event.t})
    ),
    "recommendation.raised": lambda state, event: replace(
        state, recommendations=_with(state.recommendations, event.data["rule"], {**event.data, "t": event.t})
    ),
    "recommendation.cleared": lambda state, event: replace(
        state, recommendations=_without(state.recommendations, event.data["rule"])
    ),
    "viewer.attached": lambda state, event: replace(
        state, viewers=_with(state.viewers, event.data["viewer"], event.data)
    ),
    "viewer.detached": lambda state, event: replace(state, viewers=_without(state.viewers, event.data["viewer"])),
}
