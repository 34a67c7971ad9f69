"""Awk programs, as far as they only compute and print. What they start is handed back, to be judged in turn.

A `/` begins a regular expression or divides, and which of them it does decides what is a string behind it.
Where that is not certain by the token in front of it, the program is not proven.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"""
      (?P<blank>[ \t]+|\\\n|\#[^\n]*)
    | (?P<newline>\n)
    | (?P<string>"(?:[^"\\\n]|\\.)*")
    | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|0[xX][0-9a-fA-F]+)
    | (?P<name>[A-Za-z_]\w*)
    | (?P<sign>\|\||&&|\+\+|--|>>|[-+*%^!=<>]=|\|&|[-+*/%^!~=<>?:|,;$(){}\[\]])
    """,
    re.VERBOSE | re.ASCII,
)
# Behind these every version of awk expects a value, and behind the others some only.
_EXPECTS_VALUE = frozenset({"print", "printf", "return", "else", "do", "in", "exit"})
_UNCERTAIN = frozenset(
    {"length", "getline", "case", "default", "switch", "func", "function", "BEGINFILE", "ENDFILE", "nextfile"}
    | {"next", "delete", "break", "continue", "BEGIN", "END"}
)
_LONGEST = 8000
_CONTROL = frozenset({"if", "while", "for"})
_STATEMENT_ENDS = frozenset({";", "}", "\n", ""})
# Behind these a value has ended, so that `/` divides.
_VALUE_KINDS = frozenset({"number", "string", "regex", "name"})
_TO_TERMINAL = frozenset({'"/dev/stderr"', '"/dev/stdout"', '"/dev/null"', '"/dev/tty"'})

Token = tuple[str, str]


class NotProven(Exception):
    """The program may start commands or write files, or can't be followed."""


def started_by_awk(program: str) -> list[str]:
    """The shell scripts that an awk program starts.

    Raises:
        NotProven: it writes files, starts what is not constant, or is read in two ways.
    """
    if len(program) > _LONGEST:
        raise NotProven
    tokens = _tokens(program)
    started: list[str] = []
    depth = 0
    printing = False
    for at, (kind, text) in enumerate(tokens):
        if kind == "name" and text in ("print", "printf"):
            printing = True
        elif text in (";", "}") and kind == "sign":
            printing = False
        elif kind == "sign" and text in ("(", "["):
            depth += 1
        elif kind == "sign" and text in (")", "]"):
            depth -= 1
        elif kind == "sign" and text in (">", ">>") and printing and depth == 0:
            _check_target(tokens, at)
        elif kind == "sign" and text in ("|", "|&"):
            started.append(_piped(tokens, at, printing=printing and depth == 0))
        elif kind == "name" and text == "system":
            started.append(_called(tokens, at))
    return started


def _check_target(tokens: list[Token], at: int) -> None:
    kind, text = _get(tokens, at + 1)
    if kind != "string" or text not in _TO_TERMINAL or _get(tokens, at + 2)[1] not in _STATEMENT_ENDS:
        raise NotProven


def _piped(tokens: list[Token], at: int, *, printing: bool) -> str:
    """The script of `print | "script"` or of `"script" | getline`."""
    if tokens[at][1] == "|&":
        raise NotProven
    behind = _get(tokens, at + 1)
    if behind == ("name", "getline"):
        if _get(tokens, at - 2)[1] not in ("{", ";", "(", "\n", "&&", "||", "!", ""):
            raise NotProven
        return _constant(_get(tokens, at - 1))
    if not printing or _get(tokens, at + 2)[1] not in _STATEMENT_ENDS:
        raise NotProven
    return _constant(behind)


def _called(tokens: list[Token], at: int) -> str:
    if _get(tokens, at + 1)[1] != "(" or _get(tokens, at + 3) != ("sign", ")"):
        raise NotProven
    return _constant(_get(tokens, at + 2))


def _constant(token: Token) -> str:
    kind, text = token
    if kind != "string" or "\\" in text:
        raise NotProven
    return text[1:-1]


def _get(tokens: list[Token], at: int) -> Token:
    return tokens[at] if 0 <= at < len(tokens) else ("", "")


def _tokens(program: str) -> list[Token]:
    tokens: list[Token] = []
    opened: list[str] = []
    closed = ""
    at = 0
    while at < len(program):
        if program[at] == "/" and _regex_begins(tokens, closed):
            end = _behind_regex(program, at)
            tokens.append(("regex", ""))
            at = end
            continue
        match = _TOKEN.match(program, at)
        if match is None or match.lastgroup is None:
            raise NotProven
        kind, text = match.lastgroup, match[0]
        at = match.end()
        if kind == "blank":
            continue
        if kind == "sign" and text == "(":
            opened.append(_get(tokens, len(tokens) - 1)[1])
        elif kind == "sign" and text == ")":
            closed = opened.pop() if opened else "("
        tokens.append(("sign" if kind == "newline" else kind, text))
    return tokens


def _regex_begins(tokens: list[Token], closed: str) -> bool:
    """Whether a `/` here begins a regular expression. `closed`: what stood in front of the bracket just closed."""
    kind, text = _get(tokens, len(tokens) - 1)
    if kind == "name":
        if text in _UNCERTAIN:
            raise NotProven
        return text in _EXPECTS_VALUE
    if kind in _VALUE_KINDS:
        return False
    if text in ("++", "--", "$"):
        raise NotProven
    if text == ")":
        if closed in ("print", "printf", "("):
            raise NotProven
        return closed in _CONTROL
    return text != "]"


def _behind_regex(program: str, at: int) -> int:
    match = re.compile(r"/(?:[^/\\\n]|\\.)*/").match(program, at)
    if match is None:
        raise NotProven
    inside = match[0][1:-1]
    # Some versions end it at a `/` between brackets and others do not.
    if inside.rfind("[") > inside.rfind("]") or re.search(r"\[\^?\]", inside):
        raise NotProven
    return match.end()
