"""The record of a step on a group: an intent and an end for each target, and the fold of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cockpit.errors import UsageError
from cockpit.safety.permit import Confirmation, Rung
from cockpit.session.record.event import Event, Status
from cockpit.session.record.fanout import FanOut, TargetLine, come_to, manner_of, not_passed, took_s
from cockpit.session.record.state import RunRecord, SessionState, StepState, fold
from tests.unit.session.group_desk import WEB, Room
from tests.unit.session.session_desk import KIM, outcome
from tests.waiting import until


@pytest.fixture
def room(tmp_path: Path) -> Callable[..., Room]:
    return lambda **policy: Room(tmp_path, **policy)


Rooms = Callable[..., Room]


# -- the record ------------------------------------------------------------------------------------------------------


async def test_every_run_has_an_intent_of_its_own_before_it_and_an_end_after_it(room: Rooms) -> None:
    here = room(rolling=1)
    await here.run("restart", Rung.CONFIRM)
    told = [kind for kind in here.journal.order if kind.startswith(("step.", "target.")) or kind == "RAN"]
    assert told == ["step.intent!", "RAN", "step.started", "target.finished!"] * 5 + ["step.finished!"]
    intents = [event.data for event in here.journal.events if event.kind == "step.intent"]
    assert [intent["target"] for intent in intents] == list(WEB)
    assert {intent["attempt"] for intent in intents} == {1}
    assert {intent["typed"] or intent["confirmed"] for intent in intents} == {"confirm"}
    assert intents[0]["group"]["targets"] == list(WEB)
    assert all(here.engine.folder.run(intent["run"]).is_dir() for intent in intents)


async def test_the_step_runs_until_its_last_target_is_over(room: Rooms) -> None:
    here = room()
    here.hold()
    run = await here.begin("look")
    await until(lambda: here.going == list(WEB))
    for name in WEB[:-1]:
        here.web[name].let_go()
    await until(lambda: len(here.ends()) == 4)
    assert here.engine.state.step("look").status is Status.RUNNING
    assert here.execution.busy
    here.web["web-5"].let_go()
    await here.execution.wait(run)
    assert not here.execution.busy


async def test_a_target_that_has_still_to_begin_takes_no_other_step_meanwhile(room: Rooms) -> None:
    here = room(rolling=1)
    here.hold()
    run = await here.begin("restart", Rung.CONFIRM)
    await until(lambda: here.going == ["web-1"])
    other = here.engine.propose("look", target="web-4")
    with pytest.raises(UsageError, match="still running on web-4"):
        await here.execution.start(other.proposal, None, KIM)
    await here.execution.cancel(run)
    await here.execution.wait(run)


async def test_cancelling_ends_all_that_runs_and_begins_no_further_one(room: Rooms) -> None:
    here = room(at_once=2)
    here.hold()
    run = await here.begin("restart", Rung.CONFIRM)
    await until(lambda: here.going == ["web-1", "web-2"])
    here.web["web-1"].let_go()
    await until(lambda: here.going == ["web-2", "web-3"])
    assert sorted(await here.execution.cancel(run)) == [2, 3]
    await here.execution.wait(run)
    assert here.ran == {"web-1": 1, "web-2": 1, "web-3": 1, "web-4": 0, "web-5": 0}
    assert here.engine.state.step("restart").status is Status.CANCELLED
    assert here.ends() == {"web-1": "passed", "web-2": "cancelled", "web-3": "cancelled"}


async def test_stopped_just_as_one_had_passed_it_is_cancelled_all_the_same(room: Rooms) -> None:
    here = room(rolling=1)
    here.hold()
    run = await here.begin("restart", Rung.CONFIRM)
    await until(lambda: here.going == ["web-1"])
    here.web["web-1"].runs[-1].ended.set()
    await here.execution.cancel(run)
    await here.execution.wait(run)
    assert here.ran == {**dict.fromkeys(WEB, 0), "web-1": 1}
    assert here.engine.state.step("restart").status is Status.CANCELLED


async def test_expectations_are_held_against_every_target(room: Rooms) -> None:
    here = room()
    for name, each in here.web.items():
        each.text = b"DOWN\n" if name == "web-4" else b"UP\n"
    assert await here.run("up") is Status.FAILED
    assert here.ends() == {**dict.fromkeys(WEB, "passed"), "web-4": "failed"}
    assert here.engine.state.fan_outs[1].lines(here.engine.state.runs)[3].told == "UP: seen 0 times"


async def test_what_has_to_hold_twice_is_run_twice_on_each(room: Rooms) -> None:
    here = room()
    for each in here.web.values():
        each.text = b"UP\n"
    assert await here.run("twice") is Status.PASSED
    assert here.ran == dict.fromkeys(WEB, 2)


async def test_variables_and_folders_carry_on_by_target(room: Rooms) -> None:
    here = room()
    for number, each in enumerate(here.web.values()):
        each.next_outcome = outcome(shell_state={"NUMBER": str(number)}, cwd=f"/srv/{number}")
    await here.run("look")
    proposal = here.engine.propose("look")
    assert "/srv/3 (web-4)" in (proposal.cwd or "")
    await here.run("look")
    told = {name: (each.told.shell_state["NUMBER"], each.told.cwd) for name, each in here.web.items()}
    assert told == {name: (str(number), f"/srv/{number}") for number, name in enumerate(WEB)}


async def test_a_person_is_asked_once_for_all_targets(room: Rooms) -> None:
    here = room()
    assert await here.run("judged") is Status.AWAITING
    assert here.journal.last("step.exited")["questions"] == ["calm?"]
    here.engine.answer("judged", "calm?", True, KIM)
    assert here.engine.state.step("judged").status is Status.PASSED
    assert set(here.ends().values()) == {"passed"}


async def test_who_stops_at_the_first_that_does_not_pass_goes_on_after_no_unanswered_one(room: Rooms) -> None:
    here = room(rolling=1)
    assert await here.run("judged") is Status.AWAITING
    assert sum(here.ran.values()) == 1
    here.engine.answer("judged", "calm?", True, KIM)
    assert here.engine.state.step("judged").status is Status.UNKNOWN
    assert here.engine.propose("judged", rest=True).group == WEB[1:]


async def test_the_rest_are_those_that_have_not_passed(room: Rooms) -> None:
    here = room(rolling=1)
    here.web["web-3"].next_outcome = outcome(exit_code=1)
    await here.run("restart", Rung.CONFIRM)
    here.web["web-3"].next_outcome = outcome()
    assert here.engine.propose("restart", rest=True).group == WEB[2:]
    assert await here.run("restart", Rung.CONFIRM, rest=True) is Status.PASSED
    assert here.ran == {"web-1": 1, "web-2": 1, "web-3": 2, "web-4": 1, "web-5": 1}
    assert here.engine.propose("restart", rest=True).group == WEB
    assert {event.data["attempt"] for event in here.journal.events if event.kind == "step.intent"} == {1, 2}


async def test_what_passed_in_an_earlier_round_or_alone_is_not_among_the_rest_again(room: Rooms) -> None:
    here = room()
    for name in ("web-2", "web-4"):
        here.web[name].next_outcome = outcome(exit_code=1)
    await here.run("restart", Rung.CONFIRM)
    here.web["web-2"].next_outcome = outcome()
    await here.run("restart", Rung.CONFIRM, rest=True)
    assert here.engine.propose("restart", rest=True).group == ("web-4",)
    here.web["web-4"].next_outcome = outcome()
    alone = here.engine.propose("restart", target="web-4")
    run = await here.execution.start(alone.proposal, Confirmation(alone.sha256, Rung.CONFIRM, KIM), KIM)
    await here.execution.wait(run)
    assert here.ran == {"web-1": 1, "web-2": 2, "web-3": 1, "web-4": 3, "web-5": 1}
    assert here.engine.propose("restart", rest=True).group == WEB


# -- the fold --------------------------------------------------------------------------------------------------------


def lines(*statuses: Status) -> list[TargetLine]:
    return [TargetLine(f"web-{n}", status, None) for n, status in enumerate(statuses, 1)]


P, F, T, R, C, U, S = (
    Status.PASSED, Status.FAILED, Status.TIMED_OUT, Status.REFUSED, Status.CANCELLED, Status.UNKNOWN, Status.SKIPPED
)  # fmt: skip


@pytest.mark.parametrize(
    ("statuses", "comes_to"),
    [
        ((P, P), P),
        ((P, F), F),
        ((P, U), U),
        ((F, U), F),
        ((P, R), F),
        ((R, R), R),
        ((R, S, S), R),
        ((T, T), T),
        ((P, T), F),
        ((P, C, S), C),
        ((C, F), F),
        ((C, U), U),
        ((P, S), U),
        ((U, S), U),
    ],
)
def test_a_step_has_passed_only_where_all_have(statuses: Sequence[Status], comes_to: Status) -> None:
    assert come_to(lines(*statuses))[0] is comes_to
    assert come_to(lines(*reversed(statuses)))[0] is comes_to


def test_many_names_are_told_by_the_first_few() -> None:
    reason = come_to(lines(*[F] * 20))[1]
    assert reason == "0 of 20 passed; failed: web-1, web-2, web-3, web-4, web-5, web-6 and 14 more"


@pytest.mark.parametrize(
    ("at_once", "stops", "told"),
    [
        (10, False, "all at once"),
        (2, False, "2 at a time"),
        (1, True, "one after the other; the first that does not pass stops the rest"),
    ],
)
def test_a_policy_reads_as_a_sentence(at_once: int, stops: bool, told: str) -> None:
    assert manner_of(at_once, stops, 5) == told


async def test_the_record_alone_tells_every_line(room: Rooms) -> None:
    here = room()
    here.web["web-2"].next_outcome = outcome(exit_code=3)
    await here.run("restart", Rung.CONFIRM)
    state = SessionState()
    for event in here.journal.events:
        state = fold(state, Event(*(getattr(event, name) for name in event.__struct_fields__)))
        json.dumps(dict(event.data))
    (told,) = state.fan_outs.values()
    assert isinstance(told, FanOut)
    assert [line.status for line in told.lines(state.runs)] == [P, F, P, P, P]
    assert state == here.engine.state


def ran(number: int, target: str, status: Status, second: int = 0, **intent: Any) -> RunRecord:
    at = f"2026-01-01T00:00:{second:02d}+00:00"
    return RunRecord(number, "a", status, at, finished_t=at, intent={"target": target, **intent}, result={"end": 1})


def after(*runs: RunRecord) -> SessionState:
    return SessionState(
        steps={"a": StepState(runs=tuple(each.run for each in runs))}, runs={each.run: each for each in runs}
    )


def test_a_run_of_another_part_says_nothing_of_what_is_left() -> None:
    state = after(
        ran(1, "web-1", P), ran(2, "web-2", F), ran(3, "web-2", P, part="a.2"), ran(4, "web-1", F, part="a.2")
    )

    assert not_passed(state, "a", None, ["web-1", "web-2", "web-3"]) == ("web-2", "web-3")
    assert not_passed(state, "a", "a.2", ["web-1", "web-2"]) == ("web-1",)


def test_the_first_of_several_runs_that_must_hold_has_not_passed_its_target() -> None:
    held = ran(1, "web-1", P, repetition={"number": 1, "of": 3})

    assert not_passed(after(held), "a", None, ["web-1"]) == ("web-1",)


def test_what_nobody_judged_is_unknown_once_the_step_is_over() -> None:
    asked = ran(1, "web-1", Status.AWAITING)
    way = FanOut(1, "a", None, "web", ("web-1",), 1, stops=True, began_t="", runs=(1,))

    assert way.lines({1: asked})[0].status is Status.AWAITING
    assert msgspec.structs.replace(way, status=U).lines({1: asked})[0].status is U


def test_a_step_took_until_its_last_target_ended() -> None:
    began = "2026-01-01T00:00:00+00:00"
    way = FanOut(1, "a", None, "web", ("web-1", "web-2"), 2, stops=False, began_t=began, runs=(1, 2))
    runs = {1: ran(1, "web-1", P, 30), 2: ran(2, "web-2", P, 5)}

    assert took_s(way, way.lines(runs)) == 30.0
