"""A spelling that is an input in one place of a document is that input everywhere else in it, inside quotes too."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from cockpit.runbook.inputs.blanks import is_plain_square, is_subscript, is_tag, line_before
from cockpit.runbook.inputs.variables import Blank, without_comments

_BRACKETED = re.compile(r"<[^<>\n]{1,200}>|\[[^\[\]\n]{1,130}\]|\{\{[^{}\n]{1,80}\}\}|\{[^{}\n]{1,80}\}")
_USAGE = re.compile(r"\busage\b", re.IGNORECASE)
# Where a word in capitals names a variable rather than standing for its value.
_NAMES_VARIABLE = re.compile(
    r"(?:\b(?:unset|read|declare|printenv|env|local|readonly|export|getenv)\s(?:[^|;&]*\s)?|\s-e\s|--env[ =])\Z"
)
_MOST_LITERALS = 200


class Spellings:
    """The spellings of a document's inputs; variables ($NAME) aside, whose name the shell finds by itself."""

    def __init__(self, blanks: Iterable[tuple[str, Blank]]) -> None:
        self._bracketed: dict[str, tuple[str, Blank]] = {}
        self._literals: list[tuple[str, Blank, re.Pattern[str]]] = []
        for name, blank in blanks:
            if blank.style in ("angle", "brace") or (blank.style == "square" and is_plain_square(blank.name)):
                self._bracketed[blank.written] = (name, blank)
            elif blank.style == "literal" and _is_distinct(blank) and len(self._literals) < _MOST_LITERALS:
                pattern = re.compile(rf"(?<![\w$-])(?<!\$\{{){re.escape(blank.written)}(?![\w=-])")
                self._literals.append((name, blank, pattern))

    def __bool__(self) -> bool:
        return bool(self._bracketed or self._literals)

    def names_in(self, text: str, language: str) -> Iterator[str]:
        """The names of the inputs whose spelling stands in a text."""
        hits = list(self._hits(text))
        if not hits:
            return
        code = without_comments(text) if language == "bash" and "#" in text else text
        for name, blank, at in hits:
            if code.startswith(blank.written, at) and not _is_something_else(code, blank, at):
                yield name

    def _hits(self, text: str) -> Iterator[tuple[str, Blank, int]]:
        if self._bracketed and ("<" in text or "[" in text or "{" in text):
            for match in _BRACKETED.finditer(text):
                known = self._bracketed.get(match[0])
                if known is not None:
                    yield *known, match.start()
        for name, blank, pattern in self._literals:
            if blank.written in text:
                for match in pattern.finditer(text):
                    yield name, blank, match.start()


def _is_distinct(blank: Blank) -> bool:
    """Whether a literal is no word that also means itself ("token"), and stands for its name."""
    return blank.name == blank.written and re.search(r"[_.-]|[A-Z]{4}|[Xx]{4}", blank.written) is not None


def _is_something_else(code: str, blank: Blank, at: int) -> bool:
    line, end = line_before(code, at), at + len(blank.written)
    before, after = code[max(0, at - 1) : at], code[end : end + 1]
    if before == "\\" or _USAGE.search(line):
        return True
    if blank.style == "literal":
        return _NAMES_VARIABLE.search(line) is not None
    if blank.style == "angle":
        return before == "<" or is_tag(blank.written[1:-1], code)
    if blank.style == "square":
        return before in ("$", ".") or is_subscript(code, at, end)
    return before in ("$", "%", "@", "#", "^", "{") or after == "}"
