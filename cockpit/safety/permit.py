"""From a verdict to a permit. No adapter method that acts can be called without one.

A permit is made in one place, `grant`, names the exact bytes by their hash, and is checked again by the adapter at
the moment of acting: what was judged and confirmed is what runs, and only if the mode of that moment still lets it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

import msgspec
from msgspec import Struct

from cockpit.errors import PolicyRefusal, SecondPersonMissing
from cockpit.safety.identity import action_sha256
from cockpit.safety.verdict import Judgement, Verdict
from cockpit.words import _


class Mode(StrEnum):
    """How the session may act. REHEARSAL is live, in a world of its own, and every record says so."""

    LIVE = "live"
    READ_ONLY = "read-only"
    REHEARSAL = "rehearsal"


class Rung(StrEnum):
    """A rung of the confirmation ladder, from the lowest up."""

    NONE = "none"
    CONFIRM = "confirm"
    TYPE_TARGET = "type-target"
    REFUSED = "refused"


class Action(Struct, frozen=True):
    """Exactly what an adapter is asked to do.

    `body` is the exact text (a shell script, a SQL statement, a request); `values` are the inputs it uses, by name,
    handed over as environment or bind values and never pasted; `target` is where.
    """

    language: str
    body: str
    target: str
    values: Mapping[str, str] = msgspec.field(default_factory=lambda: MappingProxyType({}))

    @property
    def sha256(self) -> str:
        """The identity of the action."""
        return action_sha256(self.language, self.target, self.body, self.values)


class Spread(Struct, frozen=True):
    """One command for several targets, called `target` together: exactly what each is asked to do, in their order.

    `manner` says how they follow each other; who confirms a command confirms that too. No adapter takes it: each of its
    actions has a permit of its own.
    """

    target: str
    manner: str
    actions: tuple[Action, ...]

    @property
    def sha256(self) -> str:
        """The identity of all of it."""
        of_each = "\n".join(action.sha256 for action in self.actions)
        return action_sha256("spread", self.target, of_each, {"manner": self.manner})


class Confirmation(Struct, frozen=True):
    """What a person (or `--yes`) answered: the hash they saw, what they typed, and why.

    `rung` is the highest rung this confirmation may climb to.
    """

    sha256: str
    rung: Rung
    by: str
    typed: str = ""
    reason: str = ""


class Approval(Struct, frozen=True):
    """A second person's yes to one action, and whose it is."""

    sha256: str
    by: str


