"""A run's result held against what the author expects."""

from __future__ import annotations

import pytest

from cockpit.runbook.model import Expectation, ExpectationKind
from cockpit.session.steps.checking import Result, check


def held(expectation: Expectation, output: str, exit_code: int = 0) -> bool | None:
    findings = check([expectation], Result(exit_code, (exit_code,), output))
    return next(finding.held for finding in findings if finding.kind == expectation.kind)


def default_exit(exit_code: int, pipe: tuple[int, ...], output: str = "", last: str = "") -> bool | None:
    return check([], Result(exit_code, pipe, output, last))[0].held


def test_exit_zero_is_expected_when_nothing_is_said() -> None:
    assert default_exit(0, (0,))
    assert default_exit(3, (3,)) is False


def test_a_command_that_failed_inside_a_pipeline_is_not_a_success() -> None:
    assert default_exit(0, (7, 0), "", "jq") is False


def test_a_pipe_cut_short_by_head_is_a_success() -> None:
    assert default_exit(0, (141, 0), "x", "head")


def test_grep_that_finds_nothing_is_no_failure_but_a_dead_source_is() -> None:
    assert default_exit(1, (0, 1), "", "grep")
    assert default_exit(1, (1, 1), "", "grep") is False
    assert default_exit(2, (0, 2), "", "grep") is False


def test_contains_counts_how_often() -> None:
    five = Expectation(ExpectationKind.CONTAINS, '"UP"', times=5)
    assert held(five, '"UP"\n' * 5)
    assert held(five, '"UP"\n' * 4 + '"DOWN"\n') is False


def test_absent_turns_it_around() -> None:
    none = Expectation(ExpectationKind.REGEX, "ERROR", absent=True)
    assert held(none, "INFO fine")
    assert held(none, "x ERROR y") is False


def test_json_paths_find_values_between_other_text() -> None:
    up = Expectation(ExpectationKind.JSON, {"path": "$.components.db.status", "equals": "UP"})
    assert held(up, 'HTTP 200\n{"components": {"db": {"status": "UP"}}}')
    assert held(up, '{"components": {"db": {"status": "DOWN"}}}') is False
    assert held(up, "no json {here") is False


@pytest.mark.parametrize(("output", "expected"), [("Failed requests:        0", True), ("Failed requests:  12", False)])
def test_a_number_is_read_behind_its_label(output: str, expected: bool) -> None:
    zero = Expectation(ExpectationKind.NUMBER, {"operator": "==", "bound": 0, "label": "Failed requests"})
    assert held(zero, "Requests per second: 5\n" + output) is expected


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("error rate limit is 1 %\nerror rate 5.2 %", None),
        ("error rate 10 %\nerror rate 0.2 %", None),
        ("error rate 0.1 %\nerror rate 0.2 %", True),
        ("error rate 3 %\nerror rate 2 %", False),
    ],
)
def test_a_number_that_is_told_several_times_and_not_alike_is_left_to_a_person(
    output: str, expected: bool | None
) -> None:
    few = Expectation(ExpectationKind.NUMBER, {"operator": "<=", "bound": 1, "label": "error rate"})
    assert held(few, output) is expected


def test_a_number_that_is_not_there_is_left_to_a_person() -> None:
    few = Expectation(ExpectationKind.NUMBER, {"operator": "<", "bound": 5, "label": ""})
    assert held(few, "nothing") is None


def test_what_a_machine_cannot_check_is_left_to_a_person() -> None:
    assert held(Expectation(ExpectationKind.MANUAL, "meaningful?"), "anything") is None


def test_a_catastrophic_pattern_ends_and_is_left_to_a_person() -> None:
    assert held(Expectation(ExpectationKind.REGEX, r"(a+)+$"), "a" * 5000 + "!") in (None, False)
    assert held(Expectation(ExpectationKind.REGEX, r"(x+x+)+y"), "x" * 5000) in (None, False)


def test_a_broken_pattern_is_left_to_a_person() -> None:
    assert held(Expectation(ExpectationKind.REGEX, "("), "x") is None


