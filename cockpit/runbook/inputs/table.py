"""The inputs of a document: each blank once, with the steps that use it and what the document says of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cockpit.runbook.document.markdown import Block
from cockpit.runbook.drafts import Draft
from cockpit.runbook.inputs.blanks import blanks_in, blanks_in_message
from cockpit.runbook.inputs.explanations import Explanations
from cockpit.runbook.inputs.spellings import Spellings
from cockpit.runbook.inputs.variables import Blank, is_secret, names_for_a_second_shell
from cockpit.runbook.model import Input, StepKind, joined

_EXPLAINED_AT_MOST = 200
_VARIABLES = re.compile(r"```[ \t]*variables[^\n]*\n(.*?)```", re.DOTALL)
_EXPORT = re.compile(
    r"^[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)=(?:\"([^\"\n]*)\"|'([^'\n]*)'|"
    r"([^\s#]*))",
    re.MULTILINE,
)


_Key = tuple[str, str]
_Plain = str | int | float


@dataclass(frozen=True, slots=True)
class _Listed:
    """What the document's head says of one input."""

    default: str | None = None
    secret: bool = False
    help: str = ""


class InputTable:
    """Grows while the steps are read, in document order."""

    def __init__(self, front: Mapping[str, Any]) -> None:
        self._assigned: set[str] = set()
        self._listed = _listed(front)
        self._first: dict[_Key, Blank] = {}
        self._names: dict[_Key, str] = {}
        self._spellings: dict[str, dict[str, Blank]] = {}
        self._taken: set[str] = set()
        self._users: dict[str, list[Draft]] = {}

    def variables(self, html: str) -> None:
        """Take an Innovation Engine comment with variables: their values are defaults."""
        for body in _VARIABLES.findall(html):
            for name, double, single, bare in _EXPORT.findall(body):
                self._listed.setdefault(name, _Listed(double or single or bare))

    def take(self, draft: Draft) -> None:
        """Find a draft's blanks and name them on it and its parts."""
        if draft.kind is StepKind.COMMAND and draft.code is not None:
            self._command(draft)
        elif draft.kind is StepKind.MESSAGE and draft.text is not None:
            draft.inputs = self._named(blanks_in_message(draft.text), draft)

    def _command(self, draft: Draft) -> None:
        language = draft.language or "bash"
        if len(draft.parts) < 2:
            draft.inputs = self._named(self._blanks(draft.code or "", language), draft)
            return
        seen: dict[str, None] = {}
        for part in draft.parts:
            part.inputs = self._named(self._blanks(part.code, language), draft)
            seen.update(dict.fromkeys(part.inputs))
        draft.inputs = tuple(seen)

    def settle(self, drafts: list[Draft]) -> None:
        """Give every draft the inputs that only another place of the document showed to be inputs."""
        spellings = Spellings((name, blank) for name, forms in self._spellings.items() for blank in forms.values())
        if not self._names:
            return
        for draft in drafts:
            if draft.kind is StepKind.COMMAND and draft.code is not None:
                self._settle_command(draft, spellings)
            elif draft.kind is StepKind.MESSAGE and draft.text is not None:
                draft.inputs = self._with(draft.inputs, spellings.names_in(draft.text, "text"), draft)

    def _settle_command(self, draft: Draft, spellings: Spellings) -> None:
        language = draft.language or "bash"
        if len(draft.parts) < 2:
            draft.inputs = self._with(draft.inputs, self._elsewhere(draft.code or "", language, spellings), draft)
            return
        for part in draft.parts:
            part.inputs = self._with(part.inputs, self._elsewhere(part.code, language, spellings), draft)
        draft.inputs = tuple(dict.fromkeys(name for part in draft.parts for name in part.inputs))

    def _elsewhere(self, code: str, language: str, spellings: Spellings) -> Iterator[str]:
        """The inputs of other places that this code uses too."""
        yield from spellings.names_in(code, language)
        if language == "bash":
            yield from (name for name in names_for_a_second_shell(code) if (name, "dollar") in self._names)

    def _blanks(self, code: str, language: str) -> list[Blank]:
        """The blanks of a command; what the document lists as an input is one in a second shell's text, too."""
        found = blanks_in(code, language, self._assigned)
        if language == "bash" and self._listed:
            listed = dict.fromkeys(name for name in names_for_a_second_shell(code) if name in self._listed)
            found += [Blank(name, f"${name}", "dollar", 0, secret=is_secret(name)) for name in listed]
        return found

    def _with(self, names: tuple[str, ...], more: Iterator[str], draft: Draft) -> tuple[str, ...]:
        known = set(names)
        new = [name for name in dict.fromkeys(more) if name not in known]
        for name in new:
            self._users[name].append(draft)
        return (*names, *new) if new else names

    def _named(self, blanks: list[Blank], draft: Draft) -> tuple[str, ...]:
        names: dict[str, None] = {}
        for blank in blanks:
            key = _key(blank)
            name = self._names.get(key)
            if name is None:
                name = self._new_name(blank)
                self._names[key] = name
                self._first[key] = self._as_listed(name, blank)
                self._users[name] = []
            self._spellings.setdefault(name, {}).setdefault(blank.written, blank)
            names[name] = None
            if draft not in self._users[name][-1:]:
                self._users[name].append(draft)
        return tuple(names)

    def _default(self, name: str, blank: Blank, explained: Explanations | None) -> str | None:
        listed = self._listed.get(name)
        default = blank.default if listed is None or listed.default is None else listed.default
        if default is None and explained is not None and not blank.secret:
            return explained.default(blank)
        return default

    def _as_listed(self, name: str, blank: Blank) -> Blank:
        """The blank with what the document's head adds. It may make a secret of it, never the other way round."""
        listed = self._listed.get(name)
        if listed is None:
            return blank
        return replace(blank, secret=blank.secret or listed.secret, help=listed.help or blank.help)

    def _new_name(self, blank: Blank) -> str:
        # Two spellings of one name ($POD and <POD>) stay two inputs: each has its own place in the grammar.
        name, number = blank.name, 2
        while name in self._taken:
            name = f"{blank.name}-{number}"
            number += 1
        self._taken.add(name)
        return name

    def finished(self, step_ids: Mapping[int, str], blocks: list[Block]) -> tuple[Input, ...]:
        """The inputs, in the order they are met.

        Args:
            step_ids: a draft's step id, by the draft's identity.
            blocks: the document, for what it says about an input.
        """
        explained = Explanations(blocks)
        return tuple(
            Input(
                name,
                blank.written,
                blank.style,
                self._default(name, blank, explained if position < _EXPLAINED_AT_MOST else None),
                blank.secret,
                tuple(dict.fromkeys(step_ids[id(draft)] for draft in sorted(self._users[name], key=_by_line))),
                blank.help or (explained.of(blank) if position < _EXPLAINED_AT_MOST else ""),
                tuple(self._spellings[name]) if len(self._spellings[name]) > 1 else (),
            )
            for position, (key, blank) in enumerate(self._first.items())
            for name in (self._names[key],)
        )


