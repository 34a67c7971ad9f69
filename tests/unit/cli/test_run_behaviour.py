"""What a person at a plain terminal sees of `cockpit run`, and what odd surroundings do to the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cockpit.cli import main
from tests.servers.server import free_port

RUNBOOK = """# 점검

```bash {name=asks}
echo "두 줄"
# 기대: 사람이 보기에 괜찮음
```

```bash {name=dies}
kill -TERM $$
```
"""
ROOT = Path(__file__).parents[3]


@pytest.fixture
def runbook(own_state: Path) -> Path:
    path = own_state / "점검.md"
    path.write_text(RUNBOOK, encoding="utf-8")
    return path


def cockpit(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-P", "-m", "cockpit.cli", *arguments]
    return subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        check=False,
        capture_output=True,
        timeout=60,
    )


def test_an_output_that_a_person_must_judge_is_shown_once(runbook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(runbook), "--step", "asks"]) == 1
    told = capsys.readouterr().out
    assert told.count("\n| 두 줄\n") == 1
    assert "? 사람이 보기에 괜찮음\n" in told
    assert "-- asks: unknown exit 0" in told


def test_a_signal_is_told_by_its_name(runbook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(runbook), "--step", "dies", "--yes"]) == 1
    assert "-- dies: failed SIGTERM" in capsys.readouterr().out


def test_a_target_that_can_not_be_reached_is_a_failure_and_no_refusal_by_policy(
    runbook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runbook.write_text("```bash {name=looks}\nuptime\n```\n")
    config = runbook.with_name("cockpit.toml")
    config.write_text(f'[target.gone]\nkind = "ssh"\nhost = "127.0.0.1"\nport = {free_port()}\n')

    assert main(["run", str(runbook), "--config", str(config), "--target", "gone", "--yes"]) == 1
    assert "-- looks: refused" in capsys.readouterr().out


@pytest.mark.parametrize(
    "surroundings",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
    ],
)
def test_json_is_utf8_whatever_the_locale(runbook: Path, surroundings: dict[str, str]) -> None:
    done = cockpit("run", str(runbook), "--step", "asks", "--yes", "--json", **surroundings)
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.decode("utf-8").splitlines()]
    assert events[0]["data"]["runbook"]["title"] == "점검"
    assert events[-1]["kind"] == "session.ended"


def test_text_that_a_locale_cannot_say_is_escaped(runbook: Path) -> None:
    shown = cockpit("show", str(runbook), PYTHONIOENCODING="latin-1", PYTHONUTF8="0")
    assert (shown.returncode, shown.stdout.splitlines()[0]) == (0, rb"\uc810\uac80")
    plain = cockpit("show", str(runbook), LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert plain.stdout.decode("utf-8").splitlines()[0] == "점검"


def test_bytes_that_are_no_text_get_a_verdict_all_the_same() -> None:
    command = [sys.executable, "-P", "-m", "cockpit.cli", "verdict", "--json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, input=b"ls \xff", env=environment, check=False, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["verdict"] == "unknown"


def test_a_deleted_current_directory_is_one_line(runbook: Path, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    script = 'cd "$1" && rmdir "$1" && shift && exec "$@"'
    command = ["sh", "-c", script, "sh", str(gone), sys.executable, "-P", "-m", "cockpit.cli", "run", str(runbook)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, check=False, capture_output=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"cockpit: the current directory is gone")


@pytest.mark.parametrize("dry_run", [[], ["--dry-run"]])
def test_an_unknown_target_is_wrong_usage_and_makes_no_session(
    runbook: Path, tmp_path: Path, dry_run: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(runbook), "--target", "nowhere", *dry_run]) == 2
    assert "--target: no target is called nowhere" in capsys.readouterr().err
    assert not list(tmp_path.glob("state/INC-*"))


def test_an_unreadable_configuration_makes_no_session(runbook: Path, tmp_path: Path) -> None:
    (tmp_path / "odd.toml").write_text("odd = 1")
    assert main(["run", str(runbook), "--config", str(tmp_path / "odd.toml")]) == 2
    assert not list(tmp_path.glob("state/INC-*"))


def test_an_unknown_option_is_one_line(runbook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["run", str(runbook), "--no-such-option"])
    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_output_that_cannot_be_written_is_one_line(runbook: Path) -> None:
    command = [sys.executable, "-P", "-m", "cockpit.cli", "show", str(runbook)]
    with Path("/dev/full").open("wb") as full:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, env=environment, stdout=full, stderr=subprocess.PIPE, check=False, timeout=60)
    assert done.returncode == 2
    assert done.stderr == b"cockpit: standard output: No space left on device\n"


def test_a_session_name_that_no_file_can_have_is_one_line(runbook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "a" * 5000]) == 2
    assert capsys.readouterr().err.count("\n") == 1


SECRETS = """# Secrets

```bash {name=literal}
export API_TOKEN=tok-0123456789abcdef01234567
```

