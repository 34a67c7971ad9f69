"""A runbook's regular expression can't hang the session, nor take its memory."""

from __future__ import annotations

import threading

import pytest

from cockpit.monitor.logs.page import Page, Sieve
from cockpit.runbook.expectations.phrases import is_pattern
from cockpit.runbook.model import Expectation, ExpectationKind
from cockpit.session.steps.checking import Result, check
from cockpit.session.steps.pattern import LARGEST, found, size

OUTPUT = "a" * 5000 + "!\n" + "x" * 3000 + "\n" + "b" * 200

CATASTROPHIC = [
    "(x+x+)+y",
    "(?:a?){5000}a{5000}b",
    "a{1000000000}",
    "a{,1000000000}",
    "(((a{500}){500}){500})",
    "(?:(?:(?:a{1,100}){1,100}){1,100})b",
    "([a-z]{30000}){30000}",
    "(?R)",
]


@pytest.mark.parametrize("pattern", CATASTROPHIC)
def test_a_catastrophic_pattern_comes_to_an_end_and_leaves_the_verdict_to_a_person(pattern: str) -> None:
    findings = check([Expectation(ExpectationKind.REGEX, pattern)], Result(0, (0,), OUTPUT))
    assert [finding.held for finding in findings if finding.kind == ExpectationKind.REGEX] == [None]


@pytest.mark.parametrize(("pattern", "held"), [("(a+)+$", False), ("(a|aa)+!$", True), ("(.*)*z", False)])
def test_one_that_the_library_sees_through_is_answered(pattern: str, held: bool) -> None:
    output = "a" * 300 + "!\n"
    findings = check([Expectation(ExpectationKind.REGEX, pattern)], Result(0, (0,), output))
    assert [finding.held for finding in findings if finding.kind == ExpectationKind.REGEX] in ([held], [None])


def test_other_threads_run_while_a_pattern_is_slow() -> None:
    turns, over = 0, threading.Event()

    def slow() -> None:
        with pytest.raises(TimeoutError):
            found("(x+x+)+y", OUTPUT, 1)
        over.set()

    thread = threading.Thread(target=slow)
    thread.start()
    while not over.wait(0.01):
        turns += 1
    thread.join()
    assert turns > 5


@pytest.mark.parametrize(
    ("pattern", "elements"),
    [
        ("abc", 3),
        ("a{3}", 3),
        ("a{2,5}b", 6),
        (r"\d{3}-\d{4}", 8),
        (r"[]a-z{9}]{2}", 2),
        ("(ab){3}", 9),
        ("((a{10}){10}){10}", 1110),
        (r"\(a{3}", 4),
        ("a{", 2),
        ("{}", 2),
        ("x{,4}", 4),
    ],
)
def test_the_size_of_a_pattern_is_that_of_its_repetitions_written_out(pattern: str, elements: int) -> None:
    assert size(pattern) == elements


@pytest.mark.parametrize(
    "pattern",
    [
        r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        r"(?:\d{1,3}\.){3}\d{1,3}:\d{2,5}",
        r"sha256:[a-f0-9]{64}",
        r"^\s*(?:Running|Completed)\s+\d+\s+\d{1,4}[smhd]$",
        "a{1000}",
    ],
)
def test_patterns_as_people_write_them_are_matched(pattern: str) -> None:
    assert size(pattern) < LARGEST / 10
    assert found(pattern, "nothing here", 1)[0] == 0


def test_no_more_matches_are_taken_than_are_asked_for() -> None:
    assert found(".", "x" * 1_000_000, 3) == (3, "x")
    assert found("(?i)ok", "OK ok oK", 5) == (3, "OK")


def test_what_is_typed_to_search_or_sieve_by_is_a_text_and_never_a_pattern() -> None:
    page = Page(b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\nsays (a+)+$ here\n")
    assert list(page.shown(Sieve(text="(a+)+$"))) == [1]
    assert page.holding("(a+)+$") == [1]


@pytest.mark.parametrize(
    "pattern", ["a{1000000000}", "(((a{500}){500}){500})", "(" * 100_000, "(a" * 5000 + ")" * 5000]
)
def test_reading_a_document_is_not_held_up_by_its_patterns(pattern: str) -> None:
    assert is_pattern(pattern) in (True, False)