def _key(blank: Blank) -> _Key:
    """What two blanks share that are one input: `<pod name>` and `<pod-name>`, `{{ a }}` and `{{a}}`; not `{a}`."""
    if blank.style == "dollar":
        return blank.name, "dollar"
    if blank.style == "literal":
        return blank.written, "literal"
    return joined(blank.name), "double-brace" if blank.written.startswith("{{") else blank.style


def _by_line(draft: Draft) -> int:
    return draft.line


def _listed(front: Mapping[str, Any]) -> dict[str, _Listed]:
    """`inputs`, `variables` or `env` of the front matter, by name.

    A mapping of defaults, or of mappings with `default`, `secret` and `help` (or `description`); or a list of such
    mappings with `name`.
    """
    found: dict[str, _Listed] = {}
    for key in ("inputs", "variables", "env"):
        values = front.get(key)
        if isinstance(values, list | tuple):
            values = {str(each["name"]): each for each in values if isinstance(each, Mapping) and "name" in each}
        if isinstance(values, Mapping):
            found |= {str(name): _of_one(value) for name, value in values.items()}
    return found


def _of_one(value: object) -> _Listed:
    if not isinstance(value, Mapping):
        return _Listed(_text(value))
    told = next((value[key] for key in ("help", "description") if isinstance(value.get(key), str)), "")
    return _Listed(_text(value.get("default")), value.get("secret") is True, told.strip())


def _text(value: object) -> str | None:
    return str(value) if isinstance(value, _Plain) else None
