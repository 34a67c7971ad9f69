"""A receiver of webhooks: keeps what is posted, and answers as it is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.servers.pages import Page, page_server


@dataclass(frozen=True)
class Reply:
    """One answer. `code` 0 hangs up without one."""

    code: int = 200
    body: bytes = b"ok"
    headers: dict[str, str] = field(default_factory=dict)


class Receiver:
    """`posted` is what came, as (path, JSON); `replies` are given in turn, then 200."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, Any]] = []
        self.other: list[str] = []
        self.replies: list[Reply] = []
        self.port = 0

    def url(self, path: str = "/services/T0001/B0002/Xk3-hook-path-secret") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    @property
    def texts(self) -> list[str]:
        """What people would read."""
        return [told.get("text") or told.get("content") for _path, told in self.posted]


class _Taking(Page):
    receiver: Receiver
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:  # noqa: N802  # named by http.server
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.receiver.posted.append((self.path, json.loads(body)))
        reply = self.receiver.replies.pop(0) if self.receiver.replies else Reply()
        self.close_connection = True
        if not reply.code:
            return
        self.send_response(reply.code)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._other
        raise AttributeError(name)

    def answer(self) -> None:
        self._other()

    def _other(self) -> None:
        if self.command != "GET":  # a cockpit of another test looks at whatever listens on this machine
            self.receiver.other.append(self.command)
        self.send_response(405)
        self.send_header("content-length", "0")
        self.end_headers()


@contextmanager
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    with page_server(type("Taking", (_Taking,), {"receiver": made})) as made.port:
        yield made
