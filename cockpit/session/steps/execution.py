"""Runs under way: started with a permit, followed to their end, checked, recorded; adopted from a host that died."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Sequence
from typing import Any

from cockpit.adapters.base import Outcome, Running, RunRequest, RunsSteps
from cockpit.adapters.runners import Runners
from cockpit.errors import AdapterError, CockpitError, JournalError, UsageError
from cockpit.runbook.model import Expectation
from cockpit.safety.permit import Confirmation
from cockpit.safety.printing import printed_secrets
from cockpit.safety.redaction.redactor import secrets_of_environment
from cockpit.session.record.event import Status
from cockpit.session.record.roots import PRIVATE_DIR
from cockpit.session.record.state import RunRecord
from cockpit.session.steps.checking import Finding
from cockpit.session.steps.course import Course, as_long_as_stated, course_of_record, interrupted
from cockpit.session.steps.drafting import Draft
from cockpit.session.steps.engine import Engine
from cockpit.session.steps.messages import LANGUAGE
from cockpit.session.steps.repeating import findings_of, held, plan_of, together
from cockpit.session.steps.result import result_of
from cockpit.session.steps.targets import adapter_on_record
from cockpit.words import _

_SILENCE_S = 30.0
_ENDS = {
    "cancelled": Status.CANCELLED,
    "timed-out": Status.TIMED_OUT,
    "lost": Status.UNKNOWN,
    "signalled": Status.FAILED,
    "refused": Status.REFUSED,
}


class Execution:
    """The runs of one session. One at a time a target, since a step's shell state is the next one's start.

    A course is one command's way to its end: one run, or several where the runbook asks for them.

    Args:
        silence_s: after so long without output a step is told of.
        umask: the operator's, which steps get; None for that of this process.
        runners: the processes that look after runs of this machine; None for a new one a run.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        silence_s: float = _SILENCE_S,
        umask: int | None = None,
        runners: Runners | None = None,
    ) -> None:
        self._engine = engine
        self._silence_s = silence_s
        self._umask = umask
        self._starting: dict[int, asyncio.Event] = {}
        self._running: dict[int, Running] = {}
        self._courses: dict[int, Course] = {}
        self.runners = runners or Runners()

    @property
    def busy(self) -> bool:
        """Whether anything is under way."""
        return bool(self._courses or self._starting)

    async def start(
        self, proposal: str, confirmation: Confirmation | None, by: str, terminal: tuple[int, int] | None = None
    ) -> int:
        """Run what was proposed; returns the number of its (first) run once that is under way.

        Raises:
            UsageError: the target is busy, or the proposal is out of date. PolicyRefusal: no permit.
            AdapterError: it could not be started; nothing ran, and the record says so.
        """
        engine = self._engine
        made, permit = engine.permitted(proposal, confirmation, by)
        engine.require_idle(made.action.target)
        plan, unrepeated = plan_of(made)
        shell = engine.shell(made.action.target)
        course = Course(
            target=made.action.target,
            expectations=made.expectations,
            plan=plan,
            unrepeated=unrepeated,
            made=made,
            permit=permit,
            confirmation=confirmation,
            by=by,
            terminal=terminal if made.interactive else None,
            variables=dict(shell.variables),
            cwd=shell.cwd,
        )
        run = self._intend(course)
        running = await self._begin(course, run)
        self._follow(course, run, running)
        return run

    def _intend(self, course: Course) -> int:
        """Put the course's next run on record, before it may begin."""
        engine = self._engine
        made = course.known_draft
        run = max(engine.state.runs, default=0) + 1
        while engine.folder.run(run).exists():  # of a run whose record was lost with the journal's end
            run += 1
        engine.folder.run(run).mkdir(mode=PRIVATE_DIR, parents=True)
        course.runs.append(run)
        try:
            engine.intent(made, run, course.confirmation, course.by, repetition=course.repetition())
        except JournalError:
            engine.folder.run(run).rmdir()
            raise
        return run

    async def _begin(self, course: Course, run: int) -> Running:
        engine, made = self._engine, course.known_draft
        request = RunRequest(
            folder=engine.folder.run(run),
            timeout_s=course.timeout_s(made.step.timeout_s or engine.timeout_s),
            terminal=course.terminal,
            secrets=engine.secrets.values,
            shell_state=course.variables,
            cwd=course.cwd,
            umask=self._umask,
            printed=printed_secrets(made.action.language, made.action.body, made.judgement),
            runners=self.runners,
        )
        begun = self._starting[run] = asyncio.Event()
        try:
            running = await self._begun(engine.adapter(made).start(course.known_permit, request), made, run)
            engine.record("step.started", step=made.step.id, run=run, pid=running.pid)
            self._running[run] = running
        finally:
            del self._starting[run]
            begun.set()
        return running

    async def _begun(self, starting: Awaitable[Running], made: Draft, run: int) -> Running:
        try:
            return await starting
        except CockpitError as error:
            part = made.part.id if made.part else None
            self._engine.finish(made.step.id, Status.REFUSED, part=part, run=run, reason=str(error))
            raise

    async def adopt(self, adapters: Sequence[RunsSteps]) -> tuple[list[int], list[int]]:
        """After a host died: take over what still runs, and end the record of what is over. Returns (adopted, lost)."""
        adopted, lost = [], []
        for record in self._engine.state.running:
            adapter = adapter_on_record(record.intent, self._engine.adapters, adapters[0])
            try:
                running = await adapter.adopt(self._engine.folder.run(record.run), self._engine.secrets.values)
            except AdapterError as error:
                lost.append(record.run)
                self._finish(record, Status.UNKNOWN, reason=str(error))
                continue
            adopted.append(record.run)
            self._running[record.run] = running
            course = course_of_record(record, self._engine.state, self._expected(record))
            self._follow(course, record.run, running)
        self._end_between_runs()
        return adopted, lost

    def _end_between_runs(self) -> None:
        """End the record of steps whose host died after one of several runs and before the next was on record."""
        state = self._engine.state
        for step_id, step in state.steps.items():
            record = state.runs.get(step.runs[-1]) if step.runs else None
            if step.status is Status.RUNNING and record and record.status is not Status.RUNNING:
                part = record.intent.get("part")
                self._engine.finish(step_id, Status.UNKNOWN, part=part, reason=interrupted(record, state))

    def _expected(self, record: RunRecord) -> tuple[Expectation, ...]:
        step = self._engine.runbook.step(record.step)
        part = next((p for p in step.parts if p.id == record.intent.get("part")), None) if step else None
        if part:
            return part.expectations
        return step.expectations if step else ()

    async def cancel(self, run: int | None) -> list[int]:
        """Ask runs to end: one, or all that are under way. Their end is recorded when it comes.

        A run that is only being started is asked as soon as it can hear: nothing can call it back before. A course of
        several runs ends with the one that is cancelled, or before the next.

        Raises:
            UsageError: nothing of that number is running.
        """
        under_way = list(dict.fromkeys([*self._starting, *(each.runs[-1] for each in self._courses.values())]))
        if run is not None:
            course = self._courses.get(run)
            under_way = [number for number in under_way if number == (course.runs[-1] if course else run)]
        if not under_way:
            raise UsageError(_("nothing is running"))
        await asyncio.gather(*map(self._cancel, under_way))
        return under_way

    async def _cancel(self, run: int) -> None:
        if run in self._starting:
            await self._starting[run].wait()
        if run in self._courses:
            self._courses[run].stopped.set()
        if run in self._running:
            await self._running[run].cancel()

    async def wait(self, run: int) -> None:
        """Wait until a run, and those that belong to it, are over and recorded."""
        course = self._courses.get(run)
        if course and course.task:
            await asyncio.wait([course.task])

    async def leave(self) -> None:
        """Stop following; what runs goes on."""
        tasks = [course.task for course in set(self._courses.values()) if course.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.runners.close()

    # -- following -------------------------------------------------------------------------------------------------

    def _follow(self, course: Course, run: int, running: Running) -> None:
        self._courses |= dict.fromkeys(course.runs, course)
        course.task = asyncio.create_task(self._to_the_end(course, run, running), name=f"run-{run}")

    async def _to_the_end(self, course: Course, run: int, running: Running) -> None:
        try:
            while True:
                outcome, findings = await self._one(course, run, running)
                if not self._goes_on(course, run, outcome, findings):
                    return
                run = self._intend(course)
                self._courses[run] = course
                if not await course.wait_for_its_turn():
                    self._carry(course)
                    self._finish(self._engine.state.runs[run], Status.CANCELLED, reason=_("stopped between two runs"))
                    return
                running = await self._begin(course, run)
        except JournalError as error:
            self._give_up(course, error)
        except CockpitError:
            return  # it could not be started again: recorded, with its reason
        except Exception as error:  # noqa: BLE001  # a defect of ours must not leave a step running for ever
            self._give_up(course, error)
        finally:
            for number in course.runs:
                self._courses.pop(number, None)

    def _give_up(self, course: Course, error: Exception) -> None:
        """The step can't be followed to its end: the next of its runs can't be put on record, or we are at fault."""
        known = [self._engine.state.runs[run] for run in course.runs if run in self._engine.state.runs]
        defect = _("a defect of the cockpit itself: {error}").format(error=repr(error))
        reason = str(error) if isinstance(error, CockpitError) else defect
        with contextlib.suppress(JournalError):
            run = known[-1].run if known[-1].status is Status.RUNNING else None
            part = known[-1].intent.get("part")
            self._engine.finish(known[-1].step, Status.UNKNOWN, part=part, run=run, reason=reason)

    async def _one(self, course: Course, run: int, running: Running) -> tuple[Outcome, tuple[Finding, ...]]:
        """Follow one run to its end: how it ended, and what the expectations say of it."""
        record = self._engine.state.runs[run]
        watch = asyncio.create_task(self._warn_of_silence(record), name=f"silence-{run}")
        try:
            await asyncio.to_thread(self.runners.get_ready)
            outcome = await running.wait()
            folder = self._engine.folder.run(run)
            course.files, result = await asyncio.to_thread(result_of, folder, outcome, record)
            if outcome.ending != "exited":
                return outcome, ()
            findings, course.settled = await asyncio.to_thread(
                findings_of, course.plan, course.expectations, result, first=len(course.runs) == 1,
                unrepeated=course.unrepeated,
            )  # fmt: skip
            return outcome, findings
        finally:
            watch.cancel()
            self._running.pop(run, None)

    async def _warn_of_silence(self, record: RunRecord) -> None:
        """Tell once per stretch when a step has said nothing for long. Nothing is killed for being quiet."""
        output = self._engine.folder.run(record.run) / "output"
        size, since, told = -1, time.monotonic(), False
        while True:
            await asyncio.sleep(min(self._silence_s, 5.0))
            now_size = output.stat().st_size if output.exists() else 0
            if now_size != size:
                size, since, told = now_size, time.monotonic(), False
            elif not told and (silence_s := time.monotonic() - since) >= self._silence_s:
                told = True
                self._engine.record("step.silent", step=record.step, run=record.run, silence_s=round(silence_s, 1))

    def _goes_on(self, course: Course, run: int, outcome: Outcome, findings: tuple[Finding, ...]) -> bool:
        """Record the end of a run; whether another follows. The last one's is the step's."""
        record = self._engine.state.runs[run]
        course.outcome = outcome
        data = {**_result_data(record, outcome), "files": course.files}
        stands, reason = (
            _ENDS.get(outcome.ending) or (Status.FAILED if held(findings) is False else None),
            outcome.detail,
        )
        if lasted := as_long_as_stated(record, outcome):
            # How a command exits that never ends by itself says nothing; what it printed does.
            stands, reason, findings = None, lasted, tuple(each for each in findings if each.kind != "exit")
        if course.takes(outcome, held(findings)):
            status = (stands or Status.PASSED).value
            expectations = [finding.as_json() for finding in findings]
            self._engine.record(
                "step.repeated", durable=True, step=record.step, part=record.intent.get("part"), run=run, status=status,
                **data, expectations=expectations,
            )  # fmt: skip
            return True
        self._carry(course)
        if course.several:
            stands, reason = course.stands(stands, reason)
            if held(findings) is not None:
                findings = together(course.expectations, findings, course.tries, held=course.held)
            data["repetitions"] = course.as_json()
        self._conclude(record, stands, findings, reason, data)
        return False

    def _conclude(
        self, record: RunRecord, status: Status | None, findings: tuple[Finding, ...], reason: str, data: dict[str, Any]
    ) -> None:
        data["expectations"] = [finding.as_json() for finding in findings]
        if record.intent.get("language") == LANGUAGE and status is None:
            told = {"text": record.intent["command"], "channel": record.intent["target"], "run": record.run}
            self._engine.record("message.prepared", durable=True, step=record.step, sent=True, **told)
        questions = [finding.text for finding in findings if finding.held is None]
        if status is None and any(finding.held is False for finding in findings):
            status = Status.FAILED
        if status is None and questions:
            part = record.intent.get("part")
            self._engine.record(
                "step.exited", durable=True, step=record.step, part=part, run=record.run, questions=questions, **data
            )
            return
        self._finish(record, status or Status.PASSED, reason=reason, **data)

    def _finish(self, record: RunRecord, status: Status, **data: Any) -> None:
        self._engine.finish(record.step, status, part=record.intent.get("part"), run=record.run, **data)

    def _carry(self, course: Course) -> None:
        """Hand exported variables and the working directory on to the target's next step."""
        outcome = course.outcome
        if outcome is None or outcome.ending != "exited" or (not outcome.shell_state and outcome.cwd is None):
            return
        shell = self._engine.shell(course.target)
        if dict(outcome.shell_state) == shell.variables and outcome.cwd == shell.cwd:
            return
        self._engine.forget_drafts()
        shell.variables = dict(outcome.shell_state)
        self._engine.secrets.learn(secrets_of_environment(shell.variables))
        shell.cwd = outcome.cwd
        self._engine.record(
            "state.carried",
            target=course.target,
            cwd=shell.cwd,
            variables=sorted(shell.variables),
            lost=sorted(outcome.lost_variables),
        )


def _result_data(record: RunRecord, outcome: Outcome) -> dict[str, Any]:
    """How a run ended, for the record."""
    return {
        "exit_code": outcome.exit_code,
        "signal": outcome.signal,
        "duration_s": round(outcome.duration_s, 6),
        "output": record.output,
        "output_bytes": outcome.output_bytes,
        "output_sha256": outcome.output_sha256,
        "dropped_bytes": outcome.dropped_bytes,
        "pipe_status": list(outcome.pipe_status),
        "survivors": list(outcome.survivors),
    }
