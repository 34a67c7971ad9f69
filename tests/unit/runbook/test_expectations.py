"""What must come back, as authors write it, and what no machine can check."""

from __future__ import annotations

from typing import Any

import pytest

from cockpit.runbook.model import Expectation, ExpectationKind
from cockpit.runbook.reading import parse


def expected(code: str, info: str = "bash") -> tuple[Expectation, ...]:
    return parse(f"# t\n\n```{info}\n{code}\n```\n").steps[0].expectations


@pytest.mark.parametrize(
    ("comment", "kind", "value", "times"),
    [
        ('# 기대 출력: "UP" (5번 모두)', ExpectationKind.CONTAINS, "UP", 5),
        ('# 기대: {"status": "UP"}', ExpectationKind.JSON, {"path": "$.status", "equals": "UP"}, 1),
        ("# expected: 200", ExpectationKind.MANUAL, "200", 1),
        ("# Expected output: `active`", ExpectationKind.CONTAINS, "active", 1),
        ("# 预期: PONG", ExpectationKind.CONTAINS, "PONG", 1),
        ("# 기대: v1.4.0 (최신 버전)", ExpectationKind.CONTAINS, "v1.4.0", 1),
        ("# expected: exit code 3", ExpectationKind.EXIT, 3, 1),
        (
            "# 기대: COMPLETED > 95%",
            ExpectationKind.NUMBER,
            {"operator": ">", "bound": 95.0, "unit": "%", "label": "COMPLETED"},
            1,
        ),
        ("# 기대: 정상 응답", ExpectationKind.MANUAL, "정상 응답", 1),
        ("# 기대: ~1000건 (평소 수준)", ExpectationKind.MANUAL, "~1000건 (평소 수준)", 1),
        ("# 기대: 여유 공간 충분", ExpectationKind.MANUAL, "여유 공간 충분", 1),
    ],
)
def test_a_comment_below_a_command_says_what_to_expect(
    comment: str, kind: ExpectationKind, value: Any, times: int
) -> None:
    found = expected(f"curl x\n{comment}")
    assert [(e.kind, e.value, e.times, e.line) for e in found] == [(kind, value, times, 5)]


def number(operator: str, bound: float, unit: str = "", label: str = "") -> dict[str, Any]:
    return {"operator": operator, "bound": bound, "unit": unit, "label": label}


