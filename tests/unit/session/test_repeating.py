"""Steps that must hold several times, or in the end: run again by the engine, each run on record, judged together."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from cockpit.adapters.base import RunRequest
from cockpit.errors import JournalError, TargetUnreachable, UsageError
from cockpit.runbook.model import Expectation, ExpectationKind, Part
from cockpit.safety.permit import Permit, Rung
from cockpit.session.record.event import Event, Status
from cockpit.session.steps.execution import Execution
from cockpit.session.steps.repeating import Plan, repeats_itself
from tests.unit.session.session_desk import KIM, Desk, FakeAdapter, book, desk_of, outcome, step
from tests.waiting import until

SOON_S = 0.001


def up(**more: Any) -> Expectation:
    return Expectation(
        ExpectationKind.CONTAINS, "UP", **{"text": "UP", "every_s": SOON_S, "in_a_row": True, "times": 1, **more}
    )


HEALTH = "curl -s http://localhost/health"
RUNBOOK = book(
    step("five", HEALTH, expectations=(up(times=5),)),
    step("soon", HEALTH, expectations=(up(within_s=600.0),)),
    step("never", HEALTH, expectations=(up(within_s=0.0),)),
    step("slow", HEALTH, expectations=(up(times=5, every_s=600.0),)),
    step("loop", f"for i in 1 2 3; do {HEALTH}; done", expectations=(up(times=3),)),
    step("change", "pm2 restart backend", expectations=(up(times=3),)),
    step("plain", "kubectl get pods", expectations=(up(times=3, in_a_row=False),)),
    step("endless", HEALTH, expectations=(up(),)),
    step(
        "block",
        f"date\n\n{HEALTH}",
        parts=(Part("block.1", "a", 1, 1, "date"), Part("block.2", "b", 3, 3, HEALTH, (up(times=3),))),
    ),
    step("judged", HEALTH, expectations=(up(times=2), Expectation(ExpectationKind.MANUAL, "calm?", text="calm?"))),
)


class Speaking(FakeAdapter):
    """Says one text after the other, and the last one for good; a text that is an error can't be started."""

    says: Sequence[bytes | Exception] = (b"UP\n",)

    async def start(self, permit: Permit, request: RunRequest) -> Any:
        said = self.says[min(len(self.permits), len(self.says) - 1)]
        self.broken = said if isinstance(said, Exception) else None
        self.text = said if isinstance(said, bytes) else b""
        return await super().start(permit, request)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return desk_of(tmp_path, RUNBOOK, Speaking)


def says(desk: Desk, *texts: bytes | Exception) -> None:
    assert isinstance(desk.adapter, Speaking)
    desk.adapter.says = texts


async def recorded(desk: Desk, kind: str, count: int = 1) -> None:
    await until(lambda: sum(event.kind == kind for event in desk.journal.events) >= count, f"{count} {kind}")


async def test_five_times_is_five_runs_each_with_its_own_record(desk: Desk) -> None:
    assert await desk.run("five") is Status.PASSED
    assert len(desk.adapter.permits) == 5
    intents = [event.data for event in desk.journal.events if event.kind == "step.intent"]
    assert [intent["repetition"]["number"] for intent in intents] == [1, 2, 3, 4, 5]
    assert {intent["sha256"] for intent in intents} == {intents[0]["sha256"]}
    assert {intent["attempt"] for intent in intents} == {1}
    runs = desk.engine.state.runs
    assert [record.status for record in runs.values()] == [Status.PASSED] * 5
    assert [record.repetition for record in runs.values()] == [(n, 5) for n in range(1, 6)]
    assert all(desk.engine.folder.run(run).joinpath("output").read_bytes() == b"UP\n" for run in runs)
    end = desk.journal.last("step.finished")
    assert (end["repetitions"]["held"], end["repetitions"]["tries"], end["repetitions"]["runs"]) == (
        5,
        5,
        [1, 2, 3, 4, 5],
    )
    assert end["expectations"][-1]["seen"].startswith("5 of 5 runs held")


async def test_the_step_runs_until_its_last_run_is_over(desk: Desk) -> None:
    await desk.run("five")
    kinds = [event.kind for event in desk.journal.events if event.kind.startswith("step.")]
    assert kinds == ["step.intent", "step.started", "step.repeated"] * 4 + [
        "step.intent",
        "step.started",
        "step.finished",
    ]


async def test_every_intent_is_durable_before_its_run(desk: Desk) -> None:
    await desk.run("five")
    steps = [kind for kind in desk.journal.order if kind.startswith("step.") or kind == "RAN"]
    assert steps[:4] == ["step.intent!", "RAN", "step.started", "step.repeated!"]


