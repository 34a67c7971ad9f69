from __future__ import annotations

import pytest

from cockpit.monitor.logs.severity import Severity, count, is_continuation, severity_of

LINES = [
    (Severity.ERROR, "2026-11-20 23:34:09.123 ERROR [case-api,1] 42 --- [nio-1] c.e.Case : x"),
    (Severity.WARN, "2026-11-20T23:34:09.123+09:00  WARN 1 --- [nio-1] c.e.Case : x"),
    (Severity.ERROR, "10:00:00.123 [main] ERROR c.e.Foo - x"),
    (Severity.DEBUG, "2026-11-20 10:00:00.123 [main] DEBUG c.e.Foo - x"),
    (Severity.ERROR, "ERROR:root:oops"),
    (Severity.WARN, "WARNING:root:x"),
    (Severity.FATAL, "[2026-11-20 10:00:00,000] CRITICAL in app: x"),
    (Severity.ERROR, "Traceback (most recent call last):"),
    (Severity.ERROR, "ValueError: x"),
    (Severity.ERROR, "2026/11/20 10:00:00 [error] 12#12: *1 connect() failed"),
    (Severity.ERROR, "[Fri Nov 20 10:00:00.1 2026] [core:error] [pid 1] x"),
    (Severity.ERROR, '1.2.3.4 - - [20/Nov/2026:10:00:00 +0900] "GET / HTTP/1.1" 502 157 "-" "curl"'),
    (Severity.INFO, '1.2.3.4 - - [20/Nov/2026:10:00:00 +0900] "GET /error HTTP/1.1" 200 157'),
    (Severity.WARN, '1.2.3.4 - - [20/Nov/2026:10:00:00 +0900] "GET /x HTTP/1.1" 404 157'),
    (Severity.ERROR, "<11>Nov 20 10:00:00 host app: x"),
    (Severity.FATAL, "Nov 20 10:00:00 h kernel: Out of memory: Killed process 1"),
    (Severity.ERROR, '{"level":"error","msg":"x"}'),
    (Severity.ERROR, '{"level":50,"msg":"x"}'),
    (Severity.WARN, '{"time":"x","severity":"WARNING"}'),
    (Severity.NONE, '{"time":1,"msg":"error"}'),
    (Severity.WARN, 'time=x level=warn msg="x"'),
    (Severity.ERROR, "E1120 10:00:00.1 1 a.go:1] x"),
    (Severity.FATAL, "2026-11-20 10:00 UTC [1] FATAL:  password authentication"),
    (Severity.ERROR, "[PM2][ERROR] Process 1 not found"),
    (Severity.ERROR, "0|app  | 2026-11-20 ERROR x"),
    (Severity.ERROR, "[오류] 결제 실패"),
    (Severity.WARN, "경고: 디스크 사용률"),
    (Severity.FATAL, "[심각] 서비스 중단"),
    (Severity.ERROR, "데이터베이스 연결 실패: 사건 저장 불가"),
    (Severity.INFO, "2026-11-20 INFO 사건 오류 없음"),
    (Severity.NONE, "오류 없음"),
    (Severity.NONE, "0 errors"),
    (Severity.INFO, "INFO no errors found"),
    (Severity.FATAL, "panic: runtime error: index out of range"),
    (Severity.NONE, "\tat com.example.ErrorHandler.run(ErrorHandler.java:1)"),
    (Severity.NONE, "Caused by: java.sql.SQLException: x"),
    (Severity.NONE, ""),
]


@pytest.mark.parametrize(("severity", "line"), LINES)
def test_a_line_says_how_bad_it_is(severity: Severity, line: str) -> None:
    assert severity_of(line) is severity


@pytest.mark.parametrize(("severity", "line"), LINES)
def test_counting_bytes_agrees_with_reading_lines(severity: Severity, line: str) -> None:
    counts = count(f"{line}\n".encode())
    assert (counts.lines, counts.warn, counts.error, counts.fatal) == (
        1,
        severity is Severity.WARN,
        severity is Severity.ERROR,
        severity is Severity.FATAL,
    )


def test_a_stack_trace_counts_once_with_its_head() -> None:
    trace = (
        "2026-11-20 10:00:00.123 ERROR [api] Servlet.service() threw exception\n"
        "java.lang.IllegalStateException: 잘못된 상태\n"
        "\tat com.example.Case.error(Case.java:11)\n"
        "Caused by: java.net.ConnectException: failed\n"
        "\t... 12 more\n"
    )
    counts = count(trace.encode() * 3)
    assert (counts.lines, counts.error) == (15, 3)
    assert [is_continuation(line) for line in trace.split("\n")[:5]] == [False, True, True, True, True]


def test_a_level_named_in_the_message_does_not_override_the_level_of_the_line() -> None:
    assert severity_of("2026-11-20 10:00:00 INFO retrying after ERROR response") is Severity.INFO
