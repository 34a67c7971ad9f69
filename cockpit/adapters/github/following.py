"""`--wait`: until a run has ended, with what happens on the way. Giving up the wait leaves the run as it is."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime
from typing import TypeVar

from cockpit.adapters.github.api import GithubApi
from cockpit.adapters.github.operations import Call
from cockpit.adapters.github.pages import duration, failed_steps, took_s
from cockpit.adapters.github.shapes import FAILED, PASSED, Job, Jobs, Run, Runs
from cockpit.adapters.step_program.page import Page
from cockpit.errors import Declined, OutcomeUnknown, TargetUnreachable, TimedOut
from cockpit.words import _

Shape = TypeVar("Shape")

_FIRST_LOOK_S, _LAST_LOOK_S = 0.5, 5.0
_SLOWER = 1.4
_TRIES, _PATIENCE_S = 4, 1.0
_APPEARS_S = 120.0
"""A dispatched run is listed seconds later; where it is not by then, nothing is known of it."""
_PAGE = {"per_page": "100"}


class Following:
    """Follows one run. Before the call it remembers what there was, to know afterwards what the call began.

    Args:
        changing: the call changes something, so that a wait which breaks leaves open what came of it.
    """

    def __init__(self, api: GithubApi, call: Call, page: Page) -> None:
        self._api = api
        self._call = call
        self._page = page
        self._changing = call.operation.method != "GET"
        self._below = f"/repos/{call.repo}/actions"
        self._run_id = int(call.given.get("run_id", "0"))
        self._attempt = 0
        self._known: frozenset[int] = frozenset()
        self._told: dict[str, str] = {}

    async def remember(self) -> None:
        """How things stand before the call. Raises as `Api.ask`."""
        if "workflow_id" in self._call.given:
            self._known = frozenset(run.id for run in await self._dispatched())
            return
        if "job_id" in self._call.given:
            self._run_id = (await self._api.get(f"{self._below}/jobs/{self._call.given['job_id']}", Job)).run_id
        run = await self._run()
        begins_anew = "re-run" in self._call.name
        self._attempt = run.run_attempt + 1 if begins_anew else run.run_attempt

    async def follow(self) -> None:
        """Wait for the end.

        Raises:
            Declined: it did not end well. OutcomeUnknown: nothing is heard of what the call began.
        """
        try:
            run = await self._ended(await self._begun())
        except (TargetUnreachable, TimedOut) as error:
            if not self._changing:
                raise
            raise OutcomeUnknown(error.what, where=error.where, mend=_("look before you run it again")) from error
        took = duration(run.duration_s(datetime.now(UTC)))
        self._page.line(_("run {id} ended: {state}, {took}").format(id=run.id, state=run.state, took=took))
        cancels = "cancel" in self._call.name
        if run.conclusion in PASSED or (cancels and run.conclusion == "cancelled"):
            return
        failed = [job for job in await self._jobs(run) if job.conclusion in FAILED]
        mend = f"actions/download-job-logs-for-workflow-run --job_id {failed[0].id}" if failed else run.html_url
        names = ", ".join(f"{job.name}: {failed_steps(job) or job.conclusion}" for job in failed[:3])
        told = _("run {id} ended: {state}").format(id=run.id, state=run.state)
        raise Declined(f"{told}: {names}" if names else told, mend=mend)

    def given_up(self) -> str:
        """What is to be said when the wait ends before the run does."""
        if not self._run_id:
            return _("nobody waits any more; the run goes on at GitHub")
        return _("nobody waits any more; run {id} goes on at GitHub, until {action}").format(
            id=self._run_id, action=f"actions/cancel-workflow-run --run_id {self._run_id}"
        )

    async def _begun(self) -> Run:
        """The run that the call is about, once it is there in the attempt that the call began."""
        pause, waited = _FIRST_LOOK_S, 0.0
        while True:
            run = await (self._new() if not self._run_id else self._run())
            if run is not None and run.run_attempt >= self._attempt:
                self._run_id = run.id
                self._page.line(_("run {id}: {title}").format(id=run.id, title=run.title) + f"  {run.html_url}")
                return run
            if waited > _APPEARS_S:
                raise TimedOut(
                    _("the run that was asked for did not appear within {seconds:g} s").format(seconds=_APPEARS_S)
                )
            await asyncio.sleep(pause)
            waited += pause
            pause = min(pause * _SLOWER, _LAST_LOOK_S)

    async def _new(self) -> Run | None:
        """The one run that was not there before.

        Raises:
            OutcomeUnknown: there are several, and nothing tells which is ours.
        """
        new = [run for run in await self._dispatched() if run.id not in self._known]
        if len(new) > 1:
            raise OutcomeUnknown(
                _("several runs began at once, and nothing tells which is this one: {names}").format(
                    names=", ".join(f"{run.id} ({run.who})" for run in new)
                ),
                mend="actions/get-workflow-run --run_id … --wait",
            )
        return new[0] if new else None

    async def _dispatched(self) -> list[Run]:
        path = f"{self._below}/workflows/{self._call.given['workflow_id']}/runs"
        return (await self._ask(path, Runs, {"event": "workflow_dispatch", **_PAGE})).workflow_runs

    async def _ended(self, run: Run) -> Run:
        pause = _FIRST_LOOK_S
        while not run.over:
            self._tell("", run.state)
            for job in await self._jobs(run):
                self._tell(job.name, f"{job.state} {duration(took_s(job))}".removesuffix(" -"))
            await asyncio.sleep(pause)
            pause = min(pause * _SLOWER, _LAST_LOOK_S)
            run = await self._run()
        for job in await self._jobs(run):
            self._tell(job.name, f"{job.state} {duration(took_s(job))}".removesuffix(" -"))
        return run

    def _tell(self, name: str, state: str) -> None:
        if self._told.get(name) != state:
            self._told[name] = state
            if not name and state == "waiting":
                state = _("it waits for an approval at GitHub")
            self._page.line(f"  {name}: {state}" if name else f"  {state}")

    async def _run(self) -> Run:
        return await self._ask(f"{self._below}/runs/{self._run_id}", Run)

    async def _jobs(self, run: Run) -> list[Job]:
        return (await self._ask(f"{self._below}/runs/{run.id}/jobs", Jobs, _PAGE)).jobs

    async def _ask(self, path: str, shape: type[Shape], values: dict[str, str] | None = None) -> Shape:
        """A question, asked again where the way there breaks: a run is followed for long."""
        for attempt in range(_TRIES - 1):
            try:
                return await self._api.get(path, shape, values)
            except (TargetUnreachable, TimedOut):
                pause_s = _PATIENCE_S * 2**attempt
                await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311 - not to hide anything
        return await self._api.get(path, shape, values)
