"""Small HTTP servers of the tests' own, on loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Page(BaseHTTPRequestHandler):
    """What such a server answers GET and HEAD with; it keeps no log."""

    def do_GET(self) -> None:
        """See `answer`."""
        self.answer()

    do_HEAD = do_GET  # noqa: N815

    def answer(self) -> None:
        """Look at the path and the headers, and say something."""
        raise NotImplementedError

    def says(self, status: int, body: bytes, kind: str, **headers: str) -> None:
        """Answer; `headers` are named with _ for -."""
        self.send_response(status)
        for name, value in {"content_type": kind, "content_length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_told: Any) -> None:
        """Nobody reads it."""


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_told: Any) -> None:
        """Who hangs up half way is no trouble."""


@contextmanager
def page_server(page: type[Page]) -> Iterator[int]:
    """The port where it answers meanwhile."""
    server = _Server(("127.0.0.1", 0), page)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
