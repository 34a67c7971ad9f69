"""One command's way to its end: which runs count, when the next is due, and who ended it."""

from __future__ import annotations

import asyncio
import time

import pytest

from cockpit.session.record.event import Status
from cockpit.session.steps.course import Course
from cockpit.session.steps.drafting import Draft
from cockpit.session.steps.repeating import Plan
from tests.unit.session.group_desk import Room
from tests.unit.session.session_desk import outcome
from tests.waiting import PATIENCE_S


@pytest.fixture
def made(tmp_path_factory: pytest.TempPathFactory) -> Draft:
    return Room(tmp_path_factory.mktemp("s")).engine._draft("look", None, None, "web-1")


def course(made: Draft, plan: Plan, *, age_s: float = 0.0) -> Course:
    return Course("web-1", (), plan, made=made, runs=[1], _began_s=time.monotonic() - age_s)


@pytest.mark.parametrize("ending", ["timed-out", "signalled"])
def test_a_run_that_did_not_end_by_itself_never_counts_as_one_that_held(made: Draft, ending: str) -> None:
    way = course(made, Plan(times=2, every_s=1.0))

    assert not way.takes(outcome(ending=ending, exit_code=None), held=True)
    assert way.as_json()["held"] == 0
    assert way.tries == [False]


@pytest.mark.parametrize("ending", ["cancelled", "lost"])
def test_after_a_run_that_was_cancelled_or_lost_no_other_is_begun(made: Draft, ending: str) -> None:
    way = course(made, Plan(times=2, every_s=1.0, within_s=3600.0))

    assert not way.takes(outcome(ending=ending, exit_code=None), held=False)


def test_a_run_that_did_not_hold_is_followed_by_another_while_there_is_time(made: Draft) -> None:
    assert course(made, Plan(within_s=3600.0, every_s=1.0)).takes(outcome(), held=False)
    assert not course(made, Plan(within_s=3600.0, every_s=1.0), age_s=4000).takes(outcome(), held=False)


def test_the_first_who_stops_it_is_who_ended_it(made: Draft) -> None:
    way = course(made, Plan())
    assert way.ended_by(Status.CANCELLED) == "host"
    way.stop("kim")
    way.stop("lee")

    assert way.ended_by(Status.CANCELLED) == "kim"
    assert way.ended_by(Status.FAILED) == "host"


def test_no_run_has_more_time_than_its_plan_has_left(made: Draft) -> None:
    plan = Plan(within_s=60.0, every_s=1.0)

    assert 1.0 <= (course(made, plan, age_s=50).timeout_s(None) or 0) <= 10.0
    assert course(made, plan, age_s=50).timeout_s(2.0) == 2.0
    assert course(made, plan, age_s=1000).timeout_s(None) == 1.0
    assert course(made, Plan(), age_s=1000).timeout_s(30.0) == 30.0


async def test_the_second_run_is_due_one_pause_after_the_first_began(made: Draft) -> None:
    way = course(made, Plan(times=3, every_s=1000.0), age_s=1000)
    way.runs.append(2)
    async with asyncio.timeout(PATIENCE_S):
        assert await way.wait_for_its_turn()


async def test_a_course_that_is_stopped_waits_for_no_turn(made: Draft) -> None:
    way = course(made, Plan(times=3, every_s=1000.0))
    way.runs.append(2)
    way.stop("kim")
    async with asyncio.timeout(PATIENCE_S):
        assert not await way.wait_for_its_turn()
