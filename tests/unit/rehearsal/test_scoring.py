"""The score of a rehearsal, from journals written by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cockpit.rehearsal.scenario import find_scenario
from cockpit.rehearsal.scoring import Score, debrief, score
from cockpit.runbook.model import Runbook
from cockpit.runbook.reading import read
from cockpit.session.record.event import Event

_START = datetime(2024, 1, 27, 6, 7, tzinfo=UTC)
_NAMES = {
    "bad_version": "v20240127-150300",
    "stable_version": "v20240127-120000",
    "older_version": "v20240126-180000",
    "bad_stamp": "20240127-150300",
    "older_stamp": "20240126-180000",
}
SCENARIO = find_scenario(None)
_VERIFIED = SCENARIO.goals.verify.steps


@pytest.fixture(scope="module", params=["en", "ko"])
def runbook(request: pytest.FixtureRequest) -> Runbook:
    return read(SCENARIO.runbook_path(request.param))


Told = tuple[float, str, dict[str, Any]]


def _journal(*told: Told) -> list[Event]:
    """A journal from (seconds after the start, kind, data)."""
    ordered = sorted([(0.0, "session.started", {"session": "INC-20240127-001"}), *told], key=lambda one: one[0])
    return [
        Event(seq, (_START + timedelta(seconds=at_s)).isoformat(), 0, "b", "operator:kim", kind, data)
        for seq, (at_s, kind, data) in enumerate(ordered, 1)
    ]


def _passed(at_s: float, step: str, status: str = "passed") -> Told:
    return at_s, "step.finished", {"step": step, "status": status}


def _ran(at_s: float, command: str, **inputs: str) -> Told:
    return at_s, "step.intent", {"step": "roll-back", "run": 1, "command": command, "inputs": inputs}


def _health(at_s: float, level: str | None, outcome: str = "data") -> Told:
    return at_s, "probe.changed", {"probe": "health", "outcome": outcome, "level": level}


def _ids(runbook: Runbook, kind: str) -> list[str]:
    return [step.id for step in runbook.steps if step.kind == kind]


def _good(runbook: Runbook) -> list[Told]:
    outage, recovery, *_more = _ids(runbook, "message")
    return [
        _health(1, "red"),
        _passed(20, "check-health", "failed"),
        _passed(60, _ids(runbook, "decision")[0]),
        (70, "message.prepared", {"step": outage, "text": ""}),
        _ran(100, 'sudo ./rollback.sh backend "$PREVIOUS_VERSION"', PREVIOUS_VERSION="20240127-120000"),
        _health(110, "green"),
        *(_passed(120 + number, step) for number, step in enumerate(_VERIFIED)),
        (150, "message.prepared", {"step": recovery, "text": ""}),
        (160, "note.added", {"text": "cache larger than heap"}),
    ]


def _points(result: Score) -> dict[str, float]:
    return {mark.goal: mark.points for mark in result.marks}


def test_a_rollback_by_the_book_scores_everything(runbook: Runbook) -> None:
    result = score(SCENARIO, runbook, _journal(*_good(runbook)), _NAMES)
    assert result.total == 100
    assert result.recovered_s == 110


def test_doing_nothing_scores_nothing(runbook: Runbook) -> None:
    result = score(SCENARIO, runbook, _journal(), _NAMES)
    assert result.total == 0
    assert result.recovered_s is None
    assert "0 of 100" in debrief(result)


def test_a_late_recovery_falls_to_none_at_twice_the_time(runbook: Runbook) -> None:
    goal = SCENARIO.goals.recover
    for late, wanted in ((1.0, goal.weight), (1.5, goal.weight / 2), (2.5, 0)):
        journal = _journal(_health(1, "red"), _health(goal.within_s * late, "green"))
        assert _points(score(SCENARIO, runbook, journal, _NAMES))["recover"] == wanted


def test_a_recovery_that_did_not_last_is_none(runbook: Runbook) -> None:
    relapse = _journal(_health(1, "red"), _health(50, "green"), _health(60, None, "failed"))
    assert score(SCENARIO, runbook, relapse, _NAMES).recovered_s is None
    always_well = _journal(_health(1, "green"))
    assert score(SCENARIO, runbook, always_well, _NAMES).recovered_s is None


def test_checks_count_only_when_run_after_the_recovery_and_not_when_ticked_by_hand(runbook: Runbook) -> None:
    early, by_hand, failed, held = _VERIFIED
    ticked = (120.0, "step.finished", {"step": by_hand, "status": "passed", "by_hand": True})
    told = [_health(1, "red"), _passed(50, early), _health(100, "green"), ticked]
    result = score(SCENARIO, runbook, _journal(*told, _passed(130, failed, "failed"), _passed(140, held)), _NAMES)
    assert _points(result)["verify"] == SCENARIO.goals.verify.weight / 4


def test_saying_it_is_over_before_it_is_scores_nothing(runbook: Runbook) -> None:
    recovery = _ids(runbook, "message")[1]
    told = [_health(1, "red"), (50.0, "message.prepared", {"step": recovery, "text": ""}), _health(100, "green")]
    assert _points(score(SCENARIO, runbook, _journal(*told), _NAMES))["resolve"] == 0


@pytest.mark.parametrize(
    ("command", "goal"),
    [
        ("pm2 delete backend", "must-not"),
        ("cd /opt && sudo pm2 delete all", "must-not"),
        ("pm2 logs backend; /usr/bin/rm -rf /opt/ai_app", "must-not"),
        ('sudo ./rollback.sh backend "v20240126-180000"', "wrong-target"),
        ("/opt/scripts/rollback.sh backend v20240127-150300", "wrong-target"),
    ],
)
def test_what_must_not_be_done_costs(runbook: Runbook, command: str, goal: str) -> None:
    marks = _points(score(SCENARIO, runbook, _journal(*_good(runbook), _ran(80, command)), _NAMES))
    assert marks[goal] < 0


@pytest.mark.parametrize("version", ["v20240126-180000", "20240126-180000"])
def test_the_wrong_version_is_seen_through_the_input(runbook: Runbook, version: str) -> None:
    ran = _ran(80, './rollback.sh backend "$PREVIOUS_VERSION"', PREVIOUS_VERSION=version)
    assert "wrong-target" in _points(score(SCENARIO, runbook, _journal(ran), _NAMES))


def test_what_only_looks_forbidden_costs_nothing(runbook: Runbook) -> None:
    ran = _ran(80, "echo never run pm2 delete; pm2 describe backend")
    assert "must-not" not in _points(score(SCENARIO, runbook, _journal(ran), _NAMES))
