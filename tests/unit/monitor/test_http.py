"""HTTP health against real servers that answer well, badly, slowly, hugely, or not at all."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from cockpit.adapters.http.probe import HttpOptions, HttpProbe
from cockpit.adapters.probing import Finding
from cockpit.errors import (
    AccessDenied,
    AdapterError,
    ConfigError,
    Malformed,
    PolicyRefusal,
    TargetUnreachable,
    TimedOut,
)
from cockpit.safety.permit import Mode, grant

Answer = Callable[[BaseHTTPRequestHandler], None]

UP = {"status": "UP"}


def reply(code: int, body: bytes | dict[str, Any] = b"", **headers: str) -> Answer:
    """An answer with that status, a body (a dict becomes JSON) and headers (underscores become dashes)."""

    def send(handler: BaseHTTPRequestHandler) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        handler.send_response(code)
        if not isinstance(body, bytes):
            handler.send_header("content-type", "application/vnd.spring-boot.actuator.v3+json")
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("content-length", str(len(data)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(data)

    return send


class Service:
    """A server on loopback: `answers` by path, `asked` are the request lines and headers it saw."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.stopping = threading.Event()
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                service.asked.append((self.requestline, {k.lower(): v for k, v in self.headers.items()}))
                with contextlib.suppress(OSError):
                    service.answers[self.path](self)

            def do_HEAD(self) -> None:
                self.do_GET()

            def log_message(self, *_arguments: Any) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_arguments: Any) -> None:
                """Say nothing: clients break off on purpose."""

        self.server = Server(("127.0.0.1", 0), Handler)
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_port
        self.url = f"{'https' if tls else 'http'}://localhost:{self.port}"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()
        self._thread.join(5)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def service() -> Iterator[Service]:
    served = Service()
    yield served
    served.close()


async def look(url: str, deadline_s: float = 20.0, **options: Any) -> Finding:
    probe = HttpProbe(HttpOptions(url=url, **options), deadline_s)
    try:
        return await probe.look(grant(probe.action, probe.judgement, Mode.READ_ONLY, by="test"))
    finally:
        await probe.close()


async def fails(url: str, deadline_s: float = 20.0, **options: Any) -> AdapterError:
    with pytest.raises(AdapterError) as caught:
        await look(url, deadline_s, **options)
    return caught.value


def values(found: Finding) -> dict[str, Any]:
    return {value.name: value.value for value in found.values}


def levels(found: Finding) -> dict[str, str]:
    return {value.name: value.level for value in found.values}


async def test_a_healthy_service_with_its_components(service: Service) -> None:
    database = {"status": "UP", "details": {"database": "PostgreSQL", "validationQuery": "isValid()"}}
    group = {"status": "DOWN", "components": {"s3": {"status": "OUT_OF_SERVICE"}}}
    service.answers["/h"] = reply(200, {"status": "UP", "components": {"db": database, "stores": group}})
    found = await look(f"{service.url}/h")
    assert (values(found)["status"], values(found)["status_code"], values(found)["healthy"]) == ("UP", 200.0, True)
    assert [(row["component"], row["status"], row["level"]) for row in found.rows] == [
        ("db", "UP", "green"),
        ("stores", "DOWN", "red"),
        ("stores.s3", "OUT_OF_SERVICE", "red"),
    ]
    assert "database=PostgreSQL" in found.rows[0]["detail"]
    assert found.text.startswith("UP 200 ")


@pytest.mark.parametrize(
    ("code", "body", "healthy", "server_error"),
    [
        (503, {"status": "DOWN"}, False, True),
        (500, b"Whitelabel Error Page", False, True),
        (404, b"not found", False, False),
        (200, {"status": "DOWN"}, False, False),
        (200, {"status": "OUT_OF_SERVICE"}, False, False),
        (200, b"pong", True, False),
        (200, b'{"status": ', True, False),
        (200, {"status": {"code": "UP"}}, True, False),
        (200, {"status": 5}, True, False),
        (204, b"", True, False),
        (503, b"", False, True),
    ],
)
async def test_an_answer_is_data_whatever_it_says(
    service: Service, code: int, body: bytes | dict[str, Any], healthy: bool, server_error: bool
) -> None:
    service.answers["/h"] = reply(code, body)
    found = await look(f"{service.url}/h")
    assert (values(found)["healthy"], values(found)["5xx"]) == (healthy, server_error)
    assert levels(found)["healthy"] == ("green" if healthy else "red")


