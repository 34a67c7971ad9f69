"""A stand-in for Google Cloud: Cloud Run (v2 as the probe asks, v1 as gcloud does), Cloud Logging, metrics, tokens.

It is a proxy as well, for gcloud puts the region in front of the host it is told to ask. There is no emulator of these.
"""

from __future__ import annotations

import base64
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

PROJECT, REGION, SERVICE = "my-project", "us-central1", "ion-api-canary"
TOKEN = "ya29.Zq71Zq71Zq71Zq71Zq71"
_V1 = f"/apis/serving.knative.dev/v1/namespaces/{PROJECT}"
_V2 = f"/v2/projects/{PROJECT}/locations/{REGION}/services/{SERVICE}"
_QUERY = f"/v1/projects/{PROJECT}/location/global/prometheus/api/v1/query"
_SINCE = re.compile(r'timestamp\s*>=\s*"([^"]+)"')
_UNTIL = re.compile(r'timestamp\s*<\s*"([^"]+)"')
_RECEIVED = re.compile(r'receiveTimestamp\s*>=\s*"([^"]+)"')
_WORD = re.compile(r"\bmark=(\w+)")
_RANK = ("DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY")
_LATEST, _NAMED = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"


def written(age_s: float = 0.0) -> str:
    return (datetime.now(UTC) - timedelta(seconds=age_s)).isoformat(timespec="microseconds").replace("+00:00", "Z")


