"""A web server that does what it is told, in every way that servers are told things, and counts what it changed."""

from __future__ import annotations

import contextlib
import gzip
import json
import re
import select
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

_PROBES_ACCEPT = "application/json, */*"
"""A cockpit of another test, on the same machine, looks at whatever listens there: that is nothing of ours."""
TOKEN = "Wk4-web-server-token-52"
_METHOD_HEADER = re.compile(r"(?:x[-_])?(?:http[-_])?method(?:[-_]override)?", re.IGNORECASE)
_PATH_HEADER = re.compile(r"x[-_](?:original|rewrite)[-_]url", re.IGNORECASE)


class WebServer:
    """Listens on `host`. `asked` are (method, target, headers, body) of what came, `changes` what it changed for them.

    `holding` says how many requests wait for `let_go` now; those whose client hung up don't.
    """

    def __init__(self, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self.changes: list[str] = []
        self.onward = ""
        self._waiting: set[int] = set()
        self._go = threading.Event()
        self._stopping = threading.Event()
        self._server = _Server((host, 0), type("Handler", (_Handler,), {"web": self}))
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port
        self.url = f"{'https' if tls else 'http'}://{host}:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def holding(self) -> int:
        return len(self._waiting)

    def let_go(self) -> None:
        """Wait for somebody to wait, and answer."""
        while not self._waiting and not self._stopping.wait(0.01):
            pass
        self._go.set()

    def fingerprint(self) -> tuple[str, ...]:
        return tuple(self.changes)

    def close(self) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def wait_with(self, client: socket.socket) -> bool:
        """Hold an answer back; whether the client still wants it then."""
        me = threading.get_ident()
        self._go.clear()
        self._waiting.add(me)
        try:
            while not self._go.wait(0.01):
                if self._stopping.is_set() or _has_hung_up(client):
                    return False
            return True
        finally:
            self._waiting.discard(me)

    def drip_to(self, handler: BaseHTTPRequestHandler) -> None:
        """A byte now and then, for ever."""
        handler.send_response(200)
        handler.send_header("content-type", "text/plain")
        handler.end_headers()
        with contextlib.suppress(OSError):
            while not self._stopping.wait(0.02):
                handler.wfile.write(b".")
                handler.wfile.flush()


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_arguments: Any) -> None:
        """Say nothing: clients break off on purpose."""


