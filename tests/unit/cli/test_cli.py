"""The command line: exit codes, JSON alone on stdout, one clear line for every error."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
from pathlib import Path
from typing import IO, Any, cast

import pytest

from cockpit.cli import COMMANDS, main, with_default_command

RUNBOOK = """---
title: Check
---
# Check

## Look (2 min)

```bash {name=hello}
echo hello
# expected: hello
```

```bash {name=fails}
exit 4
```

- [ ] looks well

## Change

```bash {name=change}
touch "$TARGET_FILE"
```

```bash {name=wipe}
rm -rf ./gone
```

```bash {name=forever}
tail -f /var/log/app.log
```
"""


@pytest.fixture
def runbook(own_state: Path) -> Path:
    path = own_state / "check.md"
    path.write_text(RUNBOOK)
    return path


def events(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def finished(found: list[dict[str, Any]]) -> dict[str, str]:
    return {event["data"]["step"]: event["data"]["status"] for event in found if event["kind"] == "step.finished"}


def test_a_runbook_alone_means_open() -> None:
    assert with_default_command(["x.md"]) == ["open", "x.md"]
    assert with_default_command([]) == ["open"]
    assert with_default_command(["--read-only", "x.md"]) == ["open", "--read-only", "x.md"]
    assert with_default_command(["--lang", "ko", "lint", "x.md"]) == ["--lang", "ko", "lint", "x.md"]
    assert with_default_command(["--help"]) == ["--help"]


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert "usage: cockpit" in capsys.readouterr().out


def test_a_step_that_passes_is_told_as_events_and_exits_0(runbook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(runbook), "--step", "hello", "--yes", "--json"]) == 0
    found = events(capsys)
    assert [event["kind"] for event in found] == [
        "session.started",
        "step.intent",
        "step.started",
        "step.finished",
        "session.ended",
    ]
    data = found[3]["data"]
    assert data["exit_code"] == 0
    assert data["status"] == "passed"
    assert {"seq", "t", "kind", "data"} <= set(found[0])


def test_a_failure_exits_1_and_the_rest_is_skipped(runbook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(runbook), "--section", "look-2-min", "--yes", "--json"]) == 1
    statuses = finished(events(capsys))
    assert list(statuses.values()) == ["passed", "failed", "skipped"]


def test_keep_going_goes_on(runbook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(runbook), "--section", "look-2-min", "--yes", "--keep-going", "--json"]) == 1
    assert list(finished(events(capsys)).values()) == ["passed", "failed", "passed"]


def test_a_change_needs_yes(runbook: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = tmp_path / "made"
    arguments = ["run", str(runbook), "--step", "change", "--set", f"TARGET_FILE={made}", "--json"]
    assert main(arguments) == 3
    assert not made.exists()
    assert finished(events(capsys)) == {"change": "refused"}
    assert main([*arguments, "--yes"]) == 0
    assert made.exists()


def test_destruction_needs_more_than_yes(runbook: Path, tmp_path: Path) -> None:
    doomed = tmp_path / "gone"
    doomed.mkdir()
    assert main(["run", str(runbook), "--step", "wipe", "--yes"]) == 3
    assert doomed.exists()
    assert main(["run", str(runbook), "--step", "wipe", "--yes", "--allow-destructive"]) == 0
    assert not doomed.exists()


def test_the_reason_given_is_on_record(runbook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["run", str(runbook), "--step", "wipe", "--yes", "--allow-destructive", "--json"]
    main([*arguments, "--reason", "disk is full"])
    main(arguments)
    reasons = [event["data"]["reason"] for event in events(capsys) if event["kind"] == "step.intent"]
    assert reasons == ["disk is full", "--allow-destructive"]


def test_read_only_refuses_even_with_yes(runbook: Path, tmp_path: Path) -> None:
    made = tmp_path / "made"
    arguments = ["run", str(runbook), "--step", "change", "--set", f"TARGET_FILE={made}", "--yes", "--read-only"]
    assert main(arguments) == 3
    assert not made.exists()


def test_an_input_that_the_environment_holds_is_not_asked_for(
    runbook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TARGET_FILE", str(tmp_path / "made"))
    assert main(["run", str(runbook), "--step", "change", "--yes"]) == 0
    assert (tmp_path / "made").exists()


def test_output_is_told_once_and_in_order(runbook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = "for i in 1 2 3; do echo line $i; sleep 0.15; done; printf end"
    runbook.write_text(f"# T\n\n```bash {{name=slow}}\n{code}\n```\n")
    assert main(["run", str(runbook), "--yes"]) == 0
    said = capsys.readouterr().out.split("\n")
    start = said.index("| line 1")
    assert said[start : start + 4] == ["| line 1", "| line 2", "| line 3", "| end"]
    assert said.count("| line 2") == 1


def test_a_missing_input_is_named(runbook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(runbook), "--step", "change", "--yes"]) == 3
    assert "TARGET_FILE" in capsys.readouterr().out


def test_an_endless_command_is_refused_without_a_screen(runbook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(runbook), "--step", "forever", "--yes", "--json"]) == 3
    assert finished(events(capsys)) == {"forever": "refused"}


def test_a_dry_run_runs_and_records_nothing(runbook: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(runbook), "--dry-run", "--json", "--step", "wipe"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert row["verdict"] == "destructive"
    assert row["needs"] == "type-target"
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "no-such.md"],
        ["run", "check.md", "--step", "nope"],
        ["run", "check.md", "--section", "nope"],
        ["run", "check.md", "--set", "nope"],
        ["run", "check.md", "--set", "NOPE=1"],
        ["show", "no-such.md"],
        ["lint", "no-such.md"],
        ["verify", "INC-19990101-001"],
        ["report", "INC-19990101-001"],
        ["rehearse", "no-such-scenario"],
        ["verdict", "--batch"],
    ],
)
def test_wrong_use_is_one_line_and_exit_2(
    runbook: Path, arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("not json\n"))
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.strip().splitlines()) == 1
    assert said.err.startswith("cockpit: ")


def test_the_screen_wants_a_terminal(runbook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(runbook)]) == 2
    assert "terminal" in capsys.readouterr().err


def test_a_section_is_chosen_by_the_name_that_show_tells(runbook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(runbook)]) == 0
    names = re.findall(r"^#+ .*\((#.+)\)$", capsys.readouterr().out, re.MULTILINE)
    assert names
    for name in (names[-1], names[-1].removeprefix("#")):
        assert main(["run", str(runbook), "--section", name, "--dry-run"]) in (0, 3)
        assert "no section" not in capsys.readouterr().err


def test_show_json_accounts_for_blocks_and_tasks(runbook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(runbook), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["title"] == "Check"
    kinds = [step["kind"] for step in shown["steps"]]
    assert kinds == ["command", "command", "check", "command", "command", "command"]
    assert shown["sections"][1]["budget_s"] == 120


def test_batch_verdicts_come_in_order(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    questions = [{"language": "bash", "command": c} for c in ("uptime", "rm -rf /x", "systemctl restart nginx")]
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(json.dumps(q) + "\n" for q in questions)))
    assert main(["verdict", "--batch"]) == 0
    answers = events(capsys)
    assert [answer["verdict"] for answer in answers] == ["read-only", "destructive", "mutating"]
    assert [answer["command"] for answer in answers] == [question["command"] for question in questions]


def test_a_recorded_session_is_listed_and_whole(runbook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["run", str(runbook), "--step", "hello", "--yes", "--json"])
    session = events(capsys)[0]["data"]["session"]
    assert main(["sessions", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)[0]
    assert row["session"] == session
    assert row["running"] is False
    assert main(["verify", session, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True


def test_an_edited_output_is_found_out(runbook: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["run", str(runbook), "--step", "hello", "--yes", "--json"])
    session = events(capsys)[0]["data"]["session"]
    (tmp_path / "state" / session / "runs" / "0001" / "output").write_text("hullo\n")
    assert main(["verify", session]) == 1
    assert "runs/0001/output" in capsys.readouterr().out


def test_an_export_holds_every_file_with_its_hash(
    runbook: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["run", str(runbook), "--step", "hello", "--yes", "--json"])
    session = events(capsys)[0]["data"]["session"]
    archive = tmp_path / "out.tar.gz"
    assert main(["export", session, "--output", str(archive)]) == 0
    with tarfile.open(archive) as found:
        names = found.getnames()
        manifest = json.load(cast(IO[bytes], found.extractfile(f"{session}/manifest.json")))
        for row in manifest["files"]:
            held = cast(IO[bytes], found.extractfile(f"{session}/{row['file']}")).read()
            assert hashlib.sha256(held).hexdigest() == row["sha256"]
    assert f"{session}/journal.jsonl" in names
    assert f"{session}/runs/0001/output" in names
    assert archive.stat().st_mode & 0o077 == 0


def test_a_defect_is_one_line_with_its_details_in_a_file(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_options: object) -> int:
        raise ZeroDivisionError("never mind")

    monkeypatch.setattr("cockpit.commands.sessions.run", broken)
    assert main(["sessions"]) == 1
    said = capsys.readouterr().err
    assert len(said.strip().splitlines()) == 1
    path = Path(said.strip().rsplit(" ", 1)[-1])
    assert "never mind" in path.read_text()
    path.unlink()