@pytest.mark.parametrize(
    ("wanted", "output"),
    [
        ("UP", '"UP"'),
        ("UP", "status: UP"),
        ("UP", "UP."),
        ("UP", "상태: UP입니다"),
        ("online", "│ backend │ online │"),
        ("Rollback Start", "Rollback Start: backend"),
        ("Switching to version v", "Switching to version v20240127-120000"),
        ("v1.4.0", "rule v1.4.0 (latest)"),
        ("1.4.0", "rule v1.4.0 (latest)"),
        ('{"status":"UP"', '{"status":"UP","groups":[]}'),
        ("정상", "서비스 정상"),
        ("정상", "서비스가 정상입니다."),
        ("정상", "정상적으로 응답"),
        ("완료", "배포가 완료되었습니다"),
        ("200", "HTTP/1.1 200 OK"),
    ],
)
def test_what_is_expected_is_found_where_it_stands_by_itself(wanted: str, output: str) -> None:
    assert held(Expectation(ExpectationKind.CONTAINS, wanted), output)


@pytest.mark.parametrize(
    ("wanted", "output"),
    [
        ("UP", "UPDATE failed"),
        ("UP", "BACKUP missing"),
        ("UP", "POD_UP_FAILED"),
        ("healthy", "unhealthy"),
        ("Running", "NotRunning"),
        ("200", "2000 ms"),
        ("1.4.0", "11.4.0"),
        ("db1", "db10 is up"),
        ("정상", "서비스 비정상"),
        ("완료", "미완료"),
        ("정상", "정상화 실패"),
    ],
)
def test_a_part_of_a_longer_word_is_not_what_is_expected(wanted: str, output: str) -> None:
    assert held(Expectation(ExpectationKind.CONTAINS, wanted), output) is False


def test_what_must_be_absent_is_found_inside_longer_words_too() -> None:
    none = Expectation(ExpectationKind.CONTAINS, "Error", absent=True, times=3)
    assert held(none, "java.lang.OutOfMemoryError") is False


def test_one_run_of_what_should_be_repeated_is_left_to_a_person_unless_it_clearly_failed() -> None:
    thrice = Expectation(ExpectationKind.CONTAINS, "UP", times=3, every_s=2.0, in_a_row=True)
    soon = Expectation(ExpectationKind.CONTAINS, "UP", every_s=5.0, within_s=60.0)

    def once(expectation: Expectation, output: str) -> tuple[bool | None, str]:
        found = check([expectation], Result(0, (0,), output), unrepeated="it may change something")[-1]
        return found.held, found.seen

    assert once(thrice, "UP\nUP\nUP")[0]
    assert once(thrice, "UP")[0] is None
    assert "it may change something" in once(thrice, "UP")[1]
    assert once(thrice, "DOWN")[0] is False
    assert once(soon, "UP")[0]
    assert once(soon, "DOWN")[0] is None


@pytest.mark.parametrize(
    ("command", "output", "expected"),
    [
        ("psql -h db << EOF\nselect 1 from nope;\nEOF", 'ERROR:  relation "nope" does not exist\nLINE 1: …', None),
        ("psql -f fix.sql", "BEGIN\npsql:fix.sql:3: ERROR:  division by zero\nCOMMIT", None),
        ("psql -h db <<< 'select 1'", '오류:  "nope" 이름의 릴레이션(relation)이 없습니다', None),
        ("redis-cli PING", "NOAUTH Authentication required.", None),
        ("redis-cli -h c SET a 1", "(error) OOM command not allowed when used memory > 'maxmemory'.", None),
        ("redis-cli PING", "PONG", True),
        ("psql -c 'select text from notes'", " ERROR:  as a row of a table begins with a blank", True),
        ("cat app.log", "ERROR:  not of psql", True),
        ("cat psql-notes.txt", "ERROR:  not of psql", True),
    ],
)
def test_an_error_that_a_client_tells_and_exits_well_after_is_asked_about(
    command: str, output: str, expected: bool | None
) -> None:
    (found,) = check([], Result(0, (0,), output, command=command))
    assert found.held is expected
