"""Every command of the lists under bash itself: nothing starts unseen, and what starts only reads, whatever comes back.

A run tries MOST of the commands, and takes the next answer of ANSWERS for each in turn. VERDICT_ORACLE=all gives every
command every answer, which takes a quarter of an hour.
"""

from __future__ import annotations

import os
import re

import pytest

from cockpit.safety.judge import judge
from cockpit.safety.shell.judgement import ShellJudge
from cockpit.safety.shell.tool import Stdin
from cockpit.safety.shell.words import Word
from cockpit.safety.verdict import Judgement, Verdict
from tests.corpus.oracle import BASH, BUILTINS, UNSAFE, Answer, Run, runs_of
from tests.corpus.reading import shell_commands

pytestmark = pytest.mark.skipif(not BASH, reason="needs bash")

PLAIN = ("", "word", "7")
HOSTILE = ("$(rm x)", "-rf", "a\n-delete", "x; rm y", "*", "`rm x`")
ANSWERS = [Answer(status, output) for output in (*PLAIN, *HOSTILE) for status in (0, 1)]
ALL = os.environ.get("VERDICT_ORACLE") == "all"
PARTS = 4
MOST = 1_100
# What these do stands in what they read, which their words alone don't tell.
READS_ITS_ORDERS = frozenset({"psql", "mysql", "redis-cli", "sh", "bash", "ssh", "socat", "nc", "openssl"})


def judged_read_only() -> list[tuple[str, Judgement]]:
    judged = ((command, judge("bash", command)) for command in shell_commands() if not UNSAFE.search(command))
    reads = [(command, judgement) for command, judgement in judged if judgement.verdict is Verdict.READ_ONLY]
    return reads if ALL else sorted(reads, key=lambda read: -len(read[0]))[:MOST]


def answers_to(command: str, at: int) -> list[Answer]:
    """The answers to try: those with which its loops end."""
    ends = [0] if re.search(r"\buntil\b|while\s+!", command) else [1] if re.search(r"\bwhile\b", command) else [0, 1]
    fitting = [answer for answer in ANSWERS if answer.status in ends]
    return fitting if ALL else [fitting[at % len(fitting)]]


def objections(command: str, judgement: Judgement, answer: Answer, run: Run) -> list[str]:
    """What a run did that the judge did not see, or would not have let pass."""
    seen = {name.rpartition("/")[2] for name in judgement.commands} | set(judgement.commands) | BUILTINS
    found = [f"started {name}" for name in sorted(run.started - seen)] + [f"wrote {name}" for name in run.files]
    for argv in run.argvs:
        if READS_ITS_ORDERS & set(argv) and re.search(r"\||<<|<\(", command):
            continue
        again = ShellJudge().command([Word(text) for text in argv], Stdin())
        worst_allowed = Verdict.READ_ONLY if answer.output in PLAIN else Verdict.UNKNOWN
        if again.verdict.rank > worst_allowed.rank:
            found.append(f"{again.verdict}: {argv}")
    return found


def test_the_lists_hold_a_thousand_commands_that_bash_can_try() -> None:
    assert len(judged_read_only()) > 1_000


@pytest.mark.parametrize("part", range(PARTS))
def test_bash_starts_nothing_unseen_and_nothing_that_changes_anything(part: int) -> None:
    tries = [
        (command, judgement, answer)
        for at, (command, judgement) in enumerate(judged_read_only())
        if at % PARTS == part
        for answer in answers_to(command, at // PARTS)
    ]
    runs = runs_of((command, answer) for command, _judgement, answer in tries)
    found = {tried: bad for tried, run in zip(tries, runs, strict=True) if (bad := objections(*tried, run))}
    assert found == {}
