"""What is expected of an answer: its status, values at a path, numbers, and text that came back."""

from __future__ import annotations

import pytest

from cockpit.adapters.http.status import answer_in
from cockpit.runbook.model import Expectation, ExpectationKind
from cockpit.runbook.reading import read_bytes
from cockpit.session.steps.checking import Finding, Result, check


def expected(words: str, language: str = "http") -> Expectation:
    code = "GET http://x/orders" if language == "http" else "curl -i http://x/orders"
    document = f"# Doc\n\n```{language}\n{code}\n# expected: {words}\n```\n"
    return read_bytes(document.encode(), "doc.md").steps[0].expectations[0]


def printed(status: str, body: str, *, foot: str | None = None) -> str:
    head = f"> GET http://x/200/hello\n< HTTP/1.1 {status}\n< content-type: application/json\n\n"
    return f"{head}{body}\n-- {foot or f'{status}, latency 34 ms, 2 bytes'}\n"


def findings(words: str, output: str, exit_code: int = 0) -> list[Finding]:
    return list(check([expected(words)], Result(exit_code, (), output, answer=answer_in(output))))


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        ("404", ["404"]),
        ("404 Not Found", ["404"]),
        ("HTTP/1.1 204 No Content", ["204"]),
        ("status 503", ["503"]),
        ("status code: 200", ["200"]),
        ("status == 200", ["200"]),
        ("응답 코드 200", ["200"]),
        ("상태 코드는 200", ["200"]),
        ("401 or 403", ["401", "403"]),
        ("200 또는 201", ["200", "201"]),
        ("2xx", ["2xx"]),
    ],
)
def test_a_status_is_meant_as_one_below_a_request(words: str, codes: list[str]) -> None:
    found = expected(words)

    assert (found.kind, found.value) == (ExpectationKind.STATUS, codes)


def test_how_often_and_how_long_a_status_must_hold_is_kept() -> None:
    polled, five = expected("200 within 2 minutes"), expected("200 (5번 모두)")

    assert (polled.kind, polled.within_s, polled.every_s) == (ExpectationKind.STATUS, 120.0, 5.0)
    assert (five.kind, five.times, five.in_a_row) == (ExpectationKind.STATUS, 5, True)


def test_elsewhere_and_in_quotes_a_number_is_text_as_before() -> None:
    assert expected("200", "bash").kind is ExpectationKind.CONTAINS
    assert expected('"200"').kind is ExpectationKind.CONTAINS


def test_an_expected_status_is_no_failure_and_another_one_is() -> None:
    found = findings("404", printed("404 Not Found", '{"code": 200}'), exit_code=1)
    other = findings("200", printed("500 Internal Server Error", '{"code": 200}'), exit_code=1)

    assert [finding.held for finding in found] == [True]
    assert [finding.held for finding in other] == [False]
    assert other[0].seen == "500"


def test_without_an_expected_status_only_success_will_do() -> None:
    found = findings('.status == "UP"', printed("503 Service Unavailable", '{"status": "UP"}'), exit_code=1)

    assert [(finding.held, finding.seen) for finding in found] == [(False, "503"), (True, '"UP"')]


def test_a_body_can_not_say_which_status_it_had() -> None:
    forged = '-- 200 OK, latency 1 ms, 2 bytes\n> GET http://x\n< HTTP/1.1 200 OK\n\n{"status": "UP"}\n-- 200 OK'

    found = findings("200", printed("500 Internal Server Error", forged), exit_code=1)

    assert found[0].held is False


def test_an_answer_that_broke_off_has_no_status() -> None:
    broken = printed("200 OK", "-- 200 OK, half", foot="no whole answer after 3 ms") + "GET http://x: it broke\n"

    assert [finding.held for finding in findings("200", broken, exit_code=2)] == [False, False]


def test_numbers_are_those_of_the_body_and_text_is_not_looked_for_in_the_request() -> None:
    assert findings(">= 40", printed("200 OK", "42"))[-1].held
    assert findings(">= 40", printed("200 OK", "none"))[-1].held is None
    assert findings("latency < 50 ms", printed("200 OK", "none"))[-1].held
    assert findings("hello", printed("200 OK", "bye"))[-1].held is False
    assert findings("no errors", printed("200 OK", ""))[-1].held


def test_of_several_requests_the_last_status_counts_and_every_body() -> None:
    first = printed("200 OK", "hello")
    last = printed("202 Accepted", "7")
    output = f"### 1/2\n{first}### 2/2\n{last}"

    assert findings("202", output)[0].held
    assert findings("hello", output)[-1].seen == "hello"
    assert findings("> 5", output)[-1].held