async def test_the_first_run_that_does_not_hold_is_the_end(desk: Desk) -> None:
    says(desk, b"UP\n", b"UP\n", b"DOWN\n")
    assert await desk.run("five") is Status.FAILED
    assert len(desk.adapter.permits) == 3
    end = desk.journal.last("step.finished")
    assert end["reason"] == "run 3 of 5 did not hold"
    assert end["expectations"][-1]["held"] is False


async def test_a_command_that_fails_in_between_fails_the_step(desk: Desk) -> None:
    desk.adapter.next_outcome = outcome(exit_code=7, pipe_status=(7,))
    assert await desk.run("five") is Status.FAILED
    assert len(desk.adapter.permits) == 1


async def test_until_it_holds_looks_again_and_passes_at_the_first_that_does(desk: Desk) -> None:
    says(desk, b"DOWN\n", b"DOWN\n", b"UP\n")
    assert await desk.run("soon") is Status.PASSED
    records = desk.engine.state.runs.values()
    assert [record.status for record in records] == [Status.FAILED, Status.FAILED, Status.PASSED]
    assert [record.repetition for record in records] == [(1, 0), (2, 0), (3, 0)]


async def test_what_does_not_hold_in_time_failed_and_says_so(desk: Desk) -> None:
    says(desk, b"DOWN\n")
    assert await desk.run("never") is Status.FAILED
    assert "did not hold within 0 s" in desk.journal.last("step.finished")["reason"]


async def test_a_loop_of_the_authors_own_is_run_once(desk: Desk) -> None:
    says(desk, b"UP\nUP\nUP\n")
    assert await desk.run("loop") is Status.PASSED
    says(desk, b"UP\nUP\nDOWN\n")
    assert await desk.run("loop") is Status.FAILED
    assert len(desk.adapter.permits) == 2


async def test_only_what_is_read_only_is_repeated_and_the_rest_says_so(desk: Desk) -> None:
    proposal = desk.engine.propose("change")
    assert proposal.times == 1
    assert "not repeated" in proposal.unrepeated
    assert await desk.run("change", Rung.CONFIRM) is Status.AWAITING
    assert len(desk.adapter.permits) == 1
    assert "not repeated" in desk.journal.last("step.exited")["expectations"][-1]["seen"]


async def test_an_edit_that_changes_something_is_not_repeated(desk: Desk) -> None:
    await desk.run("five", Rung.CONFIRM, code="pm2 restart backend")
    assert len(desk.adapter.permits) == 1


async def test_a_plain_count_may_be_met_by_one_output(desk: Desk) -> None:
    says(desk, b"a UP\nb UP\nc UP\n")
    assert await desk.run("plain") is Status.PASSED
    assert len(desk.adapter.permits) == 1


async def test_a_list_in_which_too_few_hold_is_left_to_a_person(desk: Desk) -> None:
    says(desk, b"a UP\nb DOWN\nc DOWN\n")
    assert await desk.run("plain") is Status.AWAITING
    assert len(desk.adapter.permits) == 1


async def test_one_answer_that_holds_is_asked_for_again(desk: Desk) -> None:
    assert await desk.run("plain") is Status.PASSED
    assert len(desk.adapter.permits) == 3


async def test_every_so_often_without_an_end_is_run_once_and_says_so(desk: Desk) -> None:
    assert "no end" in desk.engine.propose("endless").unrepeated
    assert await desk.run("endless") is Status.PASSED
    assert len(desk.adapter.permits) == 1


async def test_one_command_of_a_block_is_repeated_alone(desk: Desk) -> None:
    assert await desk.run("block", part="block.2") is Status.TODO
    assert desk.engine.state.step("block").parts == {"block.2": Status.PASSED}
    assert len(desk.adapter.permits) == 3
    assert await desk.run("block", part="block.1") is Status.PASSED


async def test_what_a_person_must_judge_is_asked_once_at_the_end(desk: Desk) -> None:
    assert await desk.run("judged") is Status.AWAITING
    assert len(desk.adapter.permits) == 2
    desk.engine.answer("judged", "calm?", True, KIM)
    assert desk.engine.state.step("judged").status is Status.PASSED
    assert desk.journal.last("step.finished")["repetitions"]["held"] == 2


async def test_cancelling_between_two_runs_ends_the_step_and_runs_nothing_more(desk: Desk) -> None:
    first = await desk.execution.start(desk.engine.propose("slow").proposal, None, KIM)
    await recorded(desk, "step.intent", 2)
    assert [record.run for record in desk.engine.state.running] == [2]
    assert desk.execution.busy
    with pytest.raises(UsageError, match="still running"):
        await desk.execution.start(desk.engine.propose("five").proposal, None, KIM)
    assert await desk.execution.cancel(first) == [2]
    await desk.execution.wait(first)
    assert desk.engine.state.step("slow").status is Status.CANCELLED
    assert len(desk.adapter.permits) == 1
    assert not desk.execution.busy