@pytest.mark.parametrize(
    ("words", "kind", "value", "times"),
    [
        (">= 3", ExpectationKind.NUMBER, number(">=", 3.0), 1),
        ("= 0", ExpectationKind.NUMBER, number("==", 0.0), 1),
        ("< 80%", ExpectationKind.NUMBER, number("<", 80.0, "%"), 1),
        ("3 이상", ExpectationKind.NUMBER, number(">=", 3.0), 1),
        ("10 미만", ExpectationKind.NUMBER, number("<", 10.0), 1),
        ("최소 3", ExpectationKind.NUMBER, number(">=", 3.0), 1),
        ("at least 3", ExpectationKind.NUMBER, number(">=", 3.0), 1),
        ("less than 500ms", ExpectationKind.NUMBER, number("<", 500.0, "ms"), 1),
        ("3 or more", ExpectationKind.NUMBER, number(">=", 3.0), 1),
        ("大于 3", ExpectationKind.NUMBER, number(">", 3.0), 1),
        ("3以上", ExpectationKind.NUMBER, number(">=", 3.0), 1),
        ("3未満", ExpectationKind.NUMBER, number("<", 3.0), 1),
        ("/[0-9]+/", ExpectationKind.REGEX, "[0-9]+", 1),
        ("/ok/i", ExpectationKind.REGEX, "(?i:ok)", 1),
        ("regex: ^v\\d", ExpectationKind.REGEX, "^v\\d", 1),
        ("정규식: `[[:digit:]]+`", ExpectationKind.REGEX, "[[:digit:]]+", 1),
        ("UP x3", ExpectationKind.CONTAINS, "UP", 3),
        ("UP 3회", ExpectationKind.CONTAINS, "UP", 3),
        ("`UP` × 3", ExpectationKind.CONTAINS, "UP", 3),
        ('"UP" (3 times)', ExpectationKind.CONTAINS, "UP", 3),
        ("UP 3次", ExpectationKind.CONTAINS, "UP", 3),
        ('$.status == "UP"', ExpectationKind.JSON, {"path": "$.status", "equals": "UP"}, 1),
        (".components.db.status = UP", ExpectationKind.JSON, {"path": "$.components.db.status", "equals": "UP"}, 1),
        ("$.items[0].ready == true", ExpectationKind.JSON, {"path": "$.items[0].ready", "equals": True}, 1),
        ("$.replicas >= 2", ExpectationKind.NUMBER, number(">=", 2.0, label='"replicas"'), 1),
        ("exit 0", ExpectationKind.EXIT, 0, 1),
        ("exit code 2", ExpectationKind.EXIT, 2, 1),
        ("exits with 1", ExpectationKind.EXIT, 1, 1),
        ("종료 코드 0", ExpectationKind.EXIT, 0, 1),
        ("종료코드: 3", ExpectationKind.EXIT, 3, 1),
        ("退出码 0", ExpectationKind.EXIT, 0, 1),
        ("終了コード 0", ExpectationKind.EXIT, 0, 1),
        ("42", ExpectationKind.CONTAINS, "42", 1),
        ("healthy", ExpectationKind.CONTAINS, "healthy", 1),
        ("'all good'", ExpectationKind.CONTAINS, "all good", 1),
    ],
)
@pytest.mark.parametrize("label", ["expected", "기대", "预期", "期待"])
def test_short_forms_are_for_the_machine(label: str, words: str, kind: ExpectationKind, value: Any, times: int) -> None:
    assert [(e.kind, e.value, e.times) for e in expected(f"run\n# {label}: {words}")] == [(kind, value, times)]


@pytest.mark.parametrize(
    "words", ["3개 이상", "at least 3 pods", "up to date", "over the limit", "1 of 3", "/etc/hosts", "$.a == "]
)
def test_what_needs_an_eye_is_asked(words: str) -> None:
    assert [e.kind for e in expected(f"kubectl get pods\n# expected: {words}")] == [ExpectationKind.MANUAL]


@pytest.mark.parametrize(
    ("words", "operator", "bound"),
    [("3개 이상", ">=", 3.0), ("at least 3 pods", ">=", 3.0), ("0", "==", 0.0), ("42건", "==", 42.0)],
)
def test_a_count_is_compared_where_the_command_counts(words: str, operator: str, bound: float) -> None:
    found = expected(f"kubectl get pods | wc -l\n# 기대: {words}")
    assert [(e.kind, e.value["operator"], e.value["bound"]) for e in found] == [
        (ExpectationKind.NUMBER, operator, bound)
    ]


def test_a_status_is_looked_for_where_the_command_prints_it() -> None:
    found = expected("curl -s -o /dev/null -w '%{http_code}' x\n# expected: 200")
    assert [(e.kind, e.value) for e in found] == [(ExpectationKind.CONTAINS, "200")]


def test_one_sentence_can_hold_several() -> None:
    found = expected('pm2 status\n# 기대 출력: backend 상태 "online", restart 0-1회')
    assert [e.kind for e in found] == [ExpectationKind.CONTAINS, ExpectationKind.NUMBER]
    assert found[1].value == {"operator": "<=", "bound": 1.0, "unit": "회", "label": "restart"}


def test_things_to_look_at_are_asked_and_a_zero_is_counted() -> None:
    found = expected(
        "ab -n 50 x\n# 출력에서 확인:\n# - Time per request (낮을수록 좋음)\n# - Failed requests (0이어야 함)"
    )
    assert [e.kind for e in found] == [ExpectationKind.MANUAL, ExpectationKind.NUMBER]
    assert found[1].value == {"operator": "==", "bound": 0.0, "unit": "", "label": "Failed requests"}


