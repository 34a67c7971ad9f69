"""What the shell's grammar sees around a place in a script: what a value that is written there has to be quoted for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

_READ_AGAIN = re.compile(
    r"(?:.*/)?(?:(?:ba|da|z|k|a|s)?sh|eval|su|runuser|watch|parallel|[gm]?awk|perl|python[\d.]*|ruby|node|"
    r"psql|mysql|mariadb|sqlite3|mongosh)"
)
_SHELL_PLACES = {
    "string": "double",
    "raw_string": "single",
    "heredoc_body": "heredoc",
    "comment": "comment",
    "ansi_c_string": "unknown",
    "regex": "unknown",
    "arithmetic_expansion": "unknown",
    "command_substitution": "word",
    "process_substitution": "word",
    "command": "word",
    "variable_assignment": "word",
    "file_redirect": "word",
    "for_statement": "word",
    "test_command": "word",
    "declaration_command": "word",
}


def tree_of(source: bytes) -> Node:
    """The shell's grammar of a script, for placing values in it; judging has a stricter one."""
    import tree_sitter_bash
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_bash.language())).parse(source).root_node


def _ancestors(node: Node | None) -> Iterator[Node]:
    while node is not None:
        yield node
        node = node.parent


def _is_read_again(node: Node | None) -> bool:
    """Whether what stands there is parsed once more: in backticks, or by a program that takes code as text."""
    in_heredoc = False
    for ancestor in _ancestors(node):
        in_heredoc = in_heredoc or ancestor.type == "heredoc_body"
        if ancestor.type == "command_substitution" and (ancestor.text or b"").startswith(b"`"):
            return True
        command: Node | None = ancestor
        if in_heredoc and ancestor.type == "redirected_statement":
            command = ancestor.child_by_field_name("body")
        if command is not None and command.type == "command" and _takes_code(command):
            return True
    return False


def _takes_code(command: Node) -> bool:
    return any(_READ_AGAIN.fullmatch(word_of(child)) for child in command.named_children)


def word_of(node: Node) -> str:
    """A word of a command without its quotes."""
    return (node.text or b"").decode("utf-8", "replace").strip("\"'")


def place_of(node: Node | None, source: bytes) -> str:
    """The kind of place a node of a shell script stands in: a key of `QUOTE`."""
    if _is_read_again(node):
        return "read-again"
    for ancestor in _ancestors(node):
        if ancestor.type == "ERROR":
            return "unknown"
        place = _SHELL_PLACES.get(ancestor.type)
        if place == "heredoc" and is_raw_heredoc(ancestor, source):
            return "raw-heredoc"
        if place:
            return place
    return "unknown"


def is_raw_heredoc(body: Node, source: bytes) -> bool:
    """Whether the here-document's delimiter is quoted, so that the shell expands nothing in its body."""
    start = body.parent.child_by_field_name("delimiter") if body.parent else None
    if start is None and body.parent is not None:
        start = next((child for child in body.parent.children if child.type == "heredoc_start"), None)
    return start is not None and source[start.start_byte : start.start_byte + 1] in (b"'", b'"', b"\\")
