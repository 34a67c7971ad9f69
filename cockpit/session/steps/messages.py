"""Message steps that are sent: the template with the session's values, to one channel, as an action like any other."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cockpit.errors import PolicyRefusal, UsageError
from cockpit.runbook.model import Runbook, Step, StepKind
from cockpit.safety.permit import Action, Mode, required_rung
from cockpit.safety.verdict import Judgement, Verdict
from cockpit.session.filling.filling import announcement
from cockpit.session.record.event import Status
from cockpit.session.record.state import SessionState
from cockpit.session.steps.drafting import Draft
from cockpit.words import _

LANGUAGE = "message"
"""What the adapters of channels speak."""

_NOT_SENT = frozenset({Status.REFUSED, Status.FAILED, Status.SKIPPED, Status.TODO})


def message_draft(
    runbook: Runbook, step: Step, *, code: str | None, target: str, mode: Mode, values: Mapping[str, str]
) -> Draft:
    """The draft of a message as it would be sent. Secret inputs stay blanks, and with a blank nothing is sent.

    Args:
        code: the text instead of the template's.

    Raises:
        UsageError: the step has no message, or it is empty.
    """
    from cockpit.safety.judge import judge

    if step.kind is not StepKind.MESSAGE or step.text is None:
        raise UsageError(_("the step {step} is no message").format(step=step.id))
    written = code if code is not None else step.text
    blanks = [
        blank for blank in runbook.inputs if blank.name in step.inputs and any(form in written for form in blank.forms)
    ]
    open_ones = [blank for blank in blanks if not blank.secret]
    text = announcement(written, open_ones, values, rehearsal=mode is Mode.REHEARSAL)
    missing = tuple(b.name for b in blanks if b.secret or values.get(b.name, b.default) is None)
    judgement = judge(LANGUAGE, text)
    if missing:
        told = _("inputs are missing: {names}").format(names=", ".join(missing))
        judgement = Judgement(Verdict.UNKNOWN, (told,))
    return Draft(
        step=step,
        part=None,
        action=Action(LANGUAGE, text, target),
        judgement=judgement,
        missing=missing,
        values={b.name: values.get(b.name, b.default or "") for b in open_ones if b.name not in missing},
        original=step.text if written.strip() != step.text.strip() else None,
        rung=required_rung(judgement, mode),
    )


def sent_before(state: SessionState, step: str) -> bool:
    """Whether this session sent the step's message, or may have."""
    sent = [state.runs[run].status for run in state.step(step).runs if run in state.runs]
    return any(status not in _NOT_SENT for status in sent) or state.step(step).status is Status.PASSED


def require_no_secret(made: Draft, redact: Callable[[str], str]) -> None:
    """What goes to a channel is read by everybody there, and the record keeps it as it was sent.

    Raises:
        PolicyRefusal: something in it is to be masked.
    """
    if made.action.language == LANGUAGE and redact(made.action.body) != made.action.body:
        raise PolicyRefusal(_("the message holds something secret"), mend=_("send it by hand, without that"))
