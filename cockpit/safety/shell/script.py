"""Walking a script's tree: every command it may start is judged, whether or not it would be reached."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from cockpit.safety.environment import assignable
from cockpit.safety.shell.conditions import check_test
from cockpit.safety.shell.decoding import Decoder, text_of
from cockpit.safety.shell.functions import Functions, said
from cockpit.safety.shell.grammar import WORDS, Refused
from cockpit.safety.shell.redirects import judge_redirect
from cockpit.safety.shell.roles import names_privileged
from cockpit.safety.shell.tool import Stdin
from cockpit.safety.shell.variables import Variables
from cockpit.safety.shell.words import Kind, Word
from cockpit.safety.tables import names
from cockpit.safety.verdict import Judgement, reading, unknown
from cockpit.words import _

if TYPE_CHECKING:
    from tree_sitter import Node

JudgeCommand = Callable[[Sequence[Word], Stdin], Judgement]

# Variables that are safe with these values only, though a script may set them to worse.
_SAFE_VALUES = {
    "PAGER": ("cat", ""), "AWS_PAGER": ("cat", ""), "GIT_PAGER": ("cat", ""), "SYSTEMD_PAGER": ("cat", ""),
    "MANPAGER": ("cat",), "GIT_OPTIONAL_LOCKS": ("0",), "GIT_TERMINAL_PROMPT": ("0",),
    "PGOPTIONS": ("-c default_transaction_read_only=on",), "SYSTEMD_LESS": ("",),
}  # fmt: skip
# Whole commands that write nothing, or a line's end at most: to a port, that asks whether somebody listens.
_SAYS_NOTHING = frozenset({"", "echo", ":", "true"})
_PLAIN_ARGUMENT = re.compile(r"[\w/.:@%+,=-]*[/.:@%+,=-]", re.ASCII)
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)


class Script:
    """Judges one parsed script.

    Args:
        root: the tree, through the gate of `grammar`.
        judge_command: judges one command by its decoded words.
        values: exact values of the variables, where they are known.
        is_known: whether a name is a command's, so that no function may take it.
    """

    def __init__(
        self,
        root: Node,
        judge_command: JudgeCommand,
        values: Mapping[str, str] | None,
        is_known: Callable[[str], bool],
    ) -> None:
        self._judge_command = judge_command
        self._variables = Variables(root, values)
        self._decoder = Decoder(self._variables, self._inside)
        self._functions = Functions(root, is_known)
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
            "function_definition": self._function,
            "declaration_command": self._declaration,
            "unset_command": self._unset,
            "compound_statement": self._compound,
            "comment": self._nothing,
        }

    def run(self, root: Node, stdin: Stdin) -> list[Judgement]:
        """The judgements of all that the script may start, reading from `stdin`."""
        self._statements(root, stdin)
        for body in self._functions.uncalled():
            with self._variables.called_with(None):
                self._statement(body, Stdin("file"))
        return self.found

    def _inside(self, node: Node) -> None:
        """Judge a substitution: it reads what the command reads that it stands in."""
        self._statements(node, Stdin("file"))

    def _function(self, node: Node, stdin: Stdin) -> None:
        self._functions.define(node)

    def _call(self, name: str, words: Sequence[Word], stdin: Stdin) -> None:
        """A function of the script is called: its body, with the words for its parameters."""
        body = self._functions.enter(name)
        bound = None if self._functions.shifts(body) else words
        with self._variables.called_with(bound):
            self._statement(body, stdin)
        self._functions.leave()

    def _test(self, node: Node, stdin: Stdin) -> None:
        self.found.append(Judgement(reading().verdict, (), (), (check_test(node, self._decoder),)))

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
        before: Node | None = None
        for child in node.named_children:
            self._statement(child, self._piped(before) if before is not None else stdin)
            before = child

    def _piped(self, before: Node) -> Stdin:
        """What a command in front of a pipe says into it, where that is known: an `echo` of constants."""
        if before.type != "command":
            return Stdin("pipe")
        parts = [child for child in before.named_children if child.type not in ("command_name", "comment")]
        if any(part.type not in ("word", "string", "raw_string", "number", "concatenation") for part in parts):
            return Stdin("pipe")
        if any("$" in text_of(part) or "`" in text_of(part) for part in parts if part.type != "raw_string"):
            return Stdin("pipe")
        text = said(text_of(before.child_by_field_name("name")), [self._decoder.word(part) for part in parts])
        return Stdin("pipe") if text is None else Stdin("text", Word(text))

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
                stdin = _read_from(child, stdin)
            elif child.type == "herestring_redirect":
                stdin = Stdin("text", self._decoder.word(child.named_children[-1]))
            elif child.type in WORDS:
                word = self._decoder.word(child)
                words.append(_glued(words.pop(), word) if _touches(child) else word)
            else:
                raise Refused(_("it uses a construct that is not judged"))
        for prefix in prefixes:
            self._prefix(prefix, words)
        if words and words[0].constant and self._functions.defines(words[0].text):
            self._call(words[0].text, [*words[1:], *more], stdin)
        else:
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
        outer = stdin
        silent = _says_nothing(node)
        for child in node.named_children:
            if child.type == "file_redirect":
                more += self._redirect(child, silent=silent)
                stdin = _read_from(child, stdin)
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
        self._body(body, stdin, more, outer)
        for statement in after:
            self._statement(statement, Stdin("pipe") if statement.type == "pipeline" else Stdin("file"))

    def _body(self, body: Node | None, stdin: Stdin, more: Sequence[Word], outer: Stdin) -> None:
        """The statement a redirection belongs to; words behind the redirection are its own."""
        if body is None:
            return
        if body.type == "pipeline" and body.named_children[-1].type == "command":
            # The grammar hangs the redirection on the pipeline; bash gives it to the last command.
            before: Node | None = None
            for child in body.named_children[:-1]:
                self._statement(child, self._piped(before) if before is not None else outer)
                before = child
            piped = before is not None and stdin is outer
            self._command(body.named_children[-1], self._piped(before) if before and piped else stdin, more)
        elif body.type == "command":
            self._command(body, stdin, more)
        elif more:
            raise Refused(_("words stand behind a redirection that belongs to no command"))
        else:
            # Several commands may share the input, so none of them is known to read all of it.
            self._statement(body, Stdin("file") if stdin.kind == "text" else stdin)

    def _redirect(self, node: Node, *, silent: bool = False) -> list[Word]:
        """Judge a redirection; words behind its target are arguments of the command. `silent`: nothing is written."""
        nodes = [child for child in node.named_children if child.type in WORDS]
        if any(map(_touches, nodes[1:])):
            raise Refused(_("the grammar takes one word for several"))
        words = [self._decoder.word(child) for child in nodes]
        operator = next(child.type for child in node.children if child.type != "file_descriptor")
        self.found.append(judge_redirect(operator, words[0] if words else None, silent=silent))
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
            elif child.type in WORDS:
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
        if names_privileged(name, value.text):
            self.found.append(reading("privileged-role"))
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
        if self._functions.any:
            raise Refused(_("it may unset a function"))
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
                self._statements(child, stdin)

    def _counting_for(self, node: Node, stdin: Stdin) -> None:
        for child in node.named_children:
            if child.type in ("do_group", "compound_statement"):
                self._statements(child, stdin)
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
                self._case_item(child, stdin)
            elif at == 0:
                self._decoder.word(child)
            elif child.type != "comment":
                raise Refused(_("it uses a construct that is not judged"))

    def _case_item(self, node: Node, stdin: Stdin) -> None:
        pattern = True
        for child in node.children:
            if child.type == ")":
                pattern = False
            elif pattern and child.is_named:
                self._decoder.pattern(child)
            elif not pattern and child.is_named:
                self._statement(child, stdin)


def _says_nothing(node: Node) -> bool:
    body = text_of(node.child_by_field_name("body"))
    return body in _SAYS_NOTHING or (body == "cat" and any(map(_is_empty, node.named_children)))


def _is_empty(redirect: Node) -> bool:
    return text_of(redirect).replace(" ", "") in ("</dev/null", "0</dev/null")


def _read_from(redirect: Node, stdin: Stdin) -> Stdin:
    """Where a command reads from behind a redirection."""
    if not any(part.type.startswith("<") for part in redirect.children):
        return stdin
    return Stdin() if _is_empty(redirect) else Stdin("file")


def _touches(node: Node) -> bool:
    """Whether a word begins where another ends, and so is one with it to bash, also where the grammar sees two."""
    before = node.prev_sibling
    if before is None or before.end_byte != node.start_byte or text_of(node)[:1].isspace():
        return False
    if before.type not in WORDS and before.type != "command_name":
        raise Refused(_("the grammar takes one word for several"))
    return True


def _glued(first: Word, second: Word) -> Word:
    """The one word that two are whose ends touch; `first` is an argument of which all is plain and known."""
    if not first.constant or not _PLAIN_ARGUMENT.fullmatch(first.text):
        raise Refused(_("the grammar takes one word for several"))
    return Word(first.text + second.text, second.kind)


_BLOCKS = names("""program list subshell do_group if_statement elif_clause else_clause
    negated_command variable_assignments""")
