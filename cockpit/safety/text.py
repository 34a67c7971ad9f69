"""Text from outside, made fit to store and show: no control byte, nothing invisible, no line forged. Stdlib only.

Order at ingestion: bytes, `Redactor`, `Lines` (or `decode` and `sanitise`). What comes out may be shown as a value;
it is still never to be formatted into markup.
"""

from __future__ import annotations

import re
import unicodedata

LINE_BYTES = 256 * 1024
"""Longer lines keep this much of their head and say how many bytes are missing."""

# Bidi controls, zero-width and invisible characters, line separators, tags, invisible Hangul fillers, variation
# selectors but the one that makes an emoji of a sign.
_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufe00-\ufe0e\ufff9-\ufffb\U00013430-\U00013438\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
# What is drawn upon the character before it: no language puts more than four of these on one.
_UPON = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u064b-\u065f\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u1160-\u11ff\u1ab0-\u1aff"
    "\u1dc0-\u1dff\u20d0-\u20ff\u302a-\u302d\u3099\u309a\ufe20-\ufe2f"
)
_STACK = re.compile(f"([{_UPON}]{{4}})([{_UPON}]+)")
_BAD = f"\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f{_INVISIBLE}\ud800-\udfff"
_SGR = r"\x1b\[[0-9;:]*m"
_UNFIT = re.compile(f"[{_BAD}]")
_CLEAN_UP = re.compile(f"{_SGR}|[{_BAD}]")
# Before a confirmation also what chooses another drawing of the character before it.
_MAKE_VISIBLE = re.compile(f"[{_BAD}\ufe00-\ufe0f]")
_OPEN_ESCAPE = re.compile(r"\x1b(?:\[[0-9;:]*)?\Z")
_ASCII_CONTROLS = bytes([*range(9), *range(11, 32), 127])
_HIGH = bytes(range(128, 256))

# Letters that a reader takes for ASCII ones: Cyrillic, Greek, Armenian and Latin letters drawn the same.
_LOOK_ALIKES = frozenset(
    "АВЕЅІЈКМНОРСТУХЗаеорсухіјѕһԁԛԝԍьѵΑΒΕΖΗΙΚΜΝΟΡΤΥΧονρτυιαγҮҺհոսօցɡıɑℓ∕⁄⧸∖⧵∶꞉․‐‑‒–—―−﹣‘’‚‛“”„‟′″‹›«»ˈʹʼˋ˴；‚٫"
)
_MARKDOWN = re.compile(r"[\\`*_\[\]<>|~#&$!{}@]")
_MARKDOWN_LINE = re.compile(r"^(\s*(?:\d{1,9}(?=[.)]))?)([+=.)-])", re.MULTILINE)
_HTML = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}


def decode(data: bytes) -> str:
    """Bytes as text: UTF-8, with what is not UTF-8 shown as backslash escapes. Not yet sanitised."""
    return data.decode("utf-8", "backslashreplace")


def sanitise(text: str) -> str:
    """The text with nothing in it that a terminal acts upon or a reader can't see; newlines and tabs stay.

    Colour sequences (SGR) are dropped. Every other control is shown: C0 as its picture (␛), DEL and C1 as `\\x9b`,
    invisible and bidi characters as `<U+202E>`, lone surrogates as `\\udc80`. Ordinary text comes back as it is.
    """
    if text.isascii() and len(data := text.encode()) == len(data.translate(None, _ASCII_CONTROLS)):
        return text
    return _STACK.sub(_few_of, _CLEAN_UP.sub(_shown, text))


def one_line(text: str) -> str:
    """The text sanitised and on one line: a line end in a name or a message is shown, and makes no line of its own."""
    return sanitise(text).replace("\n", "␊")


def visible(text: str) -> str:
    """The text as a person must see it before confirming: colours shown too, look-alikes named. Newlines stay."""
    shown = _STACK.sub(_few_of, _MAKE_VISIBLE.sub(_shown, text))
    return shown if shown.isascii() else "".join(map(_named_if_alike, shown))


def odd_characters(text: str) -> list[str]:
    """What of the text is not what it looks like, or can't be seen: each once, in order, as `visible` names it."""
    return [visible(char) for char in dict.fromkeys(text) if char != "\n" and visible(char) != char]


def json_escaped(text: str) -> str:
    """A JSON document that says the same, with nothing in it that a terminal acts upon or a reader can't see."""
    return text if text.isascii() and "\x7f" not in text else _MAKE_VISIBLE.sub(_unicode_escape, text)


def escape_markdown(text: str) -> str:
    """The text as a paragraph of Markdown that renders as the text itself: no markup, no HTML, no code block."""
    escaped = _MARKDOWN.sub(lambda match: _HTML.get(match[0]) or f"\\{match[0]}", sanitise(text))
    escaped = _MARKDOWN_LINE.sub(r"\1\\\2", escaped)
    return re.sub(r"^[ \t]", lambda match: f"&#{ord(match[0])};", escaped, flags=re.MULTILINE)


