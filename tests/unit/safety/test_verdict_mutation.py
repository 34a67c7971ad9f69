"""A command written in another way is judged no better: quoting, wrapping and look-alikes hide nothing.

A nightly run asks for many more examples: VERDICT_FUZZ_EXAMPLES=20000.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cockpit.safety.judge import judge
from cockpit.safety.verdict import Verdict
from tests.corpus.oracle import BASH, UNSAFE, Answer, runs_of
from tests.corpus.reading import LISTS, rows
from tests.unit.safety.test_verdict_oracle_corpus import objections

EXAMPLES = int(os.environ.get("VERDICT_FUZZ_EXAMPLES", "300"))
CHANGING = [
    command
    for name in LISTS
    for language, verdict, command in rows(name)
    if language == "bash" and verdict is not Verdict.READ_ONLY
]
# Without quotes, escapes or expansions, so that each rewriting below means the same to bash, or breaks the command.
PLAIN = [command for command in CHANGING if not re.search(r"""['"\\`$#~*?\[{\n!]|<<|=\(""", command)]
# To bash each of these is the piece of a word that it is given, written differently.
SPELLINGS: list[Callable[[str], str]] = [
    lambda text: f"'{text}'",
    lambda text: f'"{text}"',
    lambda text: f"$'{text}'",
    lambda text: "".join(f"\\{letter}" for letter in text),
    lambda text: f"{text}''",
    lambda text: f'""{text}',
    lambda text: f"\\\n{text}",
    lambda text: f"{text}\\\n",
]
WRAPPINGS = [
    " {}",
    "\t{}",
    "\n{}\n",
    "{} ",
    "{};",
    "ls; {}",
    "ls\n{}",
    "ls && {}",
    "ls || {}",
    "ls | {}",
    "{} | cat",
    "{} & wait",
    "( {} )",
    "{{ {}; }}",
    "if true; then {}; fi",
    "for i in a; do {}; done",
    "case a in a) {};; esac",
    "x=$({})",
    "echo $({})",
    'echo "$({})"',
    "echo `{}`",
    "cat <({})",
    "echo ${{x:-$({})}}",
    "A=b {}",
    "A=b B=c {}",
    "time {}",
    "! {}",
    "command {}",
    "exec {}",
    "nohup {}",
    "sudo {}",
    "env A=b {}",
    "timeout 5 {}",
    "nice -n 5 {}",
    "watch {}",
    "xargs {}",
    'bash -c "{}"',
    "bash -c '{}'",
    "ssh h '{}'",
    "cat <<E\n$({})\nE",
    "bash <<E\n{}\nE",
    "f() {{ {}; }}; f",
    "{} <<< x",
    "{} 2>&1",
    "{} >/dev/null",
    "{} # ls",
    "ls # x\n{}",
    "set -e; {}",
    "alias a='{}'; a",
    "eval {}",
    "eval '{}'",
    "trap '{}' EXIT",
    "echo '{}' | sh",
    "{{ls,-la}}; {}",
    "[ -f x ] && {}",
    "[[ a == a ]] && {}",
    "{} !!",
]
INVISIBLE = ["\r", "\x00", "\x1b", "\u00a0", "\u200b", "\u202e", "\u2028", "\ufeff", "\u3000"]
LOOKALIKES = dict(zip("aceopxyis", "асеорхуіѕ", strict=True))
RELAXED = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


def read_only(command: str) -> bool:
    return judge("bash", command).verdict is Verdict.READ_ONLY


@RELAXED
@given(
    command=st.sampled_from(PLAIN),
    spots=st.lists(st.tuples(st.floats(0, 1), st.integers(1, 4), st.sampled_from(SPELLINGS)), min_size=1, max_size=4),
)
def test_another_spelling_of_a_word_makes_no_command_harmless(
    command: str, spots: list[tuple[float, int, Callable[[str], str]]]
) -> None:
    words = [list(piece) for piece in re.split(r"([\s;|&()<>]+)", command)]
    for place, length, spell in spots:
        word = words[round(place * (len(words) - 1) / 2) * 2 if len(words) > 1 else 0]
        if word:
            at = min(int(place * len(word)), len(word) - 1)
            if all(len(letter) == 1 for letter in word[at : at + length]):
                word[at : at + length] = [spell("".join(word[at : at + length]))]
    spelled = "".join("".join(word) for word in words)
    assert not read_only(spelled), spelled


@RELAXED
@given(command=st.sampled_from(PLAIN), wrappings=st.lists(st.sampled_from(WRAPPINGS), min_size=1, max_size=3))
def test_no_wrapping_makes_a_command_harmless(command: str, wrappings: list[str]) -> None:
    for wrapping in wrappings:
        # Quotes within the same quotes would end them, and `watch` takes a layer of them off.
        crossed = any(mark in wrapping and mark in command for mark in ("'", '"', "`", "<<"))
        if not crossed and not (wrapping.startswith("watch") and re.search(r"['\"]", command)):
            command = wrapping.format(command)
    assert not read_only(command), command


@RELAXED
@given(
    command=st.sampled_from(CHANGING),
    spot=st.floats(0, 1),
    letter=st.sampled_from(INVISIBLE),
)
def test_a_letter_that_can_t_be_seen_makes_no_command_harmless(command: str, spot: float, letter: str) -> None:
    at = round(spot * len(command))
    assume("'" not in command and '"' not in command and "#" not in command)
    assert not read_only(command[:at] + letter + command[at:])


@RELAXED
@given(command=st.sampled_from(PLAIN), spot=st.integers(0, 80))
def test_a_letter_that_looks_like_another_makes_no_command_harmless(command: str, spot: int) -> None:
    at = [index for index, letter in enumerate(command) if letter in LOOKALIKES]
    assume(at)
    index = at[spot % len(at)]
    assert not read_only(command[:index] + LOOKALIKES[command[index]] + command[index + 1 :])


PAYLOADS = [
    "'",
    '"',
    "\\",
    "`",
    "$(",
    ")",
    "${x:-",
    "}",
    "{",
    "#",
    " ",
    "\n",
    "\\\n",
    "\t",
    ";",
    "&",
    "|",
    "<<E\n",
    "\nE\n",
    "<<<",
    "$'",
    "((",
    "))",
    "[[ ",
    " ]]",
    "!",
    "echo ",
    "'#'",
    "case x in x) ",
    ";; esac ",
    "f() { ",
    "; }; f",
    "$",
    '""',
    "''",
    "<(",
    ">(",
    "$((",
    "if ",
    "; then ",
    "; fi",
    "\\'",
    '\\"',
    "{a,b}",
    "=",
    "--",
    "x",
    "E",
    "-",
    "true; ",
    " && ",
    "for i in ",
]


@pytest.mark.skipif(not BASH, reason="needs bash")
@RELAXED
@given(
    command=st.sampled_from(CHANGING),
    cuts=st.lists(st.tuples(st.floats(0, 1), st.sampled_from(PAYLOADS)), min_size=1, max_size=4),
    output=st.sampled_from(["", "word", "-rf", "$(rm x)"]),
)
def test_a_broken_command_that_is_called_read_only_starts_nothing_that_is_not(
    command: str, cuts: list[tuple[float, str]], output: str
) -> None:
    for place, payload in cuts:
        at = round(place * len(command))
        command = command[:at] + payload + command[at:]
    judged = judge("bash", command)
    assume(judged.verdict is Verdict.READ_ONLY and not UNSAFE.search(command) and "until" not in command)
    answer = Answer(1, output)
    (run,) = runs_of([(command, answer)])
    assert objections(command, judged, answer, run) == []
