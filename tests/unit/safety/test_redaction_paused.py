"""A stream that pauses within a line: what is shown then is no beginning of a secret."""

from __future__ import annotations

import pytest

from cockpit.safety.redaction.redactor import Redactor
from tests.unit.safety.test_redaction import SHAPES


def paused(data: bytes, at: int) -> str:
    redactor = Redactor()
    shown = redactor.feed(data[:at]) + redactor.idle() + redactor.feed(data[at:]) + redactor.idle()
    return (shown + redactor.flush()).decode()


@pytest.mark.parametrize(("text", "hidden"), SHAPES)
def test_a_pause_anywhere_shows_at_most_three_letters_of_a_secret(text: str, hidden: str) -> None:
    data = f"x {text} tail\n".encode()
    for at in range(len(data) + 1):
        shown = paused(data, at).replace("redacted", "")
        assert not any(hidden[start : start + 4] in shown for start in range(len(hidden) - 3)), (at, shown)


@pytest.mark.parametrize(
    "prompt",
    [
        "Continue? [y/N] ",
        "Password: ",
        "postgres=# ",
        "Enter a name for the token: ",
        "waiting for http://localhost:8080 ...",
        "\x1b[32mdeploy@prod\x1b[0m:~$ ",
        "[sudo] password for kim: ",
        "Do you want to use the api key from the environment (yes/no)? ",
    ],
)
def test_a_prompt_is_shown_at_once(prompt: str) -> None:
    redactor = Redactor(["Zm9vYmFy-tangerine-42"])
    assert redactor.feed(prompt.encode()) + redactor.idle() == prompt.encode()


def test_a_beginning_is_masked_without_touching_the_stream() -> None:
    redactor = Redactor(["Zm9vYmFy-tangerine-42"])
    assert redactor.redact_beginning(b"a password=hunter2hunter2 and Zm9vYm") == b"a password=[redacted:secret] and "
    assert redactor.flush() == b""
