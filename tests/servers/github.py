"""A stand-in for GitHub's REST API, as far as Actions go: runs that are re-run, dispatched, cancelled, and progress.

A run that is under way moves on one place in `STAGES` each time it is looked at, and ends as `will_end` says.
"""

from __future__ import annotations

import itertools
import json
import re
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.servers.pages import Page, page_server

STAGES = ("queued", "queued", "in_progress", "in_progress", "completed")
_REPO = "/repos/acme/shop"
_RUN = re.compile(r"/actions/runs/(\d+)(/[\w-]+)?")
_JOB = re.compile(r"/actions/jobs/(\d+)(/[\w-]+)?")
_WORKFLOW = re.compile(r"/actions/workflows/([^/]+)(/[\w-]+)?")


def stamp(age_s: float = 0.0) -> str:
    return (datetime.now(UTC) - timedelta(seconds=age_s)).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class GithubServer:
    """`asked` are method, path and values of every request, `tokens` what signed it in; `refuse` answers instead of all
    else: status, headers, message. `branches` that a dispatch finds. `will_end`: what runs come to."""

    port: int = 0
    token: str = ""
    private: bool = False
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    workflows: dict[int, dict[str, Any]] = field(default_factory=dict)
    runs: dict[int, dict[str, Any]] = field(default_factory=dict)
    logs: dict[int, bytes] = field(default_factory=dict)
    branches: set[str] = field(default_factory=lambda: {"main"})
    will_end: str = "success"
    appears_after: int = 0
    push: bool = True
    refuse: tuple[int, dict[str, str], str] | None = None
    bodies: list[Any] = field(default_factory=list)
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(101))
    _late: list[tuple[int, dict[str, Any]]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def workflow(self, name: str, file: str) -> int:
        number = len(self.workflows) + 1
        self.workflows[number] = {
            "id": number,
            "name": name,
            "path": f".github/workflows/{file}",
            "state": "active",
        }
        return number

    def run(self, workflow: int, conclusion: str | None = "success", **given: Any) -> int:
        """A run that ended so, or with None one that is under way."""
        number = next(self._ids)
        age_s = given.pop("age_s", 300.0)
        made = {
            "id": number,
            "name": self.workflows[workflow]["name"],
            "display_title": "Mend the cart",
            "run_number": number - 100,
            "run_attempt": 1,
            "workflow_id": workflow,
            "status": "completed" if conclusion else "in_progress",
            "conclusion": conclusion,
            "event": "push",
            "head_branch": "main",
            "head_sha": "1a2b3c4d5e6f7a8b",
            "html_url": f"https://github.example.com/acme/shop/actions/runs/{number}",
            "created_at": stamp(age_s),
            "run_started_at": stamp(age_s),
            "updated_at": stamp(max(0.0, age_s - 90)),
            "actor": {"login": "kim"},
            "triggering_actor": {"login": "kim"},
        }
        self.runs[number] = made | given | {"looks": len(STAGES) if conclusion else 2}
        return number

    def job_of(self, run: int) -> int:
        """The one job of a run."""
        return run + 1000

    def fingerprint(self) -> list[Any]:
        """What changes can be told by."""
        runs = [(number, run["run_attempt"], run["status"], run["conclusion"]) for number, run in self.runs.items()]
        return [runs, [one["state"] for one in self.workflows.values()]]

    # -- answers -----------------------------------------------------------------------------------------------------

    def answer(self, method: str, path: str, values: dict[str, str], body: Any) -> tuple[int, Any]:
        """Status and document for a request below the repository."""
        if path in ("", "/"):
            rights = {"push": self.push, "pull": True}
            return 200, {"full_name": "acme/shop", "default_branch": "main", "permissions": rights}
        if path == "/actions/workflows":
            return 200, {"total_count": len(self.workflows), "workflows": list(self.workflows.values())}
        if path == "/actions/runs":
            return self._listed(values, self.runs.values())
        if path == "/releases/latest":
            return 200, {"tag_name": "v1.4.2", "name": "한글"}
        if found := _RUN.fullmatch(path):
            return self._run(method, self.runs.get(int(found[1])), found[2] or "")
        if found := _JOB.fullmatch(path):
            return self._job(method, int(found[1]), found[2] or "")
        if found := _WORKFLOW.fullmatch(path):
            return self._workflow(method, urllib.parse.unquote(found[1]), found[2] or "", values, body)
        return 404, {"message": "Not Found"}

    def _listed(self, values: dict[str, str], runs: Any) -> tuple[int, Any]:
        self._arrive()
        wanted = {"branch": "head_branch", "event": "event"}
        found = [
            run for run in runs if all(run[wanted[key]] == value for key, value in values.items() if key in wanted)
        ]
        found.sort(key=lambda run: -run["id"])
        return 200, {"total_count": len(found), "workflow_runs": found[: int(values.get("per_page", "30"))]}

    def _arrive(self) -> None:
        self._late = [(looks - 1, run) for looks, run in self._late]
        for looks, run in self._late:
            if looks < 0:
                self.runs[run["id"]] = run
        self._late = [(looks, run) for looks, run in self._late if looks >= 0]

    def _run(self, method: str, run: dict[str, Any] | None, below: str) -> tuple[int, Any]:
        if run is None:
            return 404, {"message": "Not Found"}
        if method == "GET" and below == "/jobs":
            return 200, {"total_count": 1, "jobs": [self._job_of(run)]}
        if method == "GET" and not below:
            self._move_on(run)
            return 200, run
        if method == "POST" and below in ("/rerun", "/rerun-failed-jobs"):
            return self._again(run)
        if method == "POST" and below in ("/cancel", "/force-cancel"):
            if run["status"] == "completed":
                return 409, {"message": "Cannot cancel a workflow run that is completed."}
            run |= {"will_end": "cancelled"}
            return 202, {}
        return 404, {"message": "Not Found"}

    def _again(self, run: dict[str, Any]) -> tuple[int, Any]:
        if run["status"] != "completed":
            return 403, {"message": "This workflow is already running"}
        run |= {"run_attempt": run["run_attempt"] + 1, "status": "queued", "conclusion": None, "looks": 0}
        run |= {"run_started_at": stamp(), "updated_at": stamp(), "will_end": self.will_end}
        return 201, {}

    def _move_on(self, run: dict[str, Any]) -> None:
        if run["status"] != "completed" and run.get("stuck") is None:
            run["looks"] += 1
            run["status"] = STAGES[min(run["looks"], len(STAGES) - 1)]
        if run["status"] == "completed" and run["conclusion"] is None:
            run |= {"conclusion": run.get("will_end", self.will_end), "updated_at": stamp()}

    def _job_of(self, run: dict[str, Any]) -> dict[str, Any]:
        over = run["status"] == "completed"
        step = {"name": "Run tests", "number": 3, "status": run["status"], "conclusion": run["conclusion"]}
        times = {"started_at": run["run_started_at"], "completed_at": run["updated_at"] if over else None}
        state = {"status": run["status"], "conclusion": run["conclusion"], "steps": [step]}
        return {"id": self.job_of(run["id"]), "run_id": run["id"], "name": "build", **state, **times}

    def _job(self, method: str, number: int, below: str) -> tuple[int, Any]:
        run = self.runs.get(number - 1000)
        if below == "/logs" and number in self.logs:
            return 302, f"{self.url}/blob/{number}?sig=Zq7-signed-Zq7"
        if run is None:
            return 404, {"message": "Not Found"}
        return self._again(run) if method == "POST" else (200, self._job_of(run))

    def _workflow(self, method: str, name: str, below: str, values: dict[str, str], body: Any) -> tuple[int, Any]:
        found = [one for one in self.workflows.values() if name in (str(one["id"]), one["path"].rpartition("/")[2])]
        if not found:
            return 404, {"message": "Not Found"}
        if below == "/runs":
            return self._listed(values, [run for run in self.runs.values() if run["workflow_id"] == found[0]["id"]])
        if method == "POST" and below == "/dispatches":
            if body["ref"] not in self.branches:
                return 422, {"message": f"No ref found for: {body['ref']}"}
            number = self.run(found[0]["id"], None, event="workflow_dispatch", head_branch=body["ref"], age_s=0.0)
            made = self.runs.pop(number) | {"status": "queued", "looks": 0}
            self._late.append((self.appears_after, made))
            self.bodies.append(body)
            if not self.appears_after:
                self._arrive()
            return 204, None
        if method == "PUT":
            found[0]["state"] = {"/disable": "disabled_manually", "/enable": "active"}[below]
            return 204, None
        return 200, found[0]


@contextmanager
def github_server(token: str = "") -> Iterator[GithubServer]:
    held = GithubServer(token=token)
    one_by_one = threading.Lock()

    class Answers(Page):
        def answer(self) -> None:
            path, _mark, query = self.path.partition("?")
            values = dict(urllib.parse.parse_qsl(query))
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"null")
            with one_by_one:
                held.asked.append((self.command, path, values))
                held.tokens.append(self.headers.get("Authorization", ""))
                status, said, headers = self._answer(path, values, body)
            if isinstance(said, bytes):
                return self.says(status, said, "text/plain", **headers)
            whole = b"" if said is None else json.dumps(said).encode()
            return self.says(status, whole, "application/json; charset=utf-8", **headers)

        def _answer(self, path: str, values: dict[str, str], body: Any) -> tuple[int, Any, dict[str, str]]:
            if path.startswith("/blob/"):
                return 200, held.logs[int(path.rpartition("/")[2])], {}
            if held.refuse:
                status, headers, message = held.refuse
                return status, {"message": message}, headers
            let_in = self.headers.get("Authorization", "") == f"Bearer {held.token}"
            if held.token and not let_in and (not held.private or "Authorization" in self.headers):
                return 401, {"message": "Bad credentials"}, {}
            if not path.startswith(_REPO) or (held.private and not let_in):
                return 404, {"message": "Not Found"}, {}
            status, said = held.answer(self.command, path.removeprefix(_REPO), values, body)
            return (302, None, {"Location": said}) if status == 302 else (status, said, {})

        do_POST = do_PUT = answer  # noqa: N815

    with page_server(Answers) as held.port:
        yield held
