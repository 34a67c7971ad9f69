"""The engine: what may happen in a session, and the record of it. One instance, in the host, is the one that acts.

Every method records first what it is about to do (durably, where something runs) and what came of it. The state that
everybody sees is the fold of those records; the engine keeps nothing of its own but what must not be written down.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from msgspec import structs

from cockpit.adapters.base import RunsElsewhere, RunsSteps
from cockpit.adapters.followed import folder_gone
from cockpit.errors import CockpitError, FolderGone, PolicyRefusal, SecondPersonMissing, UsageError
from cockpit.runbook.model import Runbook, StepKind
from cockpit.runs.files import RECALLED
from cockpit.safety.permit import Confirmation, Mode, Rung, grant, required_rung
from cockpit.safety.verdict import Verdict
from cockpit.session.record.event import Status
from cockpit.session.record.folder import PRIVATE_FILE, SessionFolder
from cockpit.session.record.ledger import Records
from cockpit.session.record.modes import Modes
from cockpit.session.record.secrets import SecretBook, redacted
from cockpit.session.record.state import SessionState
from cockpit.session.steps.approvals import Approvals
from cockpit.session.steps.drafting import Draft, command_step, doubted, draft, filled_text, require_whole
from cockpit.session.steps.intent import intent_of, shown_to_second
from cockpit.session.steps.messages import LANGUAGE, message_draft, require_no_secret, sent_before
from cockpit.session.steps.proposal import Proposal
from cockpit.session.steps.repeating import plan_of
from cockpit.session.steps.said import Said
from cockpit.session.steps.targets import able, adapter_called, adapter_for, has_folders, target_for
from cockpit.words import _

# A proposal shown long ago, by this viewer or another, has to be looked at again.
_DRAFTS_KEPT = 32


class Engine(Said):
    """The step state machine of one session.

    Args:
        adapters: by target name, what runs that target's steps.
        timeout_s: the deadline of steps that name none; None for no deadline.
        modes: what keeps the session read-only whatever was chosen; None for nothing.
        approvals: what takes a second person; None for nothing.
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
        approvals: Approvals | None = None,
    ) -> None:
        super().__init__(folder, runbook, journal, secrets, state=state, modes=modes or Modes())
        self.adapters = adapters
        self.timeout_s = timeout_s
        self.environment = environment
        self.approvals = approvals or Approvals()
        self._drafts: dict[str, Draft] = {}
        self._numbers = itertools.count(1)

    # -- before a step runs ----------------------------------------------------------------------------------------

    def propose(
        self, step: str, *, part: str | None = None, code: str | None = None, target: str | None = None
    ) -> Proposal:
        """What running the step would do. Nothing runs; the proposal is kept until it is run or replaced.

        Without a `target` it goes to the one the step names, else to the session's, else to the one that ran the last
        step of its language, else to the only one that can.
        """
        chosen = target or self._target_of(step, part, code)
        made = self._draft(step, part, code, chosen)
        if made.judgement.verdict is Verdict.READ_ONLY and self._was_refused(made.action.sha256):
            made = doubted(made, self.mode)
        number = f"p{next(self._numbers)}"
        self._drafts[number] = made
        while len(self._drafts) > _DRAFTS_KEPT:
            del self._drafts[next(iter(self._drafts))]
        refusal = self._refusal(made)
        plan, unrepeated = plan_of(made)
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
            cwd=self._folder(chosen),
            interactive=made.interactive,
            endless=made.endless,
            lasts_s=made.lasts_s,
            edited=made.original is not None,
            timeout_s=self._deadline_s(made),
            refusal=refusal.what if refusal else "",
            mend=refusal.mend if refusal else "",
            folder_gone=isinstance(refusal, FolderGone),
            undo=self.secrets.redact(made.undo),
            environment=self.environment,
            inside=made.inside,
            targets=able(self.adapters, made.action.language, made.action.body),
            times=plan.times,
            every_s=plan.every_s,
            within_s=plan.within_s,
            unrepeated=unrepeated,
        )

    def _draft(self, step_id: str, part: str | None, code: str | None, target: str) -> Draft:
        step, values = self.runbook.step(step_id), self.values(target)
        if step is None or step.kind is not StepKind.MESSAGE:
            environment = self._known_environment(target)
            return draft(
                self.runbook, step_id, part_id=part, code=code, target=target, mode=self.mode, values=values,
                environment=environment,
            )  # fmt: skip
        made = message_draft(self.runbook, step, code=code, target=target, mode=self.mode, values=values)
        if not sent_before(self.state, step_id):
            return made
        told = _("it was sent before, or may have been: people would get it twice")
        return replace(made, judgement=structs.replace(made.judgement, reasons=(told, *made.judgement.reasons)))

    def _target_of(self, step_id: str, part: str | None, code: str | None) -> str:
        step = self._step(step_id)
        if step.kind is not StepKind.MESSAGE:
            command_step(self.runbook, step_id)
        language = LANGUAGE if step.kind is StepKind.MESSAGE else step.language or "bash"
        ran = (run.intent for run in reversed(tuple(self.state.runs.values())))
        last = next((intent.get("target") for intent in ran if intent.get("language") == language), None)
        named, wishes = step.attributes.get("target"), (self.state.target, last)
        text = filled_text(self.runbook, step_id, part, code, self.values()) if language == "http" else ""
        return target_for(language, self.adapters, named, wishes, text) or self.state.target

    def _known_environment(self, target: str) -> dict[str, str] | None:
        """The variables that the target's scripts see, None when it is another machine that knows them."""
        return None if isinstance(self.adapters.get(target), RunsElsewhere) else self._environment(target)

    def _was_refused(self, sha256: str) -> bool:
        """Whether the backend itself refused this very action, sealed as something that only reads."""
        runs = (run for run in self.state.runs.values() if run.intent.get("sha256") == sha256)
        return any(run.status is Status.REFUSED and run.result.get("exit_code") is not None for run in runs)

    def _deadline_s(self, made: Draft) -> float | None:
        if made.endless or made.interactive:
            return None
        return made.step.timeout_s or self.timeout_s

    def _refusal(self, made: Draft) -> CockpitError | None:
        """Why this draft can't run as things stand, missing inputs aside."""
        if made.rung is Rung.REFUSED:
            return self._modes.refusal(made.judgement)
        try:
            require_whole(made)
            require_no_secret(made, self.secrets.redact)
            if made.missing and made.action.language == "http":
                return None  # where it goes may be what is missing
            self._require_folder(made.action.target, self.adapter(made))
        except CockpitError as error:
            return error
        return None

    def _folder(self, target: str) -> str | None:
        """The folder that a step of this target runs in; None where it isn't known, or means nothing."""
        adapter = self.adapters.get(target)
        return self.shell(target).cwd if adapter is None or has_folders(adapter) else None

    def _require_folder(self, target: str, adapter: RunsSteps) -> None:
        """On this machine it can be told beforehand that the folder is gone in which the last step ended."""
        cwd = self.shell(target).cwd
        if not isinstance(adapter, RunsElsewhere) and cwd is not None and not os.access(cwd, os.X_OK):
            raise folder_gone(cwd)

    def adapter(self, made: Draft) -> RunsSteps:
        """The adapter of the draft's target.

        Raises:
            UsageError: no such target, or it can't run this language.
        """
        return adapter_for(made.action.language, self.adapters, made.action.target, made.action.body)

    def forget_drafts(self) -> None:
        """What was shown was judged under conditions that no longer hold: it has to be looked at again."""
        self._drafts = {}
        self.approvals.forget()

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
            require_whole(made)
            require_no_secret(made, self.secrets.redact)
            modes = self.mode, lambda: self.mode
            permit = grant(
                made.action,
                made.judgement,
                *modes,
                least=made.rung,
                by=by,
                confirmation=confirmation,
                second_person=self.approvals.rule(),
                approval=self.approvals.given(made.action.sha256, self._folder(made.action.target)),
            )
            self.adapter(made)
        except SecondPersonMissing as missing:
            self._ask_second(made, confirmation, by)
            mend = _("somebody else approves it with `cockpit approve {session}`; then run it again")
            raise SecondPersonMissing(missing.what, mend=mend.format(session=self.folder.name)) from missing
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

    def _ask_second(self, made: Draft, confirmation: Confirmation | None, by: str) -> None:
        cwd = self._folder(made.action.target)
        values = {name: self._inputs.shown(name, value) for name, value in made.values.items()}
        reason = confirmation.reason if confirmation else ""
        told = shown_to_second(made, values, environment=self.environment, cwd=cwd, by=by, reason=reason)
        shown = redacted(told, self.secrets.redact)
        asked, new = self.approvals.ask(made.action.sha256, cwd, shown)
        if new:
            step, part = made.step.id, made.part.id if made.part else None
            number, sha256 = asked.number, made.action.sha256
            self.record("approval.asked", actor=by, durable=True, approval=number, step=step, part=part, sha256=sha256)

    def second_word(self, number: str, digest: str, *, yes: bool, name: str, uid: int) -> None:
        """Take another user's yes or no to what they were shown.

        Raises:
            UsageError: it no longer waits, or is not what they were shown.
        """
        told = {"approval": number, "by": name, "uid": uid}
        if yes:
            self.approvals.answer(number, digest, name)
            self.record("approval.given", actor=f"approver:{name}", durable=True, **told)
        else:
            self.approvals.deny(number, digest)
            self.record("approval.denied", actor=f"approver:{name}", durable=True, **told)

    def intent(
        self,
        made: Draft,
        run: int,
        confirmation: Confirmation | None,
        by: str,
        *,
        repetition: Mapping[str, Any] | None = None,
    ) -> None:
        """The durable record of exactly what is about to run, written before it does.

        What others were shown of the same step was shown before this run: they have to look again.

        Args:
            repetition: which of several runs of one attempt this is.
        """
        self._drafts = {number: other for number, other in self._drafts.items() if other.step.id != made.step.id}
        again = repetition is not None and repetition["number"] > 1
        runs = [record for record in self.state.runs.values() if record.step == made.step.id]
        attempts = sum(record.repetition is None or record.repetition[0] == 1 for record in runs)
        shown = {name: self._inputs.shown(name, value) for name, value in made.values.items()}
        cwd = self._folder(made.action.target)
        data = intent_of(made, confirmation, shown, cwd=cwd, timeout_s=self._deadline_s(made))
        if approved_by := self.approvals.use_up(made.action.sha256):
            data["approved_by"] = approved_by
        if repetition is not None:
            data["repetition"] = repetition
        attempts += not again
        self.record("step.intent", actor=by, durable=True, run=run, attempt=attempts, **data)

    def reveal(self, name: str, by: str) -> str:
        """A secret input as it was typed. That it was shown, and to whom, is on record before it is.

        Raises:
            UsageError: it is not known: not filled in, or to a host that died since.
        """
        value = self._inputs.typed(name)
        self.record("input.revealed", actor=by, durable=True, name=name)
        return value

    def set_input(self, name: str, value: str, by: str, *, source: str = "typed") -> None:
        """Fill a blank of the runbook for the whole session. A secret's value stays in this process.

        Raises:
            UsageError: the runbook has no such input.
        """
        known = self.runbook.input(name)
        name = known.name if known else name
        shown, secret = self._inputs.fill(name, value)
        self._drafts = {}
        self.record("input.set", actor=by, name=name, value=shown, secret=secret, source=source)

    def set_mode(self, mode: str, reason: str, by: str) -> None:
        """Change the mode. Drafts are forgotten, so what was shown under the old mode is judged again.

        Raises:
            PolicyRefusal: it has to stay as it is.
        """
        changed = self._modes.changed(self.state, mode)
        self.forget_drafts()
        self.record("mode.changed", actor=by, durable=True, mode=changed.value, reason=reason)
        if changed is Mode.READ_ONLY:
            self._recall()

    def _recall(self) -> None:
        """Tell programs that are still on their way to their backend that nothing may be changed any more."""
        for record in self.state.running:
            if record.intent.get("verdict") != Verdict.READ_ONLY.value:
                with contextlib.suppress(OSError):
                    (self.folder.run(record.run) / RECALLED).touch(PRIVATE_FILE)

    def set_target(self, target: str, by: str) -> None:
        """Change where steps run.

        Raises:
            UsageError: no such target.
        """
        adapter_called(target, self.adapters)
        self.forget_drafts()
        self.record("target.changed", actor=by, target=target)

    def fresh_shell(self, target: str, by: str) -> None:
        """Let the target's next step begin as the first one did: no exported variables, and in its first folder.

        Raises:
            UsageError: no such target, or a step is running there.
        """
        adapter_called(target, self.adapters)
        self.require_idle(target)
        self.shells.pop(target, None)
        shell = self.shell(target)
        if shell.cwd is not None and not os.access(shell.cwd, os.X_OK):
            shell.cwd = None  # it was this folder that went: the operator's own home is left
        self.forget_drafts()
        self.record("state.reset", actor=by, durable=True, target=target, cwd=shell.cwd)

    def require_idle(self, target: str) -> None:
        """One step at a time on a target: the next one begins as this one ends.

        Raises:
            UsageError: a step is running there.
        """
        for record in self.state.running:
            if record.intent.get("target") == target:
                raise UsageError(
                    _("a step is still running on {target}").format(target=target),
                    where=record.step,
                    mend=_("wait for it, or cancel it"),
                )
