"""The operations that are served, by the names that GitHub's own description of its API has for them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from cockpit.adapters.github.options import is_repo
from cockpit.errors import UsageError
from cockpit.safety.action_words import ActionWord
from cockpit.safety.github.action import GithubAction
from cockpit.words import _

Shown = Literal["workflows", "workflow", "runs", "run", "jobs", "job", "log", "json", "begun", "told"]

_IN_PATH = re.compile(r"\{(\w+)\}")
_NUMBERS = frozenset({"run_id", "job_id", "attempt_number", "deployment_id", "per_page", "page"})
_RUNS = frozenset({"actor", "branch", "event", "status", "per_page", "page", "created", "head_sha"})
_PAGED = frozenset({"per_page", "page"})
_MOST_BYTES = 65535
_ABOUT_REPO = ("owner", "repo")


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: its request below the repository, its parameters, and what its answer is.

    `waits`: `--wait` follows the run that it is about, or begins.
    """

    method: str
    path: str
    shown: Shown
    query: frozenset[str] = frozenset()
    body: frozenset[str] = frozenset()
    waits: bool = False

    @property
    def in_path(self) -> tuple[str, ...]:
        """The parameters that every call has."""
        return tuple(_IN_PATH.findall(self.path))


def _get(path: str, shown: Shown, query: frozenset[str] = frozenset(), *, waits: bool = False) -> Operation:
    return Operation("GET", path, shown, query, waits=waits)


def _post(path: str, *body: str, shown: Shown = "begun", method: str = "POST", waits: bool = True) -> Operation:
    return Operation(method, path, shown, body=frozenset(body), waits=waits)


_RUN = "/actions/runs/{run_id}"
SERVED: Mapping[str, Operation] = {
    "actions/list-repo-workflows": _get("/actions/workflows", "workflows", _PAGED),
    "actions/get-workflow": _get("/actions/workflows/{workflow_id}", "workflow"),
    "actions/list-workflow-runs-for-repo": _get("/actions/runs", "runs", _RUNS),
    "actions/list-workflow-runs": _get("/actions/workflows/{workflow_id}/runs", "runs", _RUNS),
    "actions/get-workflow-run": _get(_RUN, "run", waits=True),
    "actions/list-jobs-for-workflow-run": _get(f"{_RUN}/jobs", "jobs", _PAGED | {"filter"}),
    "actions/get-job-for-workflow-run": _get("/actions/jobs/{job_id}", "job"),
    "actions/download-job-logs-for-workflow-run": _get("/actions/jobs/{job_id}/logs", "log"),
    "actions/get-pending-deployments-for-run": _get(f"{_RUN}/pending_deployments", "json"),
    "repos/get": _get("", "json"),
    "repos/get-branch": _get("/branches/{branch}", "json"),
    "repos/get-commit": _get("/commits/{ref}", "json"),
    "repos/list-commits": _get("/commits", "json", _PAGED | {"sha", "path", "author", "since", "until"}),
    "repos/get-latest-release": _get("/releases/latest", "json"),
    "repos/list-releases": _get("/releases", "json", _PAGED),
    "repos/list-deployments": _get("/deployments", "json", _PAGED | {"sha", "ref", "task", "environment"}),
    "repos/get-combined-status-for-ref": _get("/commits/{ref}/status", "json", _PAGED),
    "actions/re-run-workflow": _post(f"{_RUN}/rerun", "enable_debug_logging"),
    "actions/re-run-workflow-failed-jobs": _post(f"{_RUN}/rerun-failed-jobs", "enable_debug_logging"),
    "actions/re-run-job-for-workflow-run": _post("/actions/jobs/{job_id}/rerun", "enable_debug_logging"),
    "actions/create-workflow-dispatch": _post("/actions/workflows/{workflow_id}/dispatches", "ref", "inputs"),
    "actions/cancel-workflow-run": _post(f"{_RUN}/cancel"),
    "actions/force-cancel-workflow-run": _post(f"{_RUN}/force-cancel"),
    "actions/disable-workflow": _post(
        "/actions/workflows/{workflow_id}/disable", shown="told", method="PUT", waits=False
    ),
    "actions/enable-workflow": _post(
        "/actions/workflows/{workflow_id}/enable", shown="told", method="PUT", waits=False
    ),
}


