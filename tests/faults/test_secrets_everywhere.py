"""Secrets planted in a real session, through every way in: none is in any file, process table, answer or report."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from cockpit.errors import CockpitError
from cockpit.runs.process import process_table
from cockpit.session.host.spawn import start_host
from cockpit.session.line.client import HostClient
from cockpit.session.record.folder import SessionFolder
from cockpit.session.record.opening import open_session
from cockpit.session.record.reader import SessionReader
from cockpit.session.record.settings import SessionSettings
from tests.faults.test_host_killed import connected, host_pid
from tests.planted import FORMS, folded, gives_away
from tests.servers.pages import Page, page_server
from tests.waiting import until

IN_CONFIG = "Kx7/cfg+Tq9=Wm2vBz\"4'Rn"
IN_ENVIRONMENT = "Hy3-eWv-Zp8qLd6sVx1c"
TYPED = "Jw5.tYp3d.Gf4tNb7uQk9m"
EXPORTED = "Ra2_xP0rt_Yc6hXe3jPo8"
BY_SHAPE = ("AKIAZQ3DRSTUVWXY2345", "ghp_Lm4Nb8Vc2Xz6As9Df3Gh7Jk1Qw5Er", "uL7-sH4pe-vT2kD")
KNOWN = (IN_CONFIG, IN_ENVIRONMENT, TYPED, EXPORTED)

RUNBOOK = """# Planted

## Look

```bash {name=forms}
cat planted.txt; cat planted.txt >&2
```

```bash {name=late}
export LATE_TOKEN=$(cat exported.txt)
```

```bash {name=carried}
echo "it is $LATE_TOKEN" | base64 -w 20
```

```bash {name=typed}
echo "$API_TOKEN" > held; cat held gate
```

```bash {name=split}
for n in 1 4 9 13 18; do printf '%s' "${API_TOKEN:0:$n}"; sleep 0.3; printf '%s\\n' "${API_TOKEN:$n}"; done
```

```bash {name=literal}
echo '<password>' '<note>'
# expected: <note>
```
"""


class Echo(Page):
    """Says back whatever it was told, as services do when they are confused."""

    def answer(self) -> None:
        told = self.headers.get("authorization", "")
        body = {"status": f"UP {told}", "components": {f"c {told}": {"status": "DOWN", "details": {"error": told}}}}
        status = 503 if self.path == "/broken" else 200
        self.says(status, json.dumps(body).encode(), "application/json", retry_after=told, set_cookie=f"s={told}")


@pytest.fixture
def port() -> Iterator[int]:
    with page_server(Echo) as made:
        yield made


def config(port: int, log: Path) -> str:
    token = json.dumps(f"Bearer {IN_CONFIG}")
    return f"""
[[probe]]
name = "health"
kind = "http"
url = "http://127.0.0.1:{port}/health"
interval_s = 0.2
headers = {{ Authorization = {token} }}
values = {{ said = "$.status" }}

[[probe]]
name = "broken"
kind = "http"
url = "http://127.0.0.1:{port}/broken"
interval_s = 0.2
headers = {{ Authorization = {token} }}

[[probe]]
name = "command"
kind = "command"
command = "printf '%0195d ' 0; printenv DB_PASSWORD"
interval_s = 0.2