async def test_the_status_that_is_expected_can_be_named(service: Service) -> None:
    service.answers["/h"] = reply(418)
    assert values(await look(f"{service.url}/h", expect_status=418))["healthy"] is True
    assert values(await look(f"{service.url}/h", expect_status=(200, 204)))["healthy"] is False


async def test_numbers_are_read_out_of_json(service: Service) -> None:
    service.answers["/m"] = reply(200, {"latency": {"p95": 812}, "errors": [{"rate": 0.25}], "name": "canary"})
    paths = {"p95_ms": "$.latency.p95", "rate": "errors[0].rate", "name": "name", "gone": "a.b"}
    found = values(await look(f"{service.url}/m", values=paths))
    assert (found["p95_ms"], found["rate"], found["name"], found["gone"]) == (812.0, 0.25, "canary", None)


@pytest.mark.parametrize("code", [401, 403, 407])
async def test_refused_credentials_say_nothing_of_the_service(service: Service, code: int) -> None:
    service.answers["/h"] = reply(code, {"status": "DOWN"})
    error = await fails(f"{service.url}/h")
    assert isinstance(error, AccessDenied)
    assert str(code) in error.what
    assert error.mend


async def test_a_throttled_probe_says_how_long_to_wait(service: Service) -> None:
    service.answers["/h"] = reply(429, Retry_After="30")
    error = await fails(f"{service.url}/h")
    assert "429" in error.what
    assert "30" in error.mend
    assert len(service.asked) == 1


async def test_json_that_is_none_is_malformed(service: Service) -> None:
    service.answers["/h"] = reply(200, b'{"status": "UP"', content_type="application/json")
    assert isinstance(await fails(f"{service.url}/h"), Malformed)
    service.answers["/h"] = reply(200, b"[" * 100_000, content_type="application/json")
    assert isinstance(await fails(f"{service.url}/h"), Malformed)
    service.answers["/h"] = reply(500, b"oops", content_type="application/json")
    assert values(await look(f"{service.url}/h"))["5xx"] is True


async def test_redirects_stay_on_their_origin(service: Service) -> None:
    other = Service()
    try:
        other.answers["/login"] = reply(200, UP)
        service.answers["/h"] = reply(302, Location="/moved")
        service.answers["/moved"] = reply(200, UP)
        service.answers["/away"] = reply(302, Location=f"{other.url}/login")
        service.answers["/file"] = reply(302, Location="file:///etc/passwd")
        service.answers["/round"] = reply(302, Location="/round")
        assert values(await look(f"{service.url}/h"))["status"] == "UP"
        for path in ("/away", "/file"):
            found = await look(service.url + path, headers={"Authorization": "Bearer s3cret"})
            assert (values(found)["status_code"], values(found)["healthy"]) == (302.0, False)
            assert "not followed" in found.text
        assert other.asked == []
        assert isinstance(await fails(f"{service.url}/round"), Malformed)
    finally:
        other.close()


async def test_headers_are_sent_and_credentials_never_shown(service: Service) -> None:
    service.answers["/h"] = reply(401)
    address = f"http://kim:pa55word@localhost:{service.port}/h"
    error = await fails(address, headers={"X-Team": "ops"})
    assert service.asked[0][1]["x-team"] == "ops"
    assert service.asked[0][1]["authorization"].startswith("Basic ")
    assert "pa55word" not in str(error)


async def test_head_asks_for_no_body(service: Service) -> None:
    service.answers["/h"] = reply(200, UP)
    assert values(await look(f"{service.url}/h", method="HEAD"))["healthy"] is True
    assert service.asked[0][0].startswith("HEAD /h")


async def test_nothing_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    error = await fails(f"http://127.0.0.1:{port}/h")
    assert isinstance(error, TargetUnreachable)
    assert "nothing listens" in error.what


async def test_a_name_that_does_not_resolve() -> None:
    assert "resolved" in (await fails("http://nowhere.invalid/h")).what


def _slow_headers(service: Service) -> Answer:
    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not service.stopping.wait(0.02):
            handler.wfile.write(b"X-Drip: 1\r\n")

    return send


def _slow_body(service: Service) -> Answer:
    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not service.stopping.wait(0.02):
            handler.wfile.write(b"1\r\nx\r\n")

    return send


