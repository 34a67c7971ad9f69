"""SQL cut into statements and tokens: quotes, comments and dollar quoting as PostgreSQL reads them, and no grammar."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from cockpit.words import _

_TOKEN = re.compile(
    r"""
    (?:\s+|--[^\n]*)*  # what stands before it means nothing
    (?:
      (?P<comment>/\*)
    | (?P<escaped>[eE]'(?:[^'\\]|''|\\.)*')
    | (?P<unicode>[uU]&(?:'(?:[^']|'')*'|"(?:[^"]|"")*"|(?=['"])))
    | (?P<string>(?:[bBxXnN])?'(?:[^']|'')*')
    | (?P<quoted>"(?:[^"]|"")*")
    | (?P<dollar>\$(?P<tag>[A-Za-z_\u0080-\uffff]\w*)?\$)
    | (?P<parameter>\$\d+|:'[^']*'|:"[^"]*"|(?<!:):[A-Za-z_]\w*)
    | (?P<number>\d[\w.]*|\.\d+)
    | (?P<word>[A-Za-z_\u0080-\uffff][\w$]*)
    | (?P<backslash>\\)
    | (?P<symbol>.)
    )?
    """,
    re.VERBOSE | re.DOTALL,
)

_COMMENT_ENDS = re.compile(r"/\*|\*/")

Token = tuple[str, str]
"""A kind (word, quoted, string, escaped, unicode, number, parameter, backslash, symbol) and the text in lower case."""


@dataclass(slots=True)
class Statement:
    """One statement. `tokens` have no blanks and comments; `spans` says where in `text` each stands."""

    text: str = ""
    tokens: list[Token] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)

    @property
    def words(self) -> list[str]:
        """Its unquoted words, in lower case."""
        return [text for kind, text in self.tokens if kind == "word"]

    def called(self) -> frozenset[str]:
        """Every name that stands before a parenthesis, as the server looks it up."""
        names = set()
        for at, (kind, _text) in enumerate(self.tokens[:-1]):
            if kind in ("word", "quoted") and self.tokens[at + 1][1] == "(":
                names.add(self.name(at))
        return frozenset(names)

    def name(self, at: int) -> str:
        """The identifier that a token is: folded to lower case, or as it stands in its double quotes."""
        kind, text = self.tokens[at]
        if kind != "quoted":
            return text
        start, end = self.spans[at]
        return self.text[start + 1 : end - 1].replace('""', '"')


def statements(text: str, *, strict: bool = True) -> Iterator[Statement]:
    """The statements of a text, empty ones left out.

    Args:
        strict: what other servers would read differently is an error: comments that are run, escapes in names.

    Raises:
        ValueError: a quote or comment without an end, or (strict) one of those.
    """
    current, began, at, depth = Statement(), 0, 0, 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ValueError(_("it can't be read as SQL"))
        kind, at = match.lastgroup, match.end()
        if kind is None:  # the rest was blank
            break
        word = match[kind]
        if kind == "comment":
            at = _behind_comment(text, at, strict)
        elif kind in ("dollar", "tag"):
            at = _behind_dollar(text, at, match["dollar"])
            current.tokens.append(("string", ""))
            current.spans.append((match.start("dollar") - began, at - began))
        elif (kind == "unicode" and (strict or word in ("u&", "U&"))) or (kind == "symbol" and word in "'\""):
            raise ValueError(_("a quoted text is written in escapes or has no end"))
        elif kind == "symbol" and word == ";" and not depth:
            current.text = text[began : match.start(kind)]
            if current.tokens:
                yield current
            current, began = Statement(), at
        else:
            current.tokens.append((kind, word.lower()))
            current.spans.append((match.start(kind) - began, at - began))
            depth = _depth(current, depth) if current.tokens[0][1] == "create" else 0
    current.text = text[began:]
    if current.tokens:
        yield current


def _depth(statement: Statement, depth: int) -> int:
    """How deep in a CREATE's body of SQL (`BEGIN ATOMIC … END`) the last token is: semicolons there end nothing."""
    kind, word = statement.tokens[-1]
    if kind != "word":
        return depth
    if word == "atomic" and len(statement.tokens) > 1 and statement.tokens[-2][1] == "begin":
        return depth + 1
    if depth and word in ("case", "end"):
        return depth + 1 if word == "case" else depth - 1
    return depth


def _behind_dollar(text: str, at: int, mark: str) -> int:
    end = text.find(mark, at)
    if end < 0:
        raise ValueError(_("a quoted text has no end"))
    return end + len(mark)


def _behind_comment(text: str, at: int, strict: bool) -> int:
    """The end of a comment, which may hold others."""
    if strict and text[at : at + 1] in ("!", "+"):
        raise ValueError(_("a comment is run as a statement"))
    depth = 1
    for match in _COMMENT_ENDS.finditer(text, at):
        depth += 1 if match[0] == "/*" else -1
        if depth == 0:
            return match.end()
    raise ValueError(_("a comment has no end"))
