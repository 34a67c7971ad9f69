"""Read-only HTTP: all that could make a server change something, tried on one that believes whatever it is told."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest

from cockpit.adapters.http.adapter import HttpAdapter, HttpTargetOptions
from cockpit.adapters.step_program.adapter import Task
from cockpit.adapters.step_program.page import Page
from cockpit.errors import CockpitError, ConfigError, Declined, PolicyRefusal
from cockpit.safety.judge import judge
from cockpit.safety.permit import Mode
from cockpit.safety.verdict import Verdict
from tests.servers.web import TOKEN, WebServer, web_server

pytestmark = pytest.mark.real

HOSTILE = [
    "POST /order",
    "POST /order\n\n{}",
    "PUT /order",
    "PATCH /order",
    "DELETE /order",
    "PROPFIND /order",
    "OPTIONS /order?_method=DELETE",
    "PROPFIND /order",
    "post /order",
    "Post /order",
    "GET /order\nX-HTTP-Method-Override: DELETE",
    "GET /order\nx-http-method-override: delete",
    "GET /order\nX_HTTP_METHOD_OVERRIDE: DELETE",
    "GET /order\nX-HTTP-Method: PUT",
    "GET /order\nX-Method-Override: PATCH",
    "GET /order\nX-Original-URL: /shutdown",
    "GET /order\nX-Rewrite-URL: /shutdown",
    "GET /order?_method=DELETE",
    "GET /order?a=1&_method=delete",
    "GET /order?x-http-method-override=DELETE",
    "GET /order?_metho%64=DELETE",
    "GET /order\n  ?_method=DELETE",
    "GET /shutdown",
    "GET /%73hutdown",
    "GET /SHUTDOWN",
    "GET /hello/../shutdown",
    "GET /hello/%2e%2e/shutdown",
    "GET /hello\\..\\shutdown",
    "GET /hello\n\nDELETE /order HTTP/1.1\nHost: x",
    "GET /hello\nContent-Length: 0\n\nDELETE /order HTTP/1.1\nHost: x\n\n",
    "GET /hello\nContent-Length: 5\n\nDELETE /order HTTP/1.1\nHost: x\n\n",
    "GET /hello\nTransfer-Encoding: chunked\n\n0\n\nDELETE /order HTTP/1.1",
    "GET /hello HTTP/1.1\r\nHost: x\r\n\r\nDELETE /order HTTP/1.1\r\n\r\n",
    "GET /hello\nX-A: b\r\n\r\nDELETE /order HTTP/1.1\r\nHost: x",
    "GET /hello\rDELETE /order",
    "GET /hello%0d%0aDELETE%20/order\nX-A: b",
    "GET /hello\nX-A: b\x0bX-HTTP-Method: DELETE",
    "GET /hello\nX-A: b\u2028X-HTTP-Method: DELETE",
    "GET /hello\nX-A: b\n X-HTTP-Method-Override: DELETE",
    "GET /hello\n\tX-HTTP-Method-Override: DELETE",
    "GET /hello\nX-HTTP-Method-Override : DELETE",
    "GET /hello\nConnection: Upgrade\nUpgrade: websocket",
    "GET /hello\nUpgrade: h2c\nConnection: Upgrade, HTTP2-Settings",
    "GET /hello\nExpect: 100-continue",
    "GET /hello\nTrailer: X-HTTP-Method-Override",
    "GET /hello\n###\nDELETE /order",
    "GET /hello\n### \nPOST /order\n\n{}",
    "GET /hello\nGET /order",
    "GET /hello\nDELETE /order",
    "# GET /hello\nDELETE /order",
    "GET HTTP://EVIL/order",
    "GET //evil/order",
    "GET http://user:pw@evil/order",
    "GET http://evil\\@{host}/order",
    "GET file:///etc/passwd",
    "GET ftp://{host}/order",
    "GET gopher://{host}/_DELETE%20/order",
    "GET unix:///var/run/docker.sock",
    "GET data:text/plain,x",
    "GET javascript:alert(1)",
    "CONNECT {host}",
    "PROPFIND /order",
    "OPTIONS /order?_method=DELETE",
    "GET /redirect?to=/shutdown",
    "GET /redirect?to=/order?_method=DELETE",
    "GET /redirect?code=307&to=/shutdown",
    "GET /redirect?to=//evil/order",
    "GET /redirect?to=file:///etc/passwd",
    "GET /redirect?to=/%2573hutdown",
    "GET /hello\nHost: evil",
    "GET /hello\nHost: {host}\nHost: evil",
    "POST /hello\nX-HTTP-Method-Override: GET",
    "GET /hello\n\n< /etc/passwd",
    "GET /or\u200bder?_method=DELETE",
]


@pytest.fixture(scope="module")
def server() -> Iterator[WebServer]:
    with web_server() as made:
        yield made


@pytest.fixture(scope="module")
def stranger() -> Iterator[WebServer]:
    """Another host, to which nothing may go but what was asked for."""
    with web_server("127.0.0.2") as made:
        yield made


def adapter(server: WebServer, **options: Any) -> HttpAdapter:
    return HttpAdapter(HttpTargetOptions(base_url=server.url, **options))


def perform(made: HttpAdapter, body: str, *, read_only: bool = True, credentials: dict[str, str] | None = None) -> str:
    out = BytesIO()
    task = Task(language="http", body=body, read_only=read_only, mode=Mode.LIVE, credentials=credentials or {})
    try:
        made.perform(task, Page(out))
    finally:
        perform.out = out.getvalue().decode()  # type: ignore[attr-defined]
    return out.getvalue().decode()


def shown() -> str:
    return str(perform.out)  # type: ignore[attr-defined]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_is_changed_whatever_the_text_says(server: WebServer, text: str) -> None:
    body = text.replace("{host}", server.url.removeprefix("http://"))
    before, asked = server.fingerprint(), len(server.asked)

    with pytest.raises(CockpitError):
        perform(adapter(server), body)

    assert server.fingerprint() == before
    assert {method for method, *_rest in server.asked[asked:]} <= {"GET", "HEAD"}


@pytest.mark.parametrize("text", [text for text in HOSTILE if "redirect" not in text], ids=str)
def test_the_judge_says_so_before_it_comes_to_that(text: str) -> None:
    plain = ("GET http://user", "GET HTTP://EVIL", "GET /hello%0d%0a", "GET /hello\nHost: evil")
    text = text.replace("{host}", "localhost:8080")
    if not text.startswith(plain):  # those read, and are for this adapter and target alone to refuse
        assert judge("http", text).verdict is not Verdict.READ_ONLY


@pytest.mark.parametrize("path", ["/hello", "/json", "/redirect?to=/hello", "/echo?text=DELETE", "/status?code=200"])
def test_what_reads_is_sent(server: WebServer, path: str) -> None:
    before = server.fingerprint()

    assert "-- 200 OK" in perform(adapter(server), f"GET {path}")
    assert "-- 200 OK" in perform(adapter(server), f"HEAD {path}")
    assert server.fingerprint() == before


def test_a_redirect_to_another_host_is_shown_and_gets_nothing(server: WebServer, stranger: WebServer) -> None:
    made = adapter(server, headers_env={"x-api-key": "NOT_READ_HERE"})
    body = f"GET /redirect?to={stranger.url}/hello\nCookie: session=abc\nX-Token: def"

    with pytest.raises(Declined, match="not followed"):
        perform(made, body, credentials={"token": TOKEN, "header x-api-key": "Key-9-of-the-api"})

    assert f"< location: {stranger.url}/hello" in shown()
    assert stranger.asked == []


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_never_makes_another_request_of_a_changing_one(server: WebServer, code: int) -> None:
    before = len(server.asked)

    with pytest.raises(Declined, match="not followed"):
        perform(adapter(server), f"POST /redirect?code={code}&to=/order\n\n{{}}", read_only=False)

    assert [asked[0] for asked in server.asked[before:]] == ["POST"]


def test_a_redirect_that_the_block_wants_to_see_is_not_followed(server: WebServer) -> None:
    with pytest.raises(Declined, match="302"):
        perform(adapter(server), "# @no-redirect\nGET /redirect?to=/hello")


def test_the_targets_credentials_go_to_the_target_alone(server: WebServer, stranger: WebServer) -> None:
    with pytest.raises(CockpitError, match="is not this target"):
        perform(adapter(server), f"GET {stranger.url}/hello", credentials={"token": TOKEN})
    perform(adapter(server), f"GET {server.url}/hello", credentials={"token": TOKEN})

    assert stranger.asked == []
    assert server.asked[-1][2]["authorization"] == f"Bearer {TOKEN}"


def test_what_one_answer_sets_is_no_part_of_the_next_request(server: WebServer) -> None:
    perform(adapter(server), f"GET http://kim:pw@127.0.0.1:{server.port}/hello\n###\nGET /headers")

    assert server.asked[-2][2]["authorization"] == "Basic a2ltOnB3"
    assert "authorization" not in server.asked[-1][2]
    assert "kim" not in shown()


def test_secrets_in_the_file_are_refused(server: WebServer) -> None:
    for options in ({"headers": {"Authorization": "Bearer x"}}, {"headers": {"X-API-Key": "x"}}):
        with pytest.raises(ConfigError, match="secrets"):
            adapter(server, **options)
    for options in (
        {"headers": {"a b": "x"}},
        {"headers": {"X-A": "a\nb"}},
        {"headers_env": {"Transfer-Encoding": "E"}},
    ):
        with pytest.raises(ConfigError):
            adapter(server, **options)
    with pytest.raises(ConfigError):
        HttpAdapter(HttpTargetOptions(base_url="http://kim:pw@x/"))


def test_what_a_server_may_be_asked_to_do_can_be_asked_of_it(server: WebServer) -> None:
    before = server.fingerprint()
    assert "200" in perform(adapter(server), "OPTIONS /hello")
    assert server.asked[-1][0] == "OPTIONS"
    assert server.fingerprint() == before


def test_a_refusal_says_who_refuses(server: WebServer) -> None:
    with pytest.raises(PolicyRefusal, match="only GET, HEAD and OPTIONS"):
        perform(adapter(server), "PROPFIND /order")

    told = adapter(server).enforced(Task())

    assert told.by == "tool"
    assert "GET, HEAD and OPTIONS" in told.detail