async def test_cancelling_a_run_ends_the_whole_step(desk: Desk) -> None:
    desk.adapter.at_once = False
    run = await desk.execution.start(desk.engine.propose("five").proposal, None, KIM)
    await desk.execution.cancel(None)
    await desk.execution.wait(run)
    assert desk.engine.state.step("five").status is Status.CANCELLED
    assert len(desk.adapter.permits) == 1


async def test_a_run_that_cannot_be_started_ends_the_step_and_says_why(desk: Desk) -> None:
    says(desk, b"UP\n", TargetUnreachable("no route", where="host"))
    assert await desk.run("five") is Status.REFUSED
    assert "no route" in desk.engine.state.step("five").reason
    assert not desk.execution.busy


async def test_a_record_that_cannot_be_written_ends_the_runs(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    written = desk.journal.append

    def full(kind: str, data: Mapping[str, Any], *, actor: str, durable: bool = False) -> Event:
        if kind == "step.intent" and len(desk.adapter.permits) == 2:
            raise JournalError("the disk is full")
        return written(kind, data, actor=actor, durable=durable)

    monkeypatch.setattr(desk.journal, "append", full)
    assert await desk.run("five") is Status.UNKNOWN
    assert len(desk.adapter.permits) == 2
    assert "the disk is full" in desk.engine.state.step("five").reason
    monkeypatch.undo()
    assert await desk.run("five") is Status.PASSED


async def test_every_run_starts_from_the_same_shell_state(desk: Desk) -> None:
    desk.adapter.next_outcome = outcome(shell_state={"A": "1"}, cwd="/srv")
    await desk.run("five")
    assert sum(event.kind == "state.carried" for event in desk.journal.events) == 1
    assert {event.data["cwd"] for event in desk.journal.events if event.kind == "step.intent"} == {None}


async def test_a_new_host_follows_the_run_and_says_that_the_rest_is_missing(desk: Desk) -> None:
    desk.adapter.at_once = False
    await desk.execution.start(desk.engine.propose("five").proposal, None, KIM)
    await desk.execution.leave()
    heir = Execution(desk.engine)
    desk.adapter.next_outcome = outcome()
    assert await heir.adopt([desk.adapter]) == ([1], [])
    heir._running[1].ended.set()  # type: ignore[attr-defined]  # the fake's own event
    await heir.wait(1)
    assert desk.engine.state.step("five").status is Status.UNKNOWN
    assert "run it again" in desk.engine.state.step("five").reason


async def test_a_new_host_ends_a_step_that_was_left_between_two_records(desk: Desk) -> None:
    desk.engine.record(
        "step.intent", step="five", part=None, run=1, target="local", repetition={"number": 1, "of": 5, "first": 1}
    )
    desk.engine.record("step.repeated", step="five", run=1, status="passed")
    assert desk.engine.state.step("five").status is Status.RUNNING
    assert await Execution(desk.engine).adopt([desk.adapter]) == ([], [])
    assert desk.engine.state.step("five").status is Status.UNKNOWN


def test_the_record_of_a_repeated_step_is_plain_json(desk: Desk) -> None:
    asyncio.run(desk.run("five"))
    told = [dict(event.data) for event in desk.journal.events]
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_a_plan_counts_in_a_row_and_by_its_clock() -> None:
    three = Plan(3, 2.0)
    assert [three.next(tries, 0.0) for tries in ([True], [True, True], [True, False], [True] * 3)] == [
        "again",
        "again",
        "not-held",
        "held",
    ]
    soon = Plan(2, 5.0, 20.0)
    assert soon.next([False, True], 5.0) == "again"
    assert soon.next([True, False, True, True], 15.0) == "held"
    assert soon.next([True, False] * 2, 20.0) == "again"
    assert soon.next([False] * 4, 20.1) == "not-held"
    assert soon.next([False] * 5, 1.0) == "not-held"


@pytest.mark.parametrize(
    "script",
    [
        "for i in {1..5}; do curl -s x; sleep 2; done",
        "while true; do curl -s x; done",
        "for ((i=0; i<5; i++)); do curl x; done",
        "seq 5 | xargs -n1 curl x",
        "curl x; sleep 1; curl x; sleep 1; curl x",
        "ping -c 5 host",
        "ab -n 50 http://x/",
    ],
)
def test_a_script_that_repeats_itself_is_told(script: str) -> None:
    assert repeats_itself(script)


@pytest.mark.parametrize("script", ["curl -s x | jq .status", "sleep 5; curl x", "curl x && curl y", "echo a; echo a"])
def test_a_script_that_does_not_is_told_too(script: str) -> None:
    assert not repeats_itself(script)
