"""A stand-in for Grafana's API: its health for everybody, its alerts for whoever has the token."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

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
        self._server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"grafana": self}))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.go.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_arguments: Any) -> None:
        """Say nothing."""


class _Handler(BaseHTTPRequestHandler):
    grafana: Grafana

    def do_GET(self) -> None:
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
        body = json.dumps(document).encode()
        self.send_response(code)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


@contextmanager
def grafana_server() -> Iterator[Grafana]:
    server = Grafana()
    try:
        yield server
    finally:
        server.close()
