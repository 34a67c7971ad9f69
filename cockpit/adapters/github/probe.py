"""The last runs of a repository's workflows as a probe: how each ended on the branch that matters, and what runs now.

[[probe]]
name = "ci"
kind = "github"
repo = "acme/shop"                  # and the other keys of a target of kind "github"
branch = "main"                     # without it the repository's default branch
workflows = ["deploy.yml"]          # by file or name; without it all
interval_s = 30

Red is a workflow whose last finished run there failed, whatever has begun since.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from msgspec import Struct

from cockpit.adapters.github.api import GithubApi
from cockpit.adapters.github.options import GithubOptions, check
from cockpit.adapters.github.shapes import FAILED, PASSED, Repository, Run, Runs, Workflow, Workflows
from cockpit.adapters.http.api import credentials_of
from cockpit.adapters.probing import TEXT_CHARACTERS, Finding, Value
from cockpit.safety.judge import judge
from cockpit.safety.permit import Action, Permit
from cockpit.safety.verdict import Judgement
from cockpit.words import _, plural

_SHARE_OF_DEADLINE = 0.95
_LOOKED_AT = 100
_MOST_ROWS = 20


class GithubProbeOptions(GithubOptions, frozen=True, kw_only=True):
    """Keys of a probe of kind "github"."""

    branch: str = ""
    workflows: tuple[str, ...] = ()


class GithubProbe:
    """The workflows of one repository."""

    Options: ClassVar[type[Struct]] = GithubProbeOptions

    def __init__(self, options: GithubProbeOptions, deadline_s: float) -> None:
        check(options)
        self._options = options
        self._deadline_s = deadline_s * _SHARE_OF_DEADLINE
        self._api: GithubApi | None = None
        self._branch = options.branch
        self._files: Mapping[int, Workflow] | None = None

    @property
    def action(self) -> Action:
        """The question; the target is the server's address."""
        owner, _slash, repo = self._options.repo.partition("/")
        return Action("github", f"actions/list-workflow-runs-for-repo --owner {owner} --repo {repo}", self._options.url)

    @property
    def judgement(self) -> Judgement:
        """What safety says of it."""
        return judge("github", self.action.body)

    async def look(self, permit: Permit) -> Finding:
        """The newest runs on the branch. See `Watchable`."""
        permit.covers(self.action)
        api = self._api = self._api or GithubApi(
            self._options, credentials_of(self._options.as_api()), self._deadline_s, sealed=True
        )
        below = f"/repos/{self._options.repo}"
        self._branch = self._branch or (await api.get(below, Repository)).default_branch
        if self._options.workflows and self._files is None:
            found = await api.get(f"{below}/actions/workflows", Workflows, {"per_page": "100"})
            self._files = {one.id: one for one in found.workflows}
        values = {"branch": self._branch, "per_page": str(_LOOKED_AT)}
        runs = (await api.get(f"{below}/actions/runs", Runs, values)).workflow_runs
        return _finding([run for run in runs if self._is_wanted(run)], self._branch)

    async def close(self) -> None:
        """Let go of connections."""
        api, self._api = self._api, None
        if api is not None:
            await api.close()

    def _is_wanted(self, run: Run) -> bool:
        wanted = self._options.workflows
        file = (self._files or {}).get(run.workflow_id)
        return not wanted or run.name in wanted or (file is not None and file.path.rpartition("/")[2] in wanted)


def _finding(runs: Sequence[Run], branch: str) -> Finding:
    """Runs are newest first."""
    newest: dict[int, Run] = {}
    decided: dict[int, Run] = {}
    for run in runs:
        newest.setdefault(run.workflow_id, run)
        if run.over and run.conclusion in FAILED | PASSED:
            decided.setdefault(run.workflow_id, run)
    if not newest:
        told = _("no run on {branch}").format(branch=branch[:TEXT_CHARACTERS])
        return Finding(told, none=True, mend=_("check repo, branch and workflows"))
    failed = [run for run in decided.values() if run.conclusion in FAILED]
    running = [run for run in newest.values() if not run.over]
    values = (
        Value("failed", float(len(failed)), "", "red" if failed else "green"),
        Value("running", float(len(running))),
        Value("workflows", float(len(newest))),
    )
    names = ", ".join(str(run.name or run.workflow_id) for run in failed[:3])
    told = _("failed on {branch}: {names}").format(branch=branch, names=names) if failed else ""
    if not failed:
        told = plural("{n} workflow well on {branch}", "{n} workflows well on {branch}", len(newest)).format(
            n=len(newest), branch=branch
        )
    if running:
        told += " · " + _("{n} running").format(n=len(running))
    shown = [*failed, *(run for run in newest.values() if run not in failed)]
    return Finding(told[:TEXT_CHARACTERS], values, tuple(map(_row, shown[:_MOST_ROWS])))


def _row(run: Run) -> Mapping[str, Any]:
    level = "red" if run.conclusion in FAILED else "green" if run.conclusion in PASSED else ""
    texts = {
        "name": str(run.name or run.workflow_id),
        "state": run.state,
        "branch": run.head_branch or "",
        "by": run.who,
        "began": run.began_at,
        "title": run.display_title,
        "url": run.html_url,
    }
    return {key: text[:TEXT_CHARACTERS] for key, text in texts.items()} | {
        "id": run.id,
        "number": run.run_number,
        "duration_s": run.duration_s(datetime.now(UTC)),
        "level": level,
    }
