"""The engine: what may happen in a session, and the record of it. One instance, in the host, is the one that acts.

Every method records first what it is about to do (durably, where something runs) and what came of it. The state that
everybody sees is the fold of those records; the engine keeps nothing of its own but what must not be written down.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from cockpit.adapters.base import RunsSteps
from cockpit.errors import CockpitError, PolicyRefusal, UsageError
from cockpit.runbook.model import Runbook, Step, StepKind
from cockpit.safety.environment import child_environment
from cockpit.safety.permit import Confirmation, Mode, Rung, grant, required_rung
from cockpit.session.drafting import Draft, command_step, draft
from cockpit.session.event import Event, Status
from cockpit.session.filling import fill_text
from cockpit.session.folder import SessionFolder
from cockpit.session.inputs import InputBook
from cockpit.session.intent import intent_of
from cockpit.session.modes import Modes
from cockpit.session.proposal import Proposal
from cockpit.session.secrets import SecretBook
from cockpit.session.state import SessionState, fold
from cockpit.session.targets import able, adapter_called, adapter_for, target_for
from cockpit.words import _

# A proposal shown long ago, by this viewer or another, has to be looked at again.
_DRAFTS_KEPT = 32


class Records(Protocol):
    """The journal, as the engine uses it."""

    def append(self, kind: str, data: Mapping[str, Any], *, actor: str, durable: bool = False) -> Event:
        """Write one record; durable ones are on disk when it returns."""


@dataclass(slots=True)
class ShellState:
    """What steps of one target hand on to the next: exported variables and the working directory."""

    variables: dict[str, str] = field(default_factory=dict)
    cwd: str | None = None


class Engine:
    """The step state machine of one session.

    Args:
        adapters: by target name, what runs that target's steps.
        timeout_s: the deadline of steps that name none; None for no deadline.
        modes: what keeps the session read-only whatever was chosen; None for nothing.
    """

    def __init__(
        self,
        folder: SessionFolder,
        runbook: Runbook,
        journal: Records,
        adapters: Mapping[str, RunsSteps],
        secrets: SecretBook,
        *,
        state: SessionState | None = None,
        timeout_s: float | None = None,
        environment: str = "",
        modes: Modes | None = None,
    ) -> None:
        self.folder = folder
        self.runbook = runbook
        self.adapters = adapters
        self.secrets = secrets
        self.state = state or SessionState()
        self.timeout_s = timeout_s
        self.environment = environment
        self._modes = modes or Modes()
        self.shells: dict[str, ShellState] = {}
        self.on_event: Callable[[Event], None] = lambda _event: None
        self._journal = journal
        self._drafts: dict[str, Draft] = {}
        self._numbers = itertools.count(1)
        self._inputs = InputBook(runbook.inputs, secrets)

    # -- the record ------------------------------------------------------------------------------------------------

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
        """What the target's steps carry on."""
        return self.shells.setdefault(target, ShellState())

    # -- before a step runs ----------------------------------------------------------------------------------------

    def propose(
        self, step: str, *, part: str | None = None, code: str | None = None, target: str | None = None
    ) -> Proposal:
        """What running the step would do. Nothing runs; the proposal is kept until it is run or replaced.

        Without a `target` it goes to the one the step names, else to the session's, else to the one that ran the last
        step of its language, else to the only one that can.
        """
        chosen = target or self._target_of(step)
        made = draft(
            self.runbook,
            step,
            part_id=part,
            code=code,
            target=chosen,
            mode=self.mode,
            values=self.values(chosen),
            environment=self._environment(chosen),
        )
        number = f"p{next(self._numbers)}"
        self._drafts[number] = made
        while len(self._drafts) > _DRAFTS_KEPT:
            del self._drafts[next(iter(self._drafts))]
        refusal = self._refusal(made)
        return Proposal(
            proposal=number,
            step=step,
            part=part,
            sha256=made.action.sha256,
            language=made.action.language,
            command=self.secrets.redact(made.action.body),
            target=chosen,
            verdict=made.judgement.verdict,
            rung=made.rung,
            reasons=made.judgement.reasons,
            tags=made.judgement.tags,
            missing=made.missing,
            values={name: self._inputs.shown(name, value) for name, value in made.values.items()},
            cwd=self.shell(chosen).cwd,
            interactive=made.interactive,
            endless=made.endless,
            edited=made.original is not None,
            timeout_s=self._deadline_s(made),
            refusal=refusal.what if refusal else "",
            mend=refusal.mend if refusal else "",
            environment=self.environment,
            inside=made.inside,
            targets=able(self.adapters, made.action.language),
        )

    def _target_of(self, step_id: str) -> str:
        step = command_step(self.runbook, step_id)
        language = step.language or "bash"
        ran = (run.intent for run in reversed(tuple(self.state.runs.values())))
        last = next((intent.get("target") for intent in ran if intent.get("language") == language), None)
        wishes = (step.attributes.get("target"), self.state.target, last)
        return target_for(language, self.adapters, wishes) or self.state.target

    def _deadline_s(self, made: Draft) -> float | None:
        if made.endless or made.interactive:
            return None
        return made.step.timeout_s or self.timeout_s

    def _refusal(self, made: Draft) -> CockpitError | None:
        """Why this draft can't run as things stand, missing inputs aside."""
        if made.rung is Rung.REFUSED:
            return self._modes.refusal(made.judgement)
        try:
            self.adapter(made)
        except CockpitError as error:
            return error
        return None

    def adapter(self, made: Draft) -> RunsSteps:
        """The adapter of the draft's target.

        Raises:
            UsageError: no such target, or it can't run this language.
        """
        return adapter_for(made.action.language, self.adapters, made.action.target)

    def forget_drafts(self) -> None:
        """What was shown was judged under conditions that no longer hold: it has to be looked at again."""
        self._drafts = {}

    # -- permits ---------------------------------------------------------------------------------------------------

    def permitted(self, proposal: str, confirmation: Confirmation | None, by: str) -> tuple[Draft, Any]:
        """The draft and its permit, judged again in the mode of this moment.

        Raises:
            UsageError: the proposal is gone, or inputs are missing. PolicyRefusal: a rung is missing; recorded.
        """
        made = self._drafts.pop(proposal, None)
        if made is None:
            raise UsageError(_("this proposal is out of date"), mend=_("look at the command again"))
        if made.missing:
            raise UsageError(
                _("inputs are missing: {names}").format(names=", ".join(made.missing)), mend=_("fill them first")
            )
        try:
            if made.rung is Rung.CONFIRM and required_rung(made.judgement, self.mode) is Rung.NONE and not confirmation:
                raise PolicyRefusal(
                    _("this is meant to run inside {session}").format(session=made.inside), mend=_("confirm it")
                )
            permit = grant(made.action, made.judgement, self.mode, lambda: self.mode, by=by, confirmation=confirmation)
            self.adapter(made)
        except CockpitError as refusal:
            self.finish(
                made.step.id,
                Status.REFUSED,
                actor=by,
                part=made.part.id if made.part else None,
                reason=str(refusal),
                verdict=made.judgement.verdict.value,
            )
            raise
        return made, permit

    def intent(self, made: Draft, run: int, confirmation: Confirmation | None, by: str) -> None:
        """The durable record of exactly what is about to run, written before it does."""
        attempts = sum(record.step == made.step.id for record in self.state.runs.values())
        shown = {name: self._inputs.shown(name, value) for name, value in made.values.items()}
        cwd = self.shell(made.action.target).cwd
        data = intent_of(made, confirmation, shown, cwd=cwd, timeout_s=self._deadline_s(made))
        self.record("step.intent", actor=by, durable=True, run=run, attempt=attempts + 1, **data)

    # -- what people say -------------------------------------------------------------------------------------------

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

    def _with_part(self, step_id: str, part: str, status: Status) -> Status:
        step = self._step(step_id)
        parts = {**self.state.step(step_id).parts, part: status}
        ends = [parts.get(p.id, Status.TODO) for p in step.parts if not p.alternative or p.id in parts]
        for worst in (Status.UNKNOWN, Status.FAILED, Status.TIMED_OUT, Status.CANCELLED, Status.REFUSED):
            if worst in ends:
                return worst
        return Status.PASSED if all(end in (Status.PASSED, Status.SKIPPED) for end in ends) else Status.TODO

    def skip(self, step: str, reason: str, by: str) -> None:
        """Leave a step out, with the reason for the record.

        Raises:
            UsageError: no reason, no such step, or it is running.
        """
        self._idle_step(step)
        if not reason.strip():
            raise UsageError(_("skipping needs a reason"), mend=_("say why, in a few words"))
        self.finish(step, Status.SKIPPED, actor=by, reason=reason.strip())

    def tick(self, step: str, held: bool, reason: str, by: str) -> None:
        """A person says that a check held, or did not; also how a command done by hand is ticked.

        Raises:
            UsageError: no such step, or it is running; not held without a reason for a command done by hand.
        """
        found = self._idle_step(step)
        if found.kind is StepKind.COMMAND and not reason.strip():
            raise UsageError(_("ticking a command that was not run here needs a reason"), mend=_("say what was done"))
        self.finish(step, Status.PASSED if held else Status.FAILED, actor=by, reason=reason.strip(), by_hand=True)

    def reopen(self, step: str, reason: str, by: str) -> None:
        """Take a tick back."""
        self._idle_step(step)
        self.record("step.reopened", actor=by, step=step, reason=reason)

    def answer(self, step: str, question: str, held: bool, by: str) -> None:
        """A person answers what a machine can't check; the last answer ends the step.

        Raises:
            UsageError: the step asks nothing, or not this.
        """
        self._step(step)
        self.record("step.answered", actor=by, step=step, question=question, held=held)
        state = self.state.step(step)
        run = self.state.runs.get(state.runs[-1]) if state.runs else None
        if run is None or run.status is not Status.AWAITING:
            return
        findings = [dict(finding) for finding in run.result.get("expectations", [])]
        for finding in findings:
            if finding["text"] == question and finding["held"] is None:
                finding |= {"held": held, "by": by}
        if any(finding["held"] is None for finding in findings):
            self.record("step.exited", **{**run.result, "expectations": findings})
            return
        status = Status.PASSED if all(finding["held"] for finding in findings) else Status.FAILED
        result = {key: value for key, value in run.result.items() if key not in ("step", "part", "questions")}
        self.finish(step, status, actor=by, part=run.intent.get("part"), **{**result, "expectations": findings})

    def note(self, text: str, step: str | None, by: str) -> None:
        """Write something down.

        Raises:
            UsageError: nothing to write.
        """
        if not text.strip():
            raise UsageError(_("the note is empty"))
        self.record("note.added", actor=by, durable=True, text=text.strip(), step=step, by=by)

    def message_text(self, step: Step) -> str:
        """A message step's template with the values that are known and not secret."""
        used = [blank for blank in self.runbook.inputs if blank.name in step.inputs and not blank.secret]
        return fill_text(step.text or "", used, self.values())

    def unfilled(self, step: Step) -> list[str]:
        """The names of a message step's inputs that have no value yet."""
        used = (blank for blank in self.runbook.inputs if blank.name in step.inputs)
        return [blank.name for blank in used if blank.default is None and blank.name not in self.values()]

    def message(self, step: str, text: str, sent: bool, by: str) -> None:
        """Keep an announcement as it was prepared or sent by hand; a sent one ticks its step."""
        self._step(step)
        self.record("message.prepared", actor=by, durable=True, step=step, text=text, sent=sent)
        if sent:
            self.finish(step, Status.PASSED, actor=by, reason=_("sent by hand"))

    def set_input(self, name: str, value: str, by: str, *, source: str = "typed") -> None:
        """Fill a blank of the runbook for the whole session. A secret's value stays in this process.

        Raises:
            UsageError: the runbook has no such input.
        """
        known = self.runbook.input(name)
        name = known.name if known else name
        shown, secret = self._inputs.fill(name, value)
        self.record("input.set", actor=by, name=name, value=shown, secret=secret, source=source)

    def set_mode(self, mode: str, reason: str, by: str) -> None:
        """Change the mode. Drafts are forgotten, so what was shown under the old mode is judged again.

        Raises:
            PolicyRefusal: it has to stay as it is.
        """
        changed = self._modes.changed(self.state, mode)
        self._drafts = {}
        self.record("mode.changed", actor=by, durable=True, mode=changed.value, reason=reason)

    def set_target(self, target: str, by: str) -> None:
        """Change where steps run.

        Raises:
            UsageError: no such target.
        """
        adapter_called(target, self.adapters)
        self._drafts = {}
        self.record("target.changed", actor=by, target=target)

    def _step(self, step: str) -> Step:
        found = self.runbook.step(step)
        if found is None:
            raise UsageError(_("no step {step}").format(step=step), mend=_("`cockpit show` lists the steps"))
        return found

    def _idle_step(self, step: str) -> Step:
        found = self._step(step)
        if self.state.step(step).status is Status.RUNNING:
            raise UsageError(_("the step is running"), mend=_("cancel it first"))
        return found
