"""How often, how far apart and until when: read from the words, and told from what only looks like it."""

from __future__ import annotations

import pytest

from cockpit.runbook.expectations.repetition import lasting_s
from cockpit.runbook.expectations.written import from_words
from cockpit.runbook.model import Expectation, ExpectationKind
from cockpit.runbook.reading import parse


def one(words: str, code: str = "curl -s x | jq .status") -> Expectation:
    found = from_words(words, 1, code)
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(
    ("words", "value", "times", "in_a_row"),
    [
        ('"UP" (5번 모두)', "UP", 5, True),
        ('"UP" 3회 연속', "UP", 3, True),
        ("UP 연속 3회", "UP", 3, True),
        ("`UP` (all 5 times)", "UP", 5, True),
        ("UP, 3 in a row", "UP", 3, True),
        ("UP three times in a row", "UP", 3, True),
        ("UP 5 times out of 5", "UP", 5, True),
        ("UP 5/5 checks", "UP", 5, True),
        ("UP 连续3次", "UP", 3, True),
        ("UP 3 times", "UP", 3, False),
        ("UP 3회", "UP", 3, False),
    ],
)
def test_a_count_is_read(words: str, value: str, times: int, in_a_row: bool) -> None:
    found = one(words)
    assert (found.kind, found.value, found.times, found.in_a_row) == (ExpectationKind.CONTAINS, value, times, in_a_row)
    assert found.every_s == 2.0
    assert found.text == words


@pytest.mark.parametrize(
    ("words", "value", "times", "every_s", "within_s"),
    [
        ("UP every 30 s for 10 min", "UP", 21, 30.0, None),
        ('"UP" (30초마다 10분간)', "UP", 21, 30.0, None),
        ('"UP" 10분 동안', "UP", 21, 30.0, None),
        ("UP (checked every 10 seconds, 3 in a row)", "UP", 3, 10.0, None),
        ("online within 2 min", "online", 1, 5.0, 120.0),
        ('"online" (2분 이내)', "online", 1, 5.0, 120.0),
        ("2분 안에 `online`", "online", 1, 5.0, 120.0),
        ("online, every 10 s within 2 min", "online", 1, 10.0, 120.0),
        ("UP 3 in a row within 5 minutes", "UP", 3, 2.0, 300.0),
        ("UP every 1 s for 1 h", "UP", 501, 7.2, None),
    ],
)
def test_times_apart_and_deadlines_are_read(
    words: str, value: str, times: int, every_s: float, within_s: float | None
) -> None:
    found = one(words)
    assert (found.value, found.times, found.every_s, found.within_s) == (value, times, every_s, within_s)
    assert found.in_a_row


def test_every_kind_that_a_machine_can_check_may_be_repeated() -> None:
    assert one('$.status == "UP" 3 in a row').kind is ExpectationKind.JSON
    assert one("exit 0 within 2 min").kind is ExpectationKind.EXIT
    assert one("/ok/ every 5 s for 1 min").kind is ExpectationKind.REGEX
    bounded = one("< 200 ms within 2 min")
    assert (bounded.kind, bounded.value["bound"], bounded.within_s) == (ExpectationKind.NUMBER, 200.0, 120.0)
    nothing = from_words("no errors for 10 min", 1, "tail x | grep ERROR")
    assert [(e.kind, e.times) for e in nothing] == [(ExpectationKind.REGEX, 21), (ExpectationKind.EXIT, 21)]


@pytest.mark.parametrize(
    "words",
    [
        "3/3 Running",
        "all 3 pods are ready",
        "3 running",
        "restart 0-1회",
        "재시작 3회 이하",
        "응답 10초 이내",
        "~1000건 (평소 수준)",
        "v1.4.0 (최신 버전)",
        "errors = 0",
        "one of them",
    ],
)
def test_what_only_looks_like_repeating_is_left_alone(words: str) -> None:
    assert all(not e.in_a_row and e.within_s is None and e.times == 1 for e in from_words(words, 1, "kubectl get pods"))


def test_every_so_often_without_an_end_lasts_as_long_as_its_section() -> None:
    code = "```bash\ncurl -s x\n# expected: UP every 30 s\n```\n"
    timed = parse(f"# t\n\n## Watch (10 min)\n\n{code}").steps[0].expectations[0]
    assert (timed.times, timed.every_s) == (21, 30.0)
    untimed = parse(f"# t\n\n## Watch\n\n{code}").steps[0].expectations[0]
    assert (untimed.times, untimed.every_s, untimed.within_s) == (1, 30.0, None)


def test_hostile_words_are_read_at_once() -> None:
    for words in ("UP 3 times (" + " ," * 120, "5 " * 140, "(" * 290 + "3 times"):
        assert from_words(words, 1)


@pytest.mark.parametrize(
    ("label", "code", "lasts_s"),
    [
        ("헬스체크 반복 (10분간)", "# 헬스체크 반복 (10분간)\nwatch -n 30 'curl -s http://localhost/'", 600.0),
        ("watch -n 30 date", "watch -n 30 date  # for 2 min", 120.0),
        ("Follow it for 5 minutes", "tail -f app.log", 300.0),
        ("tail -f 'for 5 minutes'", "tail -f 'for 5 minutes'", None),
        ("Watch the last 5 minutes", "watch -n 5 date", None),
    ],
)
def test_how_long_an_endless_command_is_wanted_is_read_from_the_authors_words(
    label: str, code: str, lasts_s: float | None
) -> None:
    assert lasting_s(label, code) == lasts_s
