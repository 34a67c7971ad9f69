"""Runs under way: started with a permit, cancelled, waited for; adopted from a host that died."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from cockpit.adapters.base import LosesTouch, Running, RunsSteps
from cockpit.errors import AdapterError, CockpitError, JournalError, UsageError
from cockpit.runbook.model import Expectation
from cockpit.safety.permit import Confirmation, Permit
from cockpit.session.record.event import Status
from cockpit.session.record.fanout import TargetLine
from cockpit.session.record.state import RunRecord
from cockpit.session.steps.course import Course, course_of_record, interrupted
from cockpit.session.steps.drafting import Draft
from cockpit.session.steps.following import LOOK_S, Following
from cockpit.session.steps.repeating import plan_of
from cockpit.session.steps.sweep import Sweep
from cockpit.session.steps.targets import adapter_on_record
from cockpit.words import _


class Execution(Following):
    """The runs of one session. One at a time a target, since a step's shell state is the next one's start.

    A course is one command's way to its end on one target: one run, or several where the runbook asks for them. A sweep
    is its way over the targets of a group, each with a course of its own.
    """

    @property
    def busy(self) -> bool:
        """Whether anything is under way."""
        return bool(self._courses or self._starting or self._sweeps)

    async def start(
        self, proposal: str, confirmation: Confirmation | None, by: str, terminal: tuple[int, int] | None = None
    ) -> int:
        """Run what was proposed; returns the number of its (first) run once that is under way.

        On a group that is once the first run is on record: what comes of each target, the record tells.

        Raises:
            UsageError: the target is busy, or the proposal is out of date. PolicyRefusal: no permit.
            AdapterError: it could not be started; nothing ran, and the record says so.
        """
        engine = self._engine
        made, permits = engine.permitted(proposal, confirmation, by)
        engine.require_idle(made.action.target)
        courses = [
            self._course(one, permit, confirmation, by, terminal)
            for one, permit in zip(made.each or (made,), permits, strict=True)
        ]
        if made.each:
            return self._sweep_over(made, courses)
        course = courses[0]
        run = self._intend(course)
        running = await self._begin(course, run)
        self._follow(course, run, running)
        return run

    def _course(
        self,
        made: Draft,
        permit: Permit,
        confirmation: Confirmation | None,
        by: str,
        terminal: tuple[int, int] | None,
    ) -> Course:
        plan, unrepeated = plan_of(made)
        return Course(
            target=made.action.target,
            expectations=made.expectations,
            plan=plan,
            unrepeated=unrepeated,
            made=made,
            permit=permit,
            confirmation=confirmation,
            by=by,
            terminal=terminal if made.interactive else None,
        )

    # -- over a group ----------------------------------------------------------------------------------------------

    def _sweep_over(self, made: Draft, courses: Sequence[Course]) -> int:
        group = self._engine.groups[made.action.target]
        targets = tuple(course.target for course in courses)
        sweep = Sweep(group.name, targets, group.width, group.stops, made.sha256)
        for course in courses:
            course.sweep = sweep
        first, *rest = courses
        run = self._intend(first)
        sweep.waiting.extend(rest)
        self._go(sweep)
        self._begin_target(sweep, first, run)
        return run

    def _go(self, sweep: Sweep) -> None:
        self._sweeps[sweep.first] = sweep
        sweep.task = asyncio.create_task(self._to_the_last(sweep), name=f"sweep-{sweep.first}")

    def _begin_target(self, sweep: Sweep, course: Course, run: int) -> None:
        self._courses[run] = course
        course.task = asyncio.create_task(self._on_target(course, run), name=f"run-{run}")
        sweep.tasks.add(course.task)

    async def _on_target(self, course: Course, run: int) -> None:
        """One target from its intent to its end; why it could not be started is on record."""
        try:
            running = await self._begin(course, run)
            await self._to_the_end(course, run, running)
        except CockpitError:
            return
        except Exception as error:  # noqa: BLE001  # as there: a defect of ours must not leave a step running for ever
            self._give_up(course, error)
        finally:
            for number in course.runs:
                self._courses.pop(number, None)

    async def _to_the_last(self, sweep: Sweep) -> None:
        """Begin on one target after the other as the policy lets it, and record what the step came to."""
        try:
            while True:
                with contextlib.suppress(JournalError):
                    self._begin_more(sweep)
                if not sweep.tasks:
                    break
                over, sweep.tasks = await asyncio.wait(sweep.tasks, timeout=LOOK_S, return_when=asyncio.FIRST_COMPLETED)
                for task in over:
                    task.result()
            if not any(line.status is Status.RUNNING for line in self._lines(sweep)):
                with contextlib.suppress(JournalError):  # the next host of the session ends it
                    self._engine.end_fan_out(sweep.first, stopped=sweep.cancelled, remark=sweep.remark)
        finally:
            self._sweeps.pop(sweep.first, None)

    def _lines(self, sweep: Sweep) -> tuple[TargetLine, ...]:
        state = self._engine.state
        return state.fan_outs[sweep.first].lines(state.runs)

    def _begin_more(self, sweep: Sweep) -> None:
        """Begin on as many targets as may. While one is out of touch it may have failed: who stops then waits.

        Raises:
            JournalError: it can't be put on record; then none begins any more.
        """
        while sweep.may_begin(self._lines(sweep)) and not (sweep.stops and self._any_out_of_touch(sweep)):
            course = sweep.waiting.popleft()
            try:
                run = self._intend(course)
            except JournalError as error:
                sweep.remark = str(error)
                sweep.stopped.set()
                raise
            self._begin_target(sweep, course, run)

    def _any_out_of_touch(self, sweep: Sweep) -> bool:
        numbers = (line.record.run for line in self._lines(sweep) if line.record)
        running = (self._running.get(number) for number in numbers)
        return any(isinstance(each, LosesTouch) and each.out_of_touch_s > 0 for each in running)

    # -- taken over ------------------------------------------------------------------------------------------------

    async def adopt(self, adapters: Sequence[RunsSteps]) -> tuple[list[int], list[int]]:
        """After a host died: take over what still runs, and end the record of what is over. Returns (adopted, lost)."""
        adopted, lost = [], []
        sweeps = {first: Sweep.taken_over(each) for first, each in self._engine.state.fan_outs.items() if each.held}
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
            course.sweep, course.cwd = sweeps.get(record.group_first), record.intent.get("cwd")
            self._follow(course, record.run, running)
        for sweep in sweeps.values():
            self._take_over(sweep)
        self._end_between_runs()
        return adopted, lost

    def _take_over(self, sweep: Sweep) -> None:
        """What of a sweep still runs is followed to its end. None begins any more: its permits died with its host."""
        fan_out, state = self._engine.state.fan_outs[sweep.first], self._engine.state
        for line in fan_out.lines(state.runs):
            if line.record and line.status is not Status.RUNNING and line.record.goes_on:
                self._finish(line.record, Status.UNKNOWN, reason=interrupted(line.record, state))
        if any(line.record is None for line in fan_out.lines(state.runs)):
            sweep.remark = _("the host ended in the middle")
        sweep.tasks = {each.task for each in self._courses.values() if each.sweep is sweep and each.task}
        self._go(sweep)

    def _end_between_runs(self) -> None:
        """End the record of steps whose host died after one of several runs and before the next was on record."""
        state = self._engine.state
        for step_id, step in state.steps.items():
            record = state.runs.get(step.runs[-1]) if step.runs else None
            if step.status is not Status.RUNNING or record is None or record.group_first:
                continue
            if record.status is not Status.RUNNING:
                part = record.intent.get("part")
                self._engine.finish(step_id, Status.UNKNOWN, part=part, reason=interrupted(record, state))

    def _expected(self, record: RunRecord) -> tuple[Expectation, ...]:
        step = self._engine.runbook.step(record.step)
        part = next((p for p in step.parts if p.id == record.intent.get("part")), None) if step else None
        if part:
            return part.expectations
        return step.expectations if step else ()

    # -- stopped, waited for ---------------------------------------------------------------------------------------

    async def cancel(self, run: int | None, by: str = "host") -> list[int]:
        """Ask runs to end: one, or all that are under way. Their end is recorded when it comes.

        A run that is only being started is asked as soon as it can hear: nothing can call it back before. A course of
        several runs ends with the one that is cancelled, or before the next. With one run of a sweep all of it ends.

        Args:
            by: who asks, as the record will say of a run that ended so.

        Raises:
            UsageError: nothing of that number is running.
        """
        under_way = list(dict.fromkeys([*self._starting, *(each.runs[-1] for each in self._courses.values())]))
        sweep = self._sweep_of(run) if run is not None else None
        for each in [sweep] if sweep else [] if run is not None else self._sweeps.values():
            each.stopped.set()
            each.cancelled = True
        if sweep is not None:
            under_way = [number for number in under_way if self._sweep_of(number) is sweep]
        elif run is not None:
            course = self._courses.get(run)
            under_way = [number for number in under_way if number == (course.runs[-1] if course else run)]
        if not under_way:
            raise UsageError(_("nothing is running"))
        await asyncio.gather(*(self._cancel(number, by) for number in under_way))
        return under_way

    def _sweep_of(self, run: int) -> Sweep | None:
        record = self._engine.state.runs.get(run)
        return self._sweeps.get(record.group_first) if record else None

    async def _cancel(self, run: int, by: str) -> None:
        if run in self._starting:
            await self._starting[run].wait()
        if run in self._courses:
            self._courses[run].stop(by)
        if run in self._running:
            await self._running[run].cancel()

    async def wait(self, run: int) -> None:
        """Wait until a run, and those that belong to it, are over and recorded."""
        course, sweep = self._courses.get(run), self._sweep_of(run)
        task = sweep.task if sweep else course.task if course else None
        if task:
            await asyncio.wait([task])

    async def leave(self) -> None:
        """Stop following; what runs goes on."""
        self.runners.close()
        tasks = [sweep.task for sweep in self._sweeps.values()]
        tasks += [course.task for course in set(self._courses.values())]
        under_way = [task for task in tasks if task]
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    def _follow(self, course: Course, run: int, running: Running) -> None:
        self._courses |= dict.fromkeys(course.runs, course)
        course.task = asyncio.create_task(self._to_the_end(course, run, running), name=f"run-{run}")
