"""The lines of a block as whole statements: a here-doc, an open quote, a loop or a continued line is one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from cockpit.runbook.commands.languages import ACTIONS
from cockpit.runbook.commands.prompts import is_open
from cockpit.runbook.commands.typed_actions import is_carried_on

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

_LONGEST_CHARS = 64 * 1024
_NEEDS_GRAMMAR = re.compile(
    r"<<|[&{(][ \t]*\n|\n[ \t]*[|&)}]|(?:^|[;\n])[ \t]*(?:for|while|until|if|case|select|function)[ \t]|"
    r"\(\)[ \t]*\{"
)
_BLANKS = re.compile(r"<[^\W\d_][^<>\n|&;$`\"']{0,80}>")
_COMMENTS = {"bash": "#", "powershell": "#", "sql": "--", "promql": "#", "logql": "#", "http": "#", "redis": "#"}
_POWERSHELL_OPEN = re.compile(r"[`\\|,({\[]\s*(?:#.*)?$")
_OPERATOR_END = re.compile(
    r"(?:[-+*/%^(,{=<>!]|\b(?:and|or|unless|by|on|without|ignoring|group_left|group_right|"
    r"offset)\s*(?:\([^)]*\))?)\s*$"
)
_OPERATOR_START = re.compile(
    r"\s*(?:[-+*/%^),}<>=!|]|(?:and|or|unless|by|on|without|ignoring|group_left|group_right|offset|bool)\b)"
)
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|`[^`]*`")
_POWERSHELL_QUOTED = re.compile(r"'[^']*'|\"(?:`.|[^\"`])*\"|(?:^|(?<=\s))#.*", re.MULTILINE)
_SQL_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|\$\$.*?\$\$|--[^\n]*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Row:
    """A run of lines, `start` to `end` inclusive. `kind`: blank, comment or code."""

    kind: str
    start: int
    end: int


def rows_of(lines: list[str], language: str) -> list[Row]:
    """The lines as blank, comment and code rows, a code row being one statement."""
    spans = list(_spans(lines, language))
    rows: list[Row] = []
    at = 0
    for start, end in spans:
        rows += _between(lines, at, start, language)
        rows.append(Row("code", start, end))
        at = end + 1
    return rows + list(_between(lines, at, len(lines), language))


def is_comment(line: str, language: str) -> bool:
    """Whether a line is nothing but a comment."""
    return line.lstrip().startswith(_COMMENTS.get(language, "#"))


def _between(lines: list[str], start: int, end: int, language: str) -> Iterator[Row]:
    for index in range(start, end):
        yield Row("comment" if is_comment(lines[index], language) else "blank", index, index)


def _spans(lines: list[str], language: str) -> Iterator[tuple[int, int]]:
    if language == "http":
        return _request_spans(lines)
    if sum(map(len, lines)) > _LONGEST_CHARS or (language != "bash" and language not in _STILL_OPEN):
        return _one_span(lines)
    return _shell_spans(lines) if language == "bash" else _line_spans(lines, language)


def _one_span(lines: list[str]) -> Iterator[tuple[int, int]]:
    written = [index for index, line in enumerate(lines) if line.strip()]
    if written:
        yield written[0], written[-1]


def _request_spans(lines: list[str]) -> Iterator[tuple[int, int]]:
    """Requests, between lines that begin with "###"; comments in front of and behind one are none of it."""
    bounds = [-1, *(index for index, line in enumerate(lines) if line.startswith("###")), len(lines)]
    for above, below in pairwise(bounds):
        written = [
            i for i in range(above + 1, below) if lines[i].strip() and not lines[i].lstrip().startswith(("#", "//"))
        ]
        if written:
            yield written[0], written[-1]


def _shell_spans(lines: list[str]) -> Iterator[tuple[int, int]]:
    text = "\n".join(lines)
    if _NEEDS_GRAMMAR.search(text) or any(_odd_quotes(line) for line in lines):
        yield from _grammar_spans(text, lines)
    else:
        yield from _continued_spans(lines)


def _continued_spans(lines: list[str]) -> Iterator[tuple[int, int]]:
    """Commands that only a backslash or a pipe at the end of a line carries on."""
    start = -1
    for index, line in enumerate(lines):
        if start < 0 and (not line.strip() or is_comment(line, "bash")):
            continue
        start = index if start < 0 else start
        if not line.rstrip().endswith(("\\", "|")):
            yield start, index
            start = -1
    if start >= 0:
        yield start, len(lines) - 1


def _odd_quotes(line: str) -> bool:
    if line.lstrip().startswith("#"):
        return False
    return line.count("'") % 2 == 1 or line.count('"') % 2 == 1 or line.count("`") % 2 == 1


def _grammar_spans(text: str, lines: list[str]) -> Iterator[tuple[int, int]]:
    # A blank such as <pod-name> would be a redirection: stand a word of the same length in its place.
    masked = _BLANKS.sub(lambda match: "x" * len(match[0]), text)
    root = _parser().parse(masked.encode()).root_node
    if root.has_error:
        yield from _line_spans(lines, "bash")
        return
    yield from _merged(root.children)


def _merged(nodes: list[Node]) -> Iterator[tuple[int, int]]:
    start, end = -1, -1
    for node in nodes:
        if node.type == "comment":
            continue
        first, (last, column) = node.start_point[0], node.end_point
        last -= column == 0 and last > first
        if first > end:
            if start >= 0:
                yield start, end
            start = first
        end = max(end, last)
    if start >= 0:
        yield start, end


@cache
def _parser() -> Parser:
    import tree_sitter_bash
    from tree_sitter import Language, Parser

    grammar: Any = tree_sitter_bash
    return Parser(Language(grammar.language()))


def _line_spans(lines: list[str], language: str) -> Iterator[tuple[int, int]]:
    still_open = _STILL_OPEN[language]
    start = -1
    for index, line in enumerate(lines):
        if start < 0 and (not line.strip() or is_comment(line, language)):
            continue
        start = index if start < 0 else start
        following = lines[index + 1] if index + 1 < len(lines) else ""
        # A statement of hundreds of lines is one whose end was not understood: stop looking, in linear time.
        if index - start > 300 or not still_open(lines[start : index + 1], following):
            yield start, index
            start = -1
    if start >= 0:
        while not lines[len(lines) - 1].strip() and len(lines) - 1 > start:
            lines = lines[:-1]
        yield start, len(lines) - 1


def _shell_open(lines: list[str], following: str) -> bool:
    text = "\n".join(lines)
    if is_open(text):
        return True
    bare = _QUOTED.sub("", text)
    return bare.count("{") > bare.count("}") or bare.count("(") > bare.count(")")


def _powershell_open(lines: list[str], following: str) -> bool:
    text = "\n".join(lines)
    if _POWERSHELL_OPEN.search(lines[-1]) and following.strip():
        return True
    if text.count('@"') > text.count('\n"@') or text.count("@'") > text.count("\n'@"):
        return True
    bare = _POWERSHELL_QUOTED.sub("", text)
    return bare.count("{") > bare.count("}") or bare.count("(") > bare.count(")")


def _sql_open(lines: list[str], following: str) -> bool:
    bare = _SQL_QUOTED.sub("", "\n".join(lines)).rstrip()
    return not bare.endswith(";") and not bare.startswith("\\")


def _query_open(lines: list[str], following: str) -> bool:
    bare = _QUOTED.sub("", "\n".join(lines))
    if any(bare.count(left) > bare.count(right) for left, right in ("()", "{}", "[]")):
        return True
    return _OPERATOR_END.search(bare) is not None or _OPERATOR_START.match(following) is not None


def _action_open(lines: list[str], following: str) -> bool:
    return is_carried_on("\n".join(lines))


_STILL_OPEN: dict[str, Callable[[list[str], str], bool]] = {
    "bash": _shell_open,
    "powershell": _powershell_open,
    "sql": _sql_open,
    "promql": _query_open,
    "logql": _query_open,
    "redis": lambda lines, following: False,
    **dict.fromkeys(ACTIONS, _action_open),
}
