"""From a node of the tree to the word bash makes of it. Substitutions met on the way are handed back to
be judged."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cockpit.safety.environment import assignable
from cockpit.safety.shell.grammar import Refused
from cockpit.safety.shell.variables import Variables
from cockpit.safety.shell.words import Kind, Word
from cockpit.safety.tables import names
from cockpit.words import _

if TYPE_CHECKING:
    from tree_sitter import Node

_GLOB = re.compile(r"[*?\[]")
_BRACES = re.compile(r"\{[^{}]*(?:,|\.\.)[^{}]*\}|\{.*\{.*[,.].*\}")
_DOUBLE_QUOTED_ESCAPE = re.compile(r"\\([$`\"\\\n])")
_SUBSTITUTION = re.compile(r"(?<!\\)(?:\\\\)*(?:`|\$[({\[])")
_HERE_DOCUMENT_ESCAPE = re.compile(r"\\([$`\\\n])")
_ENDS_WORD = re.compile(r"[\s;&|<>()]")
# Neither quotes nor a backslash at its end, with which the grammar and bash would part.
_PATTERN = re.compile(r"(?:[^'\"\\]|\\[^'\"`\n])*")
_VARIABLE = re.compile(r"\$(?:\w+|[-*@?!#$])")
_ANSI_STRING = re.compile(r"\$'(?:[^'\\]|\\.)*'", re.DOTALL)
_ANSI = {"n": "\n", "t": "\t", "\\": "\\", "'": "'", '"': '"', "r": "\r", "e": "\x1b", "a": "\a"}
_CALCULATIONS = names("""binary_expression unary_expression postfix_expression parenthesized_expression
    variable_assignment arithmetic_expansion""")
_MODIFIERS = frozenset(
    [":-", "-", ":+", "+", ":?", "?", "%", "%%", "#", "##", "/", "//", "/#", "/%", ":", "^^", "^", ",,", ","]
)


@dataclass(slots=True)
class Piece:
    """A part of a word. `loose` text is unquoted: it may glob, split or expand braces."""

    word: Word
    loose: bool


class Decoder:
    """Decodes the words of one script.

    Args:
        variables: what the script's variables hold.
        judge_inside: called with each command or process substitution.
    """

    def __init__(self, variables: Variables, judge_inside: Callable[[Node], None]) -> None:
        self._variables = variables
        self._judge_inside = judge_inside

    def word(self, node: Node, *, assigned: bool = False) -> Word:
        """The word a node becomes. `assigned`: to a variable, where nothing splits or globs.

        Raises:
            Refused: it uses something whose outcome can't be told.
        """
        pieces = self._pieces(node)
        return _joined(pieces, whole=assigned)

    def heredoc(self, node: Node, *, quoted: bool) -> Word:
        """The text of a here-document."""
        if quoted:
            return Word(text_of(node))
        pieces = []
        source = node.text or b""
        at = node.start_byte
        # The grammar has no node for the text in front of the first expansion.
        for child in node.named_children:
            pieces.append(
                _quoted_text(
                    source[at - node.start_byte : child.start_byte - node.start_byte].decode(), _HERE_DOCUMENT_ESCAPE
                )
            )
            if child.type == "heredoc_content":
                pieces.append(_quoted_text(text_of(child), _HERE_DOCUMENT_ESCAPE))
            else:
                pieces += self._expansion(child, quoted=True)
            at = child.end_byte
        pieces.append(_quoted_text(source[at - node.start_byte :].decode(), _HERE_DOCUMENT_ESCAPE))
        return _joined(pieces, whole=True)

    def pattern(self, node: Node) -> None:
        """Check a pattern of `case` or `[[`: it may hold no substitution that is not seen."""
        if node.type in ("extglob_pattern", "regex"):
            if re.search(r"[$`]|[<>]\(", text_of(node)) and not re.fullmatch(r"[^$`<>]*\$?", text_of(node)):
                raise Refused(_("a pattern is built when it runs"))
            if not _PATTERN.fullmatch(text_of(node)):
                raise Refused(_("where a pattern ends is not certain"))
        else:
            self.word(node)

    def arithmetic(self, node: Node) -> None:
        """Check an arithmetic expression: a variable in it is computed as an expression of its own.

        Raises:
            Refused: it holds more than numbers and plain variables.
        """
        if node.type in ("number", "variable_name", "word", "simple_expansion", "special_variable_name"):
            name = text_of(node).lstrip("$").strip("{}")
            if node.type != "number" and not re.fullmatch(r"\w+|[?#]", name):
                raise Refused(_("it computes with more than numbers and variables"))
            if node.type != "number" and not name.isdigit():
                if name.isidentifier() and not assignable(name):
                    raise Refused(_("{name} changes what other commands do").format(name=name))
                self._check_number(name)
        elif node.type == "command_substitution" and prints_number(node):
            self._judge_inside(node)
        elif node.type in _CALCULATIONS:
            for child in node.named_children:
                self.arithmetic(child)
        else:
            raise Refused(_("it computes with more than numbers and variables"))

    def _check_number(self, name: str) -> None:
        if not computable(self._variables.look_up(name, quoted=True, operand=False)):
            raise Refused(_("it computes with {name}, which may be more than a number").format(name=name))

    # -- pieces

    def _pieces(self, node: Node) -> list[Piece]:
        kind = node.type
        if kind in ("word", "number", "variable_name"):
            return _bare(text_of(node))
        if kind == "raw_string":
            return [Piece(Word(text_of(node)[1:-1]), loose=False)]
        if kind == "ansi_c_string":
            if not _ANSI_STRING.fullmatch(text_of(node)):
                raise Refused(_("where a string ends is not certain"))
            return [Piece(Word(_ansi(text_of(node)[2:-1])), loose=False)]
        if kind == "string":
            return self._string(node)
        if kind == "concatenation":
            return [piece for child in node.children for piece in self._pieces(child)]
        if kind == "brace_expression":
            return [Piece(Word("", Kind.DATA), loose=False)]
        return self._expansion(node, quoted=False)

    def _string(self, node: Node) -> list[Piece]:
        if text_of(node.child(0)) != '"':
            raise Refused(_("a string is translated when it runs"))
        pieces = [Piece(Word(""), loose=False)]
        # Text between two children that is in neither is blank space that the grammar skipped.
        end = node.start_byte + 1
        source = node.text or b""
        for child in node.children[1:-1]:
            pieces.append(_quoted_text(source[end - node.start_byte : child.start_byte - node.start_byte].decode()))
            end = child.end_byte
            if child.type == "string_content":
                pieces.append(_quoted_text(text_of(child)))
            elif child.is_named:
                leading = text_of(child)[: len(text_of(child)) - len(text_of(child).lstrip())]
                pieces.append(Piece(Word(leading), loose=False))
                pieces += self._expansion(child, quoted=True)
            else:
                pieces.append(Piece(Word(text_of(child)), loose=False))
        pieces.append(_quoted_text(source[end - node.start_byte : -1].decode()))
        return pieces

    def _expansion(self, node: Node, *, quoted: bool) -> list[Piece]:
        kind = node.type
        if kind == "simple_expansion":
            # The grammar skips blanks behind a `$`; to bash it is a letter then, and what follows stands for itself.
            if not _VARIABLE.fullmatch(text_of(node).lstrip()):
                raise Refused(_("a substitution stands where the grammar does not see it"))
            return [Piece(self._variables.look_up(text_of(node.child(1)), quoted=quoted), loose=False)]
        if kind == "expansion":
            return [Piece(self._braced(node, quoted), loose=False)]
        if kind == "command_substitution":
            self._judge_inside(node)
            if prints_plain_words(node) or prints_number(node):
                return [Piece(Word("", Kind.DATA if quoted else Kind.FILES), loose=False)]
            return [Piece(Word("", Kind.OUTPUT if quoted else Kind.MANY), loose=False)]
        if kind == "process_substitution":
            self._judge_inside(node)
            return [Piece(Word("/dev/fd/", Kind.DATA), loose=False)]
        if kind == "arithmetic_expansion":
            for child in node.named_children:
                self.arithmetic(child)
            return [Piece(Word("", Kind.DATA), loose=False)]
        raise Refused(_("it uses {construct}, which is not judged").format(construct=kind.replace("_", " ")))

    def _braced(self, node: Node, quoted: bool) -> Word:
        """A `${...}`: the variable with its modifier."""
        if quoted and "'" in text_of(node):
            raise Refused(_("single quotes between braces mean one thing to some shells and another to others"))
        children = node.children[1:-1]
        tokens = [text_of(child) for child in children]
        if children and not children[0].is_named and tokens[0] == "#" and len(children) == 2:
            return Word("", Kind.DATA)
        if not children or children[0].type not in ("variable_name", "special_variable_name"):
            raise Refused(_("it expands a variable in a way that is not judged"))
        base = self._variables.look_up(tokens[0], quoted=quoted)
        if len(children) == 1:
            return base
        if tokens[1] not in _MODIFIERS or (tokens[1] == ":" and not all(re.fullmatch(r"\d+|:", t) for t in tokens[2:])):
            raise Refused(_("it expands a variable in a way that is not judged"))
        defaults = [self._default(child) for child in children[2:] if child.is_named]
        plain = base.kind is Kind.DATA and all(word.kind <= Kind.DATA and not word.may_be_option for word in defaults)
        if plain:
            return Word("", Kind.DATA)
        return Word("", Kind.OUTPUT if quoted else Kind.MANY)

    def _default(self, node: Node) -> Word:
        if node.type == "regex":
            self.pattern(node)
            return Word("", Kind.DATA)
        return self.word(node)


def _quoted_text(text: str, escapes: re.Pattern[str] = _DOUBLE_QUOTED_ESCAPE) -> Piece:
    """Text between double quotes or in a here-document."""
    _check_hidden(text)
    return Piece(Word(escapes.sub(lambda match: match[1].strip("\n"), text)), loose=False)


def _check_hidden(text: str) -> None:
    """Refuse text in which the grammar saw no substitution though bash may."""
    if _SUBSTITUTION.search(text):
        raise Refused(_("a substitution stands where the grammar does not see it"))


def _bare(text: str) -> list[Piece]:
    """The pieces of unquoted text: what is escaped is quoted."""
    _check_hidden(text)
    if "\\" not in text and not _ENDS_WORD.search(text):
        return [Piece(Word(text), loose=True)]
    pieces = []
    for part in re.finditer(r"\\(.)|([^\\]+)|\\$", text, re.DOTALL):
        if part[1] is None and part[2] is None:
            raise Refused(_("a word ends in a backslash"))
        if part[2] and _ENDS_WORD.search(part[2]):
            raise Refused(_("the grammar takes several words for one"))
        pieces.append(Piece(Word(part[1] or part[2]), loose=part[1] is None))
    return pieces


def _joined(pieces: list[Piece], *, whole: bool) -> Word:
    """One word of its pieces."""
    text = ""
    kind = Kind.CONSTANT
    for piece in pieces:
        if kind is Kind.CONSTANT:
            text += piece.word.text
        kind = max(kind, piece.word.kind)
    if whole:
        return Word(text, min(kind, Kind.OUTPUT) if kind is not Kind.FILES else Kind.DATA)
    loose = "".join(piece.word.text if piece.loose else "q" for piece in pieces)
    if _BRACES.search(loose):
        return Word(text.partition("{")[0], Kind.MANY)
    if loose.startswith("#"):
        raise Refused(_("the grammar takes a comment for a word"))
    glob = _GLOB.search(loose)
    if glob and loose not in ("[", "[["):
        before = _known_before_glob(pieces)
        return Word(before, max(kind, Kind.FILES if before else Kind.MANY))
    if loose.startswith("~"):
        return Word("~", max(kind, Kind.DATA))
    return Word(text, kind)


def _known_before_glob(pieces: list[Piece]) -> str:
    known = ""
    for piece in pieces:
        glob = _GLOB.search(piece.word.text) if piece.loose else None
        if glob:
            return known + piece.word.text[: glob.start()]
        known += piece.word.text
        if not piece.word.constant:
            return known
    return known


def _ansi(text: str) -> str:
    def decoded(match: re.Match[str]) -> str:
        if match[1] not in _ANSI:
            raise Refused(_("a string is written in escapes"))
        return _ANSI[match[1]]

    return re.sub(r"\\(.)", decoded, text, flags=re.DOTALL)


# Commands that print words which are never options, and filters that leave lines as they are.
_PRINTS_PLAIN = names("date nproc whoami hostname uname pgrep pidof seq id wc which")
_PRINTS_COMMITS = re.compile(
    r"""git\ (?:-C\ [\w./-]+\ )?
    (?:rev-list(?:\ --(?:tags|all|count|branches|first-parent|max-count=\d+)|\ -n?\ ?\d+)*
      |describe(?:\ --(?:tags|always|all|long|exact-match|abbrev=\d+))*
      |rev-parse(?:\ --(?:short|abbrev-ref|verify|show-toplevel))*
      |merge-base)
    (?:\ (?:\w[\w./@^~]*|\$\([^()]*\)))*""",
    re.VERBOSE,
)
_FILTERS = names("head tail sort uniq grep cat")


def prints_plain_words(node: Node) -> bool:
    """Whether all that a command substitution can print is words that no program takes for options."""
    inner = node.named_children
    if len(inner) != 1:
        return False
    commands = inner[0].named_children if inner[0].type == "pipeline" else inner
    firsts = [text_of(child.child_by_field_name("name")) if child.type == "command" else "" for child in commands]
    if firsts and firsts[-1] == "wc":
        return "[" not in text_of(commands[-1])
    source = text_of(commands[0])
    starts = firsts[0] in _PRINTS_PLAIN and not re.search(r"\s['\"]?\+['\"]?\s*-|-s\s|-d\s*['\"]?-", source)
    lists = firsts[0] == "kubectl" and re.search(r"\sget\s.*\s-o[= ]?name\b", source) is not None
    commits = _PRINTS_COMMITS.fullmatch(source) is not None
    return (starts or lists or commits) and all(name in _FILTERS for name in firsts[1:])


_NUMBERS = re.compile(
    r"""nproc|wc\ -[lwc]
    |stat\ -c\ ?['"]?%[XYZWsi]['"]?\ [\w./-]+
    |date(?:\ -u|\ -d\ ?(?:'[^'$`]*'|"[^"$`\\]*"|@?\d+))*\ ['"]?\+%[sYmdHMSju]\d*['"]?
    |tr\ -(?:cd|dc)\ ['"]?(?:0-9|\[:digit:\])['"]?
    |grep\ -c[EivwFPo]*\ [^\s$`*?]+(?:\ [^\s$`*?\[]+)?""",
    re.VERBOSE,
)


def prints_number(node: Node) -> bool:
    """Whether all that a command substitution prints is a number: anything else would be computed, and may be run."""
    inner = node.named_children
    if len(inner) == 1 and inner[0].type == "redirected_statement":
        inner = inner[0].named_children[:1]
    if len(inner) != 1 or inner[0].type not in ("command", "pipeline"):
        return False
    last = inner[0].named_children[-1] if inner[0].type == "pipeline" else inner[0]
    return _NUMBERS.fullmatch(text_of(last)) is not None


def computable(word: Word) -> bool:
    """Whether arithmetic on a word computes nothing but numbers: text in it would be run as an expression."""
    return word.kind is Kind.DATA or (word.constant and re.fullmatch(r"[-+]?\d*", word.text) is not None)


def text_of(node: Node | None) -> str:
    """The source text of a node; empty for none."""
    return node.text.decode() if node is not None and node.text else ""
