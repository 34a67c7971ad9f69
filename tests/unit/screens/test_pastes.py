"""Pasted text arrives as one paste, whatever it holds and however the terminal cuts it; keys stay keys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events
from textual._xterm_parser import XTermParser
from textual.drivers import linux_driver
from textual.message import Message

from screens.pastes import PasteFilter, keep_pastes_whole
from tests.hostile import TEXTS

BEGIN, END = "\x1b[200~", "\x1b[201~"
KEYS = ["a", "\x1b[A", "\r", "\t", "\x1b[5~", "한", "\x1b", "\x1b[I"]


def pasted(text: str) -> str:
    return text.replace("\x1b", "␛").replace("\x00", "")


@pytest.fixture
def parser(monkeypatch: pytest.MonkeyPatch) -> XTermParser:
    monkeypatch.setattr(linux_driver, "XTermParser", XTermParser)
    keep_pastes_whole()
    made: XTermParser = vars(linux_driver)["XTermParser"]()
    return made


@pytest.mark.parametrize("piece", TEXTS, ids=lambda piece: piece.name)
def test_a_hostile_paste_presses_no_key(parser: XTermParser, piece: tuple[str, str, str]) -> None:
    text = f"before {piece[1]} and what comes after it, which is long enough to be read as keys, q and Enter\r too"
    messages: list[Message] = []
    for letter in f"{BEGIN}{text}{END}j":
        messages += parser.feed(letter)
    assert [type(each) for each in messages] == [events.Paste, events.Key]
    assert isinstance(messages[0], events.Paste)
    assert messages[0].text == pasted(text)


@given(
    st.lists(st.one_of(st.sampled_from(KEYS), st.text(alphabet="ab\x1b[20~\n\r", max_size=12).map(lambda t: [t]))),
    st.integers(1, 9),
)
def test_where_it_is_cut_makes_no_difference(pieces: list[str | list[str]], size: int) -> None:
    sent = "".join(each if isinstance(each, str) else f"{BEGIN}{each[0]}{END}" for each in pieces)
    whole, cut = PasteFilter(), PasteFilter()
    assert "".join(cut.feed(sent[at : at + size]) for at in range(0, len(sent), size)) == whole.feed(sent)


@given(st.text(alphabet="ab\x1b[~OA\n", max_size=30).filter(lambda text: BEGIN not in text))
def test_what_is_typed_passes_unchanged(text: str) -> None:
    assert PasteFilter().feed(text) == text
