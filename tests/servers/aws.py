"""A stand-in for AWS, alone or in front of the emulator, for what that one can't: rollouts that progress and fail,
pending states, commands that fail, refusals of every kind, log events page by page.

`says` gives an operation its answers, the last one again and again; what has none goes on to the emulator.
"""

from __future__ import annotations

import http.client
import json
import re
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cockpit.adapters.aws import looking
from tests.servers.pages import Page, page_server

Answer = dict[str, Any] | str | tuple[int, dict[str, Any] | str]
_SERVICES = {
    "AmazonEC2ContainerServiceV20141113": "ecs",
    "AmazonSSM": "ssm",
    "GraniteServiceVersion20100801": "cloudwatch",
    "Logs_20140328": "logs",
}
_PATHS = (
    ("lambda:UpdateFunctionCode", "PUT", r"/2015-03-31/functions/[^/]+/code"),
    ("lambda:GetFunctionConfiguration", "GET", r"/2015-03-31/functions/[^/]+/configuration"),
    ("route53:ChangeResourceRecordSets", "POST", r"/2013-04-01/hostedzone/[^/]+/rrset/?"),
    ("route53:GetChange", "GET", r"/2013-04-01/change/[^/]+"),
    ("cloudfront:CreateInvalidation", "POST", r"/2020-05-31/distribution/[^/]+/invalidation"),
    ("cloudfront:GetInvalidation", "GET", r"/2020-05-31/distribution/[^/]+/invalidation/[^/]+"),
)


@dataclass
class AwsStandIn:
    """`asked` is every operation with what came along, `signed` with how it was signed; `held` are those that get no
    answer."""

    port: int = 0
    emulator: int = 0
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    bodies: dict[str, bytes] = field(default_factory=dict)
    signed: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    held: set[str] = field(default_factory=set)
    over: threading.Event = field(default_factory=threading.Event)
    _answers: dict[str, list[Answer | Callable[[dict[str, Any]], Answer]]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def says(self, operation: str, *answers: Answer | Callable[[dict[str, Any]], Answer]) -> None:
        """One answer after the other; a function makes one of what is asked."""
        self._answers[operation] = list(answers)

    def times(self, operation: str) -> int:
        """How often it was asked."""
        return sum(name == operation for name, _given in self.asked)

    def body(self, operation: str) -> bytes:
        """What came with it the last time."""
        return self.bodies[operation]

    def next(self, operation: str, given: dict[str, Any]) -> tuple[int, dict[str, Any] | str] | None:
        left = self._answers.get(operation) or self._answers.get("*")
        if not left:
            return None
        answer = left.pop(0) if len(left) > 1 else left[0]
        if callable(answer):
            answer = answer(given)
        return answer if isinstance(answer, tuple) else (200, answer)


def sign_in(patch: pytest.MonkeyPatch, folder: Path | None = None) -> None:
    """As somebody, and as nobody whom this machine knows; with a `folder`, by the credentials file in it alone."""
    for name in ("AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_CREDENTIAL_EXPIRATION"):
        patch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        if folder:
            patch.delenv(name, raising=False)
        else:
            patch.setenv(name, "testing-Zq71")
    patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    patch.setenv("AWS_CONFIG_FILE", str((folder or Path("/nonexistent")) / "config"))
    patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str((folder or Path("/nonexistent")) / "credentials"))
    patch.setattr(looking, "_SHARED", looking._Shared())


def refusal(code: str, message: str = "no", status: int = 400) -> Answer:
    """An error as the services that speak JSON tell it."""
    return status, {"__type": f"com.amazonaws#{code}", "message": message}


def operation_of(method: str, path: str, target: str, body: bytes) -> str:
    """`service:Operation` of a request; "" where it is none of those that are told apart here."""
    service, dot, name = target.partition(".")
    if dot:
        return f"{_SERVICES.get(service, service)}:{name}"
    found = next((it for it, verb, form in _PATHS if verb == method and re.fullmatch(form, path)), "")
    action = urllib.parse.parse_qs(body.decode("latin-1")).get("Action", [""])[0]
    return found or (f"sts:{action}" if action in ("GetCallerIdentity", "AssumeRole") else "")


