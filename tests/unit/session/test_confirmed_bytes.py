"""What was confirmed is what runs: other bytes, old proposals, two viewers at once, and what changed in between."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from cockpit.adapters import followed
from cockpit.adapters.base import RunRequest
from cockpit.adapters.local import LocalAdapter
from cockpit.adapters.runners import Runners
from cockpit.errors import PolicyRefusal, UsageError
from cockpit.safety.permit import Action, Confirmation, Mode, Rung, grant
from cockpit.safety.verdict import Judgement, Verdict
from cockpit.session.record.event import Status
from tests.unit.session.session_desk import KIM, Desk, FakeAdapter, FakeRun
from tests.unit.session.test_engine import desk

__all__ = ["desk"]


def yes(sha256: str, rung: Rung = Rung.CONFIRM) -> Confirmation:
    return Confirmation(sha256, rung, KIM, reason="r")


async def test_a_proposal_is_good_for_one_run(desk: Desk) -> None:
    shown = desk.engine.propose("restart")
    await desk.execution.wait(await desk.execution.start(shown.proposal, yes(shown.sha256), KIM))
    with pytest.raises(UsageError, match="out of date"):
        await desk.execution.start(shown.proposal, yes(shown.sha256), KIM)
    assert len(desk.adapter.permits) == 1


async def test_a_proposal_that_was_refused_can_t_be_tried_again(desk: Desk) -> None:
    shown = desk.engine.propose("restart")
    with pytest.raises(PolicyRefusal):
        await desk.execution.start(shown.proposal, yes("0" * 64), KIM)
    with pytest.raises(UsageError, match="out of date"):
        await desk.execution.start(shown.proposal, yes(shown.sha256), KIM)


async def test_a_proposal_expires_after_many_others(desk: Desk) -> None:
    first = desk.engine.propose("restart")
    for _number in range(40):
        desk.engine.propose("look")
    with pytest.raises(UsageError, match="out of date"):
        await desk.execution.start(first.proposal, yes(first.sha256), KIM)


async def test_the_same_step_confirmed_twice_at_once_runs_once(desk: Desk) -> None:
    mine, theirs = desk.engine.propose("restart"), desk.engine.propose("restart")
    results = await asyncio.gather(
        desk.execution.start(mine.proposal, yes(mine.sha256), KIM),
        desk.execution.start(theirs.proposal, yes(theirs.sha256), "operator:lee"),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [int, UsageError]
    await desk.execution.wait(1)
    with pytest.raises(UsageError, match="out of date"):
        await desk.execution.start(theirs.proposal, yes(theirs.sha256), "operator:lee")
    assert len(desk.adapter.permits) == 1


@pytest.mark.parametrize("change", ["input", "target", "mode", "state"])
async def test_what_was_shown_before_a_change_has_to_be_looked_at_again(desk: Desk, change: str) -> None:
    desk.engine.set_input("pod", "api-1", KIM)
    shown = desk.engine.propose("restart")
    if change == "input":
        desk.engine.set_input("pod", "api-2", KIM)
    elif change == "target":
        desk.engine.set_target("local", KIM)
    elif change == "mode":
        desk.engine.set_mode("live", "", KIM)
    else:
        desk.engine.forget_drafts()
    with pytest.raises(UsageError, match="out of date"):
        await desk.execution.start(shown.proposal, yes(shown.sha256), KIM)


async def test_what_is_meant_for_the_far_side_is_confirmed_by_its_own_hash(desk: Desk) -> None:
    shown = desk.engine.propose("far")
    with pytest.raises(PolicyRefusal, match="changed"):
        await desk.execution.start(shown.proposal, yes("0" * 64), KIM)
    assert await desk.run("far", Rung.CONFIRM) is Status.PASSED


async def test_a_mode_changed_while_a_step_is_being_started_stops_it(desk: Desk) -> None:
    class Slow(FakeAdapter):
        """Reaches its target only after the mode was changed, and looks at the permit then."""

        async def start(self, permit: Any, request: RunRequest) -> FakeRun:
            desk.engine.set_mode("read-only", "handing over", "operator:lee")
            permit.covers(permit.action)
            return await super().start(permit, request)

    slow = Slow(desk.journal)
    desk.engine.adapters = {"local": slow}
    shown = desk.engine.propose("restart")
    with pytest.raises(PolicyRefusal, match="became read-only"):
        await desk.execution.start(shown.proposal, yes(shown.sha256), KIM)
    assert desk.engine.state.step("restart").status is Status.REFUSED
    assert slow.permits == []


# -- the runner --------------------------------------------------------------------------------------------------------

ACTION = Action("bash", 'echo "$NAME"', "local", {"NAME": "as confirmed"})


async def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> str:
    """The output of a run whose document was changed on its way from host to runner."""
    launch = followed._launch

    def changed(document: Mapping[str, Any], still: Callable[[], None], runners: Runners) -> int:
        told = json.loads(json.dumps(document))
        for key, value in changes.items():
            told[key] = {**told[key], **value} if isinstance(value, dict) else value
        return launch(told, still, runners)

    monkeypatch.setattr(followed, "_launch", changed)
    (tmp_path / "run").mkdir()
    permit = grant(ACTION, Judgement(Verdict.READ_ONLY), Mode.LIVE, by="test")
    running = await LocalAdapter().start(permit, RunRequest(tmp_path / "run"))
    await running.wait()
    return running.run.output.read_text()


async def test_the_runner_runs_what_was_confirmed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await started(tmp_path, monkeypatch) == "as confirmed\n"


@pytest.mark.parametrize(
    "changes",
    [
        {"script": "echo other"},
        {"script": "echo other", "sha256": hashlib.sha256(b"echo other").hexdigest()},
        {"env": {"NAME": "other"}},
        {"permit": {"target": "elsewhere"}},
        {"permit": {"values": []}},
    ],
)
async def test_the_runner_refuses_anything_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    with pytest.raises(PolicyRefusal, match="not what was confirmed"):
        await started(tmp_path, monkeypatch, **changes)
    assert not (tmp_path / "run" / "runner.json").exists()