def _shown(match: re.Match[str]) -> str:
    found = match[0]
    if len(found) > 1:
        return ""
    code = ord(found)
    if code < 0x20:
        return chr(0x2400 + code)
    if code < 0xA0:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if 0xD800 <= code <= 0xDFFF else f"<U+{code:04X}>"


def in_one_cell(text: str) -> str:
    """The text with a visible character in place of each that isn't: for where columns have to stay what they are."""
    return _UNFIT.sub(lambda match: chr(0x2400 + ord(match[0])) if match[0] < " " else "�", text)


def _few_of(match: re.Match[str]) -> str:
    return f"{match[1]}<+{len(match[2])}>"


def _unicode_escape(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def _named_if_alike(char: str) -> str:
    if char.isascii() or not _is_look_alike(char):
        return char
    return f"<U+{ord(char):04X}>" if char.isspace() else f"{char}<U+{ord(char):04X}>"


def _is_look_alike(char: str) -> bool:
    if char in _LOOK_ALIKES or char.isspace():
        return True
    # Compatibility forms of ASCII: full-width and mathematical letters and the like.
    return unicodedata.normalize("NFKC", char).isascii()


class Lines:
    """Cuts a stream of bytes into clean lines.

    A line ends at `\\n` and nowhere else. A `\\r` before it is dropped; of a line redrawn with `\\r` the last drawing
    stays. Where the chunks were cut makes no difference.

    Args:
        redraws_told: a line drawn over says at its end how often.
    """

    def __init__(self, *, redraws_told: bool = False) -> None:
        self._redraws_told = redraws_told
        self._tail = b""
        self._dropped = 0
        self._redraws = 0

    def feed(self, chunk: bytes) -> list[str]:
        """Take the next bytes; return the lines that are now complete, without their newlines."""
        first = chunk.find(b"\n")
        if first < 0:
            self._hold(chunk)
            return []
        last = chunk.rfind(b"\n")
        self._hold(chunk[:first])
        lines = [self._finished()]
        if last > first:
            lines += _clean_block(chunk[first + 1 : last], self._redraws_told)
        self._begin_line()
        self._hold(chunk[last + 1 :])
        return lines

    def partial(self) -> str:
        """What has come of the next line so far; it may still change."""
        text = _OPEN_ESCAPE.sub("", decode(_whole_characters(self._last_drawing())))
        return sanitise(text) + _missing(self._dropped)

    def flush(self) -> list[str]:
        """The stream ended: the last line, if it had no newline."""
        if not self._tail and not self._dropped:
            return []
        line = self._finished()
        self._begin_line()
        return [line]

    def _begin_line(self) -> None:
        self._tail, self._dropped, self._redraws = b"", 0, 0

    def _hold(self, piece: bytes) -> None:
        """Add to the current line, keeping no more of it than can be shown."""
        if not piece:
            return
        if self._dropped and piece[0] not in b"\r" and not self._tail.endswith(b"\r"):
            stop = piece.find(b"\r")
            stop = len(piece) if stop < 0 else stop
            self._dropped += stop
            piece = piece[stop:]
        tail = self._tail + piece
        body = tail.rstrip(b"\r")
        start = body.rfind(b"\r") + 1
        if start:
            self._redraws += body.count(b"\r")
            tail, self._dropped = tail[start:], 0
            body = body[start:]
        if len(body) > LINE_BYTES:
            kept = _cut(body)
            self._dropped += len(body) - len(kept)
            tail = kept + tail[len(body) :]
        self._tail = tail

    def _last_drawing(self) -> bytes:
        return self._tail.rstrip(b"\r")

    def _finished(self) -> str:
        told = _redrawn(self._redraws) if self._redraws_told else ""
        return sanitise(decode(self._last_drawing())) + _missing(self._dropped) + told


def _clean_block(block: bytes, redraws_told: bool) -> list[str]:
    """The lines of a block of whole lines."""
    text = decode(block)
    if b"\r" not in block and sanitise(text) == text:
        lines = text.split("\n")
        if len(block) <= LINE_BYTES or all(len(line) * 4 <= LINE_BYTES for line in lines):
            return lines
    return [_clean_line(line, redraws_told) for line in block.split(b"\n")]


def _clean_line(line: bytes, redraws_told: bool) -> str:
    body = line.rstrip(b"\r")
    told = _redrawn(body.count(b"\r")) if redraws_told else ""
    body = body[body.rfind(b"\r") + 1 :]
    if len(body) <= LINE_BYTES:
        return sanitise(decode(body)) + told
    kept = _cut(body)
    return sanitise(decode(kept)) + _missing(len(body) - len(kept)) + told


def _redrawn(times: int) -> str:
    return f" (↺{times})" if times else ""


def _missing(dropped: int) -> str:
    return f" …{dropped} bytes" if dropped else ""


def _cut(body: bytes) -> bytes:
    """The first LINE_BYTES of a long line, or a few less so as to end between two characters."""
    return _whole_characters(body[:LINE_BYTES])


def _whole_characters(data: bytes) -> bytes:
    """The data without the first bytes of a character whose rest has not come."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte >= 0xC0:
            need = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return data[:-back] if need > back else data
        if byte < 0x80:
            return data
    return data
