"""Values put into a command's blanks arrive as one word, whatever they hold and wherever the blank stands."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.errors import UsageError
from cockpit.runbook.model import Input
from cockpit.session.filling.filling import fill, fill_text

BLANK = Input("x", "<x>", "angle")
PLACES = [
    "printf %s <x>",
    'printf %s "<x>"',
    "printf %s '<x>'",
    'v="<x>"; printf %s "$v"',
    'v=<x>; printf %s "$v"',
    'printf %s "$(printf %s <x>)"',
    'for i in <x>; do printf %s "$i"; done',
    'if [ "<x>" = "" ]; then :; else printf %s <x>; fi',
]
VALUES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=30)


def run_filled(code: str, value: str) -> str:
    body = fill(code, "bash", [BLANK], {"x": value}).body
    return subprocess.run(["bash", "-c", body], capture_output=True, check=True).stdout.decode()


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("value", ["v1.2-3", "a b", "'; rm -rf / #", '"$(id)"', "`id`", "$HOME", "\\", "한글 값", "*"])
def test_a_value_is_one_word_and_never_code(place: str, value: str) -> None:
    assert run_filled(place, value) == value


@settings(max_examples=60, deadline=None)
@given(VALUES)
def test_any_value_survives_every_place(value: str) -> None:
    for place in PLACES:
        assert run_filled(place, value) == value


def test_a_here_document_keeps_the_value_as_text() -> None:
    for delimiter in ("EOF", "'EOF'"):
        assert run_filled(f"cat <<{delimiter}\n<x>\nEOF\n", "$(id) `id` \\ ${y}") == "$(id) `id` \\ ${y}\n"


def test_a_dollar_input_travels_as_environment_and_leaves_the_text_alone() -> None:
    filled = fill('echo "$NS"', "bash", [Input("NS", "$NS", "dollar")], {"NS": "prod; rm"})
    assert filled.body == 'echo "$NS"'
    assert dict(filled.environment) == {"NS": "prod; rm"}


def test_a_blank_without_value_is_named_and_a_default_is_used() -> None:
    assert fill("echo <x>", "bash", [BLANK], {}).missing == ("x",)
    assert fill("echo <x>", "bash", [Input("x", "<x>", "angle", default="d")], {}).body == "echo d"


@pytest.mark.parametrize("value", ["a\x00b", "a\x1b[31m", "a\rb"])
def test_control_characters_are_refused(value: str) -> None:
    with pytest.raises(UsageError, match="control character"):
        fill("echo <x>", "bash", [BLANK], {"x": value})


def test_sql_strings_are_quoted_and_bare_words_restricted() -> None:
    assert fill("select '<x>'", "sql", [BLANK], {"x": "o'clock"}).body == "select 'o''clock'"
    assert fill("select * from <x>", "sql", [BLANK], {"x": "core.jobs"}).body == "select * from core.jobs"
    with pytest.raises(UsageError, match="without quotes"):
        fill("select * from <x>", "sql", [BLANK], {"x": "jobs; drop table jobs"})


def test_a_place_the_grammar_does_not_know_is_refused() -> None:
    with pytest.raises(UsageError, match="not understood"):
        fill("echo $'<x>'", "bash", [BLANK], {"x": "a"})


def test_a_message_keeps_blanks_that_have_no_value() -> None:
    blanks = [Input("시간", "[시간]", "square"), Input("담당", "[담당]", "square")]
    assert fill_text("[시간] / [담당]", blanks, {"시간": "15:07"}) == "15:07 / [담당]"


@pytest.mark.parametrize(
    "code",
    [
        'bash -c "echo <it>"',
        "ssh web1 systemctl status <it>",
        "ssh web1 'systemctl status <it>'",
        'kubectl exec pod -- sh -c "ls <it>"',
        "sudo -u app bash -c 'ls <it>'",
        "ssh web1 <<'END'\nls <it>\nEND",
        "eval ls <it>",
        "echo `ls <it>`",
        "psql -c \"select * from t where id = '<it>'\"",
    ],
)
def test_what_is_read_twice_takes_plain_values_only(code: str) -> None:
    inputs = (Input("it", "<it>", "angle"),)
    assert fill(code, "bash", inputs, {"it": "backend-2.이전"}).body == code.replace("<it>", "backend-2.이전")
    for hostile in ("a; touch pwned", "$(touch pwned)", "`touch pwned`", "a'b", 'a"b', "a b", "a\nb", "a|b", "~x", ""):
        with pytest.raises(UsageError):
            fill(code, "bash", inputs, {"it": hostile})


def test_a_blank_is_not_found_inside_a_longer_word_nor_in_a_variable() -> None:
    token, number = Input("token", "token", "literal"), Input("id", "{id}", "brace")
    code = 'curl -H "Bearer token" tokens "${id}" /{id}'
    assert (
        fill(code, "bash", [token, number], {"token": "abc", "id": "7"}).body
        == 'curl -H "Bearer abc" tokens "${id}" /7'
    )


def test_every_form_an_input_is_written_in_is_filled() -> None:
    blank = Input("pod name", "<pod name>", "angle", spellings=("<pod name>", "<pod-name>"))
    assert fill("logs <pod name>; top <pod-name>", "bash", [blank], {"pod name": "api"}).body == "logs api; top api"
    assert fill_text("<pod-name> is <pod name>", [blank], {"pod name": "api"}) == "api is api"
