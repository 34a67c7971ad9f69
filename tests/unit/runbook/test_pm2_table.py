"""What PM2's table of processes is held against: the rows that the author means, and not whatever else runs there."""

from __future__ import annotations

from pathlib import Path

import pytest

from cockpit.runbook.expectations.written import from_words
from cockpit.safety.text import decode, sanitise
from cockpit.session.steps.checking import Result, check

DATA = Path(__file__).parents[2] / "data" / "figures"
SEED = 'backend 상태 "online", restart 0-1회'


def held(words: str, standing: str, code: str = "pm2 status") -> list[bool | None]:
    """What each expectation came to, with an exit code that is right."""
    output = (DATA / f"pm2-7.0.4-{standing}.txt").read_bytes()
    result = Result(0, (0,), sanitise(decode(output)), command=code)
    return [one.held for one in check(from_words(words, 1, code), result) if one.kind != "exit"]


@pytest.mark.parametrize(
    ("words", "standing", "wanted"),
    [
        (SEED, "online", [True, True]),  # in colour, as a terminal is told
        (SEED, "stopped", [False, True]),  # another process is online
        (SEED, "deleted", [False, None]),
        (SEED, "restarted", [True, None]),  # four restarts since it was added, or since the rollback?
        ('worker 상태 "online"', "stopped", [True]),
        ('worker: "online"', "deleted", [True]),
        ('"online"', "online", [True]),
        ('"online"', "stopped", [None]),  # not said which one, and one is not
        ('"errored"', "online", [False]),
    ],
)
def test_an_expectation_holds_for_the_process_that_it_names(
    words: str, standing: str, wanted: list[bool | None]
) -> None:
    assert held(words, standing) == wanted


def test_a_table_that_another_program_prints_is_read_as_any_text() -> None:
    assert held('backend 상태 "online"', "stopped", "cat status.txt") == [True]