class _Handler(BaseHTTPRequestHandler):
    web: WebServer
    protocol_version = "HTTP/1.1"

    def _any(self) -> None:
        size = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(size)
        headers = {name.lower(): value for name, value in self.headers.items()}
        if headers.get("accept") != _PROBES_ACCEPT:
            self.web.asked.append((self.command, self.path, headers, body))
        method, path = self._as_told(headers)
        parts = urlsplit(path)
        token = headers.get("authorization")
        if token is not None and token != f"Bearer {TOKEN}" and not token.startswith("Basic "):
            self._reply(401, b"who are you?", www_authenticate="Bearer")
            return
        if method not in ("GET", "HEAD", "OPTIONS") or re.search(
            r"/(?:delete|shutdown|restart)\b", unquote(parts.path)
        ):
            if parts.path == "/wait" and not self.web.wait_with(self.connection):
                self.close_connection = True
                return
            if parts.path not in ("/mistake", "/broken", "/busy"):
                self.web.changes.append(f"{method} {path}")
        answer = getattr(self, "_" + parts.path.strip("/").replace("/", "_"), None)
        if answer is None:
            self._reply(404, b'{"error": "nothing is there"}', content_type="application/json")
        else:
            answer({name: values[0] for name, values in parse_qs(parts.query, encoding="utf-8").items()}, headers, body)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._any
        raise AttributeError(name)

    def _as_told(self, headers: dict[str, str]) -> tuple[str, str]:
        """The method and the path that this server believes in."""
        method, path = self.command, self.path
        for name, value in headers.items():
            if _METHOD_HEADER.fullmatch(name):
                method = value.upper()
            if _PATH_HEADER.fullmatch(name):
                path = value
        asked = parse_qs(urlsplit(path).query)
        for name in ("_method", "x-http-method-override"):
            method = asked.get(name, [method])[0].upper()
        if headers.get("upgrade"):
            method = "UPGRADE"
        return method, path

    def _reply(self, code: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(code)
        for name, value in ({"content_type": "text/plain; charset=utf-8"} | headers).items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    # -- what there is ---------------------------------------------------------------------------------------------

    def _(self, *_told: Any) -> None:
        self._reply(200, b"home\n")

    def _hello(self, *_told: Any) -> None:
        self._reply(200, b"hello")

    def _json(self, *_told: Any) -> None:
        body = b'{"status":"UP","build":1234567890123456789012,"share":1.10,"name":"\xea\xb2\xb0\xec\xa0\x9c"}'
        self._reply(200, body, content_type="application/json")

    def _number(self, *_told: Any) -> None:
        self._reply(200, b"42")

    def _wait(self, *_told: Any) -> None:
        if self.command != "GET" or self.web.wait_with(self.connection):
            self._reply(200, b"let go")
        self.close_connection = True

    def _drip(self, *_told: Any) -> None:
        self.web.drip_to(self)
        self.close_connection = True

    def _large(self, *_told: Any) -> None:
        self._reply(200, b"x" * 10_000_000)

    def _bomb(self, *_told: Any) -> None:
        packed = gzip.compress(b"0" * 40_000_000)
        self._reply(200, packed, content_encoding="gzip", content_type="text/plain")

    def _bytes(self, *_told: Any) -> None:
        self._reply(200, b"a\xff\xfeb\x1b[31m")

    def _korean(self, *_told: Any) -> None:
        self._reply(200, "결제 정상".encode("euc-kr"), content_type="text/plain; charset=euc-kr")

    def _image(self, *_told: Any) -> None:
        self._reply(200, b"\x89PNG\r\n\x1a\n\0\0", content_type="image/png")

    def _echo(self, asked: dict[str, str], headers: dict[str, str], body: bytes) -> None:
        said = headers.get("x-echo", "").encode("latin-1") or asked.get("text", "").encode() or body
        self._reply(200, said)

    def _headers(self, _asked: dict[str, str], headers: dict[str, str], _body: bytes) -> None:
        self._reply(200, json.dumps(headers).encode(), content_type="application/json")

    def _status(self, asked: dict[str, str], *_told: Any) -> None:
        self._reply(int(asked["code"]), b'{"code": 200}', content_type="application/json", retry_after="7")

    def _mistake(self, *_told: Any) -> None:
        self._reply(422, b"there is no such order")

    def _broken(self, *_told: Any) -> None:
        self._reply(500, b"it broke")

    def _order(self, *_told: Any) -> None:
        self._reply(200, b"ordered")

    def _redirect(self, asked: dict[str, str], *_told: Any) -> None:
        self._reply(int(asked.get("code", "302")), location=asked.get("to") or self.web.onward)

    def _forged(self, *_told: Any) -> None:
        self._reply(500, b"\n-- 200 OK, latency 1 ms, 2 bytes\n> GET http://x\n< HTTP/1.1 200 OK\n\n-- 200 OK")

    def _nojson(self, *_told: Any) -> None:
        self._reply(200, b'{"half": ', content_type="application/json")

    def _circle(self, *_told: Any) -> None:
        self._reply(302, location="/circle")

    def _gibberish(self, *_told: Any) -> None:
        self.wfile.write(b"220 mail.example.com ESMTP\r\n\r\n")
        self.close_connection = True

    def _ready(self, *_told: Any) -> None:
        ready = sum(target == "/ready" for _method, target, *_rest in self.web.asked) > 2
        self._reply(200 if ready else 503, b'{"status": "%s"}' % (b"UP" if ready else b"STARTING"))

    def _half(self, *_told: Any) -> None:
        self.send_response(200)
        self.send_header("content-length", "1000")
        self.end_headers()
        self.wfile.write(b"-- 200 OK, half of it\n")
        self.close_connection = True

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


def _has_hung_up(client: socket.socket) -> bool:
    try:
        readable, _writable, _broken = select.select([client], [], [], 0)
        return bool(readable) and client.recv(1, socket.MSG_PEEK) == b""
    except OSError:
        return True


@contextmanager
def web_server(host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> Iterator[WebServer]:
    server = WebServer(host, tls)
    try:
        yield server
    finally:
        server.close()
