"""The gate in front of the rules: bytes that may be judged at all, and trees made of known nodes only.

The parser is lenient where bash is not (control bytes, a backslash at the end of a line), so those are refused
before and after it. The walk is iterative: a script nested a thousand deep is refused, not followed.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import TYPE_CHECKING

from cockpit.safety.tables import names
from cockpit.words import _

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

LONGEST_BYTES = 64 * 1024
DEEPEST = 80
MOST_NODES = 6_000

_NODES = names("""program list pipeline command command_name word number string string_content raw_string ansi_c_string
    concatenation comment redirected_statement file_redirect file_descriptor heredoc_redirect heredoc_start
    heredoc_body heredoc_content heredoc_end herestring_redirect variable_assignment variable_assignments
    variable_name special_variable_name simple_expansion expansion command_substitution process_substitution
    subshell compound_statement if_statement elif_clause else_clause for_statement while_statement do_group
    case_statement case_item test_command unary_expression binary_expression parenthesized_expression
    test_operator negated_command declaration_command unset_command brace_expression arithmetic_expansion
    postfix_expression regex extglob_pattern c_style_for_statement function_definition""")
WORDS = names("""word number string raw_string ansi_c_string concatenation simple_expansion expansion
    command_substitution process_substitution brace_expression arithmetic_expansion""")
"""The nodes that become words of a command."""
_KEYWORDS = names("! { } [ ] [[ ]] if then elif else fi for in do done while until case esac")
# The grammar goes on with a command when a continued line follows the end of its own; bash does not.
_BLANK = re.compile(rb"(?:[ \t]|\\\n)*[ \t\n]*")
_STANDS_ALONE_IN = frozenset({"negated_command", "compound_statement", "test_command"})
_SETS_APART = (b"", b" ", b"\t", b"\n", b";", b"&", b"|", b"(", b")", b"<", b">", b"`")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_NOT_ASCII = re.compile(rb"[\x80-\xff]+")
# Where text is data to bash, whatever letters it is made of.
_QUOTED = frozenset({"string_content", "raw_string", "comment", "heredoc_body", "heredoc_content", "ansi_c_string"})
_CONTINUED = frozenset({"string_content", "raw_string", "heredoc_body", "heredoc_content", "string"})


class Refused(Exception):
    """The text is not proven; the message says why."""


def parse(text: str) -> Node:
    """The tree of a script in which every node is of a known kind.

    Raises:
        Refused: it can't be judged.
    """
    data = _gate(text)
    root = _parser().parse(data).root_node
    if root.has_error:
        raise Refused(_("it does not parse as a shell script"))
    _walk(data, root)
    _check_letters(data, root)
    _check_continuations(data, root)
    return root


@functools.cache
def _parser() -> Parser:
    import tree_sitter_bash
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_bash.language()))


def _gate(text: str) -> bytes:
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raise Refused(_("it holds bytes that are no text")) from None
    if len(data) > LONGEST_BYTES:
        raise Refused(_("it is longer than 64 KiB"))
    control = _CONTROL.search(text)
    if control:
        raise Refused(_("it holds the control character {code}").format(code=f"U+{ord(control[0]):04X}"))
    return data


def _walk(data: bytes, root: Node) -> None:
    cursor = root.walk()
    depth = seen = covered = 0
    while True:
        node = cursor.node
        seen += 1
        if node is None or depth > DEEPEST or seen > MOST_NODES:
            raise Refused(_("it is nested too deeply or too long to follow"))
        if node.is_named and node.type not in _NODES:
            raise Refused(_("it uses {construct}, which is not judged").format(construct=node.type.replace("_", " ")))
        if not node.is_named and node.type in _KEYWORDS:
            _check_stands_alone(data, node)
        if cursor.goto_first_child():
            depth += 1
            continue
        _check_gap(data[covered : node.start_byte], node)
        covered = max(covered, node.end_byte)
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                _check_gap(data[covered:], root)
                return
            depth -= 1


def _check_gap(gap: bytes, node: Node) -> None:
    """What the grammar skipped between two tokens must be blank; the body of a here-document is checked elsewhere."""
    if not gap or _BLANK.fullmatch(gap):
        return
    above: Node | None = node
    while above is not None and above.type != "heredoc_body":
        above = above.parent
    inside = node.start_byte - above.start_byte if above is not None else 0
    outside = gap[: max(0, len(gap) - inside)]
    if not _BLANK.fullmatch(outside):
        raise Refused(_("part of it is left out by the grammar"))


def _check_stands_alone(data: bytes, node: Node) -> None:
    """A word of the grammar is one only where blanks or signs set it apart: `!''ls` is a command named `!ls`."""
    parent = node.parent.type if node.parent else ""
    if not node.type.isalpha() and parent not in _STANDS_ALONE_IN:
        return
    before = data[max(0, node.start_byte - 1) : node.start_byte]
    after = data[node.end_byte : node.end_byte + 1]
    if before not in _SETS_APART or after not in _SETS_APART:
        raise Refused(_("{word} is not set apart, so that it means something else").format(word=node.type))


def _check_letters(data: bytes, root: Node) -> None:
    """Letters outside ASCII belong into quotes, comments and, if nothing looks like them, plain words."""
    for run in _NOT_ASCII.finditer(data):
        first = root.descendant_for_byte_range(run.start(), run.start() + 1)
        last = root.descendant_for_byte_range(run.end() - 1, run.end())
        if first is not None and first == last and first.type in _QUOTED:
            continue
        text = run[0].decode()
        if first is None or first != last or first.type != "word" or not all(map(_unmistakable, text)):
            raise Refused(_("it holds {character} outside of quotes").format(character=f"{text} U+{ord(text[0]):04X}"))


def _unmistakable(char: str) -> bool:
    """Hangul, Han and kana: letters that nobody takes for ASCII."""
    name = unicodedata.name(char, "")
    return name.startswith(("HANGUL SYLLABLE", "CJK UNIFIED", "HIRAGANA LETTER", "KATAKANA LETTER"))


def _check_continuations(data: bytes, root: Node) -> None:
    """A backslash at a line's end glues two words together unless a blank stands before it."""
    at = data.find(b"\\\n")
    while at >= 0:
        node = root.descendant_for_byte_range(at, at + 1)
        if (node is None or node.type not in _CONTINUED) and data[at - 1 : at] not in (b" ", b"\t", b"\n", b""):
            raise Refused(_("a line is continued in the middle of a word"))
        if data[at - 1 : at] == b"$" and (node is None or node.type != "raw_string"):
            raise Refused(_("a line is continued in the middle of an expansion"))
        at = data.find(b"\\\n", at + 2)
