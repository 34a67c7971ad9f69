"""Sed scripts, as far as they only print, delete, join and substitute. What writes or starts anything is refused.

The grammar is GNU sed's, which ends a label or a command at `;` where BSD's goes on to the line's end: what
BSD would take for a label is read here as further commands, so that nothing hides in the difference.
"""

from __future__ import annotations

import re

_ALONE = frozenset("=dDgGhHnNpPxzF")
_MAY_NUMBER = frozenset("qQlL")
_TEXT = frozenset("aic")
_LABEL = frozenset("btT:")
_READS_FILE = frozenset("rR")
_BLANKS = re.compile(r"[ \t;\n]*")
_NUMBER = re.compile(r"\d+")
_STEP = re.compile(r"[~+]?\d+(?:~\d+)?")
_REGEX_FLAGS = re.compile(r"[IM]*")
_SUBSTITUTION_FLAGS = re.compile(r"[gpiImM0-9]*")
_LABEL_TEXT = re.compile(r"[ \t]*[^\s;{}]*")
_TO_LINE_END = re.compile(r"(?:[^\\\n]|\\.)*(?:\\?$|(?=\n))", re.DOTALL)
_END = re.compile(r"[ \t]*(?:$|(?=[;\n}#]))")
_LONGEST = 4000


class _NotProven(Exception):
    """The script is not followed any further."""


def harmless_sed(script: str) -> bool:
    """Whether a sed script only reads its input and prints."""
    if len(script) > _LONGEST:
        return False
    try:
        _Script(script).follow()
    except _NotProven:
        return False
    return True


class _Script:
    """Reads one script from its beginning."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0

    def follow(self) -> None:
        """Read all commands; raise _NotProven at the first that is not known to be harmless."""
        self._skip(_BLANKS)
        while self._at < len(self._text):
            if self._peek() == "#":
                self._at = (self._text.find("\n", self._at) + 1) or len(self._text)
            elif self._peek() == "}":
                self._at += 1
                self._depth -= 1
                if self._depth < 0:
                    raise _NotProven
            else:
                self._addresses()
                self._command(self._take())
            self._skip(_BLANKS)
        if self._depth:
            raise _NotProven

    def _addresses(self) -> None:
        if self._address(first=True):
            self._spaces()
            if self._peek() == ",":
                self._at += 1
                self._spaces()
                if not self._address(first=False):
                    raise _NotProven
        self._spaces()
        while self._peek() == "!":
            self._at += 1
            self._spaces()

    def _address(self, *, first: bool) -> bool:
        char = self._peek()
        if char == "$":
            self._at += 1
            return True
        if char in ("/", "\\"):
            self._at += 1
            self._part(self._take() if char == "\\" else "/", regex=True)
            self._skip(_REGEX_FLAGS)
            return True
        number = (_STEP if not first else re.compile(r"\d+(?:~\d+)?")).match(self._text, self._at)
        if number is None:
            return False
        self._at = number.end()
        return True

    def _command(self, char: str) -> None:
        if char == "{":
            self._depth += 1
        elif char in _ALONE:
            self._end()
        elif char in _MAY_NUMBER:
            self._spaces()
            self._skip(_NUMBER)
            self._end()
        elif char in ("s", "y"):
            delimiter = self._take()
            self._part(delimiter, regex=char == "s")
            self._part(delimiter, regex=False)
            if char == "s":
                self._skip(_SUBSTITUTION_FLAGS)
            self._end()
        elif char in _LABEL:
            self._skip(_LABEL_TEXT)
            self._end()
        elif char in _TEXT or char in _READS_FILE:
            self._skip(_TO_LINE_END)
        else:
            raise _NotProven

    def _part(self, delimiter: str, *, regex: bool) -> None:
        """The text up to the delimiter. Where a bracket stands open at it, versions of sed differ."""
        if delimiter in ("\\", "\n", "") or not delimiter.isascii():
            raise _NotProven
        start = self._at
        while self._peek() != delimiter:
            char = self._take()
            if char == "\\":
                self._take()
            elif char == "\n":
                raise _NotProven
        part = self._text[start : self._at]
        if regex and part.rfind("[") > part.rfind("]"):
            raise _NotProven
        if regex and re.search(r"\[\^?\]", part):
            raise _NotProven
        self._at += 1

    def _end(self) -> None:
        if _END.match(self._text, self._at) is None:
            raise _NotProven

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self._text, self._at)
        self._at = match.end() if match else self._at

    def _spaces(self) -> None:
        while self._peek() in (" ", "\t"):
            self._at += 1

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self) -> str:
        char = self._peek()
        if not char:
            raise _NotProven
        self._at += 1
        return char
