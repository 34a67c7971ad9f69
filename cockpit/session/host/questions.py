"""What a system asks a person before it lets anybody in: a passphrase, a code. One at a time, and never on record."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct

from cockpit.errors import UsageError
from cockpit.words import _

PATIENCE_S = 90.0
"""How long an answer is waited for; servers hang up after about two minutes."""

Person = Callable[[str, Sequence[tuple[str, bool]]], Sequence[str]]


class Question(Struct, frozen=True):
    """`fields` are (text, whether the answer may be seen) each; `about` says who asks."""

    number: int
    about: str
    fields: tuple[tuple[str, bool], ...]


class Questions:
    """Between threads that connect, and viewers that answer. Answers are handed on and forgotten.

    Args:
        told: called, in any thread, when there is a question, or none any more.
        somebody: whether there is a viewer who may answer.
    """

    def __init__(self, told: Callable[[], None], somebody: Callable[[], bool]) -> None:
        self.person: Person | None = None
        """Who answers instead of viewers: the terminal of `cockpit run`."""
        self._told = told
        self._somebody = somebody
        self._one = threading.Lock()
        self._over = threading.Event()
        self._answers: list[str] = []
        self._count = 0
        self.asked: Question | None = None
        """What is asked now."""

    def somebody_is_here(self) -> bool:
        """Whether a question would reach a person."""
        return self.person is not None or self._somebody()

    def ask(self, about: str, fields: Sequence[tuple[str, bool]]) -> list[str]:
        """The answers, in the order of the fields; none when nobody is there, or nobody wants to. Blocks."""
        with self._one:
            if self.person is not None:
                return list(self.person(about, fields))
            if not self._somebody():
                return []
            self._count += 1
            self._over.clear()
            self._answers = []
            self.asked = Question(self._count, about, tuple((text, bool(seen)) for text, seen in fields))
            self._told()
            self._over.wait(PATIENCE_S)
            self.asked, answers, self._answers = None, self._answers, []
            self._told()
            return answers

    def as_json(self) -> dict[str, Any]:
        """What is asked, for a viewer; empty when nothing is."""
        asked = self.asked
        if asked is None:
            return {}
        return {"number": asked.number, "about": asked.about, "fields": [list(field) for field in asked.fields]}

    def answer(self, number: int, answers: Sequence[str]) -> None:
        """Take a viewer's answers; none at all means that nobody will answer.

        Raises:
            UsageError: that is not asked any more.
        """
        asked = self.asked
        if asked is None or asked.number != number or (answers and len(answers) != len(asked.fields)):
            raise UsageError(_("this is not asked any more"))
        self._answers = [str(answer) for answer in answers]
        self._over.set()