[[tail]]
name = "app"
path = {json.dumps(str(log))}
interval_s = 0.2
"""


def planted() -> str:
    lines = [f"ERROR {name}: {form(secret)}" for secret in KNOWN for name, form in FORMS.items()]
    lines += [folded(secret, 76, before) for secret in KNOWN for before in (0, 25, 40, 50)]
    lines += [f"ERROR key {BY_SHAPE[0]} token {BY_SHAPE[1]}", f"ERROR password={BY_SHAPE[2]}"]
    return "\n".join(lines) + "\n"


@pytest.fixture
async def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, port: int) -> AsyncIterator[SessionFolder]:
    monkeypatch.setenv("COCKPIT_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("DB_PASSWORD", IN_ENVIRONMENT)
    monkeypatch.delenv("COCKPIT_CONFIG", raising=False)
    work = tmp_path / "work"
    work.mkdir()
    log = work / "app.log"
    log.touch()
    (work / "planted.txt").write_text(planted())
    (work / "exported.txt").write_text(EXPORTED)
    os.mkfifo(work / "gate")
    document = work / "planted.md"
    document.write_text(RUNBOOK)
    (work / "cockpit.toml").write_text(config(port, log))
    made = open_session(
        SessionSettings(runbook_path=str(document), config_path=str(work / "cockpit.toml"), cwd=str(work))
    )
    start_host(made, {"API_TOKEN": TYPED})
    yield made
    with contextlib.suppress(OSError, ValueError):
        os.kill(host_pid(made), signal.SIGTERM)


async def ran(client: HostClient, reader: SessionReader, step: str, **asked: Any) -> None:
    """Run a step to its end, whatever it takes to be allowed."""
    proposal = await client.propose(step, **asked)
    assert all_gone(json.dumps(proposal.as_json())) == []
    run = await client.run(proposal, rung="confirm", reason=f"because of {TYPED}")

    def over() -> bool:
        reader.poll()
        return reader.state.runs[run].finished_t is not None if run in reader.state.runs else False

    await until(over, f"{step} ends")


def all_gone(text: str) -> list[str]:
    """Which of the planted secrets a text gives away."""
    return [secret for secret in (*KNOWN, *BY_SHAPE) if gives_away(text, secret)]


def processes_below(pid: int) -> list[int]:
    """The host and everything it started, runners that went their own way included."""
    table = process_table()
    mine = {pid} | {p.pid for p in table if "cockpit/runs/runner.py" in _read(p.pid, "cmdline")}
    grown = True
    while grown:
        children = {p.pid for p in table if p.parent in mine} - mine
        mine |= children
        grown = bool(children)
    return sorted(mine)


def _read(pid: int, what: str) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/{what}").read_bytes().decode("utf-8", "replace").replace("\0", "\n")
    return ""


async def test_no_planted_secret_is_left_in_any_file_answer_or_process(folder: SessionFolder, tmp_path: Path) -> None:
    client, reader = await connected(folder), SessionReader(folder)
    log = tmp_path / "work" / "app.log"
    await until(lambda: folder.samples.exists() and folder.samples.read_text().count("\n") > 4, "samples come")
    await ran(client, reader, "late")
    with log.open("a") as file:
        file.write(planted())
    for secret in KNOWN:
        half = f"ERROR it is {secret} here\n"
        for at in (14, 20, 30):
            with log.open("a") as file:
                file.write(half[:at])
            await asyncio.sleep(0)
            with log.open("a") as file:
                file.write(half[at:])
    for step in ("forms", "carried", "split"):
        await ran(client, reader, step)
    await with_processes_looked_at(client, reader, folder, tmp_path)
    await client.call("set_input", name="password", value="Zu6-pass-" + EXPORTED)
    await client.call("set_input", name="note", value=f"https://kim:{BY_SHAPE[2]}@example.com/{IN_CONFIG[:2]}")
    await ran(client, reader, "literal")
    await ran(client, reader, "literal", code=f"echo edited {IN_ENVIRONMENT} password={BY_SHAPE[2]}")
    await with_errors(client)
    await client.call("note", text=f"they said {TYPED} and password={BY_SHAPE[2]}", step=None)
    await client.call("end", reason=f"done with {IN_CONFIG}")
    await client.close()
    await until(lambda: gone(host_pid(folder)), "the host ends")
    for path in [p for p in folder.path.rglob("*") if p.is_file()]:
        assert all_gone(path.read_bytes().decode("utf-8", "replace")) == [], path
    outsiders(folder, tmp_path)


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


async def with_processes_looked_at(
    client: HostClient, reader: SessionReader, folder: SessionFolder, tmp_path: Path
) -> None:
    """While a step holds a typed secret: who else can see it?"""
    proposal = await client.propose("typed")
    run = await client.run(proposal, rung="confirm")
    await until((tmp_path / "work" / "held").exists, "the step is under way")
    for pid in processes_below(host_pid(folder)):
        command, environment = _read(pid, "cmdline"), _read(pid, "environ")
        assert all_gone(command) == [], command
        if "runner.py" in command:
            assert all_gone(environment) == [], command
        if "API_TOKEN" in environment:
            assert "COCKPIT_RUN=" in environment, command
    with (tmp_path / "work" / "gate").open("w") as gate:
        gate.write("open\n")
    (tmp_path / "work" / "held").unlink()

    def over() -> bool:
        reader.poll()
        return reader.state.runs[run].finished_t is not None

    await until(over, "the step ends")


async def with_errors(client: HostClient) -> None:
    """What goes wrong quotes what was wrong."""
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("propose", {"step": f"no-{TYPED}"}),
        (f"do {TYPED}", {}),
        ("set_input", {"name": TYPED, "value": "x"}),
        ("set_target", {"target": IN_ENVIRONMENT}),
        ("run", {"proposal": TYPED, "rung": IN_CONFIG}),
        ("tick", {"step": "literal", "held": True, "reason": "", IN_CONFIG: 1}),
        ("run", {"proposal": "p1", "rung": "confirm", "sha256": TYPED, "terminal": [TYPED]}),
    ]
    for command, arguments in wrong:
        with pytest.raises(CockpitError) as refused:
            await client.call(command, **arguments)
        assert all_gone(str(refused.value)) == []


def outsiders(folder: SessionFolder, tmp_path: Path) -> None:
    """What other commands make of the session, on the screen and in files."""
    bundle = tmp_path / "bundle.tar.gz"
    report = tmp_path / "report.md"
    commands = [
        ["report", folder.name],
        ["report", folder.name, "--format", "json"],
        ["report", folder.name, "--output", str(report)],
        ["export", folder.name, "--output", str(bundle)],
        ["verify", folder.name],
        ["verify", folder.name, "--json"],
        ["sessions", "--json"],
        ["run", str(tmp_path / "work" / "planted.md"), "--dry-run", "--set", f"API_TOKEN={TYPED}", "--step", "typed"],
        ["run", str(tmp_path / "work" / "planted.md"), "--dry-run", "--json", "--set", f"password={TYPED}"],
        ["run", str(tmp_path / "work" / "planted.md"), "--yes", "--json", "--step", "forms"],
        ["run", str(tmp_path / "work" / "planted.md"), "--yes", "--step", "typed", "--set", f"nobody={IN_ENVIRONMENT}"],
        ["run", str(tmp_path / "work" / "planted.md"), "--yes", "--step", "typed", "--set-file", f"API_TOKEN={TYPED}"],
        ["run", str(tmp_path / "work" / f"password={BY_SHAPE[2]}.md")],
    ]
    for arguments in commands:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "cockpit.cli", *arguments],
            capture_output=True,
            text=True,
            cwd=tmp_path / "work",
            stdin=subprocess.DEVNULL,
            check=False,
            timeout=60,
        )
        assert done.returncode in (0, 1, 2, 3), (arguments, done.stderr)
        # A session of its own has the environment and the configuration; what was typed is the other session's.
        left = all_gone(done.stdout + done.stderr)
        assert [secret for secret in left if "forms" not in arguments or secret not in (TYPED, EXPORTED)] == [], (
            arguments
        )
    assert all_gone(report.read_text()) == []
    with tarfile.open(bundle) as archive:
        for member in archive.getmembers():
            held = archive.extractfile(member)
            assert held is not None
            assert all_gone(held.read().decode("utf-8", "replace")) == [], member.name
