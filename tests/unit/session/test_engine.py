"""What may happen in a session, and what is written down about it, over a fake adapter and a journal in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from cockpit.errors import PolicyRefusal, TargetUnreachable, UsageError
from cockpit.runbook.model import Expectation, ExpectationKind, Input, Part
from cockpit.runs.files import RECALLED
from cockpit.safety.permit import Confirmation, Rung
from cockpit.session.record.event import Status
from cockpit.session.steps.execution import Execution
from tests.unit.session.session_desk import KIM, Desk, book, desk_of, outcome, step

RUNBOOK = book(
    step("look", "uptime"),
    step("restart", "pm2 restart backend"),
    step("wipe", "rm -rf /srv/data"),
    step("fill", "kubectl describe pod <pod>", inputs=("pod",)),
    step("ask", "uptime", expectations=(Expectation(ExpectationKind.MANUAL, "calm?", text="calm?"),)),
    step("both", "uptime\n\ndate", parts=(Part("both.1", "a", 1, 1, "uptime"), Part("both.2", "b", 3, 3, "date"))),
    step("far", "uptime", inside="ssh host"),
    step("sql", "select 1", language="sql"),
    step("top", "top", interactive=True),
    step("tick"),
    step("cut", "kubectl logs api ..."),
    step("up", "helm upgrade api .", undo="helm rollback api <pod>"),
    inputs=(Input("pod", "<pod>", "angle"), Input("PASSWORD", "$PASSWORD", "dollar", secret=True)),
)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return desk_of(tmp_path, RUNBOOK)


async def test_a_read_only_step_runs_at_once_and_passes(desk: Desk) -> None:
    assert await desk.run("look") is Status.PASSED


async def test_the_intent_is_durable_before_anything_runs(desk: Desk) -> None:
    await desk.run("look")
    order = desk.journal.order
    assert order.index("step.intent!") < order.index("RAN") < order.index("step.finished!")
    assert desk.journal.last("step.intent")["command"] == "uptime"


async def test_a_change_without_confirmation_is_refused_and_recorded(desk: Desk) -> None:
    proposal = desk.engine.propose("restart")
    assert proposal.rung is Rung.CONFIRM
    with pytest.raises(PolicyRefusal):
        await desk.execution.start(proposal.proposal, None, KIM)
    assert desk.engine.state.step("restart").status is Status.REFUSED
    assert "RAN" not in desk.journal.order


async def test_a_confirmation_of_other_bytes_is_refused(desk: Desk) -> None:
    proposal = desk.engine.propose("restart")
    stale = Confirmation("0" * 64, Rung.CONFIRM, KIM)
    with pytest.raises(PolicyRefusal, match="changed"):
        await desk.execution.start(proposal.proposal, stale, KIM)


async def test_a_confirmed_change_runs_exactly_what_was_shown(desk: Desk) -> None:
    assert await desk.run("restart", Rung.CONFIRM) is Status.PASSED
    assert desk.adapter.permits[0].action.body == "pm2 restart backend"


async def test_destruction_wants_the_targets_name(desk: Desk) -> None:
    assert desk.engine.propose("wipe").rung is Rung.TYPE_TARGET
    with pytest.raises(PolicyRefusal):
        await desk.run("wipe", Rung.CONFIRM)
    with pytest.raises(PolicyRefusal):
        await desk.run("wipe", Rung.TYPE_TARGET, typed="locla", reason="r")
    assert await desk.run("wipe", Rung.TYPE_TARGET, typed="local", reason="full disk") is Status.PASSED
    assert desk.journal.last("step.intent")["reason"] == "full disk"


async def test_read_only_mode_refuses_what_was_proposed_before_it(desk: Desk) -> None:
    proposal = desk.engine.propose("restart")
    desk.engine.set_mode("read-only", "handing over", KIM)
    yes = Confirmation(proposal.sha256, Rung.CONFIRM, KIM)
    with pytest.raises(UsageError, match="out of date"):
        await desk.execution.start(proposal.proposal, yes, KIM)
    assert desk.engine.propose("restart").refusal
    assert await desk.run("look") is Status.PASSED


async def test_a_step_with_an_unfilled_input_cannot_run(desk: Desk) -> None:
    assert desk.engine.propose("fill").missing == ("pod",)
    with pytest.raises(UsageError, match="pod"):
        await desk.run("fill", Rung.CONFIRM)
    desk.engine.set_input("pod", "api 1", KIM)
    assert desk.engine.propose("fill").command == "kubectl describe pod 'api 1'"


async def test_a_command_with_something_left_out_is_edited_before_it_runs(desk: Desk) -> None:
    assert "left out" in desk.engine.propose("cut").refusal
    with pytest.raises(UsageError, match="left out"):
        await desk.run("cut", Rung.CONFIRM)
    assert "RAN" not in desk.journal.order
    assert await desk.run("cut", code="kubectl logs api --tail 5") is Status.PASSED


async def test_the_way_back_is_shown_with_its_values_and_recorded(desk: Desk) -> None:
    assert desk.engine.propose("up").undo == "helm rollback api <pod>"
    desk.engine.set_input("pod", "7", KIM)
    assert desk.engine.propose("up").undo == "helm rollback api 7"
    await desk.run("up", Rung.CONFIRM)
    assert desk.journal.last("step.intent")["undo"] == "helm rollback api 7"


async def test_what_only_reads_needs_no_way_back(desk: Desk) -> None:
    assert desk.engine.propose("up", code="helm list").undo == ""


async def test_a_secret_is_never_written_down(desk: Desk) -> None:
    desk.engine.set_input("PASSWORD", "hunter2-hunter2", KIM)
    assert "hunter2" not in repr(desk.journal.events)
    assert desk.engine.values()["PASSWORD"] == "hunter2-hunter2"


async def test_an_edit_is_recorded_with_its_difference(desk: Desk) -> None:
    await desk.run("look", code="uptime -p")
    intent = desk.journal.last("step.intent")
    assert intent["original"] == "uptime"
    assert "+uptime -p" in intent["difference"]


async def test_a_failing_command_fails_and_says_its_exit_code(desk: Desk) -> None:
    desk.adapter.next_outcome = outcome(exit_code=3, pipe_status=(3,))
    assert await desk.run("look") is Status.FAILED
    assert desk.journal.last("step.finished")["exit_code"] == 3


@pytest.mark.parametrize(
    ("ending", "status"),
    [("timed-out", Status.TIMED_OUT), ("lost", Status.UNKNOWN), ("signalled", Status.FAILED)],
)
async def test_other_ends_have_names_of_their_own(desk: Desk, ending: str, status: Status) -> None:
    desk.adapter.next_outcome = outcome(ending=ending, exit_code=None)
    assert await desk.run("look") is status


async def test_what_only_a_person_can_judge_waits_for_one(desk: Desk) -> None:
    assert await desk.run("ask") is Status.AWAITING
    desk.engine.answer("ask", "calm?", False, KIM)
    assert desk.engine.state.step("ask").status is Status.FAILED
    assert await desk.run("ask") is Status.AWAITING
    desk.engine.answer("ask", "calm?", True, KIM)
    assert desk.engine.state.step("ask").status is Status.PASSED


async def test_a_block_stands_as_its_parts_do(desk: Desk) -> None:
    assert await desk.run("both", part="both.1") is Status.TODO
    desk.adapter.next_outcome = outcome(exit_code=1, pipe_status=(1,))
    assert await desk.run("both", part="both.2") is Status.FAILED
    desk.adapter.next_outcome = outcome()
    assert await desk.run("both", part="both.2") is Status.PASSED


async def test_one_command_of_a_block_is_left_out_or_done_by_hand_alone(desk: Desk) -> None:
    desk.engine.skip("both", "already inside", KIM, "both.1")
    step = desk.engine.state.step("both")
    assert (step.status, step.parts) == (Status.TODO, {"both.1": Status.SKIPPED})
    desk.engine.tick("both", True, "by phone", KIM, "both.2")
    step = desk.engine.state.step("both")
    assert (step.status, step.said["both.2"]) == (Status.PASSED, ("by phone", KIM))
    desk.engine.reopen("both", "", KIM, "both.2")
    assert desk.engine.state.step("both").parts == {"both.1": Status.SKIPPED}
    assert desk.engine.state.step("both").status is Status.TODO
    desk.engine.skip("both", "no use", KIM, "both.2")
    assert desk.engine.state.step("both").status is Status.SKIPPED
    with pytest.raises(UsageError, match=r"both\.9"):
        desk.engine.skip("both", "why not", KIM, "both.9")


async def test_a_command_for_the_far_side_never_runs_here_unasked(desk: Desk) -> None:
    assert desk.engine.propose("far").rung is Rung.CONFIRM
    with pytest.raises(PolicyRefusal, match="ssh host"):
        await desk.run("far")
    assert await desk.run("far", Rung.CONFIRM) is Status.PASSED


async def test_what_takes_the_terminal_is_asked_for_and_refused_in_read_only_mode(desk: Desk) -> None:
    shown = desk.engine.propose("top")
    assert (shown.rung, shown.verdict) == (Rung.CONFIRM, "unknown")
    assert "typed into it" in shown.reasons[0]
    desk.engine.set_mode("read-only", "", KIM)
    assert desk.engine.propose("top").rung is Rung.REFUSED


async def test_a_defect_of_ours_leaves_no_step_running_for_ever(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_given: object, **_named: object) -> None:
        raise ZeroDivisionError("never mind")

    monkeypatch.setattr("cockpit.session.steps.following.findings_of", broken)
    assert await desk.run("look") is Status.UNKNOWN
    assert "never mind" in desk.engine.state.step("look").reason
    assert not desk.engine.state.running
    monkeypatch.undo()
    assert await desk.run("look") is Status.PASSED


async def test_one_step_at_a_time_a_target_and_cancel_ends_it(desk: Desk) -> None:
    desk.adapter.at_once = False
    first = await desk.execution.start(desk.engine.propose("look").proposal, None, KIM)
    with pytest.raises(UsageError, match="still running"):
        await desk.execution.start(desk.engine.propose("look").proposal, None, KIM)
    await desk.execution.cancel(first)
    await desk.execution.wait(first)
    assert desk.engine.state.step("look").status is Status.CANCELLED
    with pytest.raises(UsageError):
        await desk.execution.cancel(None)


async def test_a_step_that_could_not_start_says_so(desk: Desk) -> None:
    desk.adapter.broken = TargetUnreachable("no route", where="host")
    with pytest.raises(TargetUnreachable):
        await desk.run("look")
    assert desk.engine.state.step("look").status is Status.REFUSED
    assert not desk.engine.state.running


async def test_a_language_without_an_adapter_is_refused_before_it_is_confirmed(desk: Desk) -> None:
    assert "sql" in desk.engine.propose("sql").refusal


async def test_skips_ticks_and_reopening_carry_their_reasons(desk: Desk) -> None:
    with pytest.raises(UsageError, match="reason"):
        desk.engine.skip("look", " ", KIM)
    desk.engine.skip("look", "not this time", KIM)
    assert desk.engine.state.step("look").reason == "not this time"
    desk.engine.tick("tick", True, "", KIM)
    assert desk.engine.state.step("tick").status is Status.PASSED
    desk.engine.reopen("tick", "too early", KIM)
    assert desk.engine.state.step("tick").status is Status.TODO
    with pytest.raises(UsageError, match="reason"):
        desk.engine.tick("look", True, "", KIM)


async def test_a_new_host_follows_what_the_old_one_left_running(desk: Desk) -> None:
    desk.adapter.at_once = False
    await desk.execution.start(desk.engine.propose("look").proposal, None, KIM)
    await desk.execution.leave()
    desk.adapter.next_outcome = outcome(exit_code=9, pipe_status=(9,))
    desk.engine.secrets.learn(["Qx7-tangerine-Wm2"])
    heir = Execution(desk.engine)
    assert await heir.adopt([desk.adapter]) == ([1], [])
    assert "Qx7-tangerine-Wm2" in desk.adapter.told_at_adoption
    heir._running[1].ended.set()  # type: ignore[attr-defined]  # the fake's own event
    await heir.wait(1)
    assert desk.journal.last("step.finished")["exit_code"] == 9


async def test_a_step_that_a_new_host_took_over_keeps_its_own_folder_to_itself(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    desk = desk_of(tmp_path, book(step("a", "pwd", attributes={"cwd": "app"}), step("b", "ls")))
    desk.engine.folders.written_in = str(tmp_path)
    desk.adapter.at_once = False
    await desk.execution.start(desk.engine.propose("a").proposal, None, KIM)
    await desk.execution.leave()
    desk.adapter.next_outcome = outcome(cwd=str(tmp_path / "app"), shell_state={"A": "1"})
    heir = Execution(desk.engine)
    await heir.adopt([desk.adapter])
    desk.adapter.adopted[0].ended.set()
    await heir.wait(1)
    assert desk.engine.propose("b").cwd is None
    assert desk.engine.shell("local").variables == {"A": "1"}


async def test_a_run_that_cannot_be_found_again_is_unknown_never_failed(desk: Desk) -> None:
    desk.adapter.at_once = False
    await desk.execution.start(desk.engine.propose("look").proposal, None, KIM)
    await desk.execution.leave()
    desk.adapter.broken = TargetUnreachable("gone")
    heir = Execution(desk.engine)
    assert await heir.adopt([desk.adapter]) == ([], [1])
    assert desk.engine.state.step("look").status is Status.UNKNOWN


async def test_exported_variables_and_folder_carry_on(desk: Desk) -> None:
    desk.adapter.next_outcome = outcome(shell_state={"A": "1"}, cwd="/srv")
    await desk.run("look")
    assert desk.engine.propose("look").cwd == "/srv"
    assert desk.engine.state.variables["local"] == ("A",)


async def test_a_fresh_shell_forgets_what_was_carried_on_and_is_recorded(desk: Desk) -> None:
    desk.adapter.next_outcome = outcome(shell_state={"A": "1"}, cwd="/srv")
    await desk.run("look")
    shown = desk.engine.propose("restart")
    desk.engine.fresh_shell("local", KIM)
    assert desk.engine.propose("look").cwd is None
    assert desk.engine.shell("local").variables == {}
    assert desk.engine.state.cwd.get("local") is None
    assert desk.engine.state.variables["local"] == ()
    assert "state.reset!" in desk.journal.order
    with pytest.raises(UsageError, match="out of date"):
        await desk.execution.start(shown.proposal, Confirmation(shown.sha256, Rung.CONFIRM, KIM), KIM)


async def test_a_fresh_shell_begins_where_the_session_did_unless_that_is_gone(desk: Desk, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    desk.engine.homes["local"] = str(home)
    desk.adapter.next_outcome = outcome(cwd="/srv")
    await desk.run("look")
    desk.engine.fresh_shell("local", KIM)
    assert desk.engine.propose("look").cwd == str(home)
    home.rmdir()
    desk.engine.fresh_shell("local", KIM)
    assert desk.engine.propose("look").cwd is None


async def test_a_shell_is_not_begun_afresh_under_a_running_step(desk: Desk) -> None:
    desk.adapter.at_once = False
    run = await desk.execution.start(desk.engine.propose("look").proposal, None, KIM)
    with pytest.raises(UsageError, match="still running"):
        desk.engine.fresh_shell("local", KIM)
    with pytest.raises(UsageError, match="nowhere"):
        desk.engine.fresh_shell("nowhere", KIM)
    await desk.execution.cancel(run)
    await desk.execution.wait(run)


async def test_what_was_shown_before_the_shell_changed_must_be_looked_at_again(desk: Desk) -> None:
    shown = desk.engine.propose("restart")
    again = desk.engine.propose("look")
    desk.adapter.next_outcome = outcome(shell_state={"OPTIONS": "--all"}, cwd="/srv")
    await desk.execution.wait(await desk.execution.start(again.proposal, None, KIM))
    with pytest.raises(UsageError, match="out of date"):
        await desk.execution.start(shown.proposal, Confirmation(shown.sha256, Rung.CONFIRM, KIM), KIM)


async def test_a_variable_is_judged_by_what_it_holds(desk: Desk) -> None:
    desk.engine.shell("local").variables["WHERE"] = "/srv"
    assert desk.engine.propose("look", code="find $WHERE").rung is Rung.NONE
    desk.engine.shell("local").variables["WHERE"] = "/srv -delete"
    assert desk.engine.propose("look", code="find $WHERE").rung is not Rung.NONE


async def test_a_mode_that_becomes_read_only_recalls_what_has_not_reached_its_backend_yet(desk: Desk) -> None:
    desk.adapter.at_once = False
    shown = desk.engine.propose("restart")
    run = await desk.execution.start(shown.proposal, Confirmation(shown.sha256, Rung.CONFIRM, KIM), KIM)
    mark = desk.engine.folder.run(run) / RECALLED
    assert not mark.exists()

    desk.engine.set_mode("read-only", "look, don't touch", KIM)

    assert mark.exists()
