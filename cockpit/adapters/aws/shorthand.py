"""The short form of a structure as the AWS command line takes it: `Name=a,Values=b,c`, `commands=["df -h",uptime]`.

Source of the grammar: the AWS command line's documentation of its shorthand syntax.
"""

from __future__ import annotations

import re

from cockpit.errors import UsageError
from cockpit.words import _

Value = str | list["Value"] | dict[str, "Value"]

_KEY = re.compile(r"\s*([\w\-.#/:]+)\s*=\s*")
_QUOTED = {'"': re.compile(r'"((?:[^"\\]|\\.)*)"'), "'": re.compile(r"'((?:[^'\\]|\\.)*)'")}
_ESCAPED = re.compile(r"\\(.)")
_UNTIL = {
    "": re.compile(r"(?:[^,\\]|\\.|\\$)*"),
    "]": re.compile(r"(?:[^,\]\\]|\\.)*"),
    "}": re.compile(r"(?:[^,}\\]|\\.)*"),
}
_DEEPEST = 20


def read(text: str) -> dict[str, Value]:
    """What a text says. Values that are not quoted and have commas are lists: `Values=b,c`.

    Raises:
        UsageError: it is not written so.
    """
    return _Reader(text).pairs("")


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0

    def pairs(self, end: str) -> dict[str, Value]:
        """NAME=value,NAME=value up to `end`; "" is the text's own."""
        found: dict[str, Value] = {}
        while not self._ends(end):
            key = _KEY.match(self._text, self._at)
            if key is None:
                raise self._wrong()
            self._at = key.end()
            found[key[1]] = self._values(end)
            self._comma(end)
        return found

    def _values(self, end: str) -> Value:
        """One value, or several where what is behind a comma is no further NAME=."""
        first = self._value(end)
        if isinstance(first, list | dict):
            return first
        several: list[Value] = [first]
        while self._next() == "," and not _KEY.match(self._text, self._at + 1):
            self._at += 1
            if self._next() in ("", end):
                raise self._wrong()
            several.append(self._value(end))
        return several if len(several) > 1 else first

    def _value(self, end: str) -> Value:
        opening = self._next()
        if opening in ("[", "{"):
            self._depth += 1
            if self._depth > _DEEPEST:
                raise self._wrong()
            self._at += 1
            inner: Value = self._items() if opening == "[" else self.pairs("}")
            self._depth -= 1
            return inner
        pattern = _QUOTED.get(opening)
        found = pattern.match(self._text, self._at) if pattern else None
        if found is not None:
            self._at = found.end()
            return _ESCAPED.sub(r"\1", found[1])
        bare = _UNTIL[end].match(self._text, self._at)
        if bare is None:
            raise self._wrong()
        self._at = bare.end()
        return re.sub(r"\\([,\]}])", r"\1", bare[0]).strip()

    def _items(self) -> list[Value]:
        found: list[Value] = []
        while not self._ends("]"):
            found.append(self._value("]"))
            self._comma("]")
        return found

    def _next(self) -> str:
        while self._text[self._at : self._at + 1].isspace():
            self._at += 1
        return self._text[self._at : self._at + 1]

    def _ends(self, end: str) -> bool:
        if self._next() != end:
            return False
        self._at += len(end)
        return True

    def _comma(self, end: str) -> None:
        """Go over a comma; where there is none, the end has to be here."""
        if self._next() == ",":
            self._at += 1
        elif self._next() != end:
            raise self._wrong()

    def _wrong(self) -> UsageError:
        return UsageError(
            _("what is given is neither JSON nor NAME=value: {text}").format(text=repr(self._text[self._at :][:40])),
            mend=_("write it as JSON, in single quotes"),
        )
