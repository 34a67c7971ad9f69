"""The tests of `[` and `[[`: what they compare may be computed, and what is computed may be run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cockpit.safety.shell.decoding import Decoder, computable, text_of
from cockpit.safety.shell.grammar import WORDS, Refused
from cockpit.safety.shell.words import Kind
from cockpit.safety.tables import names
from cockpit.words import _

if TYPE_CHECKING:
    from tree_sitter import Node

_TEST_OPERATORS = names("""-e -f -d -r -w -x -s -z -n -L -h -S -p -b -c -g -k -u -O -G -N -t -nt -ot -ef -a -o
    -eq -ne -lt -le -gt -ge""")
_ARITHMETIC = frozenset({"-eq", "-ne", "-lt", "-le", "-gt", "-ge"})
_SINGLE_SIGNS = frozenset({"=", "==", "!=", "!"})
_DOUBLE_SIGNS = _SINGLE_SIGNS | {"=~", "<", ">", "&&", "||", "(", ")"}


def check_test(node: Node, decoder: Decoder) -> str:
    """Check a test; the command it is.

    Raises:
        Refused: its outcome, or what it runs, depends on a word built when it runs.
    """
    double = text_of(node.child(0)) == "[["
    for child in node.named_children:
        _condition(child, decoder, double)
    return "[[" if double else "["


def _condition(node: Node, decoder: Decoder, double: bool) -> None:
    if node.type in ("binary_expression", "unary_expression", "parenthesized_expression"):
        operator = next((text_of(child) for child in node.children if child.type == "test_operator"), "")
        if operator and operator not in _TEST_OPERATORS:
            raise Refused(_("the test {operator} is not judged").format(operator=operator))
        signs = {child.type for child in node.children if not child.is_named}
        # `[` is a command like any other: what compares inside [[ redirects and ends commands here.
        if not signs <= (_DOUBLE_SIGNS if double else _SINGLE_SIGNS):
            raise Refused(_("a test holds signs that mean something else to the shell"))
        for child in node.named_children:
            _operand(child, decoder, double, operator)
    else:
        _operand(node, decoder, double, "alone")


def _operand(node: Node, decoder: Decoder, double: bool, operator: str) -> None:
    if node.type in ("binary_expression", "unary_expression", "parenthesized_expression", "negated_command"):
        _condition(node, decoder, double)
    elif node.type in ("extglob_pattern", "regex"):
        decoder.pattern(node)
    elif node.type in WORDS:
        word = decoder.word(node)
        # [[ a -eq b ]] computes both sides, and `[ $x ]` may turn into any test at all.
        if (
            double and operator in _ARITHMETIC and not (computable(word) or (word.kind is Kind.FILES and not word.text))
        ) or (not double and operator == "alone" and word.kind is Kind.MANY):
            raise Refused(_("a test depends on a word built when it runs"))
    elif node.type not in ("test_operator", "comment"):
        raise Refused(_("it uses a construct that is not judged"))
