"""What a script's variables may hold where they are used."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cockpit.safety.shell.words import Kind, Word
from cockpit.safety.tables import names

if TYPE_CHECKING:
    from tree_sitter import Node

_PLAIN = re.compile(r"[\w./:@%+,=][\w./:@%+,=-]*")
_PLAIN_SOURCE = re.compile(
    r"""(?:[\w./:@%+,][\w./:@%+,-]*|"[\w./:@%+,][\w./:@%+,-]*"|'[\w./:@%+,][\w./:@%+,-]*'|\$\(\([^`$]*\)\)|)"""
)
_NUMBERS = names("? # $ ! 0 RANDOM SECONDS UID EUID PPID LINENO HOSTNAME USER HOME PWD LOGNAME OSTYPE")
# Names that promise several words, options or a piece of a program; one or two letters promise nothing at all.
_LOOSE_NAME = re.compile(
    r".*(?:OPT|OPTS|OPTIONS?|ARGS?|ARGUMENTS|FLAGS?|PARAMS?|CMD|COMMAND|EXTRA|SWITCH(?:ES)?|QUERY|FILTER|EXPR|SCRIPT"
    r"|CONDITION|WHERE|LIST|FILES)|(?!NS|DB|ID|IP|PW|EP|TG|SG|AZ|VM|LB)\w{1,2}",
    re.IGNORECASE,
)


class Variables:
    """The variables of one script. A variable that the script never assigns comes from the operator or the
    runbook's inputs: it is data. With `values` given it is exactly what they say. One assigned once, at the
    top level, is known from there on; any other is as bad as the worst it may be assigned."""

    def __init__(self, root: Node, values: Mapping[str, str] | None) -> None:
        self._values = values
        self._assigned = _assignments(root)
        self._known: dict[str, Word] = {}
        self._parameters: list[Sequence[Word] | None] = []

    @contextmanager
    def called_with(self, words: Sequence[Word] | None) -> Iterator[None]:
        """Inside a function: `words` are its parameters, None where they are not known. What it assigns is known
        inside only: whether its caller sees that depends on where it is called."""
        before = dict(self._known)
        self._parameters.append(words)
        try:
            yield
        finally:
            self._parameters.pop()
            self._known = before

    def _parameter(self, number: int) -> Word:
        """What `$1`, `$2` … is in the function being called."""
        words = self._parameters[-1]
        if words is None or not all(word.single for word in words[:number]):
            return Word("", Kind.MANY)
        return words[number - 1] if 0 < number <= len(words) else Word("")

    def settle(self, name: str, word: Word, node: Node) -> None:
        """A top-level assignment was reached."""
        if len(self._assigned.get(name, ())) == 1 and (_top_level(node) or (self._parameters and _in_body(node))):
            self._known[name] = word

    def settle_loop(self, name: str, words: Sequence[Word], nodes: Sequence[Node]) -> None:
        """A loop over words begins; where nothing else assigns its variable, that is as good as the words."""
        assigned = self._assigned.get(name, ())
        plain = all(not word.may_be_option and word.kind in (Kind.CONSTANT, Kind.DATA, Kind.FILES) for word in words)
        if plain and words and len(assigned) == len(nodes) and all(node in nodes for node in assigned):
            self._known[name] = Word("", Kind.DATA)

    def look_up(self, name: str, *, quoted: bool, operand: bool = True) -> Word:
        """What `$name` becomes here. `operand`: it stands where a program could take it for an option."""
        if name in _NUMBERS:
            return Word("", Kind.DATA)
        if name.isdigit() and self._parameters:
            return _unquoted(self._parameter(int(name)), quoted)
        if name in ("@", "*") or (name.isdigit() and not quoted):
            return Word("", Kind.MANY)
        known = self._known.get(name)
        if known is not None:
            return _unquoted(known, quoted)
        if name in self._assigned and not self._before_only_assignment(name):
            return self._worst_assigned(name, quoted)
        if self._values is not None:
            return _unquoted(Word(self._values.get(name, "")), quoted)
        if operand and _LOOSE_NAME.fullmatch(name):
            # Quotes make one word of it; they do not keep it from being an option.
            return Word("", Kind.OUTPUT if quoted else Kind.MANY)
        return Word("", Kind.DATA)

    def _before_only_assignment(self, name: str) -> bool:
        sources = self._assigned[name]
        if len(sources) != 1 or sources[0] is None or not _top_level(sources[0]):
            return False
        # `X+=y` makes a new word of the old one, so there is no "before" worth knowing.
        return _text(sources[0].child(1)) == "="

    def _worst_assigned(self, name: str, quoted: bool) -> Word:
        plain = all(node is not None and _is_plain(node) for node in self._assigned[name])
        if plain:
            return Word("", Kind.DATA)
        return Word("", Kind.OUTPUT if quoted else Kind.MANY)


def _unquoted(word: Word, quoted: bool) -> Word:
    if quoted or (word.constant and _PLAIN.fullmatch(word.text)) or word.kind is Kind.DATA:
        return Word(word.text, Kind.OUTPUT) if quoted and word.kind > Kind.DATA else word
    return Word("", Kind.MANY)


def _assignments(root: Node) -> dict[str, list[Node | None]]:
    """Each assigned name with the nodes that assign it; None where the value comes from `read` or a loop's
    output."""
    found: dict[str, list[Node | None]] = {}
    stack = [root]
    while stack:
        node = stack.pop()
        stack.extend(node.children)
        if node.type == "variable_assignment":
            found.setdefault(_text(node.child(0)), []).append(node)
        elif node.type == "for_statement":
            words = [child for child in node.named_children[1:] if child.type != "do_group"]
            found.setdefault(_text(node.child_by_field_name("variable")), []).extend(words or [None])
        elif node.type == "postfix_expression":
            found.setdefault(_text(node.child(0)), []).append(node)
        elif node.type == "command" and node.named_children and _text(node.child_by_field_name("name")) == "read":
            for child in node.named_children[1:]:
                found.setdefault(_text(child), []).append(None)
    return found


def _is_plain(node: Node) -> bool:
    """Whether what is assigned is one harmless word, by its spelling."""
    if node.type in ("brace_expression", "number", "postfix_expression"):
        return True
    source = _text(node)
    if node.type == "variable_assignment":
        source = source.partition("=")[2]
    return _PLAIN_SOURCE.fullmatch(source) is not None


def _top_level(node: Node) -> bool:
    parent = node.parent
    if parent is not None and parent.type in ("variable_assignments", "declaration_command"):
        parent = parent.parent
    return parent is not None and parent.type == "program"


def _in_body(node: Node) -> bool:
    """Whether an assignment stands in a function's body itself, so that it is surely reached."""
    parent = node.parent
    if parent is not None and parent.type in ("variable_assignments", "declaration_command"):
        parent = parent.parent
    return parent is not None and parent.type == "compound_statement" and _is_definition(parent.parent)


def _is_definition(node: Node | None) -> bool:
    return node is not None and node.type == "function_definition"


def _text(node: Node | None) -> str:
    return node.text.decode() if node is not None and node.text else ""
