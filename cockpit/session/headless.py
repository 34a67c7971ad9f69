"""The engine without a screen: `cockpit run`. The same host, driven in document order by what the flags allow."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from cockpit.errors import AdapterError, CockpitError, PolicyRefusal, SecondPersonMissing, UsageError
from cockpit.runbook.model import Phase, Runbook, Section, Step, StepKind
from cockpit.safety.permit import Confirmation, Rung
from cockpit.session.host.host import Host
from cockpit.session.record.event import Event, Status
from cockpit.session.record.fanout import newest, questions_of
from cockpit.session.steps.approvals import ASKED_S
from cockpit.session.steps.messages import LANGUAGE
from cockpit.session.steps.proposal import Proposal
from cockpit.session.steps.targets import able
from cockpit.words import _

ACTOR = "operator:headless"
OUT_OF_TOUCH_S = 600.0
"""So long a run waits for a machine whose link is gone: nobody is there who would see that it does, and cancel it."""
_STOPS = frozenset({Status.FAILED, Status.REFUSED, Status.CANCELLED, Status.TIMED_OUT, Status.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Leave:
    """What the flags allow: `yes` confirms what asks once and ticks checks, `destructive` also what can't be undone.

    `reason` goes into the record of every confirmation.
    """

    yes: bool = False
    destructive: bool = False
    send: bool = False
    keep_going: bool = False
    reason: str = ""


def chosen_steps(runbook: Runbook, section: str | None, ids: Sequence[str]) -> list[Step]:
    """The steps to run, in document order: of one section and those below it, of those ids, or all.

    Raises:
        UsageError: no such section or step, or the step is not in the section, or nothing to run.
    """
    steps = [step for step in runbook.steps if step.kind is not StepKind.NOTE]
    if section is not None:
        section = section.removeprefix("#")  # as links have it, and `cockpit show`
        if runbook.section(section) is None:
            raise UsageError(_("no section {slug}").format(slug=section), mend=_("`cockpit show` lists the sections"))
        inside = _below(runbook.sections, section)
        steps = [step for step in steps if step.section in inside]
    for step_id in ids:
        if step_id not in {step.id for step in steps}:
            raise _no_such_step(runbook, step_id)
    if not steps:
        raise UsageError(_("there is nothing to run"), where=section or runbook.path)
    return [step for step in steps if step.id in ids] if ids else steps


def _no_such_step(runbook: Runbook, step_id: str) -> UsageError:
    step = runbook.step(step_id)
    if step is None:
        return UsageError(_("no step {step}").format(step=step_id), mend=_("`cockpit show` lists the steps"))
    if step.kind is StepKind.NOTE:
        return UsageError(_("{step} is a note; it has nothing to run").format(step=step_id))
    return UsageError(
        _("the step {step} is in another section").format(step=step_id),
        mend=_("its section: {slug}").format(slug=step.section),
    )


def _below(sections: Iterable[Section], top: str) -> set[str]:
    inside = {top}
    for section in sections:
        if section.parent in inside:
            inside.add(section.id)
    return inside


def _troubleshooting(sections: Sequence[Section]) -> frozenset[str]:
    tops = [section.id for section in sections if section.phase is Phase.TROUBLESHOOTING]
    return frozenset(slug for top in tops for slug in _below(sections, top))


def left_out_of_all(runbook: Runbook, *, section: bool, named: bool) -> dict[str, str]:
    """Why steps are skipped that nobody asked for, by their ids.

    Args:
        section: the steps are those of a section. Without that or names, what stands under troubleshooting is for
            trouble only.
        named: the steps were named one by one. Without that, those are left out that their author left out of running
            all (`excludeFromRunAll`).
    """
    trouble = frozenset[str]() if section or named else _troubleshooting(runbook.sections)
    why = {step.id: _("only for trouble; --section runs it") for step in runbook.steps if step.section in trouble}
    for step in runbook.steps:
        if not named and step.attributes.get("excludeFromRunAll") is True:
            why[step.id] = _("its author left it out of running all; --step runs it")
    return why


class Headless:
    """Drives one host through steps. `tell(event)` is called for every event, in order.

    Args:
        section, named: see `left_out_of_all`.
    """

    def __init__(
        self, host: Host, leave: Leave, tell: Callable[[Event], None], *, section: bool = False, named: bool = False
    ) -> None:
        self._host = host
        self._unasked = left_out_of_all(host.runbook, section=section, named=named)
        self._leave = leave
        self._stopped_by: list[str] = []
        self.unable = False
        """Whether a step could not be started, since its target can't be reached, say: no policy refused it."""
        self._branch: _Branch | None = None
        wake = host.engine.on_event
        host.execution.patience_s = OUT_OF_TOUCH_S

        self._word = ""
        self._word_came = asyncio.Event()

        def both(event: Event) -> None:
            wake(event)
            if event.kind in ("approval.given", "approval.denied"):
                self._word = event.kind
                self._word_came.set()
            tell(event)

        host.engine.on_event = both

    async def run(self, steps: Sequence[Step]) -> None:
        """Each step in turn; after one that did not pass, the rest is skipped unless told to keep going.

        After a decision that leads to a section, the steps before that section are skipped.
        """
        for step in steps:
            left_out = self._left_out(step)
            if left_out:
                self._host.engine.finish(step.id, Status.SKIPPED, reason=left_out)
                continue
            status = await self._step(step)
            if status in _STOPS and not self._leave.keep_going:
                self._stopped_by.append(_("the step {step} before it did not pass").format(step=step.id))

    def _left_out(self, step: Step) -> str:
        """Why a step is not done; "" when it is its turn."""
        if self._stopped_by:
            return self._stopped_by[0]
        if self._branch is None or step.section in self._branch.sections:
            self._branch = None
            return self._unasked.get(step.id, "")
        return _("the decision {step} leads to “{title}”").format(step=self._branch.step, title=self._branch.title)

    async def interrupt(self) -> None:
        """Cancel the step that runs, and leave out the steps after it; `run` then comes to its end.

        Raises:
            AdapterError: the step can't be told to end.
        """
        self._stopped_by.append(_("interrupted"))
        self._word_came.set()
        if self._host.execution.busy:
            await self._host.execution.cancel(None, ACTOR)

    async def _step(self, step: Step) -> Status:
        if step.kind is StepKind.COMMAND:
            await self._command(step)
        elif step.kind is StepKind.MESSAGE:
            await self._message(step)
        elif step.kind is StepKind.DECISION and self._leave.yes:
            self._decide(step)
        else:
            self._by_hand(step)
        return self._host.engine.state.step(step.id).status

    async def _command(self, step: Step) -> None:
        engine = self._host.engine
        try:
            proposal = engine.propose(step.id)
        except UsageError as error:
            engine.finish(step.id, Status.REFUSED, reason=str(error))
            return
        refusal = _not_headless(proposal)
        if refusal:
            engine.finish(step.id, Status.REFUSED, reason=refusal, verdict=proposal.verdict.value)
            return
        try:
            run = await self._started(step)
        except CockpitError as error:
            self.unable = self.unable or isinstance(error, AdapterError)
            if not engine.state.step(step.id).status.over:  # else recorded by the engine, with its reason
                engine.finish(step.id, Status.REFUSED, reason=str(error))
            return
        await self._host.execution.wait(run)
        self._answer_questions(step)

    async def _started(self, step: Step) -> int:
        """Run it, once a second person has approved it where one is wanted; returns the run's number.

        Raises:
            CockpitError: it did not start, and why.
        """
        proposal = self._host.engine.propose(step.id)
        start = self._host.execution.start
        try:
            return await start(proposal.proposal, self._confirmation(proposal), ACTOR)
        except SecondPersonMissing as missing:
            self._word_came.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ASKED_S):
                    await self._word_came.wait()
            if self._word != "approval.given":
                raise PolicyRefusal(_("no second person approved it"), mend=missing.mend) from missing
        proposal = self._host.engine.propose(step.id)
        return await start(proposal.proposal, self._confirmation(proposal), ACTOR)

    def _confirmation(self, proposal: Proposal) -> Confirmation | None:
        """--yes climbs to a plain confirmation; --allow-destructive with it to the top."""
        if not self._leave.yes or proposal.rung is Rung.NONE:
            return None
        reason = self._leave.reason.strip()
        if self._leave.destructive and proposal.rung is Rung.TYPE_TARGET:
            reason = reason or "--allow-destructive"
            return Confirmation(proposal.sha256, Rung.TYPE_TARGET, ACTOR, typed=proposal.target, reason=reason)
        return Confirmation(proposal.sha256, Rung.CONFIRM, ACTOR, reason=reason)

    def _answer_questions(self, step: Step) -> None:
        engine = self._host.engine
        state = engine.state.step(step.id)
        if state.status is not Status.AWAITING:
            return
        questions = questions_of(engine.state, step.id)
        if self._leave.yes:
            for question in questions:
                engine.answer(step.id, question, True, ACTOR)
            return
        if (fan_out := newest(engine.state, step.id)) is not None:
            engine.end_fan_out(fan_out.first, ask=False)
            return
        record = engine.state.runs[state.runs[-1]]
        result = {k: v for k, v in record.result.items() if k not in ("step", "part", "questions")}
        reason = _("a person must judge: {questions}").format(questions="; ".join(questions))
        engine.finish(step.id, Status.UNKNOWN, **{**result, "reason": reason})

    async def _message(self, step: Step) -> None:
        engine = self._host.engine
        text = engine.message_text(step)
        engine.record("message.prepared", actor=ACTOR, step=step.id, text=text, sent=False)
        blanks = engine.unfilled(step)
        if self._leave.send:
            await self._send(step)
        elif blanks:
            told = _("printed with blanks, not sent: {names}").format(names=", ".join(blanks))
            engine.finish(step.id, Status.SKIPPED, actor=ACTOR, reason=told, text=text)
        else:
            engine.finish(step.id, Status.PASSED, actor=ACTOR, reason=_("printed, not sent"), text=text)

    async def _send(self, step: Step) -> None:
        """Send a message to the one channel there is, or that the step names; --send is the word that it may go."""
        engine = self._host.engine
        if not able(engine.adapters, LANGUAGE):
            engine.finish(step.id, Status.REFUSED, reason=_("no channel to send it to is configured"))
            return
        proposal = engine.propose(step.id)
        why = without_inputs(proposal.missing) or " ".join(filter(None, (proposal.refusal, proposal.mend)))
        if why:
            engine.finish(step.id, Status.REFUSED, reason=why, verdict=proposal.verdict.value)
            return
        confirmation = Confirmation(proposal.sha256, Rung.CONFIRM, ACTOR, reason=self._leave.reason.strip() or "--send")
        try:
            run = await self._host.execution.start(proposal.proposal, confirmation, ACTOR)
        except CockpitError as error:
            self.unable = self.unable or isinstance(error, AdapterError)
            if not engine.state.step(step.id).status.over:
                engine.finish(step.id, Status.REFUSED, reason=str(error))
            return
        await self._host.execution.wait(run)

    def _by_hand(self, step: Step) -> None:
        if self._leave.yes:
            self._host.engine.finish(step.id, Status.PASSED, actor=ACTOR, reason="--yes", by_hand=True)
        else:
            self._host.engine.finish(
                step.id, Status.REFUSED, reason=_("a person must check this; --yes says that it holds")
            )

    def _decide(self, step: Step) -> None:
        """With --yes every item holds; where that leads to is on record, and is where the run goes on."""
        engine = self._host.engine
        ways = {link.section: link for link in step.links if link.section is not None}
        if len(ways) > 1 or not step.items:
            told = _("nothing here decides where to go on: {ways} (choose with --section)")
            titles = ", ".join(f"#{slug}" for slug in ways) or "-"
            engine.finish(step.id, Status.REFUSED, reason=told.format(ways=titles))
            return
        asked = _("any of {count} items") if step.any_of == 1 else _("{count} items")
        why = _("--yes says that they hold: {asked}").format(asked=asked.format(count=len(step.items)))
        if not ways and step.links:
            told = _("it leads to {target}, which is not in this document")
            engine.finish(step.id, Status.REFUSED, reason=told.format(target=step.links[0].target))
            return
        if not ways:
            reason = _("{why}; it leads nowhere else, on with the next step").format(why=why)
            engine.finish(step.id, Status.PASSED, actor=ACTOR, reason=reason, by_hand=True, branch=None)
            return
        (slug,) = ways
        section = self._host.runbook.section(slug)
        title = section.title if section else slug
        self._branch = _Branch(step.id, title, frozenset(_below(self._host.runbook.sections, slug)))
        reason = _("{why}; on with “{title}”").format(why=why, title=title)
        engine.finish(step.id, Status.PASSED, actor=ACTOR, reason=reason, by_hand=True, branch=slug)