_LADDER = tuple(Rung)
GRAVITY = (Verdict.READ_ONLY, Verdict.UNKNOWN, Verdict.MUTATING, Verdict.DESTRUCTIVE)
"""From the lightest up."""
_SEAL = object()


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to perform one action once judged and confirmed. Made by `grant` only.

    `sha256` is the action's identity when it was granted: a copy with another action, or an action whose values were
    changed since, is not covered. `mode` is the one it was granted in.
    """

    action: Action
    judgement: Judgement
    mode: Mode
    by: str
    _seal: object = field(repr=False, compare=False)
    sha256: str = ""
    _mode_now: Callable[[], Mode] | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self._seal is not _SEAL:
            raise PolicyRefusal("a permit is granted by policy, never constructed")

    def as_told(self) -> dict[str, object]:
        """What the runner is told of it, to look once more whether what it got is what was permitted."""
        action = self.action
        values = sorted(action.values)
        return {"sha256": self.sha256, "language": action.language, "target": action.target, "values": values}

    def covers(self, action: Action) -> None:
        """To be called at the moment of acting.

        Raises:
            PolicyRefusal: `action` is not byte for byte the one permitted, or the session became read-only meanwhile.
        """
        granted = getattr(self, "_seal", None) is _SEAL and self.sha256
        if not granted or action.sha256 != granted:
            raise PolicyRefusal(_("what is about to run is not what was confirmed"), mend=_("confirm it again"))
        mode = self._mode_now() if self._mode_now else self.mode
        if required_rung(self.judgement, mode) is Rung.REFUSED:
            raise became_read_only()


def became_read_only() -> PolicyRefusal:
    """The refusal of what was permitted, and did not begin in time."""
    return PolicyRefusal(_("the session became read-only before this could run"))


def grant_each(
    spread: Spread,
    judgements: Sequence[Judgement],
    mode: Mode,
    mode_now: Callable[[], Mode] | None = None,
    *,
    least: Rung,
    by: str,
    confirmation: Confirmation | None = None,
    second_person: str = "",
    approval: Approval | None = None,
) -> tuple[Permit, ...]:
    """A permit for every action of a spread, or for none; see `grant`.

    Args:
        judgements: of each action, in their order; the gravest of them decides what is asked for.
        least: the rung that was shown.
    """
    gravest = max(judgements, key=lambda each: GRAVITY.index(each.verdict))
    _climb(spread, gravest, mode, least, confirmation, second_person, approval)
    return tuple(
        Permit(action, judgement, mode, by, _SEAL, action.sha256, mode_now)
        for action, judgement in zip(spread.actions, judgements, strict=True)
    )


def required_rung(judgement: Judgement, mode: Mode) -> Rung:
    """The rung of the ladder an action of this judgement needs in this mode (DESIGN: Safety)."""
    if judgement.verdict is Verdict.READ_ONLY:
        return Rung.NONE
    if mode is Mode.READ_ONLY:
        return Rung.REFUSED
    return Rung.TYPE_TARGET if judgement.verdict is Verdict.DESTRUCTIVE else Rung.CONFIRM


def needs_second_person(judgement: Judgement, mode: Mode, rule: str) -> bool:
    """Whether another person has to approve as well.

    Args:
        rule: "" for never, "destructive", or "mutating" for all that is not provably read-only. Rehearsals need none.
    """
    if mode is not Mode.LIVE or not rule or judgement.verdict is Verdict.READ_ONLY:
        return False
    return judgement.verdict is Verdict.DESTRUCTIVE or rule != "destructive"


def grant(
    action: Action,
    judgement: Judgement,
    mode: Mode,
    mode_now: Callable[[], Mode] | None = None,
    *,
    least: Rung = Rung.NONE,
    by: str,
    confirmation: Confirmation | None = None,
    second_person: str = "",
    approval: Approval | None = None,
) -> Permit:
    """A permit for the action, or PolicyRefusal saying which rung is missing.

    Args:
        least: the rung that was shown, where that is higher than what the judgement asks for.
        second_person: what takes one (see `needs_second_person`); `approval` is their word.
        mode_now: tells the mode again at the moment of acting; None where it can't change.

    Raises:
        PolicyRefusal: read-only mode and not provably read-only; no confirmation, one of other bytes, one of a lower
            rung, or (destructive) a typed word that is not the target's name, or no reason.
        SecondPersonMissing: nothing else is missing.
    """
    _climb(action, judgement, mode, least, confirmation, second_person, approval)
    return Permit(action, judgement, mode, by, _SEAL, action.sha256, mode_now)


def _climb(
    action: Action | Spread,
    judgement: Judgement,
    mode: Mode,
    least: Rung,
    confirmation: Confirmation | None,
    second_person: str,
    approval: Approval | None,
) -> None:
    rung = highest(required_rung(judgement, mode), least)
    if rung is Rung.REFUSED:
        raise PolicyRefusal(
            _("not provably read-only: {why}").format(why="; ".join(judgement.reasons) or judgement.verdict),
            mend=_("run it in a live session, or run a read-only command"),
        )
    if rung is not Rung.NONE:
        _check_confirmation(action, rung, confirmation)
    if needs_second_person(judgement, mode, second_person) and (approval is None or approval.sha256 != action.sha256):
        raise SecondPersonMissing(_("a second person has to approve this"))


def highest(*rungs: Rung) -> Rung:
    """The highest of these rungs."""
    return max(rungs, key=_LADDER.index)


def _check_confirmation(action: Action | Spread, rung: Rung, confirmation: Confirmation | None) -> None:
    if confirmation is None:
        raise PolicyRefusal(_("this needs a confirmation"), mend=_("confirm the exact command"))
    if confirmation.sha256 != action.sha256:
        raise PolicyRefusal(_("the command changed after it was confirmed"), mend=_("confirm it again"))
    if rung is Rung.TYPE_TARGET:
        if confirmation.rung is not Rung.TYPE_TARGET:
            raise PolicyRefusal(
                _("this can't be undone, and a plain confirmation is not enough"),
                mend=_("type the target's name; without a screen, add --allow-destructive"),
            )
        if confirmation.typed != action.target:
            raise PolicyRefusal(
                _("what was typed is not the target's name"),
                mend=_("type {target}").format(target=action.target),
            )
        if not confirmation.reason.strip():
            raise PolicyRefusal(_("what can't be undone needs a reason"), mend=_("say why, in a few words"))