@pytest.mark.parametrize("comment", ["# expected: no new errors", "# 기대 출력: 새로운 에러 없음", "# expected: empty"])
def test_nothing_found_is_good_and_grep_says_so_with_1(comment: str) -> None:
    found = expected(f"tail -n 20 x | grep ERROR\n{comment}")
    assert [(e.kind, e.value, e.absent) for e in found] == [
        (ExpectationKind.REGEX, r"\S", True),
        (ExpectationKind.EXIT, 1, False),
    ]
    assert [e.kind for e in expected(f"show-errors\n{comment}")] == [ExpectationKind.REGEX]


def test_comments_in_sql_count_too() -> None:
    found = expected("SELECT 1;\n-- 기대: v2.0.1", "sql")
    assert [(e.kind, e.value) for e in found] == [(ExpectationKind.CONTAINS, "v2.0.1")]


def test_a_paragraph_that_names_the_expected_output_counts() -> None:
    step = parse("```bash\nls\n```\n\nExpected output: `done`\n").steps[0]
    assert [(e.kind, e.value) for e in step.expectations] == [(ExpectationKind.CONTAINS, "done")]


@pytest.mark.parametrize("code", ["curl x # the endpoint", "# list them\nls", "git log --oneline", "ls # 1"])
def test_other_comments_expect_nothing(code: str) -> None:
    assert expected(code) == ()


def shown(label: str, sample: str) -> list[tuple[ExpectationKind, Any]]:
    step = parse(f"```bash\nrun\n```\n\n{label}\n\n```\n{sample}\n```\n").steps[0]
    assert step.sample_output == sample
    return [(e.kind, e.value) for e in step.expectations]


@pytest.mark.parametrize(
    "label",
    [
        "Expected output:",
        "**Expected output**:",
        "#### Expected output",
        "기대 출력:",
        "You should see:",
    ],
)
def test_a_short_sample_that_says_what_must_come_is_looked_for(label: str) -> None:
    assert shown(label, "deployment rolled out\nall is well") == [
        (ExpectationKind.CONTAINS, "deployment rolled out"),
        (ExpectationKind.CONTAINS, "all is well"),
    ]


@pytest.mark.parametrize(
    ("label", "sample"),
    [
        ("Expected output:", "NAME   READY\napi    Running"),
        ("Expected output:", "started at 10:04"),
        ("Expected output:", "pid 4711 started"),
        ("Expected output:", "deployment <name> rolled out"),
        ("Expected output:", "a\nb\nc\nd"),
        ("Expected output:", "done ..."),
        ("You should see something like:", "all is well"),
    ],
)
def test_a_sample_that_may_differ_is_held_against_the_output_by_eye(label: str, sample: str) -> None:
    assert [kind for kind, _value in shown(label, sample)] == [ExpectationKind.MANUAL]


@pytest.mark.parametrize("label", ["Example output:", "출력 예시:"])
def test_an_example_is_shown_and_asks_nothing(label: str) -> None:
    assert shown(label, "deployment rolled out") == []


def test_a_sample_with_a_plain_value_is_checked() -> None:
    assert shown("Expected output:", "v1.2.3") == [(ExpectationKind.CONTAINS, "v1.2.3")]
    assert shown("Expected output:", '{"status":"UP"}') == [
        (ExpectationKind.JSON, {"path": "$.status", "equals": "UP"})
    ]


def test_a_sample_that_nothing_names_expects_nothing() -> None:
    assert parse("```bash\nrun\n```\n\n```\nall is well\n```\n").steps[0].expectations == ()


@pytest.mark.parametrize("words", ["输出应为 5", "返回应该是 5", "应返回 5", "应该显示为 5"])
def test_what_should_come_back_in_chinese(words: str) -> None:
    (found,) = expected(f"wc -l < x\n# {words}")
    assert (found.kind, found.value["operator"], found.value["bound"]) == (ExpectationKind.NUMBER, "==", 5.0)
