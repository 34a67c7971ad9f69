"""What people say of a session's steps, and its record: ticks, skips, answers, notes, messages."""

from __future__ import annotations

from typing import Any

from cockpit.errors import UsageError
from cockpit.runbook.model import Step, StepKind
from cockpit.session.filling.filling import announcement
from cockpit.session.record.event import Status
from cockpit.session.record.fanout import newest, waiting_of
from cockpit.session.record.ledger import Ledger
from cockpit.session.record.state import RunRecord
from cockpit.words import _


class Said(Ledger):
    """The part of the engine that runs nothing."""

    def skip(self, step: str, reason: str, by: str, part: str | None = None) -> None:
        """Leave a step out, or one command of it, with the reason for the record.

        Raises:
            UsageError: no reason, no such step or part, or it is running.
        """
        self._idle_step(step, part)
        if not reason.strip():
            raise UsageError(_("skipping needs a reason"), mend=_("say why, in a few words"))
        self.finish(step, Status.SKIPPED, actor=by, part=part, reason=reason.strip())

    def tick(self, step: str, held: bool, reason: str, by: str, part: str | None = None) -> None:
        """A person says that a check held, or did not; also how a command done by hand is ticked.

        Raises:
            UsageError: no such step or part, or it is running; not held without a reason for a command done by hand.
        """
        found = self._idle_step(step, part)
        if found.kind is StepKind.COMMAND and not reason.strip():
            raise UsageError(_("ticking a command that was not run here needs a reason"), mend=_("say what was done"))
        status = Status.PASSED if held else Status.FAILED
        self.finish(step, status, actor=by, part=part, reason=reason.strip(), by_hand=True)

    def reopen(self, step: str, reason: str, by: str, part: str | None = None) -> None:
        """Take a tick or a skip back, of a step or of one command of it."""
        self._idle_step(step, part)
        stands: dict[str, Any] = (
            {"part": part, "step_status": self._with_part(step, part, Status.TODO).value} if part else {}
        )
        self.record("step.reopened", actor=by, step=step, reason=reason, **stands)

    def answer(self, step: str, question: str, held: bool, by: str) -> None:
        """A person answers what a machine can't check; the last answer ends the step.

        Raises:
            UsageError: the step asks nothing, or not this.
        """
        self._step(step)
        self.record("step.answered", actor=by, step=step, question=question, held=held)
        waiting = waiting_of(self.state, step)
        fan_out = newest(self.state, step) if waiting else None
        if fan_out is not None and fan_out.status is not Status.AWAITING:
            return
        if fan_out is not None:
            for run in waiting:
                self._answer_for_target(run, question, held, by)
            if not waiting_of(self.state, step):
                self.end_fan_out(fan_out.first, actor=by)
        elif waiting:
            self._answer_for_run(waiting[0], question, held, by)

    def _answer_for_target(self, run: RunRecord, question: str, held: bool, by: str) -> None:
        """Of a step on a group, the answer counts for every target that waits for it."""
        findings = _answered(run, question, held, by)
        unanswered = any(finding["held"] is None for finding in findings)
        ended = Status.PASSED if all(finding["held"] for finding in findings) else Status.FAILED
        status = Status.AWAITING if unanswered else ended
        self.record("target.finished", **{**run.result, "status": status.value, "expectations": findings})

    def _answer_for_run(self, run: RunRecord, question: str, held: bool, by: str) -> None:
        step = run.step
        findings = _answered(run, question, held, by)
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
        return announcement(step.text or "", used, self.values(), rehearsal=self.state.rehearsal)

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


def _answered(run: RunRecord, question: str, held: bool, by: str) -> list[dict[str, Any]]:
    """A run's findings with a person's word on one of them."""
    findings = [dict(finding) for finding in run.result.get("expectations", [])]
    for finding in findings:
        if finding["text"] == question and finding["held"] is None:
            finding |= {"held": held, "by": by}
    return findings
