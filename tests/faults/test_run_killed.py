"""`cockpit run` interrupted, killed, or with nobody reading: steps are ended or taken over, and the record is whole."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cockpit.runs.process import process_start_time
from cockpit.session.host.spawn import host_alive, start_host
from cockpit.session.record.folder import SessionFolder
from cockpit.session.record.opening import open_session
from cockpit.session.record.reader import SessionReader
from cockpit.session.record.settings import SessionSettings
from cockpit.session.record.verify import verify
from tests.waiting import PATIENCE_S, wait_until

RUNBOOK = """# Killed

```bash {name=waits}
echo begun; sleep 1000; echo never
```

```bash {name=counts}
for i in $(seq 1 200); do echo "line $i"; sleep 0.005; done; exit 7
```

```bash {name=gated}
seq -f 'line %g' 100; until [ -e GATE ]; do sleep 0.02; done; seq -f 'line %g' 101 200; exit 7
```

```bash {name=stubborn}
trap '' TERM INT; echo begun; sleep 1000; sleep 1000
```

```bash {name=after}
echo after
```

```bash {name=secret}
echo "$DB_PASSWORD"
```
"""


class Bench:
    """`cockpit run` as a process; what it or its steps leave alive is ended afterwards, by pid."""

    def __init__(self, root: Path, environment: dict[str, str]) -> None:
        self.state = root / "state"
        self.runbook = root / "killed.md"
        self.gate = root / "gate"
        self.runbook.write_text(RUNBOOK.replace("GATE", str(self.gate)))
        self._environment = environment | {"COCKPIT_STATE_DIR": str(self.state), "XDG_RUNTIME_DIR": str(root)}
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, *arguments: str, **more: Any) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-P", "-m", "cockpit.cli", "run", str(self.runbook), "--yes", *arguments]
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **more}
        process = subprocess.Popen(
            command,
            env=self._environment,
            start_new_session=True,
            preexec_fn=_hears_hang_ups,  # noqa: PLW1509 - it makes one system call
            **streams,
        )
        self._started.append(process)
        return process

    @property
    def folder(self) -> SessionFolder:
        return SessionFolder(next(self.state.glob("INC-*")))

    def events(self, kind: str) -> list[dict[str, Any]]:
        if not any(self.state.glob("INC-*/journal.jsonl")):
            return []
        records = (
            json.loads(line)
            for line in self.folder.journal.read_bytes().splitlines(keepends=True)
            if line.endswith(b"\n")
        )
        return [record["data"] for record in records if record["kind"] == kind]

    def statuses(self) -> dict[str, str]:
        return {data["step"]: data["status"] for data in self.events("step.finished")}

    def command_alive(self) -> bool:
        runner = json.loads((self.folder.run(1) / "runner.json").read_text())
        return process_start_time(runner["child"]) is not None

    def end_leftovers(self) -> None:
        for process in self._started:
            if process.poll() is None:
                process.kill()
            process.communicate()
        for address in self.state.glob("INC-*/host.json"):
            if host_alive(SessionFolder(address.parent)):
                os.kill(json.loads(address.read_text())["pid"], signal.SIGKILL)
        for runner in self.state.glob("INC-*/runs/*/runner.json"):
            pid = json.loads(runner.read_text())["child"]
            if process_start_time(pid) is not None:
                os.killpg(pid, signal.SIGKILL)


def _hears_hang_ups() -> None:
    """Also where the suite runs under nohup, whose children inherit that they don't."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path, {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])})
    yield bench
    bench.end_leftovers()


@pytest.mark.parametrize("moment", ["step.intent", "step.started"])
def test_ctrl_c_ends_the_step_however_young_it_is(bench: Bench, moment: str) -> None:
    process = bench.start("--step", "waits", "--step", "after")
    wait_until(lambda: bench.events(moment), moment)
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE_S) == 130
    assert bench.statuses() == {"waits": "cancelled", "after": "skipped"}
    assert [data["reason"] for data in bench.events("step.finished")][1] == "interrupted"
    assert bench.events("session.ended")[0]["counts"] == {"cancelled": 1, "skipped": 1}
    assert not bench.command_alive()
    assert verify(bench.folder).ok