@dataclass(frozen=True, slots=True)
class Call:
    """One action with its values: what is asked, of which repository, and whether to wait for the end."""

    name: str
    operation: Operation
    repo: str
    given: Mapping[str, str]
    query: Mapping[str, str]
    document: Mapping[str, Any] | None
    wait: bool

    @property
    def path(self) -> str:
        """The address below the server's."""
        filled = _IN_PATH.sub(lambda found: quote(self.given[found[1]], safe=""), self.operation.path)
        return f"/repos/{self.repo}{filled}"


def call_of(action: GithubAction, values: Mapping[str, str], repo: str) -> Call:
    """The call that an action asks for.

    Raises:
        UsageError: it is not served, lacks a parameter, has one that it does not know, or a value that is none.
    """
    name = f"{action.category}/{action.operation}"
    operation = SERVED.get(name)
    if operation is None:
        raise UsageError(
            _("{name} is not served here").format(name=name),
            mend=_("there are {names}; anything else as bash, by gh api").format(names=", ".join(sorted(SERVED))),
        )
    wait = _flag(action.options.get("wait"), values) if "wait" in action.options else False
    if wait and not operation.waits:
        raise UsageError(_("--wait is not known for {name}").format(name=name))
    texts = {key: _text(key, word, values) for key, word in action.options.items() if key != "wait"}
    repo = _repo_of(texts, repo)
    _check_names(name, operation, texts)
    given = {key: texts[key] for key in operation.in_path}
    query = {key: text for key, text in texts.items() if key in operation.query}
    document = {key: _value(key, text) for key, text in texts.items() if key in operation.body}
    return Call(name, operation, repo, given, query, document or None, wait)


def _check_names(name: str, operation: Operation, texts: Mapping[str, str]) -> None:
    needed = (*operation.in_path, *(["ref"] if "ref" in operation.body else []))
    known = {*needed, *operation.query, *operation.body}
    missing = [key for key in needed if texts.get(key, "") in ("", ".", "..")]  # an address would swallow dots
    if missing:
        raise UsageError(_("{name} lacks {options}").format(name=name, options=" ".join(f"--{key}" for key in missing)))
    unknown = next((key for key in texts if key not in known and key not in _ABOUT_REPO), None)
    if unknown is not None:
        raise UsageError(
            _("there is no parameter --{name}").format(name=unknown),
            mend=_("there are {names}").format(names=", ".join(sorted(known)) or "-"),
        )
    for key in _NUMBERS & texts.keys():
        if not texts[key].isascii() or not texts[key].isdecimal():
            raise UsageError(
                _("{option} wants a number, not {value}").format(option=f"--{key}", value=repr(texts[key]))
            )


def _repo_of(texts: Mapping[str, str], repo: str) -> str:
    owner, _slash, name = repo.partition("/")
    asked = f"{texts.get('owner', owner)}/{texts.get('repo', name)}"
    if not is_repo(asked):
        raise UsageError(_("{name} is no repository").format(name=repr(asked)), mend="--owner acme --repo shop")
    return asked


def _text(key: str, word: ActionWord | None, values: Mapping[str, str]) -> str:
    if word is None:
        return "true"
    text = word.filled(values)
    if len(text) > _MOST_BYTES:
        raise UsageError(_("--{name} is too long").format(name=key))
    return text


def _flag(word: ActionWord | None, values: Mapping[str, str]) -> bool:
    return word is None or _boolean("wait", word.filled(values))


def _boolean(key: str, text: str) -> bool:
    if text not in ("true", "false"):
        raise UsageError(_("--{name} is true or false").format(name=key))
    return text == "true"


def _value(key: str, text: str) -> Any:
    if key == "inputs":
        try:
            inputs = json.loads(text)
        except (ValueError, RecursionError):
            inputs = None
        if not isinstance(inputs, dict) or not all(isinstance(value, str | bool | int) for value in inputs.values()):
            raise UsageError(_("--inputs is a JSON object of texts"), mend="""--inputs '{"version": "v1"}'""")
        return inputs
    return _boolean(key, text) if key == "enable_debug_logging" else text
