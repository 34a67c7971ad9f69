"""An input in the single quotes of `ssh`, `sh -c` and the like reaches the shell behind them, as one word."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cockpit.errors import UsageError
from cockpit.runbook.model import Input, StepKind
from cockpit.runbook.reading import parse
from cockpit.safety.permit import Mode
from cockpit.safety.verdict import Verdict
from cockpit.session.filling.filling import fill
from cockpit.session.steps.drafting import draft

POD = Input("POD", "$POD", "dollar")
VALUES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=20)
HARD = ["api-1", "a b", "'; rm -rf / #", '"$(id)"', "`id`", "$HOME", "\\", "한글 값", "*", "it's"]
PLACES = [
    "ssh host 'printf %s $POD'",
    "ssh -p 22 host 'printf %s \"${POD}\"'",
    "ssh host 'x=$POD; printf %s \"$x\"'",
    "kubectl exec p -- sh -c 'printf %s $POD'",
    "sudo bash -lc 'printf %s $POD'",
    "ssh host <<'EOF'\nprintf %s $POD\nEOF\n",
]


@pytest.fixture
def far(tmp_path: Path) -> dict[str, str]:
    """An environment whose ssh, kubectl and sudo run what they are given in a shell that knows no POD."""
    clean = f"exec env -i PATH={os.environ['PATH']} bash"
    for name, body in {
        "ssh": f'while [ "$1" != host ]; do shift; done; shift\n[ $# = 0 ] && {clean}\n{clean} -c "$*"\n',
        "kubectl": f'shift 3\n{clean} -c \'shift 0; exec "$@"\' _ "$@"\n',
        "sudo": f'{clean} -c \'exec "$@"\' _ "$@"\n',
    }.items():
        program = tmp_path / name
        program.write_text(f"#!/bin/bash\n{body}")
        program.chmod(0o755)
    return {"PATH": f"{tmp_path}:{os.environ['PATH']}", "POD": "the local value"}


def said(code: str, value: str, environment: dict[str, str]) -> str:
    body = fill(code, "bash", [POD], {"POD": value}).body
    done = subprocess.run(["bash", "-c", body], capture_output=True, check=True, env=environment)
    return done.stdout.decode()


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("value", HARD)
def test_the_value_arrives_as_one_word_and_never_as_code(far: dict[str, str], place: str, value: str) -> None:
    assert said(place, value, far) == value


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(VALUES)
def test_any_value_arrives(far: dict[str, str], value: str) -> None:
    for place in PLACES:
        assert said(place, value, far) == value


@pytest.mark.parametrize(
    "code",
    [
        "awk '{ print $POD }' f",
        "jq '.[] | select(.a == $POD)' f",
        "ssh host 'POD=$(hostname); ls $POD'",
        "ssh host 'for POD in a b; do ls $POD; done'",
        "ssh host 'ls ${POD:-none}'",
        'ssh host "ls $POD"',
        "cat <<'EOF'\n$POD\nEOF\n",
    ],
)
def test_what_is_no_place_for_it_stays_as_written(code: str) -> None:
    assert fill(code, "bash", [POD], {"POD": "a"}).body == code


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("ssh host 'bash -c \"ls $POD\"'", "a b"),
        ("ssh host 'echo $((POD + $POD))'", "1"),
        ("ssh host 'ls '\"$X\"' $POD'", "a"),
        ("ssh host 'if then $POD'", "a"),
        ("ssh host <<'EOF'\nls $POD\nEOF\n", "a\nb"),
    ],
)
def test_a_place_that_is_not_certain_is_refused_and_says_how_to_go_on(code: str, value: str) -> None:
    with pytest.raises(UsageError, match=r"\$POD .*second shell.*\(edit the command: write the value there yourself\)"):
        fill(code, "bash", [POD], {"POD": value})


def test_a_secret_is_only_written_where_no_quote_changes_it() -> None:
    secret = Input("PW", "$PW", "dollar", secret=True)
    assert fill("ssh host 'login $PW'", "bash", [secret], {"PW": "hunter2"}).body == "ssh host 'login hunter2'"
    with pytest.raises(UsageError):
        fill("ssh host 'login $PW'", "bash", [secret], {"PW": "it's"})


def test_the_verdict_is_on_the_bytes_with_the_value_in_them() -> None:
    runbook = parse("# t\n\n```bash\ncat $FILE\n```\n\n```bash\nssh host 'cat $FILE'\n```\n")
    second = runbook.steps[1]
    assert second.inputs == ("FILE",)
    made = draft(runbook, second.id, target="local", mode=Mode.LIVE, values={"FILE": "x; rm -rf /"})
    assert made.action.body == "ssh host 'cat '\\''x; rm -rf /'\\'''"
    assert made.judgement.verdict is Verdict.READ_ONLY


def test_only_what_the_document_shows_to_be_an_input_is_asked_for() -> None:
    text = "```bash\nkubectl exec db -- sh -c 'mysql -u $MYSQL_USER'\n```\n"
    assert parse(f"# t\n\n{text}").inputs == ()
    listed = parse(f"---\ninputs:\n  MYSQL_USER: root\n---\n# t\n\n{text}")
    assert [(blank.name, blank.default) for blank in listed.inputs] == [("MYSQL_USER", "root")]
    assert [step.inputs for step in listed.steps if step.kind is StepKind.COMMAND] == [("MYSQL_USER",)]
