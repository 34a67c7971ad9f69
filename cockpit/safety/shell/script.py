"""Walking a script's tree: every command it may start is judged, whether or not it would be reached."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from cockpit.safety.environment import assignable
from cockpit.safety.shell.decoding import Decoder, computable, text_of
from cockpit.safety.shell.grammar import Refused
from cockpit.safety.shell.redirects import judge_redirect
from cockpit.safety.shell.tool import Stdin, names, reading, unknown
from cockpit.safety.shell.variables import Variables
from cockpit.safety.shell.words import Kind, Word
from cockpit.safety.verdict import Judgement
from cockpit.words import _

if TYPE_CHECKING:
    from tree_sitter import Node

JudgeCommand = Callable[[Sequence[Word], Stdin], Judgement]

_TEST_OPERATORS = names("""-e -f -d -r -w -x -s -z -n -L -h -S -p -b -c -g -k -u -O -G -N -t -nt -ot -ef -a -o
    -eq -ne -lt -le -gt -ge""")
_ARITHMETIC = frozenset({"-eq", "-ne", "-lt", "-le", "-gt", "-ge"})
_SINGLE_SIGNS = frozenset({"=", "==", "!=", "!"})
_DOUBLE_SIGNS = _SINGLE_SIGNS | {"=~", "<", ">", "&&", "||", "(", ")"}
_WORDS = names("""word number string raw_string ansi_c_string concatenation simple_expansion expansion
    command_substitution process_substitution brace_expression arithmetic_expansion""")
# Variables that are safe with these values only, though a script may set them to worse.
_SAFE_VALUES = {
    "PAGER": ("cat", ""), "AWS_PAGER": ("cat", ""), "GIT_PAGER": ("cat", ""), "SYSTEMD_PAGER": ("cat", ""),
    "MANPAGER": ("cat",), "GIT_OPTIONAL_LOCKS": ("0",), "GIT_TERMINAL_PROMPT": ("0",),
    "PGOPTIONS": ("-c default_transaction_read_only=on",), "SYSTEMD_LESS": ("",),
}  # fmt: skip
_PLAIN_ARGUMENT = re.compile(r"[\w/.:@%+,=-]*[/.:@%+,=-]", re.ASCII)
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)


class Script:
    """Judges one parsed script.

    Args:
        root: the tree, through the gate of `grammar`.
        judge_command: judges one command by its decoded words.
        values: exact values of the variables, where they are known.
    """

    def __init__(self, root: Node, judge_command: JudgeCommand, values: Mapping[str, str] | None) -> None:
        self._judge_command = judge_command
        self._variables = Variables(root, values)
        self._decoder = Decoder(self._variables, self._statements)
        self.found: list[Judgement] = []
        self._handlers: Mapping[str, Callable[[Node, Stdin], None]] = {
            "command": self._command,
            "pipeline": self._pipeline,
            "redirected_statement": self._redirected,
            "variable_assignment": self._assignment,
            "for_statement": self._for,
            "c_style_for_statement": self._counting_for,
            "while_statement": self._while,
            "case_statement": self._case,
            "test_command": self._test,
            "declaration_command": self._declaration,
            "unset_command": self._unset,
            "compound_statement": self._compound,
            "comment": self._nothing,
        }

    def run(self, root: Node) -> list[Judgement]:
        """The judgements of all that the script may start."""
        self._statements(root)
        return self.found

    def _statements(self, node: Node, stdin: Stdin | None = None) -> None:
        """Judge what stands inside a block, or in a substitution."""
        for child in node.named_children:
            if child.type == "file_redirect":
                self._redirect(child)
            else:
                self._statement(child, stdin or Stdin())
        if any(child.type in ("$", "select", ";;") for child in node.children if not child.is_named):
            raise Refused(_("it uses a construct that is not judged"))

    def _statement(self, node: Node, stdin: Stdin) -> None:
        handler = self._handlers.get(node.type)
        if handler is not None:
            handler(node, stdin)
        elif node.type in _BLOCKS:
            self._statements(node, stdin)
        else:
            raise Refused(_("it uses {construct}, which is not judged").format(construct=node.type.replace("_", " ")))

    def _nothing(self, node: Node, stdin: Stdin) -> None:
        """A comment does nothing."""

    def _compound(self, node: Node, stdin: Stdin) -> None:
        """Either `{ commands; }` or `((arithmetic))`."""
        if text_of(node.child(0)) != "((":
            self._statements(node, stdin)
            return
        for child in node.named_children:
            self._decoder.arithmetic(child)
        self.found.append(reading())

    def _pipeline(self, node: Node, stdin: Stdin) -> None:
        for at, child in enumerate(node.named_children):
            self._statement(child, Stdin("pipe") if at else stdin)

    # -- commands

    def _command(self, node: Node, stdin: Stdin, more: Sequence[Word] = ()) -> None:
        words: list[Word] = []
        prefixes: list[Node] = []
        for child in node.children:
            if child.type == "variable_assignment":
                prefixes.append(child)
            elif child.type == "command_name":
                words.append(self._decoder.word(child.children[0]))
            elif child.type == "file_redirect":
                words += self._redirect(child)
            elif child.type == "herestring_redirect":
                stdin = Stdin("text", self._decoder.word(child.named_children[-1]))
            elif child.type in _WORDS:
                word = self._decoder.word(child)
                words.append(_glued(words.pop(), word) if _touches(child) else word)
            else:
                raise Refused(_("it uses a construct that is not judged"))
        for prefix in prefixes:
            self._prefix(prefix, words)
        self.found.append(self._judge_command([*words, *more], stdin))

    def _prefix(self, node: Node, words: Sequence[Word]) -> None:
        name, value = self._assigned(node)
        if name == "IFS" and words and words[0].text == "read":
            return
        self._check_assignable(name, value)

    def _redirected(self, node: Node, stdin: Stdin) -> None:
        more: list[Word] = []
        after: list[Node] = []
        body: Node | None = None
        for child in node.named_children:
            if child.type == "file_redirect":
                more += self._redirect(child)
                stdin = Stdin("file") if any(part.type == "<" for part in child.children) else stdin
            elif child.type == "heredoc_redirect":
                stdin, words, rest = self._heredoc(child)
                more += words
                after += rest
            elif child.type == "herestring_redirect":
                stdin = Stdin("text", self._decoder.word(child.named_children[-1]))
            elif body is None:
                body = child
            else:
                raise Refused(_("it uses a construct that is not judged"))
        self._body(body, stdin, more)
        for statement in after:
            self._statement(statement, Stdin("pipe") if statement.type == "pipeline" else Stdin())

    def _body(self, body: Node | None, stdin: Stdin, more: Sequence[Word]) -> None:
        """The statement a redirection belongs to; words behind the redirection are its own."""
        if body is None:
            return
        if body.type == "pipeline" and body.named_children[-1].type == "command":
            # The grammar hangs the redirection on the pipeline; bash gives it to the last command.
            for at, child in enumerate(body.named_children[:-1]):
                self._statement(child, Stdin("pipe") if at else Stdin())
            last = Stdin("pipe") if stdin.kind == "inherited" else stdin
            self._command(body.named_children[-1], last, more)
        elif body.type == "command":
            self._command(body, stdin, more)
        elif more:
            raise Refused(_("words stand behind a redirection that belongs to no command"))
        else:
            # Several commands may share the input, so none of them is known to read all of it.
            self._statement(body, Stdin("file") if stdin.kind == "text" else stdin)

    def _redirect(self, node: Node) -> list[Word]:
        """Judge a redirection; the words behind its target are arguments of the command."""
        nodes = [child for child in node.named_children if child.type in _WORDS]
        if any(map(_touches, nodes[1:])):
            raise Refused(_("the grammar takes one word for several"))
        words = [self._decoder.word(child) for child in nodes]
        operator = next(child.type for child in node.children if child.type != "file_descriptor")
        self.found.append(judge_redirect(operator, words[0] if words else None))
        return words[1:]

    def _heredoc(self, node: Node) -> tuple[Stdin, list[Word], list[Node]]:
        words: list[Word] = []
        after: list[Node] = []
        text = Word("")
        quoted = False
        for child in node.named_children:
            if child.type == "heredoc_start":
                quoted = text_of(child)[:1] in "'\"\\"
            elif child.type == "heredoc_body":
                text = self._decoder.heredoc(child, quoted=quoted)
            elif child.type == "file_redirect":
                words += self._redirect(child)
            elif child.type in _WORDS:
                words.append(self._decoder.word(child))
            elif child.type not in ("heredoc_end", "file_descriptor"):
                after.append(child)
        return Stdin("text", text), words, after

    # -- variables

    def _assigned(self, node: Node) -> tuple[str, Word]:
        name, *parts = node.named_children
        if name.type != "variable_name":
            raise Refused(_("it assigns to an array"))
        return text_of(name), self._decoder.word(parts[0], assigned=True) if parts else Word("")

    def _check_assignable(self, name: str, value: Word) -> None:
        if not _NAME.fullmatch(name):
            raise Refused(_("{name} is no name for a variable: it would be run").format(name=name))
        if value.constant and value.text in _SAFE_VALUES.get(name, ()):
            return
        if not assignable(name):
            self.found.append(unknown(_("{name} changes what other commands do").format(name=name)))

    def _assignment(self, node: Node, stdin: Stdin) -> None:
        name, value = self._assigned(node)
        self._check_assignable(name, value)
        self.found.append(reading())
        if node.child(1) is not None and text_of(node.child(1)) == "=":
            self._variables.settle(name, value, node)

    def _declaration(self, node: Node, stdin: Stdin) -> None:
        if text_of(node.child(0)) not in ("export", "readonly", "local", "declare"):
            raise Refused(_("it declares variables in a way that is not judged"))
        for child in node.named_children:
            if child.type == "variable_assignment":
                self._assignment(child, stdin)
            elif child.type == "variable_name":
                self._check_assignable(text_of(child), Word("", Kind.OUTPUT))
            elif text_of(child) not in ("-x", "-r", "-p"):
                raise Refused(_("it declares variables in a way that is not judged"))
        self.found.append(Judgement(reading().verdict, (), (), (text_of(node.child(0)),)))

    def _unset(self, node: Node, stdin: Stdin) -> None:
        for child in node.named_children:
            if child.type != "variable_name":
                raise Refused(_("it unsets something that is not a plain variable"))
            self._check_assignable(text_of(child), Word("", Kind.OUTPUT))
        self.found.append(reading())

    # -- control flow

    def _for(self, node: Node, stdin: Stdin) -> None:
        if text_of(node.child(0)) != "for":
            raise Refused(_("it uses select, which asks at a terminal"))
        name = node.child_by_field_name("variable")
        self._check_assignable(text_of(name), Word("", Kind.OUTPUT))
        nodes = [child for child in node.named_children if child != name and child.type != "do_group"]
        words = [self._decoder.word(child) for child in nodes]
        if any(map(_touches, nodes)):
            raise Refused(_("the grammar takes one word for several"))
        self._variables.settle_loop(text_of(name), words, nodes)
        for child in node.named_children:
            if child.type == "do_group":
                self._statements(child)

    def _counting_for(self, node: Node, stdin: Stdin) -> None:
        for child in node.named_children:
            if child.type in ("do_group", "compound_statement"):
                self._statements(child)
            elif child.type == "variable_assignment":
                self._assignment(child, stdin)
            else:
                self._decoder.arithmetic(child)

    def _while(self, node: Node, stdin: Stdin) -> None:
        condition = node.named_children[0]
        if text_of(condition) in ("true", ":") and text_of(node.child(0)) == "while":
            self.found.append(reading("unbounded"))
        self._statements(node, stdin)

    def _case(self, node: Node, stdin: Stdin) -> None:
        for at, child in enumerate(node.named_children):
            if child.type == "case_item":
                self._case_item(child)
            elif at == 0:
                self._decoder.word(child)
            elif child.type != "comment":
                raise Refused(_("it uses a construct that is not judged"))

    def _case_item(self, node: Node) -> None:
        pattern = True
        for child in node.children:
            if child.type == ")":
                pattern = False
            elif pattern and child.is_named:
                self._decoder.pattern(child)
            elif not pattern and child.is_named:
                self._statement(child, Stdin())

    # -- tests

    def _test(self, node: Node, stdin: Stdin) -> None:
        double = text_of(node.child(0)) == "[["
        for child in node.named_children:
            self._condition(child, double)
        self.found.append(Judgement(reading().verdict, (), (), ("[[" if double else "[",)))

    def _condition(self, node: Node, double: bool) -> None:
        if node.type in ("binary_expression", "unary_expression", "parenthesized_expression"):
            operator = next((text_of(child) for child in node.children if child.type == "test_operator"), "")
            if operator and operator not in _TEST_OPERATORS:
                raise Refused(_("the test {operator} is not judged").format(operator=operator))
            signs = {child.type for child in node.children if not child.is_named}
            # `[` is a command like any other: what compares inside [[ redirects and ends commands here.
            if not signs <= (_DOUBLE_SIGNS if double else _SINGLE_SIGNS):
                raise Refused(_("a test holds signs that mean something else to the shell"))
            for child in node.named_children:
                self._operand(child, double, operator)
        else:
            self._operand(node, double, "alone")

    def _operand(self, node: Node, double: bool, operator: str) -> None:
        if node.type in ("binary_expression", "unary_expression", "parenthesized_expression", "negated_command"):
            self._condition(node, double)
        elif node.type in ("extglob_pattern", "regex"):
            self._decoder.pattern(node)
        elif node.type in _WORDS:
            word = self._decoder.word(node)
            # [[ a -eq b ]] computes both sides, and `[ $x ]` may turn into any test at all.
            if (double and operator in _ARITHMETIC and not computable(word)) or (
                not double and operator == "alone" and word.kind is Kind.MANY
            ):
                raise Refused(_("a test depends on a word built when it runs"))
        elif node.type not in ("test_operator", "comment"):
            raise Refused(_("it uses a construct that is not judged"))


def _touches(node: Node) -> bool:
    """Whether a word begins where another ends, and so is one with it to bash, also where the grammar sees two."""
    before = node.prev_sibling
    if before is None or before.end_byte != node.start_byte or text_of(node)[:1].isspace():
        return False
    if before.type not in _WORDS and before.type != "command_name":
        raise Refused(_("the grammar takes one word for several"))
    return True


def _glued(first: Word, second: Word) -> Word:
    """The one word that two are whose ends touch; `first` is an argument of which all is plain and known."""
    if not first.constant or not _PLAIN_ARGUMENT.fullmatch(first.text):
        raise Refused(_("the grammar takes one word for several"))
    return Word(first.text + second.text, second.kind)


_BLOCKS = names("""program list subshell do_group if_statement elif_clause else_clause
    negated_command variable_assignments""")
