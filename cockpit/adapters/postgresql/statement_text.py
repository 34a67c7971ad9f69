"""Statements of other sessions, as far as a panel may show them."""

from __future__ import annotations

import re

from cockpit.safety.sql.lexer import Statement, statements

_HIDDEN = "'[redacted:secret]'"
_TELLING = re.compile(
    r"pass(?:w|phrase|code)|secret|token|credential|api_?key|crypt|hmac|identified|dblink|set_config|user\s+mapping"
    r"|subscription|\bconnection\b",
    re.IGNORECASE,
)
"""Where one of these stands, some text of the statement may be a secret without looking like one."""
_TEXTS = frozenset({"string", "escaped", "unicode"})
_COMMENT = re.compile(r"--|/\*")
_QUOTE_OR_COMMENT = re.compile(r"'|\$\w*\$|--|/\*")
_CHARACTER_BYTES = 4


def shown_statement(query: str, octets: int, cut_at_bytes: int | None = None, cut_at_characters: int = 4000) -> str:
    """The statement, in an ellipsis where its end is missing, without its texts where one of them may be a secret.

    Args:
        octets: how long the server holds it to be, in bytes.
        cut_at_bytes: the server keeps less than so many bytes of it (track_activity_query_size).
    """
    cut = len(query) >= cut_at_characters
    cut = cut or (cut_at_bytes is not None and octets >= cut_at_bytes - _CHARACTER_BYTES)
    if _TELLING.search(query):
        query = _without_texts(query)
    # By the ellipsis the redactor knows that a secret may have been cut in two.
    return f"{query}…" if cut else query


def _without_texts(query: str) -> str:
    try:
        return ";".join(map(_of, statements(query, strict=False)))
    except ValueError:
        # A quote without its end: the statement was cut.
        return _QUOTE_OR_COMMENT.split(query, maxsplit=1)[0] + _HIDDEN


def _of(statement: Statement) -> str:
    shown, at = "", 0
    for (kind, _text), (start, end) in zip(statement.tokens, statement.spans, strict=True):
        shown += _between(statement.text[at:start])
        shown += _HIDDEN if kind in _TEXTS else statement.text[start:end]
        at = end
    return shown + _between(statement.text[at:])


def _between(gap: str) -> str:
    """Blanks; but comments, in which somebody may have left a statement that he took out."""
    return " /* … */ " if _COMMENT.search(gap) else gap
