"""The judge against bash itself: what really starts must have been seen."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cockpit.safety.judge import judge
from tests.corpus.oracle import BASH, BUILTINS, UNSAFE, Answer, runs_of

pytestmark = pytest.mark.skipif(not BASH, reason="needs bash")

FOLDER = Path(__file__).parents[2] / "data" / "verdicts"


def unseen(*commands: str) -> dict[str, set[str]]:
    """What commands that are judged read-only start or write although the judge did not see it; only those that do."""
    found: dict[str, set[str]] = {}
    tries = [(command, Answer(status, "")) for command in commands for status in (0, 1)]
    for (command, _answer), run in zip(tries, runs_of(tries), strict=True):
        judged = judge("bash", command)
        seen = {name.rpartition("/")[2] for name in judged.commands} | set(judged.commands) | BUILTINS
        if missed := (run.started - seen) | {f"wrote {name}" for name in run.files}:
            found.setdefault(command, set()).update(missed)
    return found


def corpus() -> list[tuple[str, str]]:
    lines = [line for name in ("shell", "quoting") for line in (FOLDER / f"{name}.tsv").read_text("utf-8").split("\n")]
    rows = (line.split("\t", 1) for line in lines if line)
    return [(verdict, command.replace("⏎", "\n")) for verdict, command in rows]


READ_ONLY = [command for verdict, command in corpus() if verdict == "read-only" and not UNSAFE.search(command)]


def test_nothing_judged_read_only_starts_or_writes_what_was_not_seen() -> None:
    assert len(READ_ONLY) > 200
    assert unseen(*READ_ONLY) == {}


def test_the_oracle_itself_sees_what_starts() -> None:
    # A command it must catch, were the judge to miss it.
    hidden = "case x in x) $'touch' PWNED;; esac"
    assert "touch" in unseen(hidden).get(hidden, ()) or judge("bash", "$'touch' x").verdict != "read-only"
    (run,) = runs_of([("l''s | g\"re\"p x; echo x > f", Answer(0, ""))])
    assert run.started == {"ls", "grep"}
    assert run.files == {"f"}


# What opens and closes something, and what looks so. Each is laid across each other one.
MARKS = [
    ("`", "`"),
    ("'", "'"),
    ('"', '"'),
    ("$'", "'"),
    ("$(", ")"),
    ("<(", ")"),
    ("${x:-", "}"),
    ("${x#", "}"),
    ("$((", "))"),
    ("\\", ""),
    ("\\\\", ""),
    ("\\`", "\\`"),
    ("\\'", "\\'"),
    ('\\"', '\\"'),
    ("\\\n", ""),
    ("\n", "\n"),
    ("\n\\\n", ""),
    (" # ", "\n"),
    ("#", ""),
    ("$", ""),
    ("$ ", ""),
    ("$\\\n", ""),
    ("$\n", ""),
    ("<<E\n", "\nE\n"),
    ("<<'E'\n", "\nE\n"),
    ("<<E; ", "\nE\n"),
    (" x; case x in x) ", ";; esac "),
    (" x; [[ x =~ ", " ]] "),
    (" x; [[ x == @(", ") ]] "),
    (" x; { ", "; } "),
    (" x; time ", ""),
    (" x; ! ", ""),
]
CROSSINGS = [
    "echo {a}echo {b}{A}; touch P; echo {a}{B}{A}",
    "echo {a}{b}; touch P; {A}{B}",
    "echo {a}{b}$(touch P){A}{B}",
    'echo "{a}{b}$(touch P){B}{A}"',
    "echo {a}{b}x{B}{A}touch P",
    "echo {a}x{A}\n{b}touch P{B}",
]


@pytest.mark.parametrize("crossing", CROSSINGS)
def test_no_mark_that_crosses_another_hides_a_command(crossing: str) -> None:
    found = []
    for (a, A), (b, B) in itertools.product(MARKS, MARKS):  # noqa: N806 - the capital closes what the small one opens
        command = crossing.format(a=a, A=A, b=b, B=B)
        if judge("bash", command).verdict == "read-only" and not UNSAFE.search(command):
            found.append(command)
    assert found
    assert unseen(*found) == {}


PAYLOADS = [
    ";touch P;",
    "$(touch P)",
    "`touch P`",
    "\ntouch P\n",
    "&&touch P",
    "|touch P",
    "||touch P",
    "&touch P ",
    ">P",
    ">>P ",
    "${x:-$(touch P)}",
    "<(touch P)",
    ">(touch P)",
    "{touch,P}",
    "$'\\x74ouch' P",
    "'",
    '"',
    "\\",
    "\\\n",
    "#",
    "\t",
    " ",
    "(",
    ")",
    "{",
    "}",
    "$",
    "`",
    "!",
    "FOO=bar ",
    "<<E\n$(touch P)\nE\n",
    "<<'E'\nx\nE\n",
    "<<<x ",
    "$((",
    "))",
    "[[ ",
    " ]]",
    "[",
    "]",
    "${",
    "*",
    "?",
    "~",
    "=",
    "-",
    "--",
    "\u0441",
    "\u00a0",
    "\u200b",
    "2>&1",
    "eval ",
    "time ",
    "! ",
    "if ",
    "then ",
    "fi;",
    "for i in a;do ",
    "done;",
    "case x in x) ",
    "esac;",
    "$x",
    '"$x"',
    "function f ",
    "f(){ touch P;};f ",
    "\r",
    ";;",
    "'`'",
    '"`"',
    "`'`",
    "$ ",
    "$\\\n",
    "\n\\",
    "<<E;",
    " # '",
]


# A nightly run asks for many more: VERDICT_FUZZ_EXAMPLES=20000.
@settings(
    max_examples=int(os.environ.get("VERDICT_FUZZ_EXAMPLES", "300")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(
    command=st.sampled_from([command for command in READ_ONLY if "((i" not in command and "while" not in command]),
    cuts=st.lists(st.tuples(st.floats(0, 1), st.sampled_from(PAYLOADS)), min_size=1, max_size=3),
)
def test_a_mutated_command_stays_read_only_only_if_it_starts_nothing_else(
    command: str, cuts: list[tuple[float, str]]
) -> None:
    for place, payload in cuts:
        at = round(place * len(command))
        command = command[:at] + payload + command[at:]
    assume(judge("bash", command).verdict == "read-only" and not UNSAFE.search(command))
    assert unseen(command) == {}
