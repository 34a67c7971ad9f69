"""One step on a group of targets: a permit for each, the policy kept to the letter, one status for all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cockpit.adapters.base import RunRequest
from cockpit.errors import PolicyRefusal, TargetUnreachable, UsageError
from cockpit.safety.permit import Confirmation, Permit, Rung
from cockpit.session.record.event import Event, Status
from cockpit.session.record.state import SessionState, fold
from cockpit.session.steps.execution import Execution
from tests.unit.session.group_desk import WEB, Room
from tests.unit.session.session_desk import KIM, FakeRun, outcome
from tests.waiting import until


@pytest.fixture
def room(tmp_path: Path) -> Callable[..., Room]:
    return lambda **policy: Room(tmp_path, **policy)


Rooms = Callable[..., Room]


# -- what is shown, and what is permitted ----------------------------------------------------------------------------


def test_the_proposal_names_every_target_and_the_policy(room: Rooms) -> None:
    proposal = room(rolling=2).engine.propose("restart")
    assert (proposal.target, proposal.group) == ("web", WEB)
    assert proposal.manner == "2 at a time; the first that does not pass stops the rest"
    assert "web" in proposal.targets


async def test_every_target_gets_a_permit_of_its_own_for_the_same_bytes(room: Rooms) -> None:
    here = room()
    assert await here.run("restart", Rung.CONFIRM) is Status.PASSED
    permits = [each.permits[0] for each in here.web.values()]
    assert [permit.action.target for permit in permits] == list(WEB)
    assert {permit.action.body for permit in permits} == {"systemctl restart app"}
    with pytest.raises(PolicyRefusal):
        permits[0].covers(permits[1].action)


async def test_what_cannot_be_undone_asks_for_the_groups_name(room: Rooms) -> None:
    here = room()
    for typed in ("web-1", "local", ""):
        with pytest.raises(PolicyRefusal, match="type"):
            await here.begin("wipe", Rung.TYPE_TARGET, typed=typed, reason="full")
    with pytest.raises(PolicyRefusal):
        await here.begin("wipe", Rung.CONFIRM)
    assert here.ran == dict.fromkeys(WEB, 0)
    assert await here.run("wipe", Rung.TYPE_TARGET, typed="web", reason="full") is Status.PASSED


async def test_a_confirmation_for_one_target_does_not_count_for_the_group(room: Rooms) -> None:
    here = room()
    one = here.engine.propose("restart", target="web-1")
    group = here.engine.propose("restart")
    with pytest.raises(PolicyRefusal, match="changed"):
        await here.execution.start(group.proposal, Confirmation(one.sha256, Rung.CONFIRM, KIM), KIM)
    with pytest.raises(UsageError):
        await here.execution.start(group.proposal, Confirmation(group.sha256, Rung.CONFIRM, KIM), KIM)
    assert here.ran == dict.fromkeys(WEB, 0)


def test_another_policy_or_other_targets_are_another_thing_to_confirm(room: Rooms) -> None:
    seen = {room(**policy).engine.propose("restart").sha256 for policy in ({}, {"rolling": 1}, {"rolling": 2})}
    assert len(seen) == 3


async def test_in_read_only_mode_no_target_is_changed(room: Rooms) -> None:
    here = room()
    here.engine.set_mode("read-only", "", KIM)
    assert here.engine.propose("restart").refusal
    with pytest.raises(PolicyRefusal):
        await here.begin("restart", Rung.CONFIRM)
    assert here.ran == dict.fromkeys(WEB, 0)
    assert await here.run("look") is Status.PASSED


async def test_a_session_that_becomes_read_only_begins_on_no_further_target(room: Rooms) -> None:
    here = room(rolling=1)
    here.hold()
    run = await here.begin("restart", Rung.CONFIRM)
    await until(lambda: here.going == ["web-1"])
    here.engine.set_mode("read-only", "", KIM)
    here.web["web-1"].let_go()
    await here.execution.wait(run)
    assert here.ran == {**dict.fromkeys(WEB, 0), "web-1": 1}
    assert here.ends() == {"web-1": "passed", "web-2": "refused"}


def test_what_takes_the_terminal_goes_to_one_target_only(room: Rooms) -> None:
    assert "takes the terminal" in room().engine.propose("edit").refusal


def test_what_never_ends_goes_to_a_group_only_where_all_have_their_turn(room: Rooms) -> None:
    assert "never ends" in room(rolling=2).engine.propose("follow").refusal
    assert room(at_once=5).engine.propose("follow").refusal == ""


async def test_a_step_may_name_a_group(room: Rooms) -> None:
    here = room()
    here.engine.set_target("local", KIM)
    assert here.engine.propose("here").group == WEB
    assert here.engine.propose("look").group == ()


def test_a_group_is_chosen_as_a_target_is_and_an_unknown_one_is_refused(room: Rooms) -> None:
    here = room()
    here.engine.set_target("web", KIM)
    assert here.engine.state.target == "web"
    with pytest.raises(UsageError, match="no target is called wep"):
        here.engine.set_target("wep", KIM)


def goes(room: Room, names: list[str]) -> bool:
    return room.going == names


# -- the policies ----------------------------------------------------------------------------------------------------


async def test_all_at_once_goes_to_the_end_whatever_comes_of_each(room: Rooms) -> None:
    here = room()
    here.web["web-2"].next_outcome = outcome(exit_code=3)
    assert await here.run("restart", Rung.CONFIRM) is Status.FAILED
    assert here.ran == dict.fromkeys(WEB, 1)
    assert here.ends() == {**dict.fromkeys(WEB, "passed"), "web-2": "failed"}
    end = here.journal.last("step.finished")
    assert end["reason"] == "4 of 5 passed; failed: web-2"
    assert end["targets"]["web-2"] == "failed"


async def test_no_more_run_at_a_time_than_was_said(room: Rooms) -> None:
    here = room(at_once=2)
    here.hold()
    run = await here.begin("restart", Rung.CONFIRM)
    for expected in (["web-1", "web-2"], ["web-2", "web-3"], ["web-3", "web-4"], ["web-4", "web-5"], ["web-5"]):
        await until(partial(goes, here, expected), f"{expected} run")
        here.web[expected[0]].let_go()
    await here.execution.wait(run)
    assert here.engine.state.step("restart").status is Status.PASSED


async def test_a_few_at_a_time_all_have_their_turn_whatever_comes_of_each(room: Rooms) -> None:
    here = room(at_once=1)
    here.web["web-2"].next_outcome = outcome(exit_code=3)
    assert await here.run("restart", Rung.CONFIRM) is Status.FAILED
    assert here.ran == dict.fromkeys(WEB, 1)


async def test_a_target_whose_end_nobody_knows_stops_a_rolling_step(room: Rooms) -> None:
    here = room(rolling=1)
    here.web["web-2"].next_outcome = outcome(ending="lost", exit_code=None)
    assert await here.run("restart", Rung.CONFIRM) is Status.UNKNOWN
    assert here.ran == {"web-1": 1, "web-2": 1, "web-3": 0, "web-4": 0, "web-5": 0}


async def test_stop_at_first_failure_begins_nothing_further(room: Rooms) -> None:
    here = room(stop_at_first_failure=True)
    here.web["web-2"].next_outcome = outcome(exit_code=3)
    assert await here.run("restart", Rung.CONFIRM) is Status.FAILED
    assert here.ran == {"web-1": 1, "web-2": 1, "web-3": 0, "web-4": 0, "web-5": 0}
    assert here.journal.last("step.finished")["reason"] == (
        "1 of 5 passed; failed: web-2; not begun: web-3, web-4, web-5"
    )
    assert len([event for event in here.journal.events if event.kind == "step.intent"]) == 2
    (told,) = here.engine.state.fan_outs.values()
    ends = [Status.PASSED, Status.FAILED, *[Status.SKIPPED] * 3]
    assert [line.status for line in told.lines(here.engine.state.runs)] == ends


async def test_rolling_begins_the_next_only_once_one_before_has_passed(room: Rooms) -> None:
    here = room(rolling=2)
    here.hold()
    run = await here.begin("restart", Rung.CONFIRM)
    await until(lambda: here.going == ["web-1", "web-2"])
    here.web["web-1"].let_go()
    await until(lambda: here.going == ["web-2", "web-3"])
    here.web["web-3"].let_go(exit_code=1)
    await until(lambda: here.ends().get("web-3") == "failed")
    here.web["web-2"].let_go()
    await here.execution.wait(run)
    assert here.ran == {"web-1": 1, "web-2": 1, "web-3": 1, "web-4": 0, "web-5": 0}
    assert here.engine.state.step("restart").status is Status.FAILED


async def test_a_target_that_is_down_costs_its_own_line(room: Rooms) -> None:
    here = room()
    here.web["web-3"].broken = TargetUnreachable("it can't be reached: No route to host")
    assert await here.run("look") is Status.FAILED
    assert here.ends() == {**dict.fromkeys(WEB, "passed"), "web-3": "refused"}
    line = here.engine.state.fan_outs[1].lines(here.engine.state.runs)[2]
    assert "No route to host" in line.told


async def test_a_target_that_is_down_stops_a_rolling_step(room: Rooms) -> None:
    here = room(rolling=1)
    here.web["web-1"].broken = TargetUnreachable("it can't be reached")
    assert await here.run("restart", Rung.CONFIRM) is Status.REFUSED
    assert here.ran == dict.fromkeys(WEB, 0)


# -- another host takes over -----------------------------------------------------------------------------------------


async def test_a_host_that_takes_over_follows_what_runs_and_begins_on_no_further_target(tmp_path: Path) -> None:
    first = Room(tmp_path, rolling=2)
    first.hold()
    await first.begin("restart", Rung.CONFIRM)
    await until(lambda: first.going == ["web-1", "web-2"])
    first.web["web-1"].let_go()
    await until(lambda: first.going == ["web-2", "web-3"])
    await first.execution.leave()
    second = Room(tmp_path, first.engine.state, rolling=2)
    adopted, lost = await second.execution.adopt(list(second.engine.adapters.values()))
    assert (len(adopted), lost) == (2, [])
    with pytest.raises(UsageError):
        second.engine.require_idle("web-5")
    for each in second.web.values():
        for run in each.adopted:
            run.ended.set()
    await until(lambda: not second.execution.busy)
    assert second.ran == dict.fromkeys(WEB, 0)
    stands = second.engine.state.step("restart")
    assert stands.status is Status.UNKNOWN
    assert stands.reason == "the host ended in the middle; 3 of 5 passed; not begun: web-4, web-5"
    assert second.engine.propose("restart", rest=True).group == ("web-4", "web-5")


async def test_what_cannot_be_followed_any_more_is_unknown_and_is_not_run_again(tmp_path: Path) -> None:
    first = Room(tmp_path)
    first.hold()
    await first.begin("restart", Rung.CONFIRM)
    await until(lambda: first.going == list(WEB))
    await first.execution.leave()
    second = Room(tmp_path, first.engine.state)
    second.web["web-2"].broken = TargetUnreachable("gone")
    adopted, lost = await second.execution.adopt(list(second.engine.adapters.values()))
    assert (len(adopted), len(lost)) == (4, 1)
    for each in second.web.values():
        for run in each.adopted:
            run.ended.set()
    await until(lambda: not second.execution.busy)
    assert second.engine.state.step("restart").reason == "4 of 5 passed; unknown: web-2"
    assert second.ran == dict.fromkeys(WEB, 0)


# -- out of touch ----------------------------------------------------------------------------------------------------


class Silent(FakeRun):
    """A run whose link is gone."""

    out_of_touch_s = 1.0

    def give_up(self) -> None:
        self.outcome = outcome(ending="lost", exit_code=None, detail="the link is gone")
        self.ended.set()


async def test_a_target_that_stays_out_of_touch_is_unknown_and_the_rest_goes_on(
    room: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = room()

    async def start(permit: Permit, request: RunRequest) -> FakeRun:
        return Silent(outcome())

    monkeypatch.setattr(here.web["web-2"], "start", start)
    assert await here.run("restart", Rung.CONFIRM) is Status.UNKNOWN
    assert here.ends() == {**dict.fromkeys(WEB, "passed"), "web-2": "unknown"}


async def test_while_one_is_out_of_touch_a_rolling_step_begins_on_no_other(
    room: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = room(rolling=2)
    here.hold()
    here.execution = Execution(here.engine, out_of_touch_s=3600.0)
    silent = Silent(outcome())

    async def start(permit: Permit, request: RunRequest) -> FakeRun:
        return silent

    monkeypatch.setattr(here.web["web-1"], "start", start)
    run = await here.begin("restart", Rung.CONFIRM)
    await until(lambda: here.going == ["web-2"])
    here.web["web-2"].let_go()
    await until(lambda: here.ends() == {"web-2": "passed"})
    for _turn in range(50):
        await asyncio.sleep(0)
    assert here.ran["web-3"] == 0
    silent.out_of_touch_s = 0.0
    await until(lambda: here.going == ["web-3"])
    await here.execution.cancel(run)
    await here.execution.wait(run)


def test_a_group_without_a_first_intent_on_record_still_folds() -> None:
    data: Mapping[str, Any] = {
        "step": "a",
        "run": 4,
        "target": "web-2",
        "group": {"name": "web", "first": 3, "place": 2},
    }
    state = fold(SessionState(), Event(1, "2026-01-01T00:00:00+00:00", 0, "b", KIM, "step.intent", data))
    assert state.fan_outs[3].lines(state.runs)[0].status is Status.RUNNING
