"""Scenarios: what happens in a rehearsal, and what counts as well done, as data in `runbooks/scenarios/*.toml`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from cockpit.errors import ConfigError, UsageError
from cockpit.shipped import RUNBOOKS
from cockpit.words import _

FIRST = "p0-bad-release"

Points = Annotated[int, Meta(ge=0, le=100)]


class Text(Struct, frozen=True, forbid_unknown_fields=True):
    """The same words in the interface's languages."""

    en: str
    ko: str

    def in_language(self, language: str) -> str:
        """The words in that language, English for any other."""
        return self.ko if language == "ko" else self.en


class TimedGoal(Struct, frozen=True, forbid_unknown_fields=True):
    """Any one of the steps, within the time: full points inside it, falling to none at twice that."""

    weight: Points
    within_s: float
    steps: tuple[str, ...]


class RecoveryGoal(Struct, frozen=True, forbid_unknown_fields=True):
    """A probe that was bad is green again, within the time."""

    weight: Points
    within_s: float
    probe: str


class VerificationGoal(Struct, frozen=True, forbid_unknown_fields=True):
    """Each of the steps passed after the recovery; points by their share."""

    weight: Points
    steps: tuple[str, ...]


class RecordGoal(Struct, frozen=True, forbid_unknown_fields=True):
    """That many notes for those who come after."""

    weight: Points
    notes: int


class Goals(Struct, frozen=True, forbid_unknown_fields=True):
    """Weights add up to 100. `resolve` counts from the recovery, the other times from the start.

    `must_not` and `wrong` are shell-style patterns of commands, with {bad_version}, {stable_version} and
    {older_version} for the world's own, and {bad_stamp} … for the same without the v that scripts may leave out; a
    forbidden one costs 15 points, a wrong target 10.
    """

    detect: TimedGoal
    decide: TimedGoal
    recover: RecoveryGoal
    verify: VerificationGoal
    announce: TimedGoal
    resolve: TimedGoal
    record: RecordGoal
    must_not: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()

    @property
    def weights(self) -> int:
        """The sum of all weights."""
        parts = (self.detect, self.decide, self.recover, self.verify, self.announce, self.resolve, self.record)
        return sum(part.weight for part in parts)


class Scenario(Struct, frozen=True, forbid_unknown_fields=True):
    """One rehearsal. `brief` is what the trainee is told; `fault` a name in faults.py; `difficulty` 1 to 5."""

    id: str
    minutes: int
    difficulty: Annotated[int, Meta(ge=1, le=5)]
    fault: str
    title: Text
    brief: Text
    runbook: Text
    goals: Goals

    def runbook_path(self, language: str) -> Path:
        """The shipped runbook in that language."""
        return RUNBOOKS / self.runbook.in_language(language)


def read_scenario(path: Path) -> Scenario:
    """The scenario in a file.

    Raises:
        ConfigError: not TOML, an unknown or missing key, or weights that don't add up to 100.
    """
    try:
        scenario = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Scenario)
    except (OSError, ValueError) as error:
        raise ConfigError(_("the scenario can't be read: {error}").format(error=error), where=str(path)) from error
    if scenario.goals.weights != 100:
        raise ConfigError(_("the weights add up to {sum}, not 100").format(sum=scenario.goals.weights), where=str(path))
    return scenario


def scenarios(folder: Path = RUNBOOKS / "scenarios") -> list[Scenario]:
    """Every scenario in a folder, the easiest first."""
    found = [read_scenario(path) for path in sorted(folder.glob("*.toml"))]
    return sorted(found, key=lambda scenario: (scenario.difficulty, scenario.id))


def find_scenario(name: str | None) -> Scenario:
    """The shipped scenario of that id, the P0 rollback when None; or the one in that file.

    Raises:
        UsageError: there is none. ConfigError: it can't be read.
    """
    if name and name.endswith(".toml"):
        return read_scenario(Path(name))
    known = scenarios()
    for scenario in known:
        if scenario.id == (name or FIRST):
            return scenario
    raise UsageError(
        _("no scenario {name}").format(name=name),
        mend=_("known ones: {names}").format(names=", ".join(scenario.id for scenario in known)),
    )
