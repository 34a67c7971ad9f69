"""kill -9 of host and viewer while a step runs: it goes on, no byte or record is lost, the exit status is true."""

from __future__ import annotations

import json
import os
import random
import signal
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from cockpit.errors import CockpitError, HostUnreachable
from cockpit.session.host.spawn import host_alive, start_host
from cockpit.session.line.client import HostClient
from cockpit.session.record.event import Status
from cockpit.session.record.folder import SessionFolder
from cockpit.session.record.opening import open_session
from cockpit.session.record.reader import SessionReader
from cockpit.session.record.settings import SessionSettings
from cockpit.session.record.verify import verify
from tests.waiting import until

RUNBOOK = """# Faults

## Count

```bash {name=count}
for i in $(seq 1 400); do echo "line $i"; sleep 0.005; done; exit 7
```

## Quick

```bash {name=quick}
uptime
```

```bash {name=leave}
mkdir -p gone && cd gone && export LEFT=1 && rmdir ../gone
```

```bash {name=again}
echo UP
# expected: UP (20 times in a row, every 0.01 s)
```
"""


async def connected(folder: SessionFolder) -> HostClient:
    """A client to the session's host, once one answers."""
    client = HostClient(folder)

    async def answers() -> bool:
        try:
            await client.connect()
        except HostUnreachable:
            return False
        return True

    await until(answers, "a host answers")
    return client


def host_pid(folder: SessionFolder) -> int:
    return int(json.loads(folder.host.read_text())["pid"])


