"""The one reader of request blocks: what is judged is what is sent."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.adapters.http.filling import filled_request
from cockpit.errors import UsageError
from cockpit.runbook.reading import read_bytes
from cockpit.safety.http_request import Request, located, location, requests_of
from cockpit.safety.judge import judge


def filled(text: str, **values: str) -> str:
    return filled_request(text, [(re.compile(re.escape(f"{{{{{name}}}}}")), value) for name, value in values.items()])


def test_a_block_is_read_as_http_files_are() -> None:
    text = """# a comment
### the first
# @no-redirect
POST http://x:8080/orders HTTP/1.1
    ?dry=1
    &limit=5
Content-Type: application/json
// another
X-Empty:

{
  "a": 1,

# stands in the body
  "b": 2
}
# expected: 201

### the second

GET /health"""

    first, second = requests_of(text)

    assert first == Request(
        method="POST",
        address="http://x:8080/orders?dry=1&limit=5",
        headers=(("Content-Type", "application/json"), ("X-Empty", "")),
        body='{\n  "a": 1,\n\n# stands in the body\n  "b": 2\n}',
        follows=False,
    )
    assert second == Request(method="GET", address="/health")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# only a comment",
        "get http://x/",
        "http://x/",
        "GET",
        "GET http://x/\nX-A: b\n folded",
        "GET http://x/\nno header",
        "GET http://x/\n: v",
        "GET http://x/\nX A: b",
        "GET http://x/\nX-A : b",
        "GET http://x/\r\nX-A: b",
        "GET http://x/\nX-A: b\x00c",
        "GET http://x/\nX-A: b\u2028X-B: c",
        "GET http://x/a\nGET http://x/b",
        "CONNECT x:443",
        "TRACE http://x/",
        "GET http://x/\nTransfer-Encoding: chunked",
        "GET http://x/\nContent-Length: 5",
        "GET http://x/\nConnection: Upgrade\nUpgrade: websocket",
        "GET http://x/\nHost: x\nHost: y",
        "POST http://x/\n\n< ./body.json",
        "POST http://x/\n\n{}\n\nHTTP/1.1 201 Created\nLocation: /1",
    ],
)
def test_what_could_be_read_in_two_ways_is_no_request(text: str) -> None:
    with pytest.raises(UsageError):
        requests_of(text)
    assert judge("http", text).verdict == "unknown"


@pytest.mark.parametrize(
    "address",
    [
        "//evil/x",
        "x/health",
        "file:///etc/passwd",
        "ftp://x/a",
        "gopher://x/",
        "http://",
        "http:///x",
        "http://a b/",
        "http://x\\@y/a",
        "http://x:99999/",
        "http://x:0/",
        "http://예시/",
        "http://a@b@c/",
        "http://x/a/../admin",
        "http://x/a/%2e%2E/admin",
        "http://x/./a",
        "http://x/a\\b",
    ],
)
def test_an_address_with_two_readings_is_not_sent(address: str) -> None:
    with pytest.raises(UsageError):
        location(Request(method="GET", address=address), "http://base")


@pytest.mark.parametrize(
    ("address", "url", "name"),
    [
        ("http://x", "http://x/", "x"),
        ("HTTP://X:80/a", "http://x/a", "x"),
        ("https://x:443", "https://x/", "x"),
        ("http://x:8080?a=1", "http://x:8080/?a=1", "x:8080"),
        ("http://[::1]:8080/h", "http://[::1]:8080/h", "[::1]:8080"),
        ("http://kim:pw@x/a", "http://x/a", "x"),
        ('http://p:9090/api?query=up{job="api"}', "http://p:9090/api?query=up%7Bjob=%22api%22%7D", "p:9090"),
        ("http://x/%2F/a%zz/한", "http://x/%2F/a%25zz/%ED%95%9C", "x"),
    ],
)
def test_an_address_goes_out_escaped_and_otherwise_as_it_stands(address: str, url: str, name: str) -> None:
    place = located(address)

    assert (place.url, place.name) == (url, name)


def test_a_relative_address_continues_the_targets() -> None:
    place = location(Request(method="GET", address="/orders?x=1"), "https://api.example.com:8443/v1/")

    assert place.url == "https://api.example.com:8443/v1/orders?x=1"


def test_a_relative_address_without_a_target_says_what_to_do() -> None:
    with pytest.raises(UsageError, match="base_url"):
        location(Request(method="GET", address="/orders"))


def test_a_host_header_says_the_same_as_the_address() -> None:
    same = Request(method="GET", address="/a", headers=(("Host", "localhost:8080"),))
    other = Request(method="GET", address="http://x/a", headers=(("Host", "y"),))

    assert location(same, "http://localhost:8080").name == "localhost:8080"
    with pytest.raises(UsageError, match="Host"):
        location(other)


def test_a_value_takes_the_form_of_its_place() -> None:
    text = (
        "POST http://{{host}}/orders/{{id}}?q={{q}}\nX-Who: {{who}}\nContent-Type: application/json\n\n"
        '{"name": "{{q}}", "count": {{count}}, "bare": {{q}}}'
    )

    found = filled(text, host="api:8080", id="a b/ç?", q='x&y="1"\\', who="kim; DROP", count="3")

    (request,) = requests_of(found)
    assert request.address == "http://api:8080/orders/a%20b/%C3%A7%3F?q=x%26y%3D%221%22%5C"
    assert request.headers[0] == ("X-Who", "kim; DROP")
    assert request.body == '{"name": "x&y=\\"1\\"\\\\", "count": 3, "bare": "x&y=\\"1\\"\\\\"}'


def test_a_whole_address_may_be_a_value() -> None:
    assert filled("GET {{base}}/status", base="https://api:8443/v1") == "GET https://api:8443/v1/status"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("GET http://x/\nX-A: {{v}}", "a\nX-Forged: 1"),
        ("GET http://x/\n{{v}}: a", "X-A"),
        ("{{v}} http://x/", "DELETE"),
        ("GET http://{{v}}/a", "evil/x"),
        ("GET http://{{v}}/a", "a@evil"),
        ("GET {{v}}", "http://x/ HTTP/1.1"),
        ("POST http://x/\n\n{{v}}", "a\n###\nDELETE http://x/"),
        ("POST http://x/\n\n{{v}}", "# would be left out"),
    ],
)
def test_a_value_that_would_be_more_than_a_value_is_refused(text: str, value: str) -> None:
    with pytest.raises(UsageError):
        filled(text, v=value)


@given(value=st.text(alphabet=st.characters(blacklist_categories=("Cs", "Cc")), max_size=40))
def test_no_value_changes_how_many_requests_there_are_nor_what_they_are(value: str) -> None:
    text = (
        'PUT http://x/a/{{v}}/b?q={{v}}\nX-A: {{v}}\nContent-Type: application/json\n\n{"a": "{{v}}"}\n### two\nGET /c'
    )

    try:
        found = requests_of(filled(text, v=value))
    except UsageError:
        return  # refused, as a whole

    assert [(each.method, len(each.headers)) for each in found] == [("PUT", 2), ("GET", 0)]
    assert found[0].address.startswith("http://x/a/")
    assert found[0].address.count("?") == 1


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("GET http://x/health\n\n###\nHEAD http://x/b\n\n# expected: 200", "read-only"),
        ("GET http://x/health\n\n###\nDELETE http://x/b", "destructive"),
        ("GET http://x/health\n\n###\nPOST http://x/b\n\n{}", "mutating"),
        ("GET http://x/_search\n\n{}", "unknown"),
        ("GET http://x/a\nX_HTTP_METHOD_OVERRIDE: DELETE", "unknown"),
        ("GET http://x/a\nX-Original-URL: /admin/shutdown", "unknown"),
        ("GET http://x/admin/%73hutdown", "unknown"),
        ("GET http://x/admin/%2573hutdown", "unknown"),
        ("GET http://x/shutdown;jsessionid=1", "unknown"),
        ("GET http://x/restart-service", "unknown"),
        ("GET http://x/resetAll", "unknown"),
        ("GET http://x/job/start", "unknown"),
        ("GET http://x/?x-http-method-override=DELETE", "unknown"),
        ("GET http://x/rollback-history", "read-only"),
        ("GET http://x/startup/probe", "read-only"),
        ("GET http://x/updates?since=1", "read-only"),
        ("GET http://x/deployments", "read-only"),
    ],
)
def test_the_address_the_headers_and_the_body_can_only_make_it_worse(text: str, verdict: str) -> None:
    assert judge("http", text).verdict == verdict


def test_an_answer_in_a_document_is_no_request() -> None:
    text = "```http\nGET http://x/health\n```\n\n```http\nHTTP/1.1 200 OK\nContent-Type: text/plain\n\nUP\n```\n"

    (step,) = read_bytes(text.encode(), "doc.md").steps

    assert step.code == "GET http://x/health"
    assert step.sample_output == "HTTP/1.1 200 OK\nContent-Type: text/plain\n\nUP"
