"""Verdicts of commands that were listed from practice, before the rules were held against them."""

from __future__ import annotations

import pytest

from cockpit.safety.judge import judge
from cockpit.safety.verdict import Verdict
from tests.corpus.reading import LISTS, rows


@pytest.mark.parametrize("name", LISTS)
def test_nothing_that_changes_anything_is_called_read_only(name: str) -> None:
    wrong = [
        (command, verdict, judged)
        for language, verdict, command in rows(name)
        if verdict is not Verdict.READ_ONLY and (judged := judge(language, command).verdict).rank < verdict.rank
    ]
    assert wrong == []


@pytest.mark.parametrize("name", LISTS)
def test_of_what_plainly_reads_hardly_anything_is_doubted(name: str) -> None:
    plain = [(language, command) for language, verdict, command in rows(name) if verdict is Verdict.READ_ONLY]
    doubted = {
        command: judged.reasons
        for language, command in plain
        if (judged := judge(language, command)).verdict is not Verdict.READ_ONLY
    }
    assert len(doubted) <= len(plain) // 50, doubted


def test_the_lists_are_long_enough_to_mean_something() -> None:
    assert sum(len(rows(name)) for name in LISTS) >= 5_000