@pytest.fixture
async def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SessionFolder]:
    """A session of its own, whose host is ended afterwards."""
    monkeypatch.setenv("COCKPIT_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    document = tmp_path / "faults.md"
    document.write_text(RUNBOOK)
    session = open_session(SessionSettings(runbook_path=str(document), watch=False))
    yield session
    if host_alive(session):
        os.kill(host_pid(session), signal.SIGKILL)


def counted(text: str) -> list[int]:
    return [int(line.split()[1]) for line in text.splitlines()]


async def start_count(client: HostClient) -> int:
    return await client.run(await client.propose("count"), rung="confirm")


@pytest.mark.parametrize("seed", range(3))
async def test_a_killed_host_loses_nothing(folder: SessionFolder, seed: int) -> None:
    moments = random.Random(seed)
    start_host(folder)
    client = await connected(folder)
    run = await start_count(client)
    reader = SessionReader(folder)
    for _kill in range(2):
        wanted = output_size(reader, run) + moments.randrange(1, 1200)
        await until(partial(grown_or_over, reader, run, wanted), "output grows")
        os.kill(host_pid(folder), signal.SIGKILL)
        await until(lambda: not host_alive(folder), "the host is gone")
        await client.close()
        start_host(folder)
        client = await connected(folder)
    await until(lambda: ended(reader, run), "the run is recorded as over")
    record = reader.state.runs[run]
    assert record.status is Status.FAILED
    assert record.result["exit_code"] == 7
    assert counted(reader.output(run, 0).decode()) == list(range(1, 401))
    assert record.result["output_bytes"] == output_size(reader, run)
    await client.call("end", reason="done")
    await until(lambda: not host_alive(folder), "the host stops")
    verification = verify(folder)
    assert verification.ok, verification
    await client.close()


async def test_a_step_that_removed_its_folder_stops_nobody_for_good(folder: SessionFolder) -> None:
    start_host(folder)
    client = await connected(folder)
    reader = SessionReader(folder)
    await client.run(await client.propose("leave"), rung="confirm")
    await until(partial(step_over, reader, "leave"), "the folder is gone")
    refused = await client.propose("quick")
    assert "can't be entered" in refused.refusal
    assert "fresh shell" in refused.mend
    await client.call("fresh-shell", target="local")
    os.kill(host_pid(folder), signal.SIGKILL)
    await until(lambda: not host_alive(folder), "the host is gone")
    await client.close()
    start_host(folder)
    client = await connected(folder)
    proposal = await client.propose("quick")
    assert proposal.refusal == ""
    await client.run(proposal)
    await until(partial(step_over, reader, "quick"), "the next step has run")
    assert reader.state.step("quick").status is Status.PASSED
    await client.call("end", reason="")
    await client.close()


@pytest.mark.parametrize("seed", range(3))
async def test_a_host_killed_between_two_of_many_runs_never_claims_that_they_all_held(
    folder: SessionFolder, seed: int
) -> None:
    start_host(folder)
    client = await connected(folder)
    await client.run(await client.propose("again"))
    reader = SessionReader(folder)
    await until(partial(has_runs, reader, random.Random(seed).randrange(1, 9)), "some of the runs are over")
    os.kill(host_pid(folder), signal.SIGKILL)
    await until(lambda: not host_alive(folder), "the host is gone")
    await client.close()
    start_host(folder)
    client = await connected(folder)
    await until(partial(step_over, reader, "again"), "the step is recorded as over")
    step = reader.state.step("again")
    assert (step.status, "run it again" in step.reason) == (Status.UNKNOWN, True)
    assert not reader.state.running
    last = await client.run(await client.propose("again"))
    await until(partial(step_over, reader, "again"), "the step is done again")
    records = [record for record in reader.state.runs.values() if record.run >= last]
    assert [record.status for record in records] == [Status.PASSED] * 20
    assert all(reader.output(record.run, 0) == b"UP\n" for record in records)
    assert reader.state.step("again").status is Status.PASSED
    await client.call("end", reason="done")
    await until(lambda: not host_alive(folder), "the host stops")
    assert verify(folder).ok
    await client.close()


def has_runs(reader: SessionReader, count: int) -> bool:
    reader.poll()
    return sum(record.status.over for record in reader.state.runs.values()) >= count


def step_over(reader: SessionReader, step: str) -> bool:
    reader.poll()
    return reader.state.step(step).status.over


def output_size(reader: SessionReader, run: int) -> int:
    output = reader.folder.run(run) / "output"
    return output.stat().st_size if output.exists() else 0


def grown_or_over(reader: SessionReader, run: int, size: int) -> bool:
    return output_size(reader, run) >= size or (reader.folder.run(run) / "exit.json").exists()


def ended(reader: SessionReader, run: int) -> bool:
    reader.poll()
    record = reader.state.runs.get(run)
    return record is not None and record.status.over


async def test_two_viewers_see_the_same_and_a_spectator_only_reads(folder: SessionFolder) -> None:
    start_host(folder)
    client = await connected(folder)
    spectator = HostClient(folder, spectator=True)
    await spectator.connect()
    with pytest.raises(Exception, match="spectator only reads"):
        await spectator.call("note", text="x")
    await client.call("note", text="hands off", step=None)
    first, second = SessionReader(folder), SessionReader(folder)
    first.poll()
    second.poll()
    assert first.state == second.state
    assert first.state.notes[-1].text == "hands off"
    await spectator.close()
    await client.call("end", reason="")
    await client.close()


async def test_a_viewer_killed_in_the_middle_disturbs_nothing(folder: SessionFolder) -> None:
    start_host(folder)
    client = await connected(folder)
    run = await start_count(client)
    assert client._writer is not None
    client._writer.transport.abort()
    reader = SessionReader(folder)
    await until(lambda: ended(reader, run), "the run ends without its viewer")
    assert reader.state.runs[run].result["exit_code"] == 7
    again = await connected(folder)
    await again.call("end", reason="")
    await again.close()


async def test_a_host_that_cannot_serve_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COCKPIT_STATE_DIR", str(tmp_path / "state"))
    document, config = tmp_path / "x.md", tmp_path / "cockpit.toml"
    document.write_text(RUNBOOK)
    config.write_text("[safety]\nread_olny = true\n")
    session = open_session(SessionSettings(runbook_path=str(document), config_path=str(config)))
    start_host(session)
    client = HostClient(session)

    async def told() -> bool:
        with pytest.raises(CockpitError) as error:
            await client.connect()
        return "read_olny" in str(error.value)

    await until(told, "the host's last word")
