"""Putting values into a command's blanks, each quoted for the exact place it stands in.

`$NAME` blanks become environment variables and the text stays as written, but in what single quotes keep for a second
shell (see second_shell.py) and in HTTP requests, of which all is literal. Every other spelling (`<pod-name>`,
`[version]`, `{{x}}`, `your-server-ip`) is replaced by a literal: a marker word is put there first, the grammar tells
what surrounds it (bare word, double or single quotes, here-document), and the value is quoted for that. Where the
text is read once more, by the shell behind `ssh` or `bash -c`, by backticks or by a database, one quoting is not
enough, and only values that need none are taken.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from cockpit.adapters.http.filling import filled_request
from cockpit.errors import UsageError
from cockpit.runbook.commands.languages import ACTIONS
from cockpit.runbook.model import Input
from cockpit.session.filling.quoting import QUOTE
from cockpit.session.filling.second_shell import fill_second_shell
from cockpit.session.filling.shell_place import place_of, tree_of
from cockpit.words import _

_MARKER = "cockpitblank{number}x"
_MARKERS = re.compile(r"cockpitblank(\d+)x")
_POWERSHELL_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_POWERSHELL_VERB = re.compile(r"(?:\A|[\n;|&{(=])\s*\Z")
# Here-strings, comments, backticks and typographic quotes: what stands behind them is not told apart here.
_POWERSHELL_ODD = re.compile("@['\"]|#|`|[\u2018-\u201f]")
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
    requests: list[tuple[re.Pattern[str], str]] = []
    missing = []
    for blank in inputs:
        value = values.get(blank.name, blank.default)
        if value is None:
            missing.append(blank.name)
            continue
        if _CONTROL.search(value):
            raise UsageError(_("the value of {name} holds a control character").format(name=blank.name))
        if language == "http":
            requests += [(spelling(form), value) for form in _every_form(blank)]
        elif blank.style == "dollar":
            environment[blank.name] = value
        else:
            literals += [(form, value) for form in blank.forms]
    body = filled_request(code, requests) if requests else code
    body = _literals(body, language, literals) if literals else body
    if environment and language == "bash" and "'" in body:
        secret = {blank.name for blank in inputs if blank.secret}
        body = fill_second_shell(body, environment, secret)
    return Filled(body, environment, tuple(missing))


def _every_form(blank: Input) -> tuple[str, ...]:
    """Of a request all is literal: the longest form first, `$NAME` in either spelling."""
    if blank.style != "dollar":
        return blank.forms
    return tuple(dict.fromkeys((*blank.forms, f"${{{blank.name}}}", f"${blank.name}")))


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
    places = _PLACES.get(language, _text_places)(marked)

    def quoted(match: re.Match[str]) -> str:
        place = places.get(match.start(), "unknown")
        return QUOTE[place](values[int(match.group(1))])

    return _MARKERS.sub(quoted, marked)


def spelling(written: str) -> re.Pattern[str]:
    """Where a blank stands: not inside a longer word (`token` in `tokens`), nor behind a dollar (`{id}` in `${id}`)."""
    before = r"(?<!\w)" if written[0].isalnum() or written[0] == "_" else r"(?<!\$)"
    after = r"(?!\w)" if written[-1].isalnum() or written[-1] == "_" else ""
    return re.compile(before + re.escape(written) + after)


def _shell_places(marked: str) -> dict[int, str]:
    """The kind of place the shell's grammar sees each marker in."""
    source = marked.encode()
    root = tree_of(source)
    places = {}
    for match in _MARKERS.finditer(marked):
        offset = len(marked[: match.start()].encode())
        node = root.descendant_for_byte_range(offset, offset + len(match.group()))
        places[match.start()] = place_of(node, source)
    return places


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


def _redis_places(marked: str) -> dict[int, str]:
    """A whole word, inside "...", or elsewhere (a part of a word, inside '...', behind a backslash)."""
    places = {}
    for match in _MARKERS.finditer(marked):
        line = marked[: match.start()].rpartition("\n")[2]
        alone = not line[-1:].strip() and not marked[match.end() : match.end() + 1].strip()
        if "'" in line or "\\" in line:
            places[match.start()] = "redis-part"
        elif line.count('"') % 2:
            places[match.start()] = "redis-double"
        else:
            places[match.start()] = "redis-word" if alone else "redis-part"
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


def _powershell_places(marked: str) -> dict[int, str]:
    """A whole word, inside '...', or elsewhere, where only what needs no quotes is taken."""
    places = {}
    for match in _MARKERS.finditer(marked):
        before, behind = marked[: match.start()], marked[match.end() : match.end() + 1]
        outside = _POWERSHELL_QUOTED.sub("", before)
        alone = not before[-1:].strip() and not behind.strip() and not _POWERSHELL_VERB.search(before)
        if _POWERSHELL_ODD.search(before) or '"' in outside:
            places[match.start()] = "powershell-part"
        elif "'" in outside:
            places[match.start()] = "powershell-string"
        else:
            places[match.start()] = "powershell-word" if alone else "powershell-part"
    return places


def _text_places(marked: str) -> dict[int, str]:
    return {match.start(): "text" for match in _MARKERS.finditer(marked)}


_PLACES: Mapping[str, Callable[[str], dict[int, str]]] = {
    "bash": _shell_places,
    "powershell": _powershell_places,
    "sql": _sql_places,
    "redis": _redis_places,
    "promql": _query_places,
    "logql": _query_places,
    **dict.fromkeys(ACTIONS, _word_places),
}
"""By language, the kind of place of each marker, by its character offset: a key of `QUOTE`. What no adapter runs is
text."""
