"""`$NAME` in single quotes that hold code for another shell: `ssh host 'ls $DIR'`, `kubectl exec p -- sh -c '…'`.

The shell here leaves such a name alone and the one there does not know it, so an input would be empty where it is
used. Where the grammar proves the place, the value is written in as a literal: quoted for its place in the inner code,
and that once more for the single quotes around it. Anything else is refused; nothing is pasted as it is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from cockpit.errors import UsageError
from cockpit.runbook.inputs.variables import assignments
from cockpit.session.filling.quoting import QUOTE, is_plain
from cockpit.session.filling.shell_place import is_raw_heredoc, place_of, tree_of, word_of
from cockpit.words import _

if TYPE_CHECKING:
    from tree_sitter import Node

_SHELL = re.compile(r"(?:.*/)?(?:(?:ba|da|z|k|a)?sh|su|runuser)")
_REMOTE = re.compile(r"(?:.*/)?ssh")
_TAKES_CODE = re.compile(r"-\w*c")


def fill_second_shell(code: str, values: Mapping[str, str], secret: Collection[str]) -> str:
    """The script with the values of those inputs that single quotes keep for a second shell.

    Args:
        values: by name.
        secret: names whose value has to stay recognisable for masking, so that no quote may change it.

    Raises:
        UsageError: a value stands where it can't be quoted with certainty.
    """
    if not any(re.search(rf"\$\{{?{re.escape(name)}\b", code) for name in values):
        return code
    source = code.encode()
    edits = [edit for text in _texts(tree_of(source), source) for edit in _edits(text, values, secret)]
    for start, end, literal in sorted(edits, reverse=True):
        source = source[:start] + literal + source[end:]
    return source.decode()


class _Text:
    """Code inside quotes: where it begins in the script, its bytes, and what stands around it."""

    def __init__(self, node: Node, *, heredoc: bool, whole: bool) -> None:
        text = node.text or b""
        self.start = node.start_byte + (0 if heredoc else 1)
        self.code = text if heredoc else text[1:-1]
        self.heredoc = heredoc
        self.whole = whole


def _texts(root: Node, source: bytes) -> Iterator[_Text]:
    """The single-quoted strings and here-documents that another shell will read."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        waiting += node.named_children
        if node.type == "raw_string" and _is_code(node):
            yield _Text(node, heredoc=False, whole=node.parent is not None and node.parent.type == "command")
        elif node.type == "heredoc_body" and is_raw_heredoc(node, source) and _is_read_by_shell(node):
            yield _Text(node, heredoc=True, whole=True)


def _is_code(node: Node) -> bool:
    """Whether a quoted argument is code: behind `ssh host`, `eval`, or the -c of a shell."""
    argument = node
    while argument.parent is not None and argument.parent.type == "concatenation":
        argument = argument.parent
    if argument.parent is None or argument.parent.type != "command":
        return False
    before = [word_of(child) for child in argument.parent.named_children if child.end_byte <= argument.start_byte]
    if any(_REMOTE.fullmatch(word) or word == "eval" for word in before):
        return not before[-1].startswith("-")
    shell = any(_SHELL.fullmatch(word) for word in before[:-1])
    return shell and _TAKES_CODE.fullmatch(before[-1]) is not None


def _is_read_by_shell(body: Node) -> bool:
    """Whether a here-document is the input of a shell, here or there."""
    node: Node | None = body
    while node is not None and node.type != "redirected_statement":
        node = node.parent
    command = node.child_by_field_name("body") if node is not None else None
    if command is None or command.type != "command":
        return False
    words = [word_of(child) for child in command.named_children]
    return any(_REMOTE.fullmatch(word) or _SHELL.fullmatch(word) for word in words)


def _edits(text: _Text, values: Mapping[str, str], secret: Collection[str]) -> Iterator[tuple[int, int, bytes]]:
    """What to write where, in bytes of the script."""
    own = assignments(text.code.decode())
    root = tree_of(text.code)
    for node, name in _expansions(root):
        if name not in values or name in own:
            continue
        value = values[name]
        place = place_of(node, text.code)
        known = text.whole and not root.has_error and place in ("word", "double", "heredoc", "read-again")
        careful = place == "read-again" or name in secret
        if not known or (careful and not is_plain(value)) or (text.heredoc and "\n" in value):
            raise UsageError(
                _("${name} stands in quotes for a second shell, where its value can't be put with certainty").format(
                    name=name
                ),
                mend=_("edit the command: write the value there yourself"),
            )
        literal = QUOTE[place](value)
        if not text.heredoc:
            literal = QUOTE["single"](literal)
        yield text.start + node.start_byte, text.start + node.end_byte, literal.encode()


def _expansions(root: Node) -> Iterator[tuple[Node, str]]:
    """`$NAME` and `${NAME}`; other expansions have an answer of their own, or ask for more than a value."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        waiting += node.named_children
        if node.type in ("simple_expansion", "expansion"):
            name = (node.text or b"").decode("utf-8", "replace").strip("${}")
            if re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
                yield node, name
