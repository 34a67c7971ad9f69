"""`cockpit run` on a group of targets: what it prints, its events, its report, and what Ctrl-C leaves behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cockpit.cli import main

RUNBOOK = """# Web

```bash {name=hello}
echo hello
```

```bash {name=picky}
[ -e first ] && { echo 'port 8080: Address already in use'; exit 7; }; touch first; echo fine
```

```bash {name=wipe}
rm -rf ./gone
```

```bash {name=there target=canary}
uptime
```

- [ ] looks well

```bash {name=judged}
date
# expected: a person finds it plausible
```
"""
CONFIG = """
[target]
a = { kind = "local" }
b = { kind = "local" }
c = { kind = "local" }

[group.web]
targets = ["a", "b", "c"]
rolling = 1

[group.canary]
targets = ["c"]
"""


@pytest.fixture
def runbook(own_state: Path) -> str:
    (own_state / "cockpit.toml").write_text(CONFIG)
    path = own_state / "web.md"
    path.write_text(RUNBOOK)
    return str(path)


def events(capsys: pytest.CaptureFixture[str], kind: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [event["data"] for event in found if event["kind"] == kind]


def test_every_targets_words_and_end_stand_behind_its_name(runbook: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", runbook, "--target", "web", "--step", "hello"]) == 0
    out = capsys.readouterr().out
    assert "== hello  [read-only]  web: a, b, c\n$ echo hello\n-- hello: one after the other; the first that" in out
    for name in ("a", "b", "c"):
        assert f"| {name}: hello\n" in out
        assert f"-- hello: {name}: passed exit 0" in out
    assert out.endswith("-- hello: passed\n")


def test_the_first_that_does_not_pass_stops_the_rest(runbook: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", runbook, "--target", "web", "--step", "picky", "--yes"]) == 1
    out = capsys.readouterr().out
    assert "-- picky: a: passed exit 0" in out
    assert "-- picky: b: failed exit 7" in out
    assert "(port 8080: Address already in use)" in out
    assert out.endswith("-- picky: failed (1 of 3 passed; failed: b; not begun: c)\n")


def test_the_events_name_the_target_of_each(runbook: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["run", runbook, "--target", "web", "--step", "picky", "--yes", "--json"])
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    told = [(each["kind"], each["data"].get("target")) for each in found if each["kind"].startswith(("step", "target"))]
    one = ["step.intent", "step.started", "target.finished"]
    assert told == [*((kind, "a") for kind in one), *((kind, "b") for kind in one), ("step.finished", None)]
    assert found[-2]["data"]["targets"] == {"a": "passed", "b": "failed", "c": "skipped"}


def test_what_cannot_be_undone_takes_the_flag_for_a_group_as_for_a_target(
    runbook: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", runbook, "--target", "web", "--step", "wipe", "--yes", "--json"]) == 3
    assert events(capsys, "step.intent") == []
    assert main(["run", runbook, "--target", "web", "--step", "wipe", "--yes", "--allow-destructive", "--json"]) == 0
    assert [intent["typed"] for intent in events(capsys, "step.intent")] == ["web"] * 3


def test_in_read_only_mode_nothing_is_changed_anywhere(runbook: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", runbook, "--target", "web", "--step", "picky", "--yes", "--read-only", "--json"]) == 3
    assert events(capsys, "step.intent") == []
    assert not Path("first").exists()


def test_a_document_names_a_group_for_its_step(runbook: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", runbook, "--step", "there", "--json"]) == 0
    assert [intent["group"]["name"] for intent in events(capsys, "step.intent")] == ["canary"]


def test_a_group_that_is_not_there_is_refused_with_the_nearest(
    runbook: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", runbook, "--target", "canari", "--step", "hello"]) == 2
    assert "did you mean canary?" in capsys.readouterr().err


def test_a_dry_run_names_the_targets_and_the_policy(runbook: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", runbook, "--target", "web", "--step", "hello", "--dry-run", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert (row["target"], row["targets"]) == ("web", ["a", "b", "c"])
    assert row["manner"].startswith("one after the other")


def test_what_only_a_person_can_judge_is_unknown_without_one(runbook: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", runbook, "--target", "canary", "--step", "judged", "--json"]) == 1
    (end,) = events(capsys, "step.finished")
    assert end["status"] == "unknown"
    assert "a person must judge" in end["reason"]
    assert main(["run", runbook, "--target", "canary", "--step", "judged", "--yes", "--json"]) == 0


def test_the_report_has_a_row_and_the_evidence_of_every_target(
    runbook: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["run", runbook, "--target", "web", "--step", "picky", "--yes"])
    capsys.readouterr()
    (session,) = [path.name for path in Path("state").glob("INC-*")]
    assert main(["report", session]) == 0
    report = capsys.readouterr().out
    assert report.count("#### Attempt") == 1
    rows = [line for line in report.split("\n") if line.startswith(("| a |", "| b |", "| c |"))]
    assert [row.split(" | ")[3] for row in rows] == ["passed (exit 0)", "failed (exit 7)", "skipped"]
    assert "port 8080: Address already in use" in rows[1]
    assert "The output, b:" in report
    timeline = report.partition("## Timeline")[2].partition("## ")[0]
    assert timeline.count("is run on web") == 1
    assert "on b: failed (exit 7)" in timeline
    assert main(["report", session, "--format", "json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    told = json.dumps(facts)
    assert '"manner": "one after the other; the first that does not pass stops the rest"' in told
    assert main(["verify", session]) == 0


def test_what_is_left_of_a_group_is_told_with_the_flags_that_run_it(
    runbook: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["run", runbook, "--target", "web", "--step", "picky", "--yes"]
    assert main(asked) == 1
    assert "cockpit: picky: the rest: --step picky --only b --only c\n" in capsys.readouterr().err

    assert main([*asked, "--only", "c", "--only", "b"]) == 1
    told = capsys.readouterr()
    assert "web: b, c\n" in told.out
    assert "-- picky: a:" not in told.out
    assert "--only b --only c" in told.err


def test_only_some_targets_of_a_group_are_rehearsed_dry_as_they_would_run(
    runbook: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", runbook, "--target", "web", "--step", "hello", "--only", "b", "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["targets"] == ["b"]


def test_a_group_that_has_none_of_the_targets_runs_nowhere(runbook: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", runbook, "--target", "canary", "--step", "hello", "--only", "a"]) == 2
    assert "canary has none of these targets: a" in capsys.readouterr().err
    assert main(["run", runbook, "--target", "web", "--step", "hello", "--only", "d"]) == 2
    assert "no target is called d" in capsys.readouterr().err
    assert main(["run", runbook, "--target", "web", "--step", "there", "--only", "a"]) == 3
    assert "-- there: refused" in capsys.readouterr().out
