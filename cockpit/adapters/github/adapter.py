"""GitHub Actions: typed actions, named as GitHub's own description of its API names them.

[target.ci]
kind = "github"
repo = "acme/shop"
token_env = "CI_TOKEN"             # or token_file; Actions: read, or read and write to run something
url = "https://github.example.com/api/v3"    # of an own server; without it github.com

    actions/list-workflow-runs --workflow_id deploy.yml --branch main
    actions/re-run-workflow-failed-jobs --run_id 123456 --wait

`--wait` follows the run to its end and fails with it. `--owner` and `--repo` name another repository of the server.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import ClassVar

import msgspec
from msgspec import Struct

from cockpit.adapters.base import Enforcement
from cockpit.adapters.github import pages
from cockpit.adapters.github.api import GithubApi
from cockpit.adapters.github.following import Following
from cockpit.adapters.github.operations import Call, call_of
from cockpit.adapters.github.options import GithubOptions, check
from cockpit.adapters.github.shapes import Job, Jobs, Repository, Run, Runs, Workflow, Workflows
from cockpit.adapters.http.api import credentials_of
from cockpit.adapters.step_program.adapter import StepProgram, Task, only_reads
from cockpit.adapters.step_program.page import Page
from cockpit.errors import Malformed
from cockpit.safety.github.action import github_actions
from cockpit.safety.judge import judge
from cockpit.safety.verdict import Verdict
from cockpit.words import _


class GithubAdapter(StepProgram[GithubOptions]):
    """Runs the actions of a block in order, up to the first that fails."""

    name = "github"
    languages = frozenset({"github"})
    Options: ClassVar[type[Struct]] = GithubOptions

    def __init__(self, options: GithubOptions, *, trusted: bool = True) -> None:
        super().__init__(options, trusted=trusted)
        check(options)
        self._following: Following | None = None

    def credentials(self) -> dict[str, str]:
        """The token. See `StepProgram.credentials`."""
        return credentials_of(self.options.as_api())

    def perform(self, task: Task, page: Page) -> None:
        """Carry out the step's actions. See `StepProgram.perform`."""
        calls = [call_of(action, task.values, self.options.repo) for action in github_actions(task.body)]
        if task.read_only:
            _require_reading(task, calls)
        try:
            asyncio.run(self._perform(calls, task, page))
        except KeyboardInterrupt:
            if self._following is not None:
                page.line(self._following.given_up())
            raise

    def enforced(self, task: Task) -> Enforcement:
        """Asks what this token may do with the repository. See `StepProgram.enforced`."""
        repository = asyncio.run(self._repository(task))
        rights = repository.permissions
        if not task.credentials or (rights is not None and not rights.push):
            return Enforcement("server", _("GitHub lets it only read {name}").format(name=repository.full_name))
        # What a token of narrower permissions may do GitHub does not tell; what its owner may do it does.
        return Enforcement("tool", _("it may change {name}, as far as GitHub tells").format(name=repository.full_name))

    async def _repository(self, task: Task) -> Repository:
        async with self._connected(task, sealed=True) as api:
            return await api.get(f"/repos/{self.options.repo}", Repository)

    async def _perform(self, calls: Sequence[Call], task: Task, page: Page) -> None:
        async with self._connected(task, sealed=task.read_only) as api:
            for call in calls:
                if len(calls) > 1:
                    page.line(f"> {call.name}")
                self._following = Following(api, call, page) if call.wait else None
                await _one(api, call, page, self._following)

    @asynccontextmanager
    async def _connected(self, task: Task, *, sealed: bool) -> AsyncIterator[GithubApi]:
        permitted = task.require_still_permitted
        api = GithubApi(self.options, task.credentials, self.options.timeout_s, sealed=sealed, permitted=permitted)
        try:
            yield api
        finally:
            await api.close()


def _require_reading(task: Task, calls: Sequence[Call]) -> None:
    """Raise PolicyRefusal unless every action reads, by name and by what would be sent."""
    for call in calls:
        if call.operation.method != "GET" or judge("github", call.name).verdict is not Verdict.READ_ONLY:
            raise only_reads(call.name)
    if judge("github", task.body).verdict is not Verdict.READ_ONLY:
        raise only_reads("github")


async def _one(api: GithubApi, call: Call, page: Page, following: Following | None) -> None:
    if following is not None:
        await following.remember()
    if call.operation.method == "GET":
        if following is None:
            await _show(api, call, page)
    else:
        await api.change(call.operation.method, call.path, call.document)
        page.line(_("GitHub accepted {name}").format(name=f"{call.name} {' '.join(call.given.values())}".strip()))
    if following is not None:
        await following.follow()


async def _show(api: GithubApi, call: Call, page: Page) -> None:
    shown = call.operation.shown
    if shown == "log":
        page.write(await api.log(call.path))
    elif shown == "workflows":
        pages.show_workflows((await api.get(call.path, Workflows, call.query)).workflows, page)
    elif shown == "workflow":
        pages.show_workflows([await api.get(call.path, Workflow)], page)
    elif shown == "runs":
        runs = await api.get(call.path, Runs, call.query)
        asked = " ".join(f"{key}={value}" for key, value in call.query.items())
        pages.show_runs(runs.workflow_runs, runs.total_count, asked, page)
    elif shown == "run":
        pages.show_run(await api.get(call.path, Run), page)
    elif shown == "jobs":
        pages.show_jobs((await api.get(call.path, Jobs, call.query)).jobs, page)
    elif shown == "job":
        pages.show_job(await api.get(call.path, Job), page)
    else:
        page.line(_pretty(await api.get(call.path, msgspec.Raw, call.query)))


def _pretty(raw: msgspec.Raw) -> str:
    try:
        return json.dumps(json.loads(bytes(raw)), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError) as error:
        raise Malformed(_("the result can't be understood: {error}").format(error=str(error)[:200])) from error