@dataclass
class GoogleServer:
    """`traffic` are (revision or "" for the latest, percent, tag); `revisions` (name, age, ready, why), the newest
    first; `failed` is why the service is not ready. `asked` are method and path of every request; `refuse` answers
    instead of all else, `refuse_words` a log filter with that word; `numbers` are answers to
    queries by a word in them."""

    port: int = 0
    tokens: set[str] = field(default_factory=lambda: {TOKEN})
    traffic: list[tuple[str, float, str]] = field(default_factory=lambda: [("", 100, "")])
    revisions: list[tuple[str, float, bool, str]] = field(default_factory=list)
    failed: str = ""
    generation: int = 5
    observed: int = 5
    entries: list[dict[str, Any]] = field(default_factory=list)
    page: int = 1000
    numbers: dict[str, str] = field(default_factory=dict)
    refuse: tuple[int, str, str] | None = None
    refuse_words: tuple[str, int, str] | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)
    filters: list[str] = field(default_factory=list)
    granted: list[dict[str, str]] = field(default_factory=list)
    refuse_grant: str = ""
    _count: int = 0

    def __post_init__(self) -> None:
        self.revisions = [(f"{SERVICE}-00042-vuc", 600.0, True, ""), (f"{SERVICE}-00041-kap", 86400.0, True, "")]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def write(self, text: str, severity: str = "DEFAULT", *, age_s: float = 0.0, **given: Any) -> None:
        """An entry as its writer left it so long ago, and Google received it now."""
        self._count += 1
        resource = {"type": "cloud_run_revision", "labels": {"service_name": SERVICE}}
        made = {"insertId": f"id{self._count}", "logName": f"projects/{PROJECT}/logs/run", "resource": resource}
        payload = given or {"textPayload": text}
        times = {"timestamp": written(age_s), "receiveTimestamp": written()}
        self.entries.append({**made, **times, "severity": severity, **payload})

    # -- answers -----------------------------------------------------------------------------------------------------

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        """Status and document."""
        if path == _V2:
            return 200, self._service()
        if path == f"{_V2}/revisions":
            return 200, {"revisions": [self._revision(*one) for one in self.revisions]}
        if path == "/v2/entries:list":
            return self._listed(json.loads(body))
        if path == _QUERY:
            return self._number(dict(urllib.parse.parse_qsl(body.decode()))["query"])
        if path == f"{_V1}/services/{SERVICE}":
            return (200, self._replaced(json.loads(body))) if method == "PUT" else (200, self._knative())
        if path == f"{_V1}/revisions":
            return 200, {
                "kind": "RevisionList",
                "metadata": {},
                "items": [self._old_revision(*one) for one in self.revisions],
            }
        if path == f"{_V1}/services":
            return 200, {"kind": "ServiceList", "metadata": {}, "items": [self._knative()]}
        return 404, _error(404, "Requested entity was not found.", "NOT_FOUND")

    def _service(self) -> dict[str, Any]:
        state = {"type": "Ready", "state": "CONDITION_SUCCEEDED"}
        if self.failed:
            reason, _colon, message = self.failed.partition(": ")
            state |= {"state": "CONDITION_FAILED", "revisionReason": reason, "message": message}
        newest = f"projects/{PROJECT}/locations/{REGION}/services/{SERVICE}/revisions/{self.revisions[0][0]}"
        ready = next((one[0] for one in self.revisions if one[2]), "")
        return {
            "name": _V2.removeprefix("/v2/"),
            "generation": str(self.generation),
            "observedGeneration": str(self.observed),
            "terminalCondition": state,
            "conditions": [state],
            "latestCreatedRevision": newest,
            "latestReadyRevision": newest.rpartition("/")[0] + f"/{ready}",
            "trafficStatuses": [_share(*one) for one in self.traffic],
        }

    def _revision(self, name: str, age_s: float, ready: bool, why: str) -> dict[str, Any]:
        state = {"type": "Ready", "state": "CONDITION_SUCCEEDED" if ready else "CONDITION_FAILED", "message": why}
        container = {"image": f"gcr.io/{PROJECT}/ion-api:v{name[-7:-4]}"}
        place = _V2.removeprefix("/v2/")
        made = {"name": f"{place}/revisions/{name}", "createTime": written(age_s)}
        return made | {"conditions": [state], "containers": [container]}

    def _listed(self, asked: dict[str, Any]) -> tuple[int, Any]:
        wanted = asked["filter"]
        self.filters.append(wanted)
        if self.refuse_words and self.refuse_words[0] in wanted:
            return self.refuse_words[1], _error(self.refuse_words[1], self.refuse_words[2], "INVALID_ARGUMENT")
        if wanted.count("(") != wanted.count(")"):
            return 400, _error(400, "Unparseable filter: unrecognized node", "INVALID_ARGUMENT")
        since, until = max(_SINCE.findall(wanted), default=""), min(_UNTIL.findall(wanted), default="9")
        received = max(_RECEIVED.findall(wanted), default="")
        rank = _RANK.index("ERROR") if re.search(r"severity\s*>?=\s*ERROR", wanted) else 0
        words = _WORD.findall(wanted)
        found = [
            entry
            for entry in self.entries
            if since <= entry["timestamp"] < until
            and entry.get("receiveTimestamp", "") >= received
            and _RANK.index(entry["severity"]) >= rank
            and all(word in json.dumps(entry, ensure_ascii=False) for word in words)
        ]
        found.sort(key=lambda entry: entry["timestamp"], reverse=asked.get("orderBy") == "timestamp desc")
        begin = int(asked.get("pageToken") or 0)
        end = begin + min(self.page, int(asked.get("pageSize", 50)))
        return 200, {"entries": found[begin:end]} | ({"nextPageToken": str(end)} if end < len(found) else {})

    def _number(self, query: str) -> tuple[int, Any]:
        number = next((number for word, number in self.numbers.items() if word in query), None)
        result = [] if number is None else [{"metric": {}, "value": [datetime.now(UTC).timestamp(), number]}]
        return 200, {"status": "success", "data": {"resultType": "vector", "result": result}}

    # -- as gcloud asks ------------------------------------------------------------------------------------------------

    def _knative(self) -> dict[str, Any]:
        ready = next(one[0] for one in self.revisions if one[2])
        conditions = [_condition(kind, self.failed) for kind in ("Ready", "ConfigurationsReady", "RoutesReady")]
        traffic = [_old_share(name, percent, tag) for name, percent, tag in self.traffic]
        labels = {"cloud.googleapis.com/location": REGION}
        container = {"image": f"gcr.io/{PROJECT}/ion-api:v00042"}
        return {
            "apiVersion": "serving.knative.dev/v1",
            "kind": "Service",
            "metadata": {
                "name": SERVICE,
                "namespace": PROJECT,
                "generation": self.generation,
                "resourceVersion": "AAA",
                "labels": labels,
                "annotations": {"serving.knative.dev/lastModifier": "sena@example.com"},
                "creationTimestamp": written(864000),
            },
            "spec": {"template": {"spec": {"containers": [container]}}, "traffic": traffic},
            "status": {
                "observedGeneration": self.observed,
                "conditions": conditions,
                "latestReadyRevisionName": ready,
                "latestCreatedRevisionName": self.revisions[0][0],
                "traffic": [share | {"revisionName": share.get("revisionName", ready)} for share in traffic],
                "url": f"https://{SERVICE}-x.a.run.example",
            },
        }

    def _old_revision(self, name: str, age_s: float, ready: bool, why: str) -> dict[str, Any]:
        labels = {"serving.knative.dev/service": SERVICE, "cloud.googleapis.com/location": REGION}
        metadata = {"name": name, "namespace": PROJECT, "labels": labels, "creationTimestamp": written(age_s)}
        conditions = [_condition(kind, "" if ready else f"ContainerFailed: {why}") for kind in ("Ready", "Active")]
        return {
            "apiVersion": "serving.knative.dev/v1",
            "kind": "Revision",
            "metadata": metadata | {"annotations": {"serving.knative.dev/creator": "sena@example.com"}},
            "spec": {"containers": [{"image": "gcr.io/x"}]},
            "status": {"conditions": conditions},
        }

    def _replaced(self, asked: dict[str, Any]) -> dict[str, Any]:
        shares = asked["spec"]["traffic"]
        self.traffic = [(one.get("revisionName", ""), one.get("percent", 0), one.get("tag", "")) for one in shares]
        self.generation += 1
        self.observed = self.generation
        return self._knative()


