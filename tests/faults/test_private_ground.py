"""A whole session on bad ground: the worst umask, others on the line, nosy neighbours, few descriptors, no locks."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import json
import os
import resource
import shutil
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cockpit.cli import main
from cockpit.errors import JournalError
from cockpit.session.host.spawn import host_alive, start_host
from cockpit.session.line.client import HostClient
from cockpit.session.record.folder import SessionFolder
from cockpit.session.record.opening import open_session
from cockpit.session.record.reader import SessionReader
from cockpit.session.record.settings import SessionSettings
from cockpit.session.record.writer_lock import WriterLock
from tests.faults.test_host_killed import connected, host_pid
from tests.waiting import until

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
SECRET = "hunter2-hunter2-hunter2"
RUNBOOK = """# Ground

```bash {name=umask}
umask
```

```bash {name=long}
sleep 300
```

```bash {name=secret}
test -n "$API_TOKEN"
```
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one's own with a runbook and a log to follow."""
    monkeypatch.setenv("COCKPIT_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.delenv("COCKPIT_CONFIG", raising=False)
    (tmp_path / "ground.md").write_text(RUNBOOK)
    (tmp_path / "app.log").write_text("one\ntwo\n")
    (tmp_path / "cockpit.toml").write_text(
        '[[probe]]\nname = "machine"\nkind = "machine"\ninterval_s = 0.2\ndeadline_s = 0.2\n'
        f'[[tail]]\nname = "app"\npath = "{tmp_path}/app.log"\ninterval_s = 0.2\n'
    )
    return tmp_path


async def open_to_all(place: Path) -> SessionFolder:
    """A session opened and hosted by somebody whose umask is 000."""
    before = os.umask(0)
    try:
        document = (place / "ground.md").read_bytes()
        settings = SessionSettings(str(place / "ground.md"), cwd=str(place), config_path=str(place / "cockpit.toml"))
        folder = open_session(settings, document)
        start_host(folder, {})
    finally:
        os.umask(before)
    return folder


@pytest.fixture
async def session(place: Path) -> AsyncIterator[SessionFolder]:
    folder = await open_to_all(place)
    yield folder
    reader = SessionReader(folder)
    reader.poll()
    if host_alive(folder):
        client = await connected(folder)
        if reader.state.running:
            await client.call("cancel")
            await until(lambda: not_running(reader), "steps end")
        await client.call("end", reason="over")
        await until(lambda: not host_alive(folder), "the host ends")


def not_running(reader: SessionReader) -> bool:
    reader.poll()
    return not reader.state.running


def too_open(root: Path) -> list[str]:
    """Everything below that anybody but its owner can do anything with; sockets count as well."""
    found = []
    for path in (root, *root.rglob("*")):
        mode = path.lstat().st_mode
        if not stat.S_ISLNK(mode) and mode & 0o077:
            found.append(f"{path.relative_to(root.parent)} {stat.S_IMODE(mode):04o}")
    return found


async def ran(client: HostClient, reader: SessionReader, step: str) -> int:
    run = await client.run(await client.propose(step), rung="confirm", reason="r")

    def over() -> bool:
        reader.poll()
        return reader.state.runs[run].finished_t is not None

    await until(over, f"{step} ends")
    return run


async def test_every_file_of_a_session_is_private_whatever_the_umask(session: SessionFolder, place: Path) -> None:
    client, reader = await connected(session), SessionReader(session)
    run = await ran(client, reader, "umask")
    await until(lambda: session.samples.exists() and session.samples.stat().st_size > 0, "samples come")
    assert too_open(session.path) == []
    assert too_open(place / "cockpit") == []
    assert reader.output(run, 0).decode().strip() == "0000", "a step has the operator's umask, not the host's"
    await client.close()


def test_every_file_of_a_headless_session_is_private_whatever_the_umask(place: Path) -> None:
    before = os.umask(0)
    try:
        assert main(["run", str(place / "ground.md"), "--step", "umask", "--yes"]) == 0
    finally:
        os.umask(before)
    assert too_open(place / "state") == []


async def test_no_process_of_a_session_carries_a_secret_where_others_see_it(session: SessionFolder) -> None:
    client, reader = await connected(session), SessionReader(session)
    await client.call("set_input", name="API_TOKEN", value=SECRET)
    await ran(client, reader, "secret")
    run = await client.run(await client.propose("long"), rung="confirm", reason="r")
    reader.poll()
    runner = json.loads((session.run(run) / "runner.json").read_bytes())
    for pid in (host_pid(session), runner["pid"], runner["keeper"], runner["child"]):
        assert SECRET not in Path(f"/proc/{pid}/cmdline").read_text()
    for pid in (runner["pid"], runner["keeper"]):
        assert SECRET not in Path(f"/proc/{pid}/environ").read_text()
    assert not any(SECRET.encode() in path.read_bytes() for path in session.path.rglob("*") if path.is_file())
    await client.close()


async def test_host_and_runner_leave_no_core(session: SessionFolder) -> None:
    client, reader = await connected(session), SessionReader(session)
    run = await client.run(await client.propose("long"), rung="confirm", reason="r")
    reader.poll()
    runner = json.loads((session.run(run) / "runner.json").read_bytes())
    for pid in (host_pid(session), runner["pid"], runner["keeper"], runner["child"]):
        limits = Path(f"/proc/{pid}/limits").read_text()
        assert next(line.split()[4:6] for line in limits.splitlines() if "core file" in line) == ["0", "0"]
    await client.close()


# -- who is on the line ------------------------------------------------------------------------------------------------

KNOCK = """
import socket, sys
line = socket.socket(socket.AF_UNIX)
line.settimeout(10)
line.connect(sys.argv[1])
line.sendall(b'{"id": 1, "do": "hello"}\\n')
print(line.recv(4096))
"""


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs root and setpriv for another user")
async def test_another_user_gets_no_word_even_where_the_files_let_them(session: SessionFolder, place: Path) -> None:
    await (await connected(session)).close()
    socket_file = Path(json.loads(session.host.read_text())["socket"])
    for folder in socket_file.parents:
        if folder.is_relative_to(place):
            folder.chmod(folder.stat().st_mode | 0o055)
    socket_file.chmod(0o666)
    knock = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/python3", "-c", KNOCK]
    done = await asyncio.to_thread(
        subprocess.run, [*knock, str(socket_file)], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.stdout.strip() in ("b''", ""), done.stdout
    assert "PermissionError" not in done.stderr, "the files did not let them: nothing was shown"
    assert not [e for e in SessionReader(session).poll() if e.data.get("user") == "nobody"]


# -- locks and descriptors ---------------------------------------------------------------------------------------------


def test_a_file_system_without_locks_is_told_with_the_mend(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = open_session(SessionSettings(str(place / "ground.md"), watch=False), (place / "ground.md").read_bytes())

    def no_locks(*_given: Any) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with pytest.raises(JournalError, match="can't lock files") as refused:
        WriterLock.take(folder)
    assert "COCKPIT_STATE_DIR" in refused.value.mend


async def test_a_lock_file_that_names_a_living_stranger_keeps_nobody_out(place: Path) -> None:
    folder = open_session(SessionSettings(str(place / "ground.md"), watch=False), (place / "ground.md").read_bytes())
    stranger = {"pid": os.getpid(), "start_time": "long ago", "host": "here", "since_utc": "2020-01-01T00:00:00+00:00"}
    folder.lock.write_text(json.dumps(stranger))
    folder.host.write_text(json.dumps({**stranger, "boot_id": "x", "socket": str(place / "gone.sock")}))
    assert not host_alive(folder)
    start_host(folder, {})
    client = await connected(folder)
    assert host_pid(folder) != os.getpid()
    await client.call("end", reason="over")
    await client.close()
    await until(lambda: not host_alive(folder), "the host ends")


async def test_without_descriptors_a_step_is_refused_and_the_session_goes_on(place: Path) -> None:
    folder = open_session(SessionSettings(str(place / "ground.md"), watch=False), (place / "ground.md").read_bytes())
    start_host(folder, {})
    client, reader = await connected(folder), SessionReader(folder)
    shown = await client.propose("umask")
    pid = host_pid(folder)
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (len(os.listdir(f"/proc/{pid}/fd")), before[1]))
    try:
        with pytest.raises(Exception, match=r"Too many open files|could not be started|can't"):
            await client.run(shown)
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    assert await ran(client, reader, "umask")
    await client.call("end", reason="over")
    await client.close()
    await until(lambda: not host_alive(folder), "the host ends")
