"""What `--set` and `--set-string` say of a release's values, taken apart so that texts don't stand in helm's argv.

Everybody on a machine can read the words that a program was started with. helm reads a text from a file too
(`--set-file`), under the same path and as the same value; numbers, true, false and null it reads from words alone, and
from a values file differently (large numbers as floating point), so that these stay words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cockpit.errors import UsageError
from cockpit.words import _

_INDEX = re.compile(r"\d{1,5}")
_WHOLE = re.compile(r"[+-]?[0-9]+")
_LEAST, _MOST = -(1 << 63), (1 << 63) - 1
_TYPED = ("true", "false", "null", "0")

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Assignment:
    """One value, or a list of them: where it goes, in parts and as written, and each as text; `texts` are all text."""

    path: Path
    written: str
    values: tuple[str, ...]
    is_list: bool
    texts: bool


@dataclass(frozen=True, slots=True)
class Told:
    """What helm is told: `words` of `--set`, and `texts` by the path that `--set-file` names."""

    words: tuple[str, ...]
    texts: tuple[tuple[str, str], ...]


def told_apart(sets: Sequence[str], set_strings: Sequence[str]) -> Told:
    """The same as these `--set` and `--set-string` say, with every text on its own.

    Raises:
        UsageError: helm would not understand one, or they contradict each other.
    """
    found: dict[Path, Assignment] = {}
    for texts, expressions in ((False, sets), (True, set_strings)):
        for expression in expressions:
            for one in _assignments(expression, texts=texts):
                found.pop(one.path, None)  # the last one holds
                found[one.path] = one
    _refuse_contradictions(list(found))
    words: list[str] = []
    held: list[tuple[str, str]] = []
    for one in found.values():
        if one.is_list:
            words.append(f"{one.written}={{}}")
        for place, value in _places(one):
            if one.texts or _is_text(value):
                held.append((place, value))
            else:
                words.append(f"{place}={value}")
    return Told(tuple(words), tuple(held))


def _places(one: Assignment) -> Iterator[tuple[str, str]]:
    if not one.is_list:
        yield one.written, one.values[0]
        return
    for at, value in enumerate(one.values):
        yield f"{one.written}[{at}]", value


def _refuse_contradictions(paths: Sequence[Path]) -> None:
    """Two that touch each other would be understood in another order than they were written in."""
    there = set(paths)
    for path in paths:
        for length in range(1, len(path)):
            if path[:length] in there:
                names = " ".join(_name(it) for it in (path[:length], path))
                raise UsageError(
                    _("--set gives values that lie in each other: {names}").format(names=names),
                    mend=_("give the whole value once"),
                )


def _name(path: Path) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def _is_text(value: str) -> bool:
    """Whether helm takes what `--set` gives as text: what is no number, no truth value and not null."""
    if value.casefold() in _TYPED:
        return False
    if value.startswith("0") or not _WHOLE.fullmatch(value):
        return True
    return len(value) > 20 or not _LEAST <= int(value) <= _MOST


def _assignments(expression: str, *, texts: bool) -> Iterator[Assignment]:
    reader = _Reader(expression)
    while not reader.is_at_end:
        begun = reader.at
        path = reader.path()
        written = expression[begun : reader.at - 1]
        is_list = reader.takes("{")
        values = reader.listed() if is_list else (reader.until(",")[0],)
        yield Assignment(path, written, values, is_list, texts)


class _Reader:
    """Reads one expression as helm does: a backslash takes the next character as it is."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.at = 0

    @property
    def is_at_end(self) -> bool:
        return self.at >= len(self._text)

    def until(self, stops: str) -> tuple[str, str]:
        """What stands before the next of these, and which it is; "" for the end."""
        found: list[str] = []
        while not self.is_at_end:
            character = self._text[self.at]
            self.at += 1
            if character == "\\":
                found.append(self._text[self.at : self.at + 1])
                self.at += 1
            elif character in stops:
                return "".join(found), character
            else:
                found.append(character)
        return "".join(found), ""

    def takes(self, character: str) -> bool:
        """Whether that stands here; then it is read."""
        taken = self._text.startswith(character, self.at)
        self.at += taken
        return taken

    def path(self) -> Path:
        """Where a value goes: names, and places in lists; up to its `=`."""
        parts: list[str | int] = []
        stop = "."
        while stop != "=":
            if stop == "[":
                digits, end = self.until("]")
                if not end or not _INDEX.fullmatch(digits):
                    raise _not_understood()
                parts.append(int(digits))
                between, stop = self.until("[.=")
                if between:
                    raise _not_understood()
            else:
                name, stop = self.until("=[,.")
                if not name:
                    raise _not_understood()
                parts.append(name)
            if stop in ("", ","):
                raise _not_understood()
        return tuple(parts)

    def listed(self) -> tuple[str, ...]:
        """The values of a list, behind its `{`."""
        values: list[str] = []
        stop = ","
        while stop == ",":
            value, stop = self.until(",}")
            values.append(value)
        if not stop or not (self.is_at_end or self.takes(",")):
            raise _not_understood()
        return tuple(values)


def _not_understood() -> UsageError:
    """Without the words: a value may be a secret."""
    return UsageError(
        _("helm would not understand what --set says"),
        mend=_("NAME=VALUE, with a backslash before , . [ = in a name or value"),
    )
