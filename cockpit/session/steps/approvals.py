"""A second person's word on what one person wants to run: asked for, shown, given or denied, and good for one run."""

from __future__ import annotations

import hashlib
import itertools
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cockpit.errors import UsageError
from cockpit.safety.permit import Approval
from cockpit.words import _

ASKED_S = 1800.0
GIVEN_S = 600.0


@dataclass(slots=True)
class Asked:
    """One thing that waits for a second person, or has got their word.

    `shown` is exactly what that person is shown, and `digest` its hash: a word on anything else does not count.
    `sha256` and `cwd` say what may run, and where; they stay in this process, for a hash over a secret can be guessed.
    """

    number: str
    sha256: str
    cwd: str | None
    shown: Mapping[str, Any]
    until_m: float
    by: str = ""

    @property
    def digest(self) -> str:
        """The identity of what is shown."""
        return digest_of(self.shown)


def digest_of(shown: Mapping[str, Any]) -> str:
    """The hash over what a second person is shown."""
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()


class Approvals:
    """What waits for a second person in one session.

    Args:
        rule: which actions take one, now: "" none, "destructive", "mutating" (all that is not provably read-only).
        now_m: the time, as told.
    """

    def __init__(self, rule: Callable[[], str] = lambda: "", now_m: Callable[[], float] = time.monotonic) -> None:
        self.rule = rule
        self._now_m = now_m
        self._asked: dict[str, Asked] = {}
        self._numbers = itertools.count(1)

    def ask(self, sha256: str, cwd: str | None, shown: Mapping[str, Any]) -> tuple[Asked, bool]:
        """Put something before a second person; returns it, and whether that is new: asking twice asks once."""
        for asked in self.pending():
            if (asked.sha256, asked.cwd) == (sha256, cwd):
                return asked, False
        asked = Asked(f"a{next(self._numbers)}", sha256, cwd, shown, self._now_m() + ASKED_S)
        self._asked[asked.number] = asked
        return asked, True

    def pending(self) -> list[Asked]:
        """What waits for a word, oldest first."""
        return [asked for asked in self._fresh() if not asked.by]

    def answer(self, number: str, digest: str, by: str) -> Asked:
        """Take a second person's yes to what they were shown.

        Raises:
            UsageError: nothing of that number waits, or what they were shown is not what waits.
        """
        asked = self._waiting(number, digest)
        asked.by, asked.until_m = by, self._now_m() + GIVEN_S
        return asked

    def deny(self, number: str, digest: str) -> Asked:
        """Take a second person's no.

        Raises:
            UsageError: see `answer`.
        """
        asked = self._waiting(number, digest)
        del self._asked[number]
        return asked

    def given(self, sha256: str, cwd: str | None) -> Approval | None:
        """The word on this action in this folder, if it was given and still counts."""
        found = (asked for asked in self._fresh() if asked.by and (asked.sha256, asked.cwd) == (sha256, cwd))
        return next((Approval(sha256, asked.by) for asked in found), None)

    def use_up(self, sha256: str) -> str:
        """The action is about to run: its approval is spent. Returns who gave it, "" for nobody."""
        spent = [asked for asked in self._fresh() if asked.by and asked.sha256 == sha256]
        for asked in spent:
            del self._asked[asked.number]
        return spent[0].by if spent else ""

    def forget(self) -> None:
        """What was shown was shown under conditions that no longer hold."""
        self._asked = {}

    def _fresh(self) -> list[Asked]:
        now_m = self._now_m()
        self._asked = {number: asked for number, asked in self._asked.items() if asked.until_m > now_m}
        return list(self._asked.values())

    def _waiting(self, number: str, digest: str) -> Asked:
        asked = next((asked for asked in self.pending() if asked.number == number), None)
        if asked is None:
            raise UsageError(_("this no longer waits for a second person"), mend=_("look again: `cockpit approve`"))
        if asked.digest != digest:
            raise UsageError(_("what was shown is not what waits"), mend=_("look again: `cockpit approve`"))
        return asked
