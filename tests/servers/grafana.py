"""A stand-in for Grafana's API: its health for everybody, its alerts for whoever has the token."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.servers.pages import Page, page_server

TOKEN = "glsa_Wk4-grafana-token-52_0123abcd"
ALERTS = "/api/alertmanager/grafana/api/v2/alerts"


class Grafana:
    """`asked` are (method, path) of what came; `database` and `alerts` what it says; `wait` holds its answers back."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.database = "ok"
        self.alerts: list[dict[str, Any]] = []
        self.go = threading.Event()
        self.go.set()
        self.url = ""


class _Answers(Page):
    grafana: Grafana

    def answer(self) -> None:
        told = self.grafana
        told.asked.append((self.command, self.path))
        told.go.wait(60)
        if self.path == "/api/health":
            state = {"commit": "fe0b2f8", "database": told.database, "version": "11.2.0"}
            self._say(200 if told.database == "ok" else 503, state)
        elif self.path != ALERTS:
            self._say(404, {"message": "Not found"})
        elif self.headers.get("authorization") != f"Bearer {TOKEN}":
            self._say(401, {"message": "Invalid API key"})
        else:
            self._say(200, told.alerts)

    def _say(self, code: int, document: Any) -> None:
        self.says(code, json.dumps(document).encode(), "application/json")


@contextmanager
def grafana_server() -> Iterator[Grafana]:
    held = Grafana()
    with page_server(type("Answers", (_Answers,), {"grafana": held})) as port:
        held.url = f"http://127.0.0.1:{port}"
        try:
            yield held
        finally:
            held.go.set()
