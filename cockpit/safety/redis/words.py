"""Redis commands as redis-cli reads them: one a line, with its quoting. Judge and adapter both read them here."""

from __future__ import annotations

import re

from cockpit.words import _, shortened

_COMMENTS = ("#", "//", "--")
_PIECE = re.compile(
    r"""
      (?P<space>\s+)
    | "(?P<double>(?:[^"\\]|\\.)*)"(?=\s|$)
    | '(?P<single>(?:\\'|[^'\\]|\\(?!'))*)'(?=\s|$)
    | (?P<bare>[^\s"']+)(?=\s|$)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|.)", re.DOTALL)
_ESCAPED = {"n": b"\n", "r": b"\r", "t": b"\t", "b": b"\b", "a": b"\a"}


def redis_commands(text: str) -> list[list[bytes]]:
    """The commands of a text, each as its words; blank lines and comments left out.

    Raises:
        ValueError: a quote that is not closed, or does not end its word.
    """
    lines = (line.strip() for line in text.split("\n"))
    commands = (line.removeprefix(">").lstrip() for line in lines if not line.startswith(_COMMENTS))
    return [redis_words(line) for line in commands if line]


def redis_words(line: str) -> list[bytes]:
    """The words of one command. Raises ValueError as `redis_commands`."""
    words, at = [], 0
    while at < len(line):
        piece = _PIECE.match(line, at)
        if piece is None:
            raise ValueError(
                _("a quote is not closed, or stands inside a word: {line}").format(line=shortened(line, 60))
            )
        at = piece.end()
        if piece["double"] is not None:
            words.append(_unescaped(piece["double"]))
        elif piece["single"] is not None:
            words.append(piece["single"].replace("\\'", "'").encode("utf-8", "surrogateescape"))
        elif piece["bare"] is not None:
            words.append(piece["bare"].encode("utf-8", "surrogateescape"))
    return words


def _unescaped(text: str) -> bytes:
    out, at = b"", 0
    for match in _ESCAPE.finditer(text):
        out += text[at : match.start()].encode("utf-8", "surrogateescape")
        found = match[1]
        if len(found) == 3:
            out += bytes([int(found[1:], 16)])
        else:
            out += _ESCAPED.get(found, found.encode("utf-8", "surrogateescape"))
        at = match.end()
    return out + text[at:].encode("utf-8", "surrogateescape")