@dataclass(frozen=True, slots=True)
class _Branch:
    """Where a decision leads: `sections` are the one it names and those below it."""

    step: str
    title: str
    sections: frozenset[str]


def _not_headless(proposal: Proposal) -> str:
    """Why a command can't run without a screen; empty when it can."""
    if proposal.missing:
        return without_inputs(proposal.missing)
    if proposal.interactive:
        return _("it needs a terminal")
    if proposal.endless:
        return _("it never ends by itself")
    return ""


def exit_code(statuses: Iterable[str], *, unable: bool = False) -> int:
    """0 when all passed, 3 when refusals are the worst of it, else 1: also for a step whose end is not on record.

    Args:
        unable: see `Headless.unable`.
    """
    found = set(statuses) - {Status.PASSED.value, Status.SKIPPED.value}
    if not found:
        return 0
    return 3 if found == {Status.REFUSED.value} and not unable else 1


def without_inputs(missing: Sequence[str]) -> str:
    """What to say of a command that has blanks left; "" when it has none."""
    if not missing:
        return ""
    return _("inputs are missing: {names} (give them with --set NAME=VALUE)").format(names=", ".join(missing))


async def interruptible(headless: Headless, steps: Sequence[Step], warn: Callable[[], None]) -> bool:
    """Run the steps; on Ctrl-C cancel the running one, `warn`, let its end be recorded, and say True.

    A second Ctrl-C waits no longer: the step's runner still ends it, and the next host of the session records that.
    """
    import signal

    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGINT, stop.set)
    task: asyncio.Task[None] = asyncio.create_task(headless.run(steps))
    stopper: asyncio.Task[Any] = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([task, stopper], return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopper.cancel()
        loop.remove_signal_handler(signal.SIGINT)
    if not task.done():
        await headless.interrupt()
        warn()
    await task
    return stop.is_set()
