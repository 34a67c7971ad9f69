"""PromQL and LogQL: a query can do nothing but read, so all there is to prove is that a text is one.

A command or a statement under the wrong language is what this catches; the grammar is checked as far as words
never stand side by side and nothing ends in an operator.
"""

from __future__ import annotations

import re

from cockpit.safety.tables import names
from cockpit.safety.verdict import Judgement, reading, unknown
from cockpit.words import _

_TOKEN = re.compile(
    r"""
      (?P<blank>\s+|\#[^\n]*)
    | (?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)
    |
    (?P<number>0[xX][0-9a-fA-F]+|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+|(?:ms|[smhdwy]|[KMGTP]i?B?)(?:\d+(?:ms|[smhdwy]))*)?)
    | (?P<word>[A-Za-z_][\w:.]*|\$\w+|\$\{\w+(?::\w+)?\}|\{\{\w+\}\})
    | (?P<open>[({\[])
    | (?P<close>[)}\]])
    | (?P<sign>\|=|\|~|\|>|!=|!~|!>|=~|==|>=|<=|[-+*/%^<>=,:@|])
    """,
    re.VERBOSE,
)
_JOINS = names(
    """and or unless by on without ignoring group_left group_right offset bool atan2 start end json logfmt
    regexp pattern
    unpack unwrap line_format label_format decolorize drop keep ip"""
)
_STAGES = names("json logfmt regexp pattern unpack unwrap line_format label_format decolorize drop keep")
_MAY_STAND_FIRST = frozenset({"+", "-"})
_PAIRS = {")": "(", "}": "{", "]": "["}
_LONGEST = 20_000
_MOST_LINES, _MOST_LINES_IN_ALL = 40, 1000

Token = tuple[str, str]


def judge_query(text: str) -> Judgement:
    """Judge a query, or several, each beginning on a line of its own."""
    if _is_query(text) or _are_queries(text):
        return reading()
    return unknown(_("it is not a query, as far as can be told"))


def _are_queries(text: str) -> bool:
    """Whether the lines are queries one after another: each goes on for as long as it is none, or is one still."""
    if len(text) > _LONGEST:
        return False
    lines = [line for line in text.split("\n") if line.strip() and not line.lstrip().startswith("#")]
    if len(lines) > _MOST_LINES_IN_ALL:
        return False
    query: list[str] = []
    whole = False
    for line in lines:
        longer = [*query, line]
        if whole and not _is_query("\n".join(longer)):
            longer = [line]
        query, whole = longer, _is_query("\n".join(longer))
        if len(query) > _MOST_LINES:
            return False
    return whole


def _is_query(text: str) -> bool:
    tokens = _tokens(text) if len(text) <= _LONGEST else None
    if not tokens or tokens[-1][0] == "sign" or all(kind == "string" for kind, _text in tokens):
        return False
    opened: list[str] = []
    before: Token = ("open", "")
    for at, token in enumerate(tokens):
        kind, sign = token
        if kind == "open":
            opened.append(sign)
        elif (
            (kind == "close" and (not opened or opened.pop() != _PAIRS[sign]))
            or not _may_follow(before, token)
            or (sign == "|" and not _is_stage(tokens, at))
        ):
            return False
        before = token
    return not opened


def _may_follow(before: Token, token: Token) -> bool:
    if token[0] == "sign":
        return before[0] not in ("sign", "open") or token[1] in _MAY_STAND_FIRST or before[1] in (",", ":")
    if token[0] in ("word", "number", "string"):
        joined = before[1] in _JOINS or token[1] in _JOINS
        return before[0] in ("sign", "open") or joined or (before[0] == "close" and token[0] != "word")
    return True


def _is_stage(tokens: list[Token], at: int) -> bool:
    """Whether what stands behind a `|` is a stage of LogQL: a parser, or a comparison of a label."""
    stage = tokens[at + 1] if at + 1 < len(tokens) else ("", "")
    after = tokens[at + 2] if at + 2 < len(tokens) else ("", "")
    return stage[1] in _STAGES or (stage[0] == "word" and after[0] == "sign" and after[1] != "|")


def _tokens(text: str) -> list[Token] | None:
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            return None
        at = match.end()
        if match.lastgroup != "blank":
            tokens.append((match.lastgroup, match[0]))
    return tokens
