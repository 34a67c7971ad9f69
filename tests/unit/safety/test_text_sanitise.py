"""Hostile text shown and never acted upon: no control byte out, no line forged or lost."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cockpit.safety.text import LINE_BYTES, Lines, decode, escape_markdown, odd_characters, sanitise, visible

HOSTILE = [
    "\x1b]52;c;ZXZpbA==\x07",
    "\x1b]0;title\x1b\\",
    "\x1b]8;;http://evil\x1b\\click\x1b]8;;\x1b\\",
    "\x1bPq#0;1;2\x1b\\",
    "\x1b_apc\x1b\\",
    "\x1b^pm\x1b\\",
    "\x1b[2J\x1b[H",
    "\x1b[?1049h",
    "\x1b[6n",
    "\x1bc",
    "\x1b]0;never ends",
    "\x9b31m\x9d0;x\x9c",
    "\u202egpj.exe",
    "a\u200bb\u2060c\ufeff",
    "one\u2028two\u2029three\x85four\x0bfive\x0csix",
    "\U000e0041\U000e007f",
    "nul\x00 bell\x07 back\x08",
    "\x7fdel",
    "\ud800 lone",
    "[@click=app.quit]x[/] [/",
    "\x1b\x1b[31m[2J",
    "\x1b[38;2;1;2;3mred\x1b[0m",
    "\x1b[31",
    "\x1b",
]
CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_acts_comes_out(text: str) -> None:
    for clean in (
        sanitise(text),
        visible(text),
        escape_markdown(text),
        *lines_of(text.encode("utf-8", "surrogatepass")),
    ):
        assert CONTROL.search(clean) is None


def test_what_was_there_is_shown() -> None:
    assert sanitise("\x1b]52;c;eA==\x07") == "␛]52;c;eA==␇"
    assert sanitise("\x9b2J\x7f") == "\\x9b2J\\x7f"
    assert sanitise("\u202egpj") == "<U+202E>gpj"
    assert sanitise("\ud800") == "\\ud800"
    assert sanitise("a\tb\nc") == "a\tb\nc"


def test_colours_are_dropped_and_nothing_else_is() -> None:
    assert sanitise("\x1b[1;31mERROR\x1b[0m done\x1b[K") == "ERROR done␛[K"


def test_dropping_a_colour_makes_no_new_sequence() -> None:
    assert "\x1b" not in sanitise("\x1b\x1b[31m[2J")


@pytest.mark.parametrize(
    "text", ["plain", "한국어 로그 메시지", "日本語", "emoji 🚨 ✅", "tab\tnewline\n", "é ü ß", ""]
)
def test_ordinary_text_comes_back_as_it_is(text: str) -> None:
    assert sanitise(text) == text
    assert sanitise(text) is text or not text.isascii()


@given(st.text())
def test_no_control_ever_comes_out_and_no_line_is_forged(text: str) -> None:
    clean = sanitise(text)
    assert CONTROL.search(clean) is None
    assert clean.count("\n") == text.count("\n")
    assert sanitise(clean) == clean


@given(st.binary())
def test_bytes_of_any_kind_become_text(data: bytes) -> None:
    assert CONTROL.search(sanitise(decode(data))) is None


def test_look_alikes_are_named_before_a_confirmation() -> None:
    assert visible("\u0441at /etc/passwd") == "\u0441<U+0441>at /etc/passwd"
    assert visible("rm\u00a0-rf") == "rm<U+00A0>-rf"
    assert visible("\uff4c\uff53") == "\uff4c<U+FF4C>\uff53<U+FF53>"
    assert visible("a\nb") == "a\nb"
    assert visible("echo \x1b[31mx") == "echo ␛[31mx"
    assert visible("한국어 조회") == "한국어 조회"
    assert visible("a\ufe0f") == "a<U+FE0F>"


def test_odd_characters_are_named_once_each_and_ordinary_ones_not() -> None:
    assert odd_characters("\u0440rod \u0440\u200b\x1b\n") == ["\u0440<U+0440>", "<U+200B>", "␛"]
    assert odd_characters("echo '안녕 caf\u00e9' | tr a-z A-Z\n") == []


@pytest.mark.parametrize(
    "text",
    [
        "# not a heading",
        "- not a list",
        "1. not a list",
        "10) not a list",
        "    not code",
        "\tnot code",
        "> not a quote",
        "*a* _b_ `c` [d](http://e) ![f](g) <b>h</b> ~~i~~ | j | &amp; &lt;",
        "<script>alert(1)</script>",
        "```\nfence",
        "~~~\nfence",
        "---",
        "===",
        "***",
        "a\n===\nb",
        "\\*already\\*",
        "<!-- comment -->",
        "[x]: http://y",
    ],
)
def test_markdown_renders_as_the_text_itself(text: str) -> None:
    html = MarkdownIt("commonmark").enable("table").enable("strikethrough").render(escape_markdown(text))
    assert re.findall(r"<(?!/?p>|br)[a-z]", html) == []
    shown = re.sub(r"</?p>", "", html)
    for entity, char in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
        shown = shown.replace(entity, char)
    assert shown.strip() == text.strip()


# -- lines of a stream


def lines_of(data: bytes, cuts: list[int] | None = None) -> list[str]:
    stream = Lines()
    places = sorted(min(cut, len(data)) for cut in cuts or [])
    out: list[str] = []
    for start, end in zip([0, *places], [*places, len(data)], strict=True):
        out += stream.feed(data[start:end])
    return out + stream.flush()


WRITTEN = [
    "first",
    "한국어 줄 \x1b[31m빨강\x1b[0m",
    "crlf\r",
    "10%\r50%\r100%",
    "",
    "x\u2028y",
    "\x1b]0;t\x07z",
    "tail\r\r",
]
STREAM = "\n".join(WRITTEN).encode()


def test_a_stream_cut_anywhere_gives_the_same_lines() -> None:
    whole = lines_of(STREAM)
    assert whole == ["first", "한국어 줄 빨강", "crlf", "100%", "", "x<U+2028>y", "␛]0;t␇z", "tail"]
    for cut in range(len(STREAM) + 1):
        assert lines_of(STREAM, [cut]) == whole


def test_a_stream_that_comes_byte_by_byte_gives_the_same_lines() -> None:
    assert lines_of(STREAM, list(range(1, len(STREAM)))) == lines_of(STREAM)


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=6))
def test_no_line_is_lost_or_forged_wherever_the_chunks_are_cut(data: bytes, cuts: list[int]) -> None:
    lines = lines_of(data, cuts)
    assert lines == lines_of(data)
    complete = data.count(b"\n")
    assert len(lines) in (complete, complete + 1)
    assert all("\n" not in line and CONTROL.search(line) is None for line in lines)


@pytest.mark.parametrize("chunk", [1000, LINE_BYTES - 1, LINE_BYTES + 7, 3 * LINE_BYTES])
def test_a_huge_line_keeps_its_head_and_says_what_is_missing(chunk: int) -> None:
    data = b"a" * (2 * LINE_BYTES + 5) + b"\nnext\n"
    lines = lines_of(data, list(range(chunk, len(data), chunk)))
    assert lines == ["a" * LINE_BYTES + f" …{LINE_BYTES + 5} bytes", "next"]


def test_a_huge_line_is_cut_between_two_characters() -> None:
    (line,) = lines_of("가".encode() * LINE_BYTES)
    head, _space, missing = line.partition(" ")
    assert set(head) == {"가"}
    assert missing == f"…{3 * LINE_BYTES - len(head.encode())} bytes"


def test_an_endless_progress_bar_takes_no_memory_and_ends_well() -> None:
    stream = Lines()
    for percent in range(100_000):
        assert stream.feed(b"\r%d of 100000 done" % percent) == []
    assert stream.partial() == "99999 of 100000 done"
    assert stream.feed(b"\rready\n") == ["ready"]


def test_a_partial_line_is_shown_without_broken_ends() -> None:
    stream = Lines()
    stream.feed("진행".encode()[:4])
    assert stream.partial() == "진"
    stream.feed("진행".encode()[4:] + b" \x1b[3")
    assert stream.partial() == "진행 "
    assert stream.feed(b"1mred\x1b[0m\n") == ["진행 red"]
    assert stream.partial() == ""
