"""The engine: what may happen in a session, and the record of it. One instance, in the host, is the one that acts.

Every method records first what it is about to do (durably, where something runs) and what came of it. The state that
everybody sees is the fold of those records; the engine keeps nothing of its own but what must not be written down.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from msgspec import structs

from cockpit.adapters.base import RunsSteps
from cockpit.config import GroupConfig
from cockpit.errors import CockpitError, FolderGone, PolicyRefusal, SecondPersonMissing, UsageError
from cockpit.runbook.model import Runbook, StepKind
from cockpit.runs.files import RECALLED
from cockpit.safety.permit import Confirmation, Mode, Permit, Rung, grant, grant_each, required_rung
from cockpit.safety.verdict import Verdict
from cockpit.session.record.event import Status
from cockpit.session.record.fanout import not_passed
from cockpit.session.record.folder import PRIVATE_FILE, SessionFolder
from cockpit.session.record.ledger import Records
from cockpit.session.record.modes import Modes
from cockpit.session.record.secrets import SecretBook, redacted
from cockpit.session.record.state import SessionState, begins_attempt
from cockpit.session.steps.approvals import Approvals
from cockpit.session.steps.drafting import (
    Draft,
    doubted,
    draft,
    drafts_together,
    require_whole,
)
from cockpit.session.steps.folders import StatedFolders
from cockpit.session.steps.intent import intent_of, shown_to_second
from cockpit.session.steps.messages import message_draft, require_no_secret, sent_before
from cockpit.session.steps.placing import Placing
from cockpit.session.steps.proposal import Proposal
from cockpit.session.steps.repeating import plan_of
from cockpit.session.steps.targets import able
from cockpit.words import _

# A proposal shown long ago, by this viewer or another, has to be looked at again.
_DRAFTS_KEPT = 32


class Engine(Placing):
    """The step state machine of one session.

    Args:
        adapters: by target name, what runs that target's steps.
        groups: targets that a step can go to together.
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
        groups: Iterable[GroupConfig] = (),
    ) -> None:
        super().__init__(folder, runbook, journal, secrets, state=state, modes=modes or Modes())
        self.adapters = adapters
        self.groups = {group.name: group for group in groups}
        self.timeout_s = timeout_s
        self.environment = environment
        self.folders = StatedFolders(runbook, str(Path(runbook.path).absolute().parent))
        self.approvals = approvals or Approvals()
        self._drafts: dict[str, Draft] = {}
        self._numbers = itertools.count(1)

    # -- before a step runs ----------------------------------------------------------------------------------------

    def propose(
        self,
        step: str,
        *,
        part: str | None = None,
        code: str | None = None,
        target: str | None = None,
        rest: bool = False,
    ) -> Proposal:
        """What running the step would do. Nothing runs; the proposal is kept until it is run or replaced.

        Without a `target` it goes to the one the step names, else to the session's, else to the one that ran the last
        step of its language, else to the only one that can. `rest`: of a group only to those of its targets where the
        step has not passed, or to all where it has everywhere.
        """
        chosen = target or self._target_of(step, part, code)
        made = self._draft(step, part, code, chosen, rest=rest)
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
            sha256=made.sha256,
            language=made.action.language,
            command=self.secrets.redact(made.action.body),
            target=chosen,
            place=self._place(chosen),
            verdict=made.judgement.verdict,
            rung=made.rung,
            reasons=made.judgement.reasons,
            tags=made.judgement.tags,
            missing=made.missing,
            values={name: self._inputs.shown(name, value) for name, value in made.values.items()},
            cwd=self._folder(made),
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
            targets=able(self.adapters, made.action.language, made.action.body, self.groups),
            group=tuple(one.action.target for one in made.each),
            manner=self.manner(chosen, len(made.each)),
            times=plan.times,
            every_s=plan.every_s,
            within_s=plan.within_s,
            unrepeated=unrepeated,
        )

    def _draft(self, step_id: str, part: str | None, code: str | None, target: str, *, rest: bool = False) -> Draft:
        group = self.groups.get(target)
        if group is None:
            return self._draft_for(step_id, part, code, target)
        names = not_passed(self.state, step_id, part, group.targets) if rest else ()
        each: list[Draft] = []
        known: list[tuple[Any, Draft]] = []
        for name in names or group.targets:
            # What is the same for several targets is judged once: a group may have a hundred.
            about = self.values(name), self._known_environment(name)
            alike = next((made for seen, made in known if seen == about), None)
            if alike is None:
                known.append((about, self._draft_for(step_id, part, code, name)))
                each.append(known[-1][1])
            else:
                each.append(replace(alike, action=structs.replace(alike.action, target=name)))
        return drafts_together(target, f"{group.width} {group.stops}", each)

    def _draft_for(self, step_id: str, part: str | None, code: str | None, target: str) -> Draft:
        made = self._judged(step_id, part, code, target)
        refused = made.judgement.verdict is Verdict.READ_ONLY and self._was_refused(made.action.sha256)
        return doubted(made, self.mode) if refused else made

    def _judged(self, step_id: str, part: str | None, code: str | None, target: str) -> Draft:
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
            self._require_able(made)
            self._require_folders(made)
        except CockpitError as error:
            return error
        return None

    def forget_drafts(self) -> None:
        """What was shown was judged under conditions that no longer hold: it has to be looked at again."""
        self._drafts = {}
        self.approvals.forget()

    # -- permits ---------------------------------------------------------------------------------------------------

    def permitted(self, proposal: str, confirmation: Confirmation | None, by: str) -> tuple[Draft, tuple[Permit, ...]]:
        """The draft and its permit, judged again in the mode of this moment; for a group one for each of its targets.

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
            permits = self._granted(made, confirmation, by)
            self._require_able(made)
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
        return made, permits

    def _granted(self, made: Draft, confirmation: Confirmation | None, by: str) -> tuple[Permit, ...]:
        modes = self.mode, lambda: self.mode
        second, approval = self.approvals.rule(), self.approvals.given(made.sha256, self._folder(made))
        if not made.each:
            return (
                grant(
                    made.action, made.judgement, *modes, least=made.rung, by=by, confirmation=confirmation,
                    second_person=second, approval=approval,
                ),
            )  # fmt: skip
        return grant_each(
            made.spread, [one.judgement for one in made.each], *modes, least=made.rung, by=by,
            confirmation=confirmation, second_person=second, approval=approval,
        )  # fmt: skip

    def _ask_second(self, made: Draft, confirmation: Confirmation | None, by: str) -> None:
        cwd = self._folder(made)
        values = {name: self._inputs.shown(name, value) for name, value in made.values.items()}
        reason = confirmation.reason if confirmation else ""
        place = self._place(made.action.target)
        told = shown_to_second(made, values, environment=self.environment, place=place, cwd=cwd, by=by, reason=reason)
        shown = redacted(told, self.secrets.redact)
        asked, new = self.approvals.ask(made.sha256, cwd, shown)
        if new:
            step, part = made.step.id, made.part.id if made.part else None
            number, sha256 = asked.number, made.sha256
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
        group: Mapping[str, Any] | None = None,
    ) -> None:
        """The durable record of exactly what is about to run, written before it does.

        What others were shown of the same step was shown before this run: they have to look again.

        Args:
            repetition: which of several runs of one attempt this is.
            group: of which group's targets this is one, and which of them.
        """
        self._drafts = {number: other for number, other in self._drafts.items() if other.step.id != made.step.id}
        attempts = sum(
            record.begins_attempt for record in self.state.runs.values() if record.step == made.step.id
        ) + begins_attempt({"repetition": repetition, "group": group})
        shown = {name: self._inputs.shown(name, value) for name, value in made.values.items()}
        cwd = self._folder(made)
        place, deadline_s = self._place(made.action.target), self._deadline_s(made)
        data = intent_of(made, confirmation, shown, place=place, cwd=cwd, timeout_s=deadline_s)
        if approved_by := self.approvals.use_up((group or {}).get("sha256") or made.sha256):
            data["approved_by"] = approved_by
        if repetition is not None:
            data["repetition"] = repetition
        if group is not None:
            data["group"] = group
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
