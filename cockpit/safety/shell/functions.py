"""The functions a script defines, and what an `echo` says into a pipe.

A function is followed into when it is called, so it must surely be the one that is called: defined once, at
the top, under a name that is no command's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from cockpit.safety.shell.decoding import text_of
from cockpit.safety.shell.grammar import Refused
from cockpit.safety.shell.words import Word, constants
from cockpit.safety.tables import names
from cockpit.words import _

if TYPE_CHECKING:
    from tree_sitter import Node

_NAME = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)
_DEEPEST = 4
_CALLED_BY_BASH = names("command_not_found_handle")
_SHIFTS = re.compile(r"\b(?:shift|set|getopts|unset|eval|source|local\s+-)\b")
_PRINTF_ESCAPE = re.compile(r"\\([nrt\\])")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\"}


class Functions:
    """The functions of one script. `is_known`: whether a name is a command's."""

    def __init__(self, root: Node, is_known: Callable[[str], bool]) -> None:
        self.any = False
        self._is_known = is_known
        self._defined: dict[str, Node] = {}
        self._called: set[str] = set()
        self._calling: list[str] = []
        stack = [root]
        while stack and not self.any:
            node = stack.pop()
            self.any = node.type == "function_definition"
            stack.extend(node.named_children)

    def define(self, node: Node) -> None:
        """Take in a definition.

        Raises:
            Refused: it is not certain that a call of its name calls it.
        """
        name = text_of(node.child_by_field_name("name"))
        body = node.child_by_field_name("body")
        at_top = node.parent is not None and node.parent.type == "program"
        if not at_top or body is None or body.type != "compound_statement" or len(node.named_children) != 2:
            raise Refused(_("it defines a function in a way that is not judged"))
        if not _NAME.fullmatch(name) or self._is_known(name) or name in self._defined or name in _CALLED_BY_BASH:
            raise Refused(_("it defines the function {name}, whose name means something else").format(name=name))
        self._defined[name] = body

    def defines(self, name: str) -> bool:
        """Whether a function of this name is defined by now."""
        return name in self._defined

    def enter(self, name: str) -> Node:
        """The body of a function that is called.

        Raises:
            Refused: it calls itself, or functions call each other too deep.
        """
        if name in self._calling or len(self._calling) >= _DEEPEST:
            raise Refused(_("its functions call each other too deep to follow"))
        self._calling.append(name)
        self._called.add(name)
        return self._defined[name]

    def leave(self) -> None:
        """The function called last returns."""
        self._calling.pop()

    def uncalled(self) -> list[Node]:
        """The bodies that were never called."""
        return [body for name, body in self._defined.items() if name not in self._called]

    @staticmethod
    def shifts(body: Node) -> bool:
        """Whether the parameters may change on the way through a body."""
        return _SHIFTS.search(text_of(body)) is not None


def said(command: str, words: Sequence[Word]) -> str | None:
    """What `echo` or `printf` prints of constant words; None where that is not certain."""
    texts = constants(words)
    if texts is None:
        return None
    if command == "printf" and len(texts) == 1 and "%" not in texts[0] and not texts[0].startswith("-"):
        return _unescaped(texts[0])
    if command != "echo":
        return None
    escaped = texts[:1] in (["-e"], ["-en"], ["-ne"])
    texts = texts[1:] if escaped or texts[:1] == ["-n"] else texts
    text = " ".join(texts)
    if text.startswith("-"):
        return None
    return _unescaped(text) if escaped else None if "\\" in text else text


def _unescaped(text: str) -> str | None:
    plain = _PRINTF_ESCAPE.sub("", text)
    return None if "\\" in plain else _PRINTF_ESCAPE.sub(lambda match: _ESCAPES[match[1]], text)
