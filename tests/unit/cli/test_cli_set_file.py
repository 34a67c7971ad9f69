"""`--set-file`: a secret for an input that no list of processes shows, and the advice where one was given openly."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from cockpit.commands.given import given_values
from cockpit.errors import UsageError

SECRET = "Jw5.tYp3d.Gf4tNb7uQk9m"
RUNBOOK = """# Sign in

```bash {name=see}
echo "it has ${#API_TOKEN} letters"; echo "$API_TOKEN"
tr '\\0' '\\n' < /proc/$COCKPIT_PID/cmdline; tr '\\0' '\\n' < /proc/$COCKPIT_PID/environ
```
"""


def given(*, set: list[str] = [], set_file: list[str] = []) -> dict[str, str]:  # noqa: A002, B006 - as the options are called
    return given_values(Namespace(set=set, set_file=set_file))


def test_a_file_s_text_is_the_value_without_the_line_end_that_editors_add(tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(SECRET.encode() + b"\r\n")

    assert given(set=["NAME=a=b"], set_file=[f"API_TOKEN={tmp_path / 'token'}"]) == {"NAME": "a=b", "API_TOKEN": SECRET}


def test_a_dash_reads_a_line_of_input_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{SECRET}\nsecond\n"))

    assert given(set_file=["A=-", "B=-"]) == {"A": SECRET, "B": "second"}


@pytest.mark.parametrize("wrong", ["API_TOKEN", "=x", "API_TOKEN=nowhere", "API_TOKEN=."])
def test_what_can_t_be_read_is_told_with_its_name(wrong: str) -> None:
    with pytest.raises(UsageError):
        given(set_file=[wrong])


def test_an_end_of_input_is_no_empty_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))

    with pytest.raises(UsageError):
        given(set_file=["A=-"])


def cockpit(tmp_path: Path, *arguments: str, answer: str = "") -> subprocess.CompletedProcess[str]:
    document = tmp_path / "signing.md"
    document.write_text(RUNBOOK)
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "COCKPIT_STATE_DIR": str(tmp_path / "state")}
    # Its own pid, for the step to look itself up from outside.
    script = 'export COCKPIT_PID=$$; exec "$@"'
    words = ["bash", "-c", script, "bash", sys.executable, "-P", "-m", "cockpit.cli", "run", str(document), "--yes"]
    return subprocess.run(
        [*words, "--json", *arguments], input=answer, capture_output=True, text=True, env=environment, timeout=120,
        check=False,
    )  # fmt: skip


def recorded(tmp_path: Path) -> str:
    return "".join(
        path.read_bytes().decode("utf-8", "replace") for path in (tmp_path / "state").rglob("*") if path.is_file()
    )


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux shows processes in /proc")
def test_a_secret_from_a_file_is_in_no_list_of_processes_nor_in_the_record(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(SECRET + "\n")

    done = cockpit(tmp_path, "--set-file", f"API_TOKEN={tmp_path / 'token'}")

    assert done.returncode == 0, done.stderr
    assert "--set-file" not in done.stderr
    assert SECRET not in done.stdout + done.stderr + recorded(tmp_path)
    output = next((tmp_path / "state").rglob("output")).read_text()
    assert f"it has {len(SECRET)} letters" in output
    filled = [json.loads(line) for line in done.stdout.splitlines() if '"input.set"' in line]
    assert [event["data"]["secret"] for event in filled] == [True]


def test_a_secret_given_openly_is_taken_and_the_other_way_is_told(tmp_path: Path) -> None:
    done = cockpit(tmp_path, "--set", f"API_TOKEN={SECRET}")

    assert done.returncode == 0, done.stderr
    assert "--set-file API_TOKEN=FILE" in done.stderr
    assert SECRET not in done.stdout + done.stderr + recorded(tmp_path)


def test_a_secret_is_read_from_standard_input(tmp_path: Path) -> None:
    done = cockpit(tmp_path, "--set-file", "API_TOKEN=-", answer=SECRET + "\n")

    assert done.returncode == 0, done.stderr
    assert f"it has {len(SECRET)} letters" in next((tmp_path / "state").rglob("output")).read_text()
