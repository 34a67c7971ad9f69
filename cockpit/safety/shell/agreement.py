"""Where the grammar and bash may part: what is read in two ways is not proven.

Bash ends a substitution in backticks at the next backtick, whatever quotes stand open; it ends a here-document at the
first line that is its delimiter; and older versions look for the `)` of a substitution without reading what is in it.
The grammar does neither. So each of these is held against the bytes, and only the plain form of it is followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cockpit.safety.shell.grammar import Refused
from cockpit.words import _

if TYPE_CHECKING:
    from tree_sitter import Node

_AT_ODDS = re.compile(rb"`|<<|[$<>]\(")
_NOT_PLAIN = re.compile(rb"""[`'"\\#]|<<""")
_DELIMITER = re.compile(rb"""(?P<bare>\w+)|'(?P<single>\w+)'|"(?P<double>\w+)"|\\(?P<escaped>\w+)""", re.ASCII)
# Nodes in which a backtick is a letter, unless a `$` or a quote was overlooked, which the decoder refuses.
_LETTERS_IN = frozenset({"raw_string", "ansi_c_string", "comment", "heredoc_body", "heredoc_content"})
_ESCAPED_IN = frozenset({"word", "string_content", "string"})
_SPANS_LINES = _LETTERS_IN | _ESCAPED_IN | {"expansion", "concatenation", "command_substitution"}
_SUBSTITUTIONS = frozenset({"command_substitution", "process_substitution"})
_QUOTES_IN_COMMENT = re.compile(rb"[`'\"()\\$]")


def check_agreement(text: str, root: Node) -> None:
    """Hold the tree of a script against bash's own rules for what begins and ends where.

    Raises:
        Refused: bash may read the script in another way.
    """
    data = text.encode()
    if not _AT_ODDS.search(data):
        return
    _check_backticks(data, root)
    for node, inside in _nodes(root):
        if node.type == "heredoc_redirect":
            _check_here_document(data, root, node, inside)
        elif inside and (node.type == "case_statement" or _quotes_in_comment(node)):
            raise Refused(_("what stands in a substitution may end it"))


def _nodes(root: Node) -> Iterator[tuple[Node, bool]]:
    """Every named node, and whether it stands inside a substitution."""
    stack = [(root, False)]
    while stack:
        node, inside = stack.pop()
        yield node, inside
        below = inside or node.type in _SUBSTITUTIONS
        stack.extend((child, below) for child in node.named_children)


def _quotes_in_comment(node: Node) -> bool:
    return node.type == "comment" and _QUOTES_IN_COMMENT.search(node.text or b"") is not None


def _check_backticks(data: bytes, root: Node) -> None:
    """Every backtick is one end of a substitution that bash, too, ends there, or surely a letter."""
    at = data.find(b"`")
    while at >= 0:
        node = root.descendant_for_byte_range(at, at + 1)
        if node is not None and node.type == "`" and node.parent is not None:
            end = node.parent.end_byte
            if node.start_byte != node.parent.start_byte or _NOT_PLAIN.search(data, at + 1, end - 1):
                raise Refused(_("quotes, backslashes or comments between backticks mean something else than they show"))
            at = end - 1
        elif node is None or not _is_letter(data, at, node):
            raise Refused(_("a substitution stands where the grammar does not see it"))
        at = data.find(b"`", at + 1)


def _is_letter(data: bytes, at: int, node: Node) -> bool:
    if node.type in _LETTERS_IN:
        return True
    before = data[:at]
    return node.type in _ESCAPED_IN and (len(before) - len(before.rstrip(b"\\"))) % 2 == 1


def _check_here_document(data: bytes, root: Node, node: Node, inside: bool) -> None:
    """The text of a here-document ends where the grammar says: at the first line that is its delimiter."""
    start = next((child for child in node.named_children if child.type == "heredoc_start"), None)
    end = next((child for child in node.named_children if child.type == "heredoc_end"), None)
    if inside or start is None or end is None or _end_by_bash(data, node, start) != end.end_byte:
        raise Refused(_("where a here-document ends is not certain"))
    first = data.find(b"\n", start.end_byte)
    break_in = root.descendant_for_byte_range(first, first + 1)
    if b"<<" in data[start.end_byte : first] or (break_in is not None and break_in.type in _SPANS_LINES):
        raise Refused(_("where a here-document begins is not certain"))


def _end_by_bash(data: bytes, node: Node, start: Node) -> int:
    """Where the first line that is the delimiter ends; -1 where there is none, or no plain one."""
    word = _DELIMITER.fullmatch(start.text or b"")
    at = data.find(b"\n", start.end_byte) + 1
    if word is None or word.lastgroup is None or not at:
        return -1
    dashed = any(child.type == "<<-" for child in node.children)
    previous = b""
    for line in data[at:].split(b"\n"):
        at += len(line)
        if (line.lstrip(b"\t") if dashed else line) == word[word.lastgroup]:
            return -1 if word.lastgroup == "bare" and previous.endswith(b"\\") else at
        previous = line
        at += 1
    return -1
