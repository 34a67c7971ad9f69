"""A stand-in for ArgoCD's REST API: applications whose operations move on one phase each time they are looked at.

No ArgoCD can be had here. The shapes are those of its documented API, the texts of its refusals its own.
"""

from __future__ import annotations

import json
import re
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.servers.pages import Page, page_server

_ONE = re.compile(r"/api/v1/applications/([^/?]+)(?:/([a-z-]+))?")
_MAY = re.compile(r"/api/v1/account/can-i/applications/(\w+)/(.+)")


def _stamp() -> str:
    """Now, in whole seconds, as Kubernetes writes times."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def revision(letter: str) -> str:
    return letter * 40


@dataclass
class ArgocdServer:
    """`asked` are method, path and values of every request; `refuse` answers the next ones instead: status, headers,
    body, how often. `phases` are what an operation goes through; `may` what the account may do."""

    port: int = 0
    token: str = ""
    apps: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str], Any]] = field(default_factory=list)
    phases: list[tuple[str, str]] = field(default_factory=list)
    will_end: tuple[str, str] = ("Succeeded", "successfully synced (all tasks run)")
    refuse: list[tuple[int, dict[str, str], str]] = field(default_factory=list)
    may: set[str] = field(default_factory=lambda: {"sync"})
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def app(self, name: str, *, health: str = "Healthy", sync: str = "Synced", **status: Any) -> dict[str, Any]:
        """An application that was deployed three times."""
        source = {"repoURL": "https://git.test/shop.git", "path": "deploy", "targetRevision": "main"}
        history = [
            {"id": number, "revision": revision(letter), "deployedAt": f"2026-01-0{number}T09:00:00Z", "source": source}
            for number, letter in ((1, "a"), (2, "b"), (3, "c"))
        ]
        resources = [
            {"group": "apps", "kind": "Deployment", "namespace": "prod", "name": name, "status": sync,
             "health": {"status": health, "message": status.pop("message", "")}},
            {"kind": "Service", "namespace": "prod", "name": name, "status": "Synced", "health": {"status": "Healthy"}},
        ]  # fmt: skip
        self.apps[name] = {
            "metadata": {"name": name, "namespace": "argocd"},
            "spec": {"project": "shop", "source": source, "destination": {"namespace": "prod"}},
            "status": {
                "health": {"status": health},
                "sync": {"status": sync, "revision": revision("c")},
                "operationState": {"phase": "Succeeded", "message": "", "startedAt": "2026-01-03T09:00:00Z",
                                   "finishedAt": "2026-01-03T09:00:05Z"},
                "resources": resources,
                "history": history,
                "conditions": None,
            } | status,
        }  # fmt: skip
        return self.apps[name]

    def fingerprint(self) -> str:
        """What changes of state leave a trace in."""
        with self.lock:
            return json.dumps(self.apps, sort_keys=True)

    def answer(self, method: str, path: str, values: dict[str, str], body: Any) -> tuple[int, Any]:
        """Status and body for a request."""
        if path == "/api/v1/applications":
            project = values.get("projects")
            kept = [it for it in self.apps.values() if project in (None, it["spec"]["project"])]
            return 200, {"metadata": {}, "items": kept or None}
        if may := _MAY.fullmatch(path):
            return 200, {"value": "yes" if may[1] in self.may else "no"}
        found = _ONE.fullmatch(path)
        app = self.apps.get(urllib.parse.unquote(found[1])) if found else None
        if found is None or app is None:
            name = found[1] if found else path
            return 404, {"code": 5, "error": "", "message": f'applications.argoproj.io "{name}" not found'}
        return self._about(app, method, found[2] or "", values, body)

    def _about(self, app: dict[str, Any], method: str, what: str, values: dict[str, str], body: Any) -> tuple[int, Any]:
        if method == "GET" and not what:
            self._move_on(app)
            if "refresh" in values:
                app["metadata"]["refreshed"] = values["refresh"]
            return 200, app
        if method == "GET":
            return 200, app.get(what.replace("-", "_"), {})
        if method == "DELETE":
            app["status"]["operationState"] |= {"phase": "Terminating"}
            return 200, {}
        if "operation" in app:
            message = "another operation is already in progress"
            return 400, {"code": 9, "error": message, "message": message}
        back = [it["revision"] for it in app["status"]["history"] if it["id"] == body.get("id")]
        app["operation"] = {"sync": body, "revision": (back or [body.get("revision") or revision("d")])[0]}
        app["ahead"] = [*self.phases, self.will_end]
        return 200, app

    def _move_on(self, app: dict[str, Any]) -> None:
        if "operation" not in app:
            return
        state = app["status"]["operationState"]
        if not app.get("begun"):  # the controller has not seen it yet: the state is that of the last one
            app["begun"] = True
            return
        phase, message = app["ahead"].pop(0) if app["ahead"] else self.will_end
        if state.get("finishedAt"):
            state = {"startedAt": _stamp()}
        result = {"revision": app["operation"]["revision"], "resources": [
            {"group": "apps", "kind": "Deployment", "namespace": "prod", "name": app["metadata"]["name"],
             "status": "Synced", "message": "deployment.apps configured"}]}  # fmt: skip
        state |= {"phase": phase, "message": message, "syncResult": result}
        if phase in ("Succeeded", "Failed", "Error"):
            state["finishedAt"] = _stamp()
            if phase == "Succeeded":
                app["status"]["sync"] = {"status": "Synced", "revision": app["operation"]["revision"]}
            for key in ("operation", "ahead", "begun"):
                app.pop(key)
        app["status"]["operationState"] = state


@contextmanager
def argocd_server(token: str = "") -> Iterator[ArgocdServer]:
    held = ArgocdServer(token=token)

    class Questions(Page):
        def answer(self) -> None:
            path, _mark, query = self.path.partition("?")
            values = dict(urllib.parse.parse_qsl(query))
            read = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = json.loads(read) if read else None
            with held.lock:
                held.asked.append((self.command, path, values, body))
                if held.refuse:
                    status, headers, text = held.refuse.pop(0)
                    self.says(status, text.encode(), headers.pop("content_type", "application/json"), **headers)
                    return
                if held.token and self.headers.get("Authorization") != f"Bearer {held.token}":
                    said = {"error": "no session information", "code": 16, "message": "no session information"}
                    self.says(401, json.dumps(said).encode(), "application/json")
                    return
                status, said = held.answer(self.command, path, values, body or values)
                self.says(status, json.dumps(said).encode(), "application/json")

        do_POST = do_DELETE = answer  # noqa: N815

    with page_server(Questions) as held.port:
        yield held
