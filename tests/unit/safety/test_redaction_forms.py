"""A known secret is masked in every form it travels in, wherever the stream is cut, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.safety.redaction.redactor import Redactor
from tests.planted import AWKWARD, FORMS, PLAIN, WORDY, folded, gives_away

SECRETS = [AWKWARD, PLAIN, WORDY]


def cut(data: bytes, at: int, secrets: list[str], *, paused: bool = False) -> bytes:
    redactor = Redactor(secrets)
    out = redactor.feed(data[:at]) + (redactor.idle() if paused else b"")
    return out + redactor.feed(data[at:]) + (redactor.idle() if paused else b"") + redactor.flush()


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_is_masked_at_every_split_with_and_without_a_pause(form: Callable[[str], str], secret: str) -> None:
    data = f"first line\n2026-01-01 value is {form(secret)} here\nlast".encode()
    whole = Redactor([secret]).redact(data.decode()).encode()
    assert gives_away(whole.decode(), secret) == ""
    assert whole.startswith(b"first line\n2026-01-01 value is ")
    assert whole.endswith(b" here\nlast")
    for at in range(len(data) + 1):
        assert cut(data, at, [secret]) == whole
        paused = cut(data, at, [secret], paused=True)
        assert gives_away(paused.decode(), secret) == ""
        assert paused.count(b"\n") == data.count(b"\n")


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\n    ", "\\n"])
@pytest.mark.parametrize("width", [20, 60, 64, 76])
def test_folded_base64_is_masked_on_all_its_lines_and_keeps_them(width: int, line_end: str, secret: str) -> None:
    for before in range(width):
        text = f"first\n{folded(secret, width, before, line_end)}\nlast\n"
        masked = Redactor([secret]).redact(text)
        assert gives_away(masked, secret) == ""
        assert masked.count("\n") == text.count("\n")
        assert masked.startswith("first\n")
        assert masked.endswith("\nlast\n")


@pytest.mark.parametrize("before", [0, 20, 37, 38, 39, 50])
def test_folded_base64_is_masked_at_every_split(before: int) -> None:
    data = f"first\n{folded(AWKWARD, 76, before)}\nlast\n".encode()
    whole = Redactor([AWKWARD]).redact(data.decode()).encode()
    for at in range(len(data) + 1):
        assert cut(data, at, [AWKWARD]) == whole
        assert gives_away(cut(data, at, [AWKWARD], paused=True).decode(), AWKWARD) == ""


def test_folded_base64_of_something_else_stays() -> None:
    text = folded("nothing that anybody minds", 76, 30)
    assert Redactor(SECRETS).redact(text) == text


def test_a_key_of_a_whole_file_is_masked_though_it_is_folded_and_long() -> None:
    secret = "".join(f"{number:04x}" for number in range(700))
    text = folded(secret, 64, 5)
    masked = Redactor([secret]).redact(text)
    assert gives_away(masked, secret) == ""
    assert masked.count("\n") == text.count("\n")


@settings(deadline=None)
@given(
    st.text(st.sampled_from("abXY019 /+=%&$@!?'\"\\<>{}~.,:;-_한국🚨"), min_size=8, max_size=30),
    st.sampled_from([form for name, form in FORMS.items() if name != "coloured"]),
)
def test_any_secret_in_any_form_is_gone(middle: str, form: Callable[[str], str]) -> None:
    secret = f"Qz7{middle}k9W"
    masked = Redactor([secret]).redact(f"before | {form(secret)} | after")
    assert gives_away(masked, secret) == ""
    assert masked.startswith("before | ")
    assert masked.endswith(" | after")


@settings(deadline=None)
@given(st.binary(max_size=600), st.lists(st.integers(0, 600), max_size=6))
def test_bytes_of_any_kind_are_masked_alike_however_they_are_cut(data: bytes, cuts: list[int]) -> None:
    whole = Redactor(SECRETS)
    expected = whole.feed(data) + whole.flush()
    pieces = Redactor(SECRETS)
    places = sorted(min(cut, len(data)) for cut in cuts)
    out = b"".join(pieces.feed(data[a:b]) for a, b in zip([0, *places], [*places, len(data)], strict=True))
    assert out + pieces.flush() == expected
