"""The four verdicts, the judgement that carries one, and how rules make judgements."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct

from cockpit.words import _


class Verdict(StrEnum):
    """What a command does to the world. Only a positive rule may say READ_ONLY; doubt is UNKNOWN."""

    READ_ONLY = "read-only"
    UNKNOWN = "unknown"
    MUTATING = "mutating"
    DESTRUCTIVE = "destructive"

    @property
    def rank(self) -> int:
        """0 for read-only to 3 for destructive; a list of commands is as bad as its worst."""
        return _RANK[self]


READ, UNKNOWN, MUTATING, DESTRUCTIVE = Verdict.READ_ONLY, Verdict.UNKNOWN, Verdict.MUTATING, Verdict.DESTRUCTIVE
_MOST_READ_ONLY_REASONS = 5
_RANK = {Verdict.READ_ONLY: 0, Verdict.UNKNOWN: 1, Verdict.MUTATING: 2, Verdict.DESTRUCTIVE: 3}


class Judgement(Struct, frozen=True):
    """A verdict, why (sentences a responder reads), and tags.

    Tags: exec-remote, local-write, sensitive-read, heavy, unbounded, network-egress, needs-sudo, privileged-role.
    `commands` are the command names the judge saw started, in order, for the oracle test and the reader.
    """

    verdict: Verdict
    reasons: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()


def reading(*tags: str) -> Judgement:
    """Read-only."""
    return Judgement(READ, (), tags)


def unknown(reason: str, *tags: str) -> Judgement:
    """Not provably read-only, and why."""
    return Judgement(UNKNOWN, (reason,), tags)


def mutating(reason: str, *tags: str) -> Judgement:
    """Makes changes, and which."""
    return Judgement(MUTATING, (reason,), tags)


def destructive(reason: str, *tags: str) -> Judgement:
    """Can't be undone, and why."""
    return Judgement(DESTRUCTIVE, (reason,), tags)


def of_verdict(verdict: Verdict, command: str, *tags: str, started: tuple[str, ...] = ()) -> Judgement:
    """The judgement that a table's verdict stands for. `started`: the commands it starts."""
    return Judgement(verdict, (_sentence(verdict).format(command=command),), tags, started)


def _sentence(verdict: Verdict) -> str:
    if verdict is READ:
        return _("{command} only reads")
    if verdict is UNKNOWN:
        return _("{command} is not known to be read-only")
    return _("{command} makes changes") if verdict is MUTATING else _("{command} can't be undone")


def worst(judgements: Iterable[Judgement]) -> Judgement:
    """Join judgements of parts into one of the whole: the worst verdict, its reasons first, every tag once.

    Of what only reads, a few reasons are enough; of anything worse, every one counts.
    """
    given = list(judgements)
    parts = sorted(given, key=lambda part: -part.verdict.rank)
    if not parts:
        return unknown(_("nothing to judge"))
    top = parts[0].verdict
    reasons = list(dict.fromkeys(reason for part in parts if part.verdict is top for reason in part.reasons))
    if top is Verdict.READ_ONLY:
        reasons = reasons[:_MOST_READ_ONLY_REASONS]
    tags = [tag for part in parts for tag in part.tags]
    commands = [name for part in given for name in part.commands]
    return Judgement(top, tuple(reasons), tuple(dict.fromkeys(tags)), tuple(dict.fromkeys(commands)))
