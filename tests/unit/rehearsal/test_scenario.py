"""Scenarios as their authors write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from cockpit.errors import ConfigError, UsageError
from cockpit.rehearsal.faults import FAULTS
from cockpit.rehearsal.reference import step_named
from cockpit.rehearsal.scenario import Scenario, find_scenario, scenarios
from cockpit.rehearsal.script import read_script
from cockpit.runbook.model import Runbook
from cockpit.runbook.reading import read
from cockpit.shipped import RUNBOOKS

SHIPPED = scenarios()
_NAMES = {"bad_version": "v3", "stable_version": "v2", "older_version": "v1"}


def _steps(scenario: Scenario) -> list[str]:
    goals = scenario.goals
    timed = (goals.detect, goals.decide, goals.verify, goals.announce, goals.resolve)
    return [name for goal in timed for name in goal.steps]


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("scenario", SHIPPED, ids=lambda scenario: scenario.id)
def test_every_step_that_a_shipped_scenario_names_is_in_its_runbook(scenario: Scenario, language: str) -> None:
    runbook = read(scenario.runbook_path(language))
    for name in _steps(scenario):
        step_named(runbook, name)
    assert scenario.fault in FAULTS


@pytest.mark.parametrize("scenario", SHIPPED, ids=lambda scenario: scenario.id)
def test_every_shipped_scenario_comes_with_a_script(scenario: Scenario) -> None:
    script = RUNBOOKS / "scenarios" / f"{scenario.id}.script"
    acts = read_script(script.read_text(encoding="utf-8"), _NAMES)
    runbook = read(scenario.runbook_path("ko"))
    for act in acts:
        if act.verb in ("run", "try", "tick", "send", "skip"):
            step_named(runbook, act.words.split(" ")[0])
    assert ("set", "PREVIOUS_VERSION=v2") in [(act.verb, act.words) for act in acts]


def test_an_unknown_scenario_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="p0-bad-release"):
        find_scenario("no-such-thing")


def _changed(tmp_path: Path, old: str, new: str) -> Path:
    text = (RUNBOOKS / "scenarios" / "p0-bad-release.toml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def test_ones_own_scenario_is_read_from_its_file(tmp_path: Path) -> None:
    assert find_scenario(str(_changed(tmp_path, "minutes = 10", "minutes = 5"))).minutes == 5


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("minutes = 10", "minuets = 10", "minuets"),
        ("weight = 25", "weight = 26", "101"),
        ("difficulty = 2", "difficulty = 9", "difficulty"),
        ('fault = "bad-release"', "", "fault"),
        ("[goals]", "[goals", "can't be read"),
    ],
)
def test_a_broken_scenario_is_refused_by_what_is_wrong(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(ConfigError, match="mine") as refusal:
        find_scenario(str(_changed(tmp_path, old, new)))
    assert told in str(refusal.value)


def test_steps_are_named_by_id_or_by_kind_and_number() -> None:
    runbook: Runbook = read(RUNBOOKS / "p0-rollback.en.md")
    assert step_named(runbook, "decision#1").kind == "decision"
    assert step_named(runbook, "roll-back").code is not None
    for name in ("decision#99", "decision#0", "no-such-step", "note#x"):
        with pytest.raises(UsageError, match="no step"):
            step_named(runbook, name)
