"""Putting values into a command's blanks, each quoted for the exact place it stands in.

`$NAME` blanks become environment variables and the text stays as written, but in what single quotes keep for a second
shell (see second_shell.py). Every other spelling (`<pod-name>`,
`[version]`, `{{x}}`, `your-server-ip`) is replaced by a literal: a marker word is put there first, the grammar tells
what surrounds it (bare word, double or single quotes, here-document), and the value is quoted for that. Where the
text is read once more, by the shell behind `ssh` or `bash -c`, by backticks or by a database, one quoting is not
enough, and only values that need none are taken.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cockpit.errors import UsageError
from cockpit.runbook.model import Input
from cockpit.words import _

if TYPE_CHECKING:
    from tree_sitter import Node

_MARKER = "cockpitblank{number}x"
_MARKERS = re.compile(r"cockpitblank(\d+)x")
_SQL_BARE = re.compile(r"[A-Za-z0-9_.]+")
_PLAIN = re.compile(r"[\w@%+=:,./-]+")
_READ_AGAIN = re.compile(
    r"(?:.*/)?(?:(?:ba|da|z|k|a|s)?sh|eval|su|runuser|watch|parallel|[gm]?awk|perl|python[\d.]*|ruby|node|"
    r"psql|mysql|mariadb|sqlite3|mongosh)"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Filled:
    """A command with its values. `environment` holds the `$NAME` ones; `missing` names the blanks without a value."""

    body: str
    environment: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()


def fill(code: str, language: str, inputs: Sequence[Input], values: Mapping[str, str]) -> Filled:
    """The command with the values of its inputs in place.

    Args:
        inputs: the inputs this command uses; those not written in `code` are left alone.
        values: by input name; a missing one falls back to the input's default.

    Raises:
        UsageError: a value that can't stand where it is to go (control characters, a bare SQL word with blanks).
    """
    environment: dict[str, str] = {}
    literals: list[tuple[str, str]] = []
    missing = []
    for blank in inputs:
        value = values.get(blank.name, blank.default)
        if value is None:
            missing.append(blank.name)
            continue
        if _CONTROL.search(value):
            raise UsageError(_("the value of {name} holds a control character").format(name=blank.name))
        if blank.style == "dollar":
            environment[blank.name] = value
        else:
            literals += [(form, value) for form in blank.forms]
    body = _literals(code, language, literals) if literals else code
    if environment and language == "bash" and "'" in body:
        from cockpit.session.second_shell import fill_second_shell

        secret = {blank.name for blank in inputs if blank.secret}
        body = fill_second_shell(body, environment, secret)
    return Filled(body, environment, tuple(missing))


def announcement(text: str, blanks: Sequence[Input], values: Mapping[str, str], *, rehearsal: bool) -> str:
    """A message as it goes out: filled in; one of a rehearsal says so, wherever it is pasted."""
    filled = fill_text(text, blanks, values)
    return f"{_('[TRAINING]')} {filled}" if rehearsal else filled


def fill_text(text: str, inputs: Sequence[Input], values: Mapping[str, str]) -> str:
    """A message template with the values it has; other blanks stay as written."""
    forms = [(form, blank) for blank in inputs for form in blank.forms]
    for form, blank in sorted(forms, key=lambda pair: -len(pair[0])):
        value = values.get(blank.name, blank.default)
        if value is not None:
            text = text.replace(form, value)
    return text


def _literals(code: str, language: str, literals: list[tuple[str, str]]) -> str:
    marked = code
    values: list[str] = []
    for written, value in sorted(literals, key=lambda pair: -len(pair[0])):
        marker = _MARKER.format(number=len(values))
        marked, found = spelling(written).subn(marker, marked)
        if found:
            values.append(value)
    if language == "bash":
        places = _shell_places(marked)
    elif language == "sql":
        places = _sql_places(marked)
    elif language in ("promql", "logql"):
        places = _query_places(marked)
    elif language in ("kubernetes", "aws"):
        places = _word_places(marked)
    else:
        places = {match.start(): "text" for match in _MARKERS.finditer(marked)}

    def quoted(match: re.Match[str]) -> str:
        place = places.get(match.start(), "unknown")
        return QUOTE[place](values[int(match.group(1))])

    return _MARKERS.sub(quoted, marked)


def spelling(written: str) -> re.Pattern[str]:
    """Where a blank stands: not inside a longer word (`token` in `tokens`), nor behind a dollar (`{id}` in `${id}`)."""
    before = r"(?<!\w)" if written[0].isalnum() or written[0] == "_" else r"(?<!\$)"
    after = r"(?!\w)" if written[-1].isalnum() or written[-1] == "_" else ""
    return re.compile(before + re.escape(written) + after)


def _refuse(value: str) -> str:
    raise UsageError(
        _("the place of {value} in the command is not understood").format(value=repr(value)),
        mend=_("edit the command by hand"),
    )


def _double(value: str) -> str:
    return re.sub(r'([\\"$`])', r"\\\1", value)


def _single(value: str) -> str:
    return value.replace("'", "'\\''")


def _raw_heredoc(value: str) -> str:
    if "\n" in value:
        raise UsageError(_("a value of several lines can't stand in a here-document"))
    return value


def _heredoc(value: str) -> str:
    return re.sub(r"([\\$`])", r"\\\1", _raw_heredoc(value))


def _sql_bare(value: str) -> str:
    if not _SQL_BARE.fullmatch(value):
        raise UsageError(_("{value} can't stand in SQL without quotes").format(value=repr(value)))
    return value


def _query_bare(value: str) -> str:
    from cockpit.adapters.prometheus.question import bare

    return bare(value)


def _query_quoted(quote: str) -> Callable[[str], str]:
    def quoted(value: str) -> str:
        from cockpit.adapters.prometheus.question import in_quotes

        return in_quotes(value, quote)

    return quoted


def _comment(value: str) -> str:
    return value.replace("\n", " ")


def _sql_string(value: str) -> str:
    return value.replace("'", "''")


def _sql_name(value: str) -> str:
    return value.replace('"', '""')


def _as_it_is(value: str) -> str:
    if not _PLAIN.fullmatch(value):
        raise UsageError(
            _("{value} would be read a second time, by what the command starts").format(value=repr(value)),
            mend=_("edit the command by hand"),
        )
    return value


QUOTE: Mapping[str, Callable[[str], str]] = {
    "word": shlex.quote,
    "double": _double,
    "single": _single,
    "heredoc": _heredoc,
    "raw-heredoc": _raw_heredoc,
    "comment": _comment,
    "sql-bare": _sql_bare,
    "sql-string": _sql_string,
    "sql-name": _sql_name,
    "query-bare": _query_bare,
    'query-"': _query_quoted('"'),
    "query-'": _query_quoted("'"),
    "query-`": _query_quoted("`"),
    "read-again": _as_it_is,
    "text": str,
    "unknown": _refuse,
}

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


def _shell_places(marked: str) -> dict[int, str]:
    """For each marker (by character offset) the kind of place the shell's grammar sees it in."""
    source = marked.encode()
    root = tree_of(source)
    places = {}
    for match in _MARKERS.finditer(marked):
        offset = len(marked[: match.start()].encode())
        node = root.descendant_for_byte_range(offset, offset + len(match.group()))
        places[match.start()] = "read-again" if is_read_again(node) else place_of(node, source)
    return places


