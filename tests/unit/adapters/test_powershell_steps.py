"""PowerShell steps: on this machine where it has one, a clear refusal where not. The `pwsh` here is a stand-in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cockpit.adapters.local import LocalAdapter
from cockpit.cli import main
from cockpit.errors import ToolMissing, UsageError
from cockpit.runbook.model import Input
from cockpit.session.filling.filling import fill
from tests.runs import Runs, read_permit

STAND_IN = """#!/bin/sh
for last in "$@"; do :; done
printf '%s\\n' "$@" > "$COCKPIT_PWSH_SAYS"
echo "said by pwsh:"
cat "$last"
printf "\\nSERVICE=%s\\n" "$SERVICE"
exit "${COCKPIT_PWSH_EXIT:-0}"
"""
BLANKS = [Input("x", "<x>", "angle")]


@pytest.fixture
def pwsh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What it was called with, a line each."""
    folder, says = tmp_path / "bin", tmp_path / "argv"
    folder.mkdir()
    (folder / "pwsh").write_text(STAND_IN)
    (folder / "pwsh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setenv("COCKPIT_PWSH_SAYS", str(says))
    return says


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A PATH with bash and no pwsh."""
    for tool in ("bash", "sh", "cat"):
        (tmp_path / tool).symlink_to(f"/bin/{tool}")
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def runbook(own_state: Path) -> Path:
    path = own_state / "seed.md"
    path.write_text("# Look\n\n```powershell {name=look}\nGet-Service $SERVICE\n.\\check_monitoring_status.ps1\n```\n")
    return path


def finished(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    data: dict[str, Any] = next(event["data"] for event in events if event["kind"] == "step.finished")
    return data


def test_a_step_runs_where_there_is_powershell(
    pwsh: Path, runbook: Path, capsys: pytest.CaptureFixture[str], own_state: Path
) -> None:
    assert main(["run", str(runbook), "--set", "SERVICE=canary", "--yes", "--json"]) == 0

    assert finished(capsys)["status"] == "passed"
    said = next(own_state.rglob("runs/*/output")).read_text()
    assert said == "said by pwsh:\nGet-Service $SERVICE\n.\\check_monitoring_status.ps1\nSERVICE=canary\n"
    argv = pwsh.read_text().split("\n")
    assert argv[:4] == ["-NoLogo", "-NoProfile", "-NonInteractive", "-Command"]
    assert "${SERVICE} = ${env:SERVICE}" in argv[4]
    assert argv[5].startswith("/dev/fd/")


def test_its_exit_status_is_the_steps(
    pwsh: Path, runbook: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COCKPIT_PWSH_EXIT", "3")

    assert main(["run", str(runbook), "--set", "SERVICE=canary", "--yes", "--json"]) == 1

    done = finished(capsys)
    assert (done["status"], done["exit_code"]) == ("failed", 3)


def test_where_there_is_none_the_refusal_says_what_to_install(
    without: None, runbook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(runbook), "--set", "SERVICE=canary", "--yes"]) != 0

    told = "".join(capsys.readouterr())
    assert "powershell steps can't run on local" in told
    assert "PowerShell 7 (pwsh)" in told
    assert "Traceback" not in told


async def test_a_powershell_that_went_away_is_told_and_nothing_runs(
    pwsh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = LocalAdapter()
    assert "powershell" in adapter.languages
    monkeypatch.setenv("PATH", "/nowhere")

    runs: Runs[Any] = Runs(tmp_path)
    with pytest.raises(ToolMissing, match="no pwsh"):
        await runs.begin(adapter, read_permit("Get-Service", language="powershell", target="local"))


async def test_doctor_names_it(pwsh: Path) -> None:
    (found,) = await LocalAdapter().checks()
    assert str(pwsh.parent / "bin" / "pwsh") in found.text


@pytest.mark.parametrize(
    ("code", "value", "filled"),
    [
        ("Stop-Service <x>", "a b", "Stop-Service 'a b'"),
        ("Stop-Service <x>", "it's; rm x", "Stop-Service 'it''s; rm x'"),
        ("Stop-Service <x>", "a\u2019; rm x #", "Stop-Service 'a\u2019\u2019; rm x #'"),
        ("Stop-Service '<x>'", "it's $(x)", "Stop-Service 'it''s $(x)'"),
        (".\\probe-<x>.ps1", "api", ".\\probe-api.ps1"),
        ('Write-Output "<x>"', "api-1", 'Write-Output "api-1"'),
    ],
)
def test_a_value_stays_one_value(code: str, value: str, filled: str) -> None:
    assert fill(code, "powershell", BLANKS, {"x": value}).body == filled


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ('Write-Output "<x>"', "$(rm x)"),
        ('Write-Output "it is <x>"', 'a" ; rm x'),
        (".\\probe-<x>.ps1", "a b"),
        ("<x> -Force", "a b"),
        ("'a'<x>", "; rm x"),
        ("Write-Output @'\n<x>\n'@", "'@; rm x"),
        ("Stop-Service # don't\nWrite-Output <x>", "; rm x"),
        ("Stop-Service -Name:<x>", "-a"),
    ],
)
def test_a_value_that_would_be_read_as_code_is_refused(code: str, value: str) -> None:
    with pytest.raises(UsageError):
        fill(code, "powershell", BLANKS, {"x": value})
