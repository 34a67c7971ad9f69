"""Faults 34 to 39 at the clients for GitHub and Google Cloud: each costs its own panel and says what it is."""

from __future__ import annotations

import gzip
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from cockpit.config import ProbeConfig
from cockpit.monitor.registry import build
from cockpit.monitor.sample import Outcome, Sample
from tests.servers.google import TOKEN, google_server
from tests.servers.misbehaving import Misbehaving, misbehaving
from tests.servers.pages import Page
from tests.waiting import PATIENCE_S

_GOOGLE = {"project": "my-project", "token_env": "CLOUD_TOKEN"}
KINDS: dict[str, dict[str, Any]] = {
    "github": {"repo": "acme/shop", "token_env": "CLOUD_TOKEN"},
    "cloud-run": {**_GOOGLE, "region": "us-central1", "service": "ion-api-canary"},
    "cloud-logging": {**_GOOGLE, "filter": "severity>=ERROR"},
}


@pytest.fixture(params=sorted(KINDS))
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("CLOUD_TOKEN", TOKEN)
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return str(request.param)


@pytest.fixture
def wild() -> Iterator[Misbehaving]:
    with misbehaving() as made:
        yield made


async def sampled(kind: str, url: str, deadline_s: float = PATIENCE_S) -> Sample:
    options = {**KINDS[kind], "url": url}
    probe = build(ProbeConfig(name="it", kind=kind, deadline_s=deadline_s, options=options), lambda text: text)
    sample = await probe.sample()
    await probe.close()
    assert sample.outcome is Outcome.FAILED
    assert sample.mend
    assert TOKEN not in sample.error + sample.mend + sample.text
    return sample


async def test_a_name_that_nobody_knows_is_told(kind: str) -> None:
    sample = await sampled(kind, "https://no-such-host.invalid")
    assert "no-such-host.invalid" in sample.error
    assert "can't be resolved" in sample.error


async def test_a_body_that_never_ends_ends_at_the_deadline(kind: str, wild: Misbehaving) -> None:
    wild.answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{"
    wild.hangs = True

    assert "no answer within" in (await sampled(kind, wild.url, deadline_s=0.4)).error


async def test_an_answer_that_unpacks_to_more_than_fits_is_given_up(kind: str, wild: Misbehaving) -> None:
    wild.says(gzip.compress(bytes(80 << 20), 1), head="Content-Encoding: gzip\r\n")

    assert "larger than" in (await sampled(kind, wild.url)).error


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}", "broke off"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n{}", "broke"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "broke"),
        (b"", "broke"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", "not packed as it says"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n" + b"[" * 6, "not what such a server says"),
    ],
)
async def test_an_answer_that_is_none_is_told(kind: str, wild: Misbehaving, answer: bytes, told: str) -> None:
    wild.answer = answer
    assert told in (await sampled(kind, wild.url)).error


@pytest.mark.parametrize("location", ["https://elsewhere.example/x", "http://127.0.0.1:1/x", "file:///etc/passwd"])
async def test_nobody_else_is_asked(kind: str, wild: Misbehaving, location: str) -> None:
    wild.says(b"", "307 Temporary Redirect", f"Location: {location}\r\n")

    sample = await sampled(kind, wild.url)

    assert location.removeprefix("https://").removeprefix("http://") in sample.error
    assert all(b"GET /" in head or b"POST /" in head for head in wild.requests)


async def test_a_certificate_that_nobody_vouches_for_is_refused(kind: str, tmp_path: Path) -> None:
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    subprocess.run([*command, "-keyout", "key.pem", "-out", "cert.pem"], cwd=tmp_path, check=True, capture_output=True)
    asked: list[str] = []

    class Answers(Page):
        def answer(self) -> None:
            asked.append(self.path)
            self.says(200, b"{}", "application/json")

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.handle_error = lambda *_told: None  # type: ignore[method-assign]
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        sample = await sampled(kind, f"https://localhost:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()

    assert "certificate can't be trusted" in sample.error
    assert asked == []


async def test_the_proxy_of_the_environment_is_used_and_named(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")

    assert "proxy of the environment" in (await sampled(kind, "http://cloud.example.test")).error


async def test_an_answer_comes_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUD_TOKEN", TOKEN)
    monkeypatch.setenv("no_proxy", "")
    with google_server() as server:
        monkeypatch.setenv("http_proxy", server.url)
        options = {**KINDS["cloud-run"], "url": "http://run.example.test"}
        probe = build(
            ProbeConfig(name="it", kind="cloud-run", deadline_s=PATIENCE_S, options=options), lambda text: text
        )
        sample = await probe.sample()
        await probe.close()

    assert sample.outcome is Outcome.DATA