def _error(code: int, message: str, status: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": status}}


def _share(name: str, percent: float, tag: str) -> dict[str, Any]:
    named = {"type": _NAMED, "revision": name} if name else {"type": _LATEST}
    return named | ({"percent": percent} if percent else {}) | ({"tag": tag} if tag else {})


def _old_share(name: str, percent: float, tag: str) -> dict[str, Any]:
    named = {"revisionName": name} if name else {"latestRevision": True}
    return named | {"percent": percent} | ({"tag": tag} if tag else {})


def _condition(kind: str, why: str) -> dict[str, Any]:
    reason, _colon, message = why.partition(": ")
    state = {"status": "False", "reason": reason, "message": message} if why else {"status": "True"}
    return {"type": kind, "lastTransitionTime": written(60), **state}


@contextmanager
def google_server() -> Iterator[GoogleServer]:
    held = GoogleServer()
    one_by_one = threading.Lock()

    class Answers(Page):
        def answer(self) -> None:
            path = urllib.parse.urlsplit(self.path).path
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with one_by_one:
                status, said = self._answer(path, body)
            self.says(status, json.dumps(said).encode(), "application/json; charset=UTF-8")

        def _answer(self, path: str, body: bytes) -> tuple[int, Any]:
            if path == "/token":
                return self._grant(dict(urllib.parse.parse_qsl(body.decode())))
            held.asked.append((self.command, path))
            if self.headers.get("Authorization", "").removeprefix("Bearer ") not in held.tokens:
                return 401, _error(401, "Request had invalid authentication credentials.", "UNAUTHENTICATED")
            if held.refuse:
                return held.refuse[0], _error(*held.refuse)
            return held.answer(self.command, path, body)

        def _grant(self, form: dict[str, str]) -> tuple[int, Any]:
            held.granted.append(form)
            if held.refuse_grant:
                return 400, {"error": held.refuse_grant, "error_description": "Invalid JWT Signature."}
            return 200, {"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"}

        do_POST = do_PUT = answer  # noqa: N815

    with page_server(Answers) as held.port:
        yield held


def claims_of(assertion: str) -> dict[str, Any]:
    """What a signed assertion says."""
    middle = assertion.split(".")[1]
    decoded: dict[str, Any] = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    return decoded
