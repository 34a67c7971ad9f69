"""The record of a session and what it has come to: events go in, the fold is what everybody sees."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from msgspec import structs

from cockpit.errors import UsageError
from cockpit.runbook.model import Runbook, Step
from cockpit.safety.environment import child_environment
from cockpit.safety.permit import Mode
from cockpit.session.record.event import Event, Status
from cockpit.session.record.fanout import come_to, questions_of, took_s
from cockpit.session.record.folder import SessionFolder
from cockpit.session.record.inputs import InputBook
from cockpit.session.record.modes import Modes
from cockpit.session.record.secrets import SecretBook
from cockpit.session.record.state import SessionState, fold
from cockpit.words import _


class Records(Protocol):
    """The journal, as the engine uses it."""

    def append(self, kind: str, data: Mapping[str, Any], *, actor: str, durable: bool = False) -> Event:
        """Write one record; durable ones are on disk when it returns."""


@dataclass(slots=True)
class ShellState:
    """What steps of one target hand on to the next: exported variables and the working directory.

    `inside` is the last step that has a folder of its own, and where its last command ended: the next one of that block
    begins there.
    """

    variables: dict[str, str] = field(default_factory=dict)
    cwd: str | None = None
    inside: tuple[str, str | None] | None = None


class Ledger:
    """Writes events down, and knows what they add up to; it keeps nothing else but what must not be written down."""

    def __init__(
        self,
        folder: SessionFolder,
        runbook: Runbook,
        journal: Records,
        secrets: SecretBook,
        *,
        state: SessionState | None,
        modes: Modes,
    ) -> None:
        self.folder = folder
        self.runbook = runbook
        self.secrets = secrets
        self.state = state or SessionState()
        self.shells: dict[str, ShellState] = {}
        self.homes: dict[str, str] = {}
        self.on_event: Callable[[Event], None] = lambda _event: None
        self._journal = journal
        self._modes = modes
        self._inputs = InputBook(runbook.inputs, secrets)

    def record(self, kind: str, *, actor: str = "host", durable: bool = False, **data: Any) -> Event:
        """Append one event, fold it in, and tell whoever listens."""
        event = self._journal.append(kind, data, actor=actor, durable=durable)
        self.state = fold(self.state, event)
        self.on_event(event)
        return event

    @property
    def mode(self) -> Mode:
        """The mode of this moment: that of the session, unless something keeps it read-only."""
        return self._modes.now(self.state)

    def values(self, target: str | None = None) -> dict[str, str]:
        """Every input's value on a target, secret ones included: they are in this process only."""
        return self._inputs.values(self.state, self._environment(target or self.state.target))

    def _environment(self, target: str) -> dict[str, str]:
        """The variables a step on the target will see, but for its inputs."""
        return child_environment({**os.environ, **self.shell(target).variables})

    def shell(self, target: str) -> ShellState:
        """What the target's steps carry on. The first one of a target begins in its home."""
        return self.shells.setdefault(target, ShellState(cwd=self.homes.get(target)))

    def finish(self, step: str, status: Status, *, actor: str = "host", part: str | None = None, **data: Any) -> None:
        """Record the end of a step (or of one part: the step then stands as its parts together say)."""
        if part:
            data |= {"part": part, "step_status": self._with_part(step, part, status).value}
        self.record(
            "step.finished",
            actor=actor,
            durable=True,
            **{
                "step": step,
                "status": status.value,
                "exit_code": None,
                "signal": None,
                "duration_s": None,
                "output": None,
                "expectations": [],
                **data,
            },
        )

    def end_fan_out(
        self, first: int, *, actor: str = "host", ask: bool = True, stopped: bool = False, remark: str = ""
    ) -> None:
        """Record what a step came to on its targets, once none of them runs any more.

        Args:
            ask: where only a person's word is missing, wait for it; else it stands as not judged.
            stopped: a person stopped it.
            remark: why it went no further.
        """
        fan_out = self.state.fan_outs[first]
        lines = fan_out.lines(self.state.runs)
        about: dict[str, Any] = {"part": fan_out.part, "group": {"name": fan_out.name, "first": first}}
        judged = all(line.status in (Status.PASSED, Status.AWAITING, Status.SKIPPED, Status.TODO) for line in lines)
        questions = questions_of(self.state, fan_out.step)
        if questions and judged and ask:
            self.record("step.exited", durable=True, step=fan_out.step, questions=questions, **about)
            return
        lines = tuple(structs.replace(line, status=_at_the_end(line.status)) for line in lines)
        status, reason = come_to(lines, stopped=stopped)
        unjudged = _judge_it(questions) if questions and not ask else ""
        reason = "; ".join(filter(None, (remark, reason, unjudged)))
        ends = {line.target: line.status.value for line in lines}
        spent_s = took_s(fan_out, lines)
        self.finish(fan_out.step, status, actor=actor, reason=reason, duration_s=spent_s, targets=ends, **about)

    def _with_part(self, step_id: str, part: str, status: Status) -> Status:
        step = self._step(step_id)
        parts = {**self.state.step(step_id).parts, part: status}
        ends = [parts.get(p.id, Status.TODO) for p in step.parts if not p.alternative or p.id in parts]
        for worst in (Status.UNKNOWN, Status.FAILED, Status.TIMED_OUT, Status.CANCELLED, Status.REFUSED):
            if worst in ends:
                return worst
        if all(end is Status.SKIPPED for end in ends):
            return Status.SKIPPED
        return Status.PASSED if all(end in (Status.PASSED, Status.SKIPPED) for end in ends) else Status.TODO

    def _step(self, step: str) -> Step:
        found = self.runbook.step(step)
        if found is None:
            raise UsageError(_("no step {step}").format(step=step), mend=_("`cockpit show` lists the steps"))
        return found

    def _idle_step(self, step: str, part: str | None = None) -> Step:
        found = self._step(step)
        if part is not None and part not in [each.id for each in found.parts]:
            raise UsageError(_("no step {step}").format(step=part), mend=_("`cockpit show` lists the steps"))
        if self.state.step(step).status is Status.RUNNING:
            raise UsageError(_("the step is running"), mend=_("cancel it first"))
        return found


def _at_the_end(status: Status) -> Status:
    """How a target stands once nothing more comes."""
    return {Status.AWAITING: Status.UNKNOWN, Status.TODO: Status.SKIPPED}.get(status, status)


def _judge_it(questions: Sequence[str]) -> str:
    return _("a person must judge: {questions}").format(questions="; ".join(questions))
