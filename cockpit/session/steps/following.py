"""Runs followed to their end, checked and recorded: each as part of the course that it belongs to."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable
from typing import Any

from cockpit.adapters.base import LosesTouch, Outcome, Running, RunRequest
from cockpit.adapters.runners import Runners
from cockpit.errors import CockpitError, JournalError
from cockpit.safety.printing import printed_secrets
from cockpit.safety.redaction.redactor import secrets_of_environment
from cockpit.session.record.event import Status
from cockpit.session.record.roots import PRIVATE_DIR
from cockpit.session.record.state import RunRecord
from cockpit.session.steps.checking import Finding
from cockpit.session.steps.course import Course, as_long_as_stated
from cockpit.session.steps.engine import Engine
from cockpit.session.steps.messages import LANGUAGE
from cockpit.session.steps.repeating import findings_of, held, together
from cockpit.session.steps.result import line_of_failure, result_data, result_of
from cockpit.session.steps.sweep import Sweep
from cockpit.words import _

_SILENCE_S = 30.0
_OUT_OF_TOUCH_S = 60.0
LOOK_S = 1.0
"""How often what may be out of touch is looked at."""
_ENDS = {
    "cancelled": Status.CANCELLED,
    "timed-out": Status.TIMED_OUT,
    "lost": Status.UNKNOWN,
    "signalled": Status.FAILED,
    "refused": Status.REFUSED,
}


class Following:
    """What happens to a course from its first intent to its last record.

    Args:
        silence_s: after so long without output a step is told of.
        umask: the operator's, which steps get; None for that of this process.
        runners: the processes that look after runs of this machine; None for a new one a run.
        out_of_touch_s: for so long a target of a group may be out of touch before the step goes on without it.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        silence_s: float = _SILENCE_S,
        umask: int | None = None,
        runners: Runners | None = None,
        out_of_touch_s: float = _OUT_OF_TOUCH_S,
    ) -> None:
        self._engine = engine
        self._silence_s = silence_s
        self._umask = umask
        self._out_of_touch_s = out_of_touch_s
        self.patience_s: float | None = None
        """For how long a target alone may be out of touch before its end is unknown; None: until somebody cancels."""
        self._starting: dict[int, asyncio.Event] = {}
        self._running: dict[int, Running] = {}
        self._courses: dict[int, Course] = {}
        self._sweeps: dict[int, Sweep] = {}
        self.runners = runners or Runners()

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
            engine.intent(
                made, run, course.confirmation, course.by, repetition=course.repetition(), group=course.grouping()
            )
        except JournalError:
            engine.folder.run(run).rmdir()
            raise
        return run

    async def _begin(self, course: Course, run: int) -> Running:
        engine, made = self._engine, course.known_draft
        if len(course.runs) == 1:  # its further runs start from where the first did
            shell = engine.shell(course.target)
            course.variables, course.cwd = dict(shell.variables), engine.folder_of(made, course.target)
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
            running = await self._begun(engine.adapter(made).start(course.known_permit, request), run)
            engine.record("step.started", step=made.step.id, run=run, target=course.target, pid=running.pid)
            self._running[run] = running
        finally:
            del self._starting[run]
            begun.set()
        return running

    async def _begun(self, starting: Awaitable[Running], run: int) -> Running:
        try:
            return await starting
        except CockpitError as error:
            self._finish(self._engine.state.runs[run], Status.REFUSED, reason=str(error))
            raise

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
                    told, by = _("stopped between two runs"), course.ended_by(Status.CANCELLED)
                    self._finish(self._engine.state.runs[run], Status.CANCELLED, by, reason=told)
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
            if course.sweep or known[-1].status is Status.RUNNING:
                self._finish(known[-1], Status.UNKNOWN, reason=reason)
            else:
                part = known[-1].intent.get("part")
                self._engine.finish(known[-1].step, Status.UNKNOWN, part=part, reason=reason)

    async def _one(self, course: Course, run: int, running: Running) -> tuple[Outcome, tuple[Finding, ...]]:
        """Follow one run to its end: how it ended, and what the expectations say of it."""
        record = self._engine.state.runs[run]
        watch = asyncio.create_task(self._warn_of_silence(record), name=f"silence-{run}")
        try:
            await asyncio.to_thread(self.runners.get_ready)
            outcome = await self._end_of(course, running)
            folder = self._engine.folder.run(run)
            course.files, result = await asyncio.to_thread(result_of, folder, outcome, record)
            if outcome.ending != "exited":
                course.told = line_of_failure((), result)
                return outcome, ()
            findings, course.settled = await asyncio.to_thread(
                findings_of, course.plan, course.expectations, result, first=len(course.runs) == 1,
                unrepeated=course.unrepeated,
            )  # fmt: skip
            course.told = line_of_failure(findings, result) if held(findings) is False else ""
            return outcome, findings
        finally:
            watch.cancel()
            self._running.pop(run, None)

    async def _end_of(self, course: Course, running: Running) -> Outcome:
        """How a run ended. A target of a group that stays out of touch is given up: the others wait for it."""
        patience_s = self.patience_s if course.sweep is None else self._out_of_touch_s
        if patience_s is None or not isinstance(running, LosesTouch):
            return await running.wait()
        ending = asyncio.ensure_future(running.wait())
        try:
            while not (await asyncio.wait((ending,), timeout=LOOK_S))[0]:
                if running.out_of_touch_s > patience_s:
                    running.give_up()
            return ending.result()
        finally:
            ending.cancel()

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
        data = {**result_data(record, outcome), "files": course.files}
        stands, reason = (
            _ENDS.get(outcome.ending) or (Status.FAILED if held(findings) is False else None),
            outcome.detail,
        )
        if course.sweep is not None and course.told:
            data["told"] = course.told
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
        self._conclude(record, stands, findings, reason, data, course.ended_by(stands or Status.PASSED))
        return False

    def _conclude(
        self,
        record: RunRecord,
        status: Status | None,
        findings: tuple[Finding, ...],
        reason: str,
        data: dict[str, Any],
        by: str,
    ) -> None:
        data["expectations"] = [finding.as_json() for finding in findings]
        if record.intent.get("language") == LANGUAGE and status is None:
            told = {"text": record.intent["command"], "channel": record.intent["target"], "run": record.run}
            self._engine.record("message.prepared", durable=True, step=record.step, sent=True, **told)
        questions = [finding.text for finding in findings if finding.held is None]
        if status is None and any(finding.held is False for finding in findings):
            status = Status.FAILED
        if status is None and questions and record.group_first:
            self._finish(record, Status.AWAITING, questions=questions, **data)
            return
        if status is None and questions:
            part = record.intent.get("part")
            self._engine.record(
                "step.exited", durable=True, step=record.step, part=part, run=record.run, questions=questions, **data
            )
            return
        self._finish(record, status or Status.PASSED, by, reason=reason, **data)

    def _finish(self, record: RunRecord, status: Status, by: str = "host", **data: Any) -> None:
        if record.group_first:
            told = {"run": record.run, "target": record.intent.get("target"), "status": status.value, **data}
            part = record.intent.get("part")
            self._engine.record("target.finished", actor=by, durable=True, step=record.step, part=part, **told)
            return
        self._engine.finish(record.step, status, actor=by, part=record.intent.get("part"), run=record.run, **data)

    def _carry(self, course: Course) -> None:
        """Hand exported variables and the working directory on to the target's next step."""
        outcome = course.outcome
        if outcome is None or outcome.ending != "exited" or (not outcome.shell_state and outcome.cwd is None):
            return
        shell = self._engine.shell(course.target)
        cwd = outcome.cwd
        # One that was taken over has no draft; the record names its step.
        step = self._engine.runbook.step(self._engine.state.runs[course.runs[-1]].step)
        if step is not None and self._engine.folders.of(step):
            # What a step states for itself is left with it, as long as it goes nowhere else.
            shell.inside = (step.id, outcome.cwd)
            cwd = shell.cwd if outcome.cwd == course.cwd else outcome.cwd
        if dict(outcome.shell_state) == shell.variables and cwd == shell.cwd:
            return
        self._engine.forget_drafts()
        shell.variables = dict(outcome.shell_state)
        self._engine.secrets.learn(secrets_of_environment(shell.variables))
        shell.cwd = cwd
        self._engine.record(
            "state.carried",
            target=course.target,
            cwd=shell.cwd,
            variables=sorted(shell.variables),
            lost=sorted(outcome.lost_variables),
        )