def tree_of(source: bytes) -> Node:
    """The shell's grammar of a script, for placing values in it; judging has a stricter one."""
    import tree_sitter_bash
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_bash.language())).parse(source).root_node


def _ancestors(node: Node | None) -> Iterator[Node]:
    while node is not None:
        yield node
        node = node.parent


def is_read_again(node: Node | None) -> bool:
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
    words = ((child.text or b"").decode("utf-8", "replace").strip("\"'") for child in command.named_children)
    return any(_READ_AGAIN.fullmatch(word) for word in words)


def place_of(node: Node | None, source: bytes) -> str:
    """The kind of place a node of a shell script stands in: a key of QUOTE."""
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


def _word_places(marked: str) -> dict[int, str]:
    """A typed action's words: bare ones are quoted; inside quotes only what needs none."""
    places = {}
    for match in _MARKERS.finditer(marked):
        before = marked[: match.start()]
        places[match.start()] = "read-again" if before.count("'") % 2 or before.count('"') % 2 else "word"
    return places


def _sql_places(marked: str) -> dict[int, str]:
    """Inside '...' a string, inside "..." a name, elsewhere bare."""
    places = {}
    for match in _MARKERS.finditer(marked):
        before = marked[: match.start()]
        if before.count("'") % 2:
            places[match.start()] = "sql-string"
        else:
            places[match.start()] = "sql-name" if before.count('"') % 2 else "sql-bare"
    return places


def _query_places(marked: str) -> dict[int, str]:
    """PromQL and LogQL: inside one of three kinds of quotes, else bare."""
    from cockpit.adapters.prometheus.question import QUOTED

    quotes = [(found.start(), found.end(), found[0][0]) for found in QUOTED.finditer(marked)]
    places = {}
    for match in _MARKERS.finditer(marked):
        around = next((quote for start, end, quote in quotes if start < match.start() < end), "bare")
        places[match.start()] = f"query-{around}"
    return places