@pytest.mark.parametrize(("drip", "words"), [(_slow_headers, "no answer"), (_slow_body, "answered 200")])
async def test_an_answer_that_drips_ends_at_the_deadline(
    service: Service, drip: Callable[[Service], Answer], words: str
) -> None:
    service.answers["/h"] = drip(service)
    for deadline_s in (0.4, 4.0, 20.0):  # a loaded machine needs more to get as far as the first drops
        error = await fails(f"{service.url}/h", deadline_s=deadline_s)
        if words in error.what:
            break
    assert isinstance(error, TimedOut)
    assert words in error.what


async def test_an_endless_body_is_cut_and_the_status_still_counts(service: Service) -> None:
    def flood(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 503 Busy\r\nContent-Length: 10737418240\r\n\r\n")
        while not service.stopping.is_set():
            handler.wfile.write(b"x" * 65536)

    service.answers["/h"] = flood
    found = await look(f"{service.url}/h")
    assert values(found)["5xx"] is True
    assert "1024 KiB" in found.text


async def test_a_packed_body_is_unpacked_and_a_bomb_is_not(service: Service) -> None:
    service.answers["/h"] = reply(
        200, gzip.compress(json.dumps(UP).encode()), content_encoding="gzip", content_type="application/json"
    )
    assert values(await look(f"{service.url}/h"))["status"] == "UP"
    bomb = gzip.compress(b"[" + b"0," * (64 << 20) + b"0]", 1)
    assert len(bomb) < 1 << 20
    service.answers["/h"] = reply(200, bomb, content_encoding="gzip", content_type="application/json")
    found = await look(f"{service.url}/h")
    assert "1024 KiB" in found.text
    service.answers["/h"] = reply(200, b"no gzip at all", content_encoding="gzip")
    assert isinstance(await fails(f"{service.url}/h"), Malformed)


@pytest.mark.parametrize("said", [b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", b""])
async def test_what_speaks_no_proper_http_is_told_in_words(said: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _peer = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(said)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        error = await fails(f"http://127.0.0.1:{listener.getsockname()[1]}/h")
        thread.join(5)
    assert error.what
    assert error.mend


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A self-signed certificate for another name."""
    folder: Path = tmp_path_factory.mktemp("tls")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=other.example"]
    try:
        subprocess.run(
            [*command, "-keyout", "key.pem", "-out", "cert.pem"], cwd=folder, check=True, capture_output=True
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no openssl to make a certificate with")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


async def test_a_certificate_that_nobody_signed_is_refused_in_plain_words(certificate: ssl.SSLContext) -> None:
    served = Service(certificate)
    try:
        served.answers["/h"] = reply(200, UP)
        error = await fails(f"{served.url}/h")
        assert isinstance(error, TargetUnreachable)
        assert "self-signed certificate" in error.what
        assert served.asked == []
    finally:
        served.close()


async def test_https_asked_of_plain_http(service: Service) -> None:
    assert "https" in (await fails(f"https://localhost:{service.port}/h")).mend


async def test_the_proxy_of_the_environment_is_used_and_said(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", service.url)
    service.answers["http://service.example/h"] = reply(200, UP)
    assert values(await look("http://service.example/h"))["status"] == "UP"
    service.close()
    assert "proxy" in (await fails("http://service.example/h")).where


async def test_no_proxy_stands_before_a_service_of_this_machine(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    service.answers["/h"] = reply(200, UP)
    assert values(await look(service.url + "/h"))["status"] == "UP"
    service.close()
    assert "proxy" not in (await fails(service.url + "/h")).where


@pytest.mark.parametrize(
    "url", ["", "localhost:8080/h", "ftp://x/", "http://", "http://x:99999/", "file:///etc/passwd"]
)
def test_what_is_no_http_address_is_refused_at_once(url: str) -> None:
    with pytest.raises(ConfigError):
        HttpProbe(HttpOptions(url=url), 1.0)


async def test_a_permit_for_another_address_is_no_permit(service: Service) -> None:
    one, other = (HttpProbe(HttpOptions(url=service.url + path), 1.0) for path in ("/a", "/b"))
    with pytest.raises(PolicyRefusal):
        await one.look(grant(other.action, other.judgement, Mode.READ_ONLY, by="test"))
    assert service.asked == []