@contextmanager
def aws_stand_in(emulator: int = 0) -> Iterator[AwsStandIn]:
    """Args: emulator: the port that is asked where there is no answer; without one that is a 500 with a page."""
    held = AwsStandIn(emulator=emulator)

    class Questions(Page):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = self.path.partition("?")[0]
            operation = operation_of(self.command, path, self.headers.get("X-Amz-Target", ""), body)
            given = _json(body)
            if operation:  # ports are given again: what another test's cockpit asks here is not ours
                held.asked.append((operation, given))
                held.bodies[operation] = body
                held.signed.append((operation, {"authorization": self.headers.get("Authorization", "")}))
            if operation in held.held or "*" in held.held:
                held.over.wait()
                return
            said = held.next(operation, given)
            if said is None:
                self._go_on(body)
                return
            status, told = said
            text = told if isinstance(told, str) else json.dumps(told)
            kind = "text/xml" if text.startswith("<") else "application/x-amz-json-1.1"
            kind = "text/html" if text.startswith("<html") else kind
            self.says(status, text.encode(), kind)

        do_POST = do_PUT = do_DELETE = answer  # noqa: N815

        def _go_on(self, body: bytes) -> None:
            if not held.emulator:
                self.says(500, b"<html>no such operation</html>", "text/html")
                return
            onward = http.client.HTTPConnection("127.0.0.1", held.emulator)
            onward.request(self.command, self.path, body, dict(self.headers.items()))
            answer = onward.getresponse()
            read = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("transfer-encoding", "content-length", "connection", "date", "server"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(read)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(read)
            onward.close()

        do_GET = do_HEAD = answer  # noqa: N815

    with page_server(Questions) as held.port:
        try:
            yield held
        finally:
            held.over.set()


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


@dataclass
class LogGroup:
    """A log group: `FilterLogEvents` with time ranges, plain terms and JSON patterns, in pages of `page_events`."""

    page_events: int = 1000
    events: list[dict[str, Any]] = field(default_factory=list)
    _tokens: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def push(self, message: str, *, age_s: float = 0.0, stream: str = "api/1") -> None:
        """A line that was written so long ago, and reaches the group now."""
        now_ms = int(time.time() * 1000)
        event = {"eventId": f"{len(self.events):056d}", "logStreamName": stream, "message": message}
        self.events.append(event | {"timestamp": now_ms - int(age_s * 1000), "ingestionTime": now_ms})

    def answer(self, asked: dict[str, Any]) -> Answer:
        """What FilterLogEvents says."""
        token = asked.get("nextToken")
        if token is None:
            found = [event for event in self.events if self._holds(event, asked)]
            found.sort(key=lambda event: int(event["timestamp"]))
        elif token in self._tokens:
            found = self._tokens[token]
        else:
            return refusal("InvalidParameterException", "The specified nextToken is invalid.")
        page, rest = found[: self.page_events], found[self.page_events :]
        if not rest:
            return {"events": page, "searchedLogStreams": []}
        self._tokens[f"t{len(self._tokens)}"] = rest
        return {"events": page, "nextToken": f"t{len(self._tokens) - 1}", "searchedLogStreams": []}

    def forget_tokens(self) -> None:
        """As a server does after a while."""
        self._tokens.clear()

    @staticmethod
    def _holds(event: dict[str, Any], asked: dict[str, Any]) -> bool:
        pattern = asked.get("filterPattern", "")
        if not asked.get("startTime", 0) <= event["timestamp"] < asked.get("endTime", 1 << 62):
            return False
        if not event["logStreamName"].startswith(asked.get("logStreamNamePrefix", "")):
            return False
        json_pattern = re.fullmatch(r'\{ \$\.(\w+) = "(.*)" \}', pattern)
        if json_pattern:
            return bool(_json(event["message"].encode()).get(json_pattern[1]) == json_pattern[2])
        any_of = re.findall(r"\?(\S+)", pattern)
        return any(word in event["message"] for word in any_of) if any_of else pattern in event["message"]
