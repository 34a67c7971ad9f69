"""A secret of which only the beginning is left, because somebody cut the text before it was masked, is masked too."""

from __future__ import annotations

import base64
import io
import json

import pytest

from cockpit.adapters.probing import TEXT_CHARACTERS
from cockpit.adapters.step_program.page import Page
from cockpit.monitor.logs.framing import HEAD_BYTES, Framing
from cockpit.monitor.probe import clean
from cockpit.monitor.sample import Level, Outcome, Reading, Sample
from cockpit.runbook.reading import parse
from cockpit.safety.redaction.redactor import Redactor
from cockpit.words import shortened
from tests.planted import AWKWARD, FORMS, PLAIN, WORDY, gives_away

SECRETS = (AWKWARD, PLAIN, WORDY)
FORMS_THAT_STAY_TEXT = {name: form for name, form in FORMS.items() if name != "coloured"}


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("form", FORMS_THAT_STAY_TEXT)
def test_a_form_that_was_cut_short_anywhere_is_masked(form: str, secret: str) -> None:
    redactor = Redactor([secret])
    shown = FORMS_THAT_STAY_TEXT[form](secret)

    for most in range(len(shown) + 12):
        text = redactor.redact(shortened(f"it says {shown} and more", most + 1))
        assert gives_away(text, secret) == "", text


@pytest.mark.parametrize("mark", ["…", "...", " … 42 more characters", " …42 bytes more", "...\n"])
def test_what_other_programs_cut_short_is_masked_too_and_nothing_else_is(mark: str) -> None:
    redactor = Redactor([PLAIN])

    assert PLAIN[:8] not in redactor.redact(f"token is {PLAIN[:12]}{mark}")
    for harmless in (f"Starting{mark}", f"a tangerine{mark}", f"42{mark}", f"Zm9{mark}"):
        assert redactor.redact(harmless) == harmless


def test_a_stream_masks_it_however_it_is_cut() -> None:
    line = f"value {PLAIN[:14]}… 9 more\n".encode()

    for at in range(len(line)):
        redactor = Redactor([PLAIN])
        out = redactor.feed(line[:at]) + redactor.idle() + redactor.feed(line[at:]) + redactor.flush()
        assert gives_away(out.decode(), PLAIN) == "", at


def table(columns: list[str], rows: list[list[str | None]], secrets: list[str]) -> str:
    """What the record holds of a table that a step program printed."""
    out = io.BytesIO()
    Page(out).table(columns, rows)
    redactor = Redactor(secrets)
    return (redactor.feed(out.getvalue()) + redactor.flush()).decode()


@pytest.mark.parametrize("before", [*range(99_990 - len(PLAIN), 100_001, 3)])
def test_a_cell_that_is_too_long_gives_away_no_half_of_a_secret(before: int) -> None:
    # Blanks, since what runs on into a secret without any would be masked along with it.
    cell = " " * before + PLAIN + " and more"

    assert gives_away(table(["note"], [[cell]], [PLAIN]), PLAIN) == ""


@pytest.mark.parametrize("before", [0, 25, 40, 50])
def test_base64_that_a_cell_shows_with_its_line_ends_is_masked(before: int) -> None:
    packed = base64.b64encode(b"A" * before + AWKWARD.encode() + b"and what comes after it" * 3).decode()
    folded = "\n".join(packed[at : at + 76] for at in range(0, len(packed), 76))

    assert gives_away(table(["encode", "n"], [[folded, "1"]], [AWKWARD]), AWKWARD) == ""


@pytest.mark.parametrize("column", ["password", "api_key", "client_secret", "refresh_token", "PASSWD"])
def test_a_column_that_is_called_a_secret_is_masked_and_keeps_its_nulls(column: str) -> None:
    shown = table(["id", column], [["1", "correct horse"], ["2", None]], [])

    assert "horse" not in shown
    assert "[redacted:secret]" in shown
    assert "NULL" in shown


@pytest.mark.parametrize("column", ["token_count", "primary_key", "password_changed_at", "passed", "keyspace", "key"])
def test_a_column_that_only_sounds_like_one_is_shown(column: str) -> None:
    assert "correct horse" in table(["id", column], [["1", "correct horse"]], [])


@pytest.mark.parametrize("before", range(TEXT_CHARACTERS - len(PLAIN), TEXT_CHARACTERS, 2))
def test_a_finding_that_masks_made_short_ends_in_no_half_of_a_secret(before: int) -> None:
    long = "L0ng-" * 200 + "x"
    text = shortened((f"{long} " * 9)[:before] + PLAIN, TEXT_CHARACTERS)
    sample = Sample(
        probe="p", kind="http", t="", m=0, outcome=Outcome.DATA, level=Level.GREY, text=text,
        readings=(Reading("said", text),), rows=({"component": text, "status": "UP"},),
    )  # fmt: skip

    shown = clean(sample, Redactor([PLAIN, long]).redact)

    for each in (shown.text, str(shown.readings[0].value), str(shown.rows[0]["component"])):
        assert gives_away(each, PLAIN) == ""


@pytest.mark.parametrize("into", range(7, len(PLAIN), 3))
def test_a_log_line_that_is_cut_gives_away_no_half_of_a_secret(into: int) -> None:
    framing = Framing()
    framing.feed(b" " * (HEAD_BYTES - into))
    lines = framing.feed(PLAIN.encode() + b" and more\n")

    assert gives_away(Redactor([PLAIN]).feed(lines).decode(), PLAIN) == ""


@pytest.mark.parametrize("words", range(60, 125, 3))
def test_the_label_of_a_step_that_is_cut_gives_away_no_half_of_a_secret(words: int) -> None:
    filler = ("so long a label that it is cut somewhere " * 4)[:words]
    document = parse(f"# T\n\n```bash\n# {filler} {PLAIN} and more\nuptime\n```\n\n1. [ ] {filler} {PLAIN} and more\n")
    redact = Redactor([PLAIN]).redact

    for step in document.steps:
        for label in (step.label, *(part.label for part in step.parts), json.dumps(step.label)):
            assert gives_away(redact(label), PLAIN) == ""