def test_a_second_ctrl_c_leaves_the_end_to_the_next_host(bench: Bench) -> None:
    process = bench.start("--step", "stubborn", "--step", "after")
    wait_until(lambda: bench.events("step.started"), "it runs")
    wait_until(lambda: (bench.folder.run(1) / "output").read_bytes() == b"begun\n", "it has set its traps")
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert b"session" in process.stderr.readline()
    assert b"Ctrl-C again" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE_S) == 130
    assert not bench.events("session.ended")
    start_host(bench.folder)
    wait_until(lambda: "stubborn" in bench.statuses(), "its end is recorded")
    assert bench.statuses()["stubborn"] == "cancelled"
    os.kill(json.loads(bench.folder.host.read_text())["pid"], signal.SIGTERM)
    wait_until(lambda: not host_alive(bench.folder), "the host is gone")
    assert verify(bench.folder).ok


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP, signal.SIGTERM])
def test_a_killed_run_leaves_its_step_to_the_next_host(bench: Bench, number: signal.Signals) -> None:
    process = bench.start("--step", "gated")
    wait_until(lambda: bench.events("step.started"), "it runs")
    process.send_signal(number)
    assert process.wait(PATIENCE_S) == -number
    bench.gate.touch()
    wait_until(lambda: not host_alive(bench.folder), "the lock is free")
    start_host(bench.folder)
    wait_until(bench.statuses, "its end is recorded")
    ended = bench.events("step.finished")[0]
    assert (ended["status"], ended["exit_code"]) == ("failed", 7)
    reader = SessionReader(bench.folder)
    reader.poll()
    assert reader.output(1, 0).decode() == "".join(f"line {i}\n" for i in range(1, 201))
    os.kill(json.loads(bench.folder.host.read_text())["pid"], signal.SIGTERM)
    wait_until(lambda: not host_alive(bench.folder), "the host is gone")
    assert verify(bench.folder).ok


def test_a_reader_that_goes_away_does_not_stop_the_run(bench: Bench) -> None:
    process = bench.start("--json", "--step", "counts")
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(PATIENCE_S) == 1
    assert bench.statuses() == {"counts": "failed"}
    assert bench.events("session.ended")
    assert process.stderr is not None
    assert b"the run goes on" in process.stderr.read()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_under_the_output_does_not_stop_the_run(bench: Bench) -> None:
    with Path("/dev/full").open("wb") as full:
        process = bench.start("--step", "after", stdout=full)
        assert process.wait(PATIENCE_S) == 0
    assert bench.statuses() == {"after": "passed"}


def test_a_run_without_standard_streams_writes_nothing_of_them_into_its_record(bench: Bench) -> None:
    script = 'exec "$@" <&- >&- 2>&-'
    command = [sys.executable, "-P", "-m", "cockpit.cli", "run", str(bench.runbook), "--step", "after"]
    environment = {"COCKPIT_STATE_DIR": str(bench.state), "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        ["sh", "-c", script, "sh", *command], env={**os.environ, **environment}, check=False, timeout=PATIENCE_S
    )
    assert done.returncode == 0
    assert bench.statuses() == {"after": "passed"}
    assert verify(bench.folder).ok


def test_a_host_is_told_secrets_without_writing_them_down(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COCKPIT_STATE_DIR", str(bench.state))
    folder = open_session(SessionSettings(str(bench.runbook), watch=False))
    start_host(folder, {"DB_PASSWORD": "hunter2hunter2"})
    wait_until(lambda: bench.events("input.set"), "it was told")
    wait_until(folder.host.exists, "it listens")
    assert bench.events("input.set")[0]["secret"]
    found = [path for path in folder.path.rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]
    os.kill(json.loads(folder.host.read_text())["pid"], signal.SIGTERM)
    wait_until(lambda: not host_alive(folder), "the host is gone")
    assert found == []
