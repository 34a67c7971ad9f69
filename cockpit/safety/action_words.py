"""The words of a typed action, as a runbook writes one: `rollout undo deployment/api -n shop`.

One action a line, words quoted as in a shell, `# comments`, and a backslash that carries on to the next line. Nothing
else of a shell exists here: an operator is an error, never a word. `$NAME` and `${NAME}` stand for an input's value,
which becomes part of one word whatever it holds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from cockpit.errors import UsageError
from cockpit.words import _

_BLANK = re.compile(r"[ \t\r]+|\\\r?\n")
_PLAIN = re.compile(r"[^\s'\"\\$`|&;<>()]+")
_VARIABLE = re.compile(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})", re.ASCII)
_IN_DOUBLE = re.compile(r'[^"\\$`]+')


@dataclass(frozen=True, slots=True)
class Variable:
    """An input that stands in a word."""

    name: str


@dataclass(frozen=True, slots=True)
class ActionWord:
    """One word: texts and inputs, in order."""

    parts: tuple[str | Variable, ...]

    @property
    def text(self) -> str | None:
        """The word, when it holds no input; None when its value is needed to know it."""
        return "".join(part for part in self.parts if isinstance(part, str)) if self.constant else None

    @property
    def constant(self) -> bool:
        """Whether every character is known without values."""
        return all(isinstance(part, str) for part in self.parts)

    @property
    def beginning(self) -> str:
        """The text before the first input."""
        return self.parts[0] if self.parts and isinstance(self.parts[0], str) else ""

    def filled(self, values: Mapping[str, str]) -> str:
        """The word with its values.

        Raises:
            UsageError: an input has no value.
        """
        missing = [part.name for part in self.parts if isinstance(part, Variable) and part.name not in values]
        if missing:
            raise UsageError(_("inputs are missing: {names}").format(names=", ".join(missing)))
        return "".join(part if isinstance(part, str) else values[part.name] for part in self.parts)

    def after(self, length: int) -> ActionWord:
        """The word without the first characters of its constant beginning."""
        rest = self.beginning[length:]
        return ActionWord((rest, *self.parts[1:]) if rest or not self.parts[1:] else self.parts[1:])


def action_lines(text: str) -> tuple[tuple[ActionWord, ...], ...]:
    """The actions of a step, each as its words.

    Raises:
        UsageError: a quote that is not closed, or something that only a shell would understand.
    """
    lines: list[tuple[ActionWord, ...]] = []
    words: list[ActionWord] = []
    at = 0
    while at < len(text):
        blank = _BLANK.match(text, at)
        if blank:
            at = blank.end()
        elif text[at] == "\n" or text[at] == "#":
            at = len(text) if text[at] == "#" and "\n" not in text[at:] else text.index("\n", at) + 1
            lines.append(tuple(words))
            words = []
        else:
            word, at = _word(text, at)
            words.append(word)
    lines.append(tuple(words))
    return tuple(line for line in lines if line)


def _word(text: str, at: int) -> tuple[ActionWord, int]:
    parts: list[str | Variable] = [""]
    while at < len(text) and not text[at].isspace() and not _BLANK.match(text, at):
        at = _piece(text, at, parts)
    return ActionWord(_joined(parts)), at


def _piece(text: str, at: int, parts: list[str | Variable]) -> int:
    """Take one quoted or plain piece of a word; where the next one begins."""
    if text[at] == "'":
        end = text.find("'", at + 1)
        if end < 0:
            raise _not_closed(text, at)
        parts.append(text[at + 1 : end])
        return end + 1
    if text[at] == '"':
        return _double(text, at, parts)
    if text[at] == "\\" and at + 1 < len(text):
        parts.append(text[at + 1])
        return at + 2
    found = _PLAIN.match(text, at)
    if found:
        parts.append(found[0])
        return found.end()
    return _variable(text, at, parts)


def _double(text: str, start: int, parts: list[str | Variable]) -> int:
    at = start + 1
    while at < len(text):
        if text[at] == '"':
            return at + 1
        found = _IN_DOUBLE.match(text, at)
        if found:
            parts.append(found[0])
            at = found.end()
        elif text[at] == "\\" and at + 1 < len(text):
            parts.append(text[at + 1] if text[at + 1] in '"\\$`' else text[at : at + 2])
            at += 2
        else:
            at = _variable(text, at, parts)
    raise _not_closed(text, start)


def _variable(text: str, at: int, parts: list[str | Variable]) -> int:
    found = _VARIABLE.match(text, at)
    if found is None:
        raise UsageError(
            _("{piece} means something to a shell, and a typed action has none").format(
                piece=text[at : at + 12].strip()
            ),
            mend=_("quote it, or write the step as bash"),
        )
    parts.append(Variable(found[1] or found[2]))
    return found.end()


def _joined(parts: list[str | Variable]) -> tuple[str | Variable, ...]:
    """Neighbouring texts as one; an empty word stays one empty text."""
    joined: list[str | Variable] = []
    for part in parts:
        if joined and isinstance(part, str) and isinstance(joined[-1], str):
            joined[-1] += part
        else:
            joined.append(part)
    return tuple(part for part in joined if part != "") or ("",)


def _not_closed(text: str, at: int) -> UsageError:
    return UsageError(_("the quote before {text} is not closed").format(text=text[at + 1 : at + 20].strip()))
