"""Folders that a runbook states (`cwd`), and steps that its author leaves out of running all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cockpit.cli import main
from cockpit.runbook.linting.document import lint
from cockpit.runbook.model import Part
from cockpit.runbook.reading import parse
from tests.unit.session.session_desk import KIM, book, desk_of, outcome, step


def ran(path: Path, text: str, capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, tuple[str, str]]:
    """What `cockpit run` made of each step: its status, and where it ran or why it did not."""
    path.write_text(text, encoding="utf-8")
    main(["run", str(path), "--yes", "--json", *options])
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    folders = {each["data"]["step"]: each["data"]["cwd"] for each in told if each["kind"] == "step.intent"}
    ends = [each["data"] for each in told if each["kind"] == "step.finished"]
    return {end["step"]: (end["status"], end.get("reason") or folders.get(end["step"], "")) for end in ends}


@pytest.fixture
def document(own_state: Path) -> Path:
    for name in ("app", "app/logs", "ops"):
        (own_state / name).mkdir()
    return own_state / "runbook.md"


def test_a_step_runs_in_the_folder_its_fence_states_and_the_next_one_where_it_was(
    document: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = str(Path.cwd())
    there = f'```bash {{name=there cwd=app}}\ntest "$PWD" = "{document.parent}/app"\n```'
    found = ran(document, f'# R\n\n{there}\n\n```bash {{name=back}}\ntest "$PWD" = "{here}"\n```\n', capsys)
    assert found == {"there": ("passed", f"{document.parent}/app"), "back": ("passed", here)}


def test_front_matter_states_where_steps_begin_and_what_fences_are_meant_from(
    document: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "---\ncwd: app\n---\n# R\n\n```bash {name=home}\npwd\n```\n\n```bash {name=logs cwd=logs}\npwd\n```\n"
    found = ran(document, text, capsys)
    app = document.parent / "app"
    assert found == {"home": ("passed", str(app)), "logs": ("passed", str(app / "logs"))}


def test_a_folder_that_is_not_there_runs_nothing(document: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mark = document.parent / "mark"
    (found,) = ran(document, f"# R\n\n```bash {{name=x cwd=gone}}\ntouch {mark}\n```\n", capsys).values()
    assert found[0] == "refused"
    assert "can't be entered" in found[1]
    assert not mark.exists()


async def test_commands_of_one_block_follow_each_other_and_leave_no_folder_behind(tmp_path: Path) -> None:
    app, logs = tmp_path / "app", tmp_path / "app" / "logs"
    logs.mkdir(parents=True)
    parts = (Part("a.1", "cd", 1, 1, "cd logs"), Part("a.2", "ls", 2, 2, "ls"))
    block = step("a", "cd logs\nls", parts=parts, attributes={"cwd": "app"})
    desk = desk_of(tmp_path, book(block, step("b", "ls")))
    desk.engine.folders.written_in = str(tmp_path)
    assert desk.engine.propose("a", part="a.1").cwd == str(app)
    desk.adapter.next_outcome = outcome(cwd=str(logs))
    await desk.run("a", part="a.1")
    assert desk.engine.propose("a", part="a.2").cwd == str(logs)
    assert desk.engine.propose("a", part="a.1").cwd == str(app)

    other = desk_of(tmp_path / "other", book(step("a", "pwd", attributes={"cwd": "app"}), step("b", "ls")))
    other.engine.folders.written_in = str(tmp_path)
    other.adapter.next_outcome = outcome(cwd=str(app))
    await other.run("a")
    assert other.engine.propose("b").cwd is None


@pytest.mark.parametrize(("options", "status"), [((), "skipped"), (("--step", "twice"), "passed")])
def test_what_is_left_out_of_running_all_runs_by_name(
    document: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], status: str
) -> None:
    text = '# R\n\n```bash {"name":"twice","excludeFromRunAll":"true"}\ntrue\n```\n'
    assert ran(document, text, capsys, *options)["twice"][0] == status


def test_a_dry_run_marks_what_would_be_skipped_and_does_not_ask_for_its_inputs(
    document: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left_out = '```bash {"name":"twice","excludeFromRunAll":"true"}\ntrue <pod-name>\n```\n'
    document.write_text(
        f"# R\n\n```bash {{name=once}}\ntrue\n```\n\n{left_out}\n## Troubleshooting\n\n```bash\nls\n```\n"
    )
    assert main(["run", str(document), "--dry-run", "--json"]) == 0
    once, twice, trouble = (json.loads(line).get("skipped", "") for line in capsys.readouterr().out.splitlines())
    assert once == ""
    assert "--step" in twice
    assert "--section" in trouble
    assert main(["run", str(document), "--dry-run", "--step", "twice"]) == 3
    assert main(["run", str(document), "--dry-run"]) == 0
    assert "skipped: its author left it out" in capsys.readouterr().out


def test_an_author_is_told_that_background_is_not_applied() -> None:
    assert [each.code for each in lint(parse("# R\n\n```bash {background=true}\nserve\n```\n"))] == [
        "background-not-applied"
    ]


async def test_the_record_says_who_cancelled_a_step(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, book(step("look", "ls")))
    desk.adapter.at_once = False
    run = await desk.execution.start(desk.engine.propose("look").proposal, None, KIM)
    await desk.execution.cancel(run, "operator:lee")
    await desk.execution.wait(run)
    (end,) = (event for event in desk.journal.events if event.kind == "step.finished")
    assert (end.data["status"], end.actor) == ("cancelled", "operator:lee")
