"""`cockpit run`: what is told before a session begins, and where decisions lead when nobody is asked."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from cockpit.cli import main
from cockpit.errors import JournalError
from cockpit.session.headless import exit_code
from tests.unit.cli.test_cli import RUNBOOK, events, finished, runbook

__all__ = ["runbook"]

ROOT = Path(__file__).parents[3]

DECISION = """# Roll back

## Decide

- [ ] health fails
- [ ] errors rise

**If any of these holds → go to [Mend](#mend).**

## Wait

```bash {name=wait}
echo waited
```

## Mend

```bash {name=mend}
echo mended
```

## Troubleshooting

### It still fails

```bash {name=worse}
touch restarted
```
"""


def test_a_decision_says_where_it_leads_and_the_run_goes_there(
    runbook: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runbook.write_text(DECISION)
    assert main(["run", str(runbook), "--yes", "--json"]) == 0
    ends = [event["data"] for event in events(capsys) if event["kind"] == "step.finished"]
    decision = ends[0]
    assert (decision["status"], decision["branch"]) == ("passed", "mend")
    assert "--yes says that they hold: any of 2 items; on with “Mend”" in decision["reason"]
    assert [(end["step"], end["status"]) for end in ends[1:]] == [
        ("wait", "skipped"),
        ("mend", "passed"),
        ("worse", "skipped"),
    ]
    assert f"the decision {decision['step']} leads to “Mend”" in ends[1]["reason"]
    assert not (tmp_path / "restarted").exists()


def test_troubleshooting_runs_where_it_is_asked_for(runbook: Path, tmp_path: Path) -> None:
    runbook.write_text(DECISION)
    assert main(["run", str(runbook), "--yes", "--section", "troubleshooting"]) == 0
    assert (tmp_path / "restarted").exists()


def test_a_decision_that_nothing_decides_stops_the_run(runbook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    both = "→ go to [Mend](#mend), else see [Wait](#wait).**"
    runbook.write_text(DECISION.replace("→ go to [Mend](#mend).**", both))
    assert main(["run", str(runbook), "--yes", "--json"]) == 3
    ends = [event["data"] for event in events(capsys) if event["kind"] == "step.finished"]
    assert [end["status"] for end in ends] == ["refused", "skipped", "skipped", "skipped"]
    assert "#mend, #wait" in ends[0]["reason"]


def test_a_decision_that_leads_to_another_document_stops_the_run(
    runbook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runbook.write_text(DECISION.replace("[Mend](#mend)", "[the other runbook](other.md)"))
    assert main(["run", str(runbook), "--yes", "--json"]) == 3
    ends = [event["data"] for event in events(capsys) if event["kind"] == "step.finished"]
    assert "other.md" in ends[0]["reason"]
    assert {end["status"] for end in ends} == {"refused", "skipped"}


def test_without_yes_a_decision_is_for_a_person(runbook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runbook.write_text(DECISION)
    assert main(["run", str(runbook), "--json"]) == 3
    assert next(iter(finished(events(capsys)).values())) == "refused"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--set", "TARGET_FILE=" + "a" * 70_000],
        ["--set", "TARGET_FILE=" + "한" * 5_000],
        ["--set", "TARGET_FILE=a\x01b"],
        ["--config", "odd.toml"],
        ["--section", "prose"],
    ],
)
def test_wrong_use_leaves_no_session_behind(
    runbook: Path, tmp_path: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "odd.toml").write_text('[[target]]\nname = "x"\nkind = "no-such-kind"\n')
    runbook.write_text(RUNBOOK + "\n## Prose\n\nNothing to do.\n")
    assert main(["run", str(runbook), *arguments]) in (1, 2)
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert main(["sessions", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_a_session_that_could_not_begin_leaves_nothing_behind(
    runbook: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_given: object, **_named: object) -> None:
        raise JournalError("the disk is full")

    monkeypatch.setattr("cockpit.session.record.journal.Journal.append", broken)
    assert main(["run", str(runbook), "--step", "hello"]) == 2
    capsys.readouterr()
    assert main(["sessions", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_a_title_of_any_length_is_no_obstacle(runbook: Path) -> None:
    runbook.write_text(f"# {'long ' * 20_000}\n\n```bash\necho hello\n```\n")
    assert main(["run", str(runbook)]) == 0


def test_a_command_too_long_for_the_record_is_refused_on_the_record(
    runbook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runbook.write_text(f"# T\n\n```bash {{name=long}}\necho {'한' * 12_000}\n```\n")
    assert main(["run", str(runbook), "--yes", "--json"]) == 3
    assert finished(events(capsys)) == {"long": "refused"}


def test_a_dry_run_flags_what_can_not_run_as_it_stands(runbook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runbook.write_text(RUNBOOK + "\n```bash {name=cut}\nkubectl logs api ...\n```\n")
    for step, told in (("change", "TARGET_FILE"), ("cut", "left out")):
        assert main(["run", str(runbook), "--dry-run", "--step", step]) == 3
        assert "! can't run: " in (said := capsys.readouterr().out)
        assert told in said
        assert main(["run", str(runbook), "--dry-run", "--step", step, "--json"]) == 3
        assert told in json.loads(capsys.readouterr().out)["refused"]
    assert main(["run", str(runbook), "--dry-run", "--step", "change", "--set", "TARGET_FILE=x"]) == 0
    assert "can't run" not in capsys.readouterr().out


def test_a_dry_run_knows_what_the_environment_holds(
    runbook: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TARGET_FILE", "x")
    assert main(["run", str(runbook), "--dry-run", "--step", "change", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["missing"] == []


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        (["passed", "skipped"], 0),
        (["passed", "refused"], 3),
        (["refused", "failed"], 1),
        (["passed", "running"], 1),
        (["passed", "todo"], 1),
        (["awaiting"], 1),
        ([], 0),
    ],
)
def test_only_what_is_known_to_be_well_exits_0(statuses: list[str], code: int) -> None:
    assert exit_code(statuses) == code


@pytest.mark.parametrize("dry_run", [[], ["--dry-run"]])
def test_an_input_that_is_not_there_is_refused_with_the_nearest_one(
    runbook: Path, tmp_path: Path, dry_run: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(runbook), "--yes", "--set", "target_fil=x", *dry_run]) == 2
    assert "--set: the runbook has no input called target_fil (did you mean TARGET_FILE?)" in capsys.readouterr().err
    assert not list(tmp_path.glob("state/INC-*"))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--set", "TARGET_FIEL=x"], "--set: the runbook has no input called TARGET_FIEL (did you mean TARGET_FILE?)"),
        (["--set", "zzzzzz=x"], "(known ones: TARGET_FILE)"),
        (["--target", "nowhere"], "--target: no target is called nowhere (known ones: local)"),
    ],
)
def test_the_screen_refuses_what_it_can_not_take_before_it_opens(
    runbook: Path, tmp_path: Path, arguments: list[str], told: str
) -> None:
    command = [sys.executable, "-P", "-m", "cockpit.cli", "open", str(runbook), *arguments]
    terminal, inside = pty.openpty()
    try:
        done = subprocess.run(
            command,
            stdin=inside,
            stdout=inside,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "LANG": "C"},
            check=False,
            text=True,
            timeout=60,
        )
    finally:
        os.close(inside)
        os.close(terminal)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert told in done.stderr
    assert not list(tmp_path.glob("state/INC-*"))