```bash {name=uses}
echo "$DB_PASSWORD"
```
"""


def files_with(text: str, folder: Path) -> list[str]:
    return [
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and text.encode() in path.read_bytes()
    ]


def test_a_secret_given_on_the_command_line_is_in_no_file_of_the_session(runbook: Path, tmp_path: Path) -> None:
    runbook.write_text(SECRETS)
    assert main(["run", str(runbook), "--set", "DB_PASSWORD=hunter2hunter2", "--yes"]) == 0
    assert files_with("[redacted", tmp_path / "state")
    assert files_with("hunter2", tmp_path / "state") == []


def test_a_secret_in_the_runbook_is_not_in_the_report(runbook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runbook.write_text(SECRETS)
    assert main(["run", str(runbook), "--step", "literal", "--yes"]) == 0
    capsys.readouterr()
    for form in ("markdown", "json"):
        session = next(Path("state").glob("INC-*")).name
        assert main(["report", session, "--format", form]) == 0
        told = capsys.readouterr().out
        assert "API" in told
        assert "0123456789abcdef" not in told


CAREFUL = """---
severity: P1
mode: read-only
targets: 3
---
# Careful

```bash {name=change}
touch changed
```
"""


def test_the_front_matter_sets_severity_and_read_only_mode(
    runbook: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runbook.write_text(CAREFUL)
    assert main(["run", str(runbook), "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["needs"] == "refused"
    assert main(["run", str(runbook), "--yes", "--allow-destructive"]) == 3
    assert not (tmp_path / "changed").exists()
    assert "front matter: target" in capsys.readouterr().err
    assert main(["sessions", "--json"]) == 0
    session = json.loads(capsys.readouterr().out)[0]
    assert (session["severity"], session["mode"]) == ("P1", "read-only")


ODD_RECORD = '{"v":1,"seq":9,"t":"x","m":0,"boot":"b","actor":"a","kind":"step.finished","data":%s,"prev":"","h":""}'
ODD_DATA = ["[]", "{}", '{"step":[],"status":"passed"}', '{"step":"asks","status":"odd"}']
ODD_LINES = [b"[" * 100_000, b"null", b"[]", *((ODD_RECORD % data).encode() for data in ODD_DATA)]


@pytest.mark.parametrize("line", ODD_LINES)
def test_a_line_from_another_hand_is_found_and_hides_nothing(
    runbook: Path, tmp_path: Path, line: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["run", str(runbook), "--step", "asks", "--yes"])
    journal = next(tmp_path.glob("state/INC-*/journal.jsonl"))
    with journal.open("ab") as file:
        file.write(line + b"\n")
    session = journal.parent.name
    capsys.readouterr()
    assert main(["sessions"]) == 0
    assert "1 passed" in capsys.readouterr().out
    assert main(["verify", session]) == 1
    assert "first bad record" in capsys.readouterr().out
    assert main(["report", session]) == 0
    top, _steps, rest = capsys.readouterr().out.partition("## Summary")
    assert "NOT WHOLE" in top
    assert "NOT WHOLE" in rest


MESSAGE = """# Tell

Announce the incident:

```
[Incident] AI chat is down
- Since: {{since}}
```

```bash {name=change}
touch changed
```
"""


def test_a_message_with_blanks_is_printed_and_does_not_count_as_done(
    runbook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runbook.write_text(MESSAGE)
    assert main(["run", str(runbook), "--yes", "--set", "since=09:00"]) == 0
    told = capsys.readouterr().out
    assert "Since: 09:00" in told
    assert "passed (printed, not sent)" in told
    assert main(["run", str(runbook), "--yes"]) == 0
    told = capsys.readouterr().out
    assert "Since: {{since}}" in told
    assert "skipped (printed with blanks, not sent: since)" in told
    assert "-- change: passed" in told


def test_a_report_lists_refused_steps_as_deviations(runbook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(runbook), "--step", "dies"]) == 3
    assert main(["report", next(Path("state").glob("INC-*")).name]) == 0
    report = capsys.readouterr().out
    deviations = report.partition("## Deviations")[2].partition("## Steps")[0]
    assert "- Refused: kill -TERM" in deviations
    assert "this needs a confirmation" in deviations


def test_a_step_outside_the_chosen_section_is_wrong_usage(runbook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runbook.write_text("# A\n\n## B\n\n```bash {name=b}\ntrue\n```\n\n## C\n\n```bash {name=c}\ntrue\n```\n")
    assert main(["run", str(runbook), "--section", "b", "--step", "c"]) == 2
    assert "the step c is in another section (its section: c)" in capsys.readouterr().err


def test_a_runtime_folder_of_somebody_else_is_passed_by(
    runbook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_to_all = tmp_path / "runtime" / "cockpit"
    open_to_all.mkdir(parents=True)
    open_to_all.chmod(0o777)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(open_to_all.parent))
    assert main(["run", str(runbook), "--step", "asks", "--yes"]) == 0
    assert not list(open_to_all.iterdir())
