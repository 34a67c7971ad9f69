"""HTTP requests as steps against a real web server: what is shown, what is cut, and what each failure is called."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from cockpit.adapters.http.adapter import HttpAdapter, HttpTargetOptions
from cockpit.adapters.step_program.adapter import Task
from cockpit.adapters.step_program.page import Page
from cockpit.errors import (
    AccessDenied,
    ConfigError,
    Declined,
    Malformed,
    OutcomeUnknown,
    TargetUnreachable,
    TimedOut,
    UsageError,
)
from cockpit.safety.permit import Mode
from tests.servers.server import free_port, require
from tests.servers.web import WebServer, web_server

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def server() -> Iterator[WebServer]:
    with web_server() as made:
        yield made


class Said(BytesIO):
    @property
    def text(self) -> str:
        return self.getvalue().decode("utf-8", "backslashreplace")


def send(where: str | WebServer, body: str, out: Said | None = None, *, read_only: bool = True, **options: Any) -> str:
    base = where if isinstance(where, str) else where.url
    page = out or Said()
    task = Task(language="http", body=body, read_only=read_only, mode=Mode.LIVE)
    HttpAdapter(HttpTargetOptions(base_url=base, **options)).perform(task, Page(page))
    return page.text


def test_an_answer_is_shown_with_its_status_its_headers_and_how_long_it_took(server: WebServer) -> None:
    lines = send(server, "GET /hello").split("\n")

    assert lines[:4] == [
        f"> GET {server.url}/hello",
        "< HTTP/1.1 200 OK",
        "< content-type: text/plain; charset=utf-8",
        "",
    ]
    assert lines[4] == "hello"
    assert lines[5].startswith("-- 200 OK, latency ")
    assert lines[5].endswith(" ms, 5 bytes")


def test_json_is_laid_out_with_its_digits_as_they_came(server: WebServer) -> None:
    shown = send(server, "GET /json")

    assert '  "build": 1234567890123456789012,\n  "share": 1.10,\n  "name": "결제"\n}' in shown


def test_what_says_that_it_is_json_and_is_not_is_shown_as_it_came(server: WebServer) -> None:
    shown = send(server, "GET /nojson")

    assert '{"half": ' in shown
    assert "is not" in shown.rstrip().split("\n")[-1]


def test_another_character_set_is_read_and_told(server: WebServer) -> None:
    shown = send(server, "GET /korean")

    assert "결제 정상\n" in shown
    assert "euc_kr" in shown


def test_what_is_no_text_is_told_and_not_printed(server: WebServer) -> None:
    shown = send(server, "GET /image")

    assert "PNG" not in shown
    assert "image/png" in shown
    assert "10 bytes" in shown


def test_a_large_body_is_cut_and_how_much_of_it_is_told(server: WebServer) -> None:
    out = Said()

    send(server, "GET /large", out, body_bytes=100_000)

    assert out.getvalue().count(b"x") < 100_200
    assert "9900000" in out.text.rstrip().split("\n")[-1]


def test_a_body_that_unpacks_to_too_much_is_cut_as_well(server: WebServer) -> None:
    out = Said()

    send(server, "GET /bomb\nAccept-Encoding: gzip", out, body_bytes=1_000_000)

    assert 1_000_000 <= out.getvalue().count(b"0") < 1_000_100
    assert "cut" in out.text.rstrip().split("\n")[-1]


def test_a_body_that_drips_for_ever_ends_with_the_deadline(server: WebServer) -> None:
    out = Said()

    with pytest.raises(TimedOut, match="did not end"):
        send(server, "GET /drip", out, timeout_s=4.0)

    assert "< HTTP/1.1 200 OK" in out.text
    assert out.text.rstrip().split("\n")[-1].startswith("-- no whole answer")


def test_a_server_that_says_nothing_ends_with_the_deadline(server: WebServer) -> None:
    with pytest.raises(TimedOut, match="no answer within"):
        send(server, "GET /wait", timeout_s=1.0)


def test_whether_a_change_was_made_is_not_known_when_no_answer_comes(server: WebServer) -> None:
    with pytest.raises(OutcomeUnknown, match="no answer came"):
        send(server, "POST /wait", read_only=False, timeout_s=4.0)


def test_nothing_was_sent_where_nobody_listens() -> None:
    with pytest.raises(TargetUnreachable, match="nothing listens"):
        send(f"http://127.0.0.1:{free_port()}", "POST /order", read_only=False)


def test_a_name_that_is_not_there_is_said() -> None:
    with pytest.raises(TargetUnreachable, match="name"):
        send("http://nowhere.invalid", "GET /")


def test_an_answer_that_breaks_off_is_no_answer(server: WebServer) -> None:
    out = Said()

    with pytest.raises(TargetUnreachable):
        send(server, "GET /half", out)

    assert out.text.rstrip().split("\n")[-1].startswith("-- no whole answer")


def test_what_does_not_speak_http_is_said(server: WebServer) -> None:
    with pytest.raises(Malformed, match="HTTP"):
        send(server, "GET /gibberish")


@pytest.mark.parametrize(
    ("code", "kind", "said"),
    [
        (400, Declined, "400 Bad Request"),
        (401, AccessDenied, "credentials"),
        (403, AccessDenied, "credentials"),
        (404, Declined, "404 Not Found"),
        (429, AccessDenied, "wait 7 s"),
        (500, Declined, "500 Internal Server Error"),
        (503, Declined, "503 Service Unavailable"),
        (304, Declined, "304 Not Modified"),
    ],
)
def test_a_status_that_is_no_success_has_its_own_words(
    server: WebServer, code: int, kind: type[Exception], said: str
) -> None:
    out = Said()

    with pytest.raises(kind, match=said):
        send(server, f"GET /status?code={code}", out)

    assert f"-- {code} " in out.text


def test_a_server_that_breaks_over_a_change_may_have_made_it(server: WebServer) -> None:
    with pytest.raises(Declined, match="may have been done"):
        send(server, "POST /broken", read_only=False)


def test_a_circle_of_redirects_ends(server: WebServer) -> None:
    with pytest.raises(Malformed, match="circle"):
        send(server, "GET /circle")


def test_the_first_request_that_fails_ends_the_block(server: WebServer) -> None:
    before = server.fingerprint()

    with pytest.raises(Declined, match="request 1 of 2"):
        send(server, "POST /mistake\n\n{}\n###\nPOST /order", read_only=False)

    assert server.fingerprint() == before


def test_what_is_sent_is_what_stands_there(server: WebServer) -> None:
    send(server, 'PUT /order?q=a"b\nX-Who: 결제\nContent-Type: text/markdown\n\n# Title\n\nline\n', read_only=False)

    method, target, headers, body = server.asked[-1]
    assert (method, target, body) == ("PUT", "/order?q=a%22b", b"# Title\n\nline")
    assert headers["x-who"].encode("latin-1").decode() == "결제"
    assert set(headers) == {
        *("host", "x-who", "content-type", "content-length"),
        *("user-agent", "accept", "accept-encoding", "connection"),
    }


def test_a_request_without_a_place_says_what_it_needs(server: WebServer) -> None:
    with pytest.raises(UsageError, match="can't be read"):
        send(server, "GET {{base_url}}/hello", read_only=False)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    (openssl,) = require("openssl")
    folder = tmp_path_factory.mktemp("tls")
    names = "subjectAltName=DNS:localhost"
    argv = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    argv += ["-addext", names, "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run(argv, check=True, capture_output=True)
    return folder / "cert.pem"


@pytest.fixture(scope="module")
def secure(certificate: Path) -> Iterator[WebServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.parent / "key.pem")
    with web_server(tls=context) as made:
        yield made


def test_a_certificate_that_nobody_vouches_for_is_refused(secure: WebServer) -> None:
    with pytest.raises(TargetUnreachable, match="certificate can't be trusted"):
        send(f"https://localhost:{secure.port}", "POST /order", read_only=False)

    assert secure.fingerprint() == ()


def test_an_authority_of_ones_own_is_trusted_for_its_names_alone(secure: WebServer, certificate: Path) -> None:
    shown = send(f"https://localhost:{secure.port}", "GET /hello", ca_file=str(certificate))

    assert "-- 200 OK" in shown
    with pytest.raises(TargetUnreachable, match="certificate"):
        send(f"https://127.0.0.1:{secure.port}", "GET /hello", ca_file=str(certificate))


def test_an_authority_that_is_not_there_is_said(secure: WebServer) -> None:
    with pytest.raises(ConfigError, match="ca_file"):
        send(secure, "GET /hello", ca_file="/nowhere/ca.pem")
