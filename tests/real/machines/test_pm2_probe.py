"""PM2's own daemon, watched: states, crashes, restarts, and never a daemon that the cockpit started."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cockpit.adapters.pm2.daemon import run_jlist
from cockpit.adapters.pm2.probe import Pm2Options, Pm2Probe
from cockpit.adapters.probing import Finding
from cockpit.safety.permit import Mode, grant
from tests.servers.pm2 import PM2, Pm2, pm2_daemon
from tests.waiting import PATIENCE_S, until

pytestmark = pytest.mark.real


@pytest.fixture
def pm2() -> Iterator[Pm2]:
    with pm2_daemon() as daemon:
        yield daemon


def probe_of(daemon: Pm2, *processes: str) -> Pm2Probe:
    return Pm2Probe(Pm2Options(home=str(daemon.home), processes=processes), 10.0)


async def look(probe: Pm2Probe) -> Finding:
    async with asyncio.timeout(PATIENCE_S):
        return await probe.look(grant(probe.action, probe.judgement, Mode.READ_ONLY, by="test"))


async def look_until(probe: Pm2Probe, condition: Callable[[Finding], bool]) -> Finding:
    found: list[Finding] = []

    async def holds() -> bool:
        found.append(await look(probe))
        return condition(found[-1])

    await until(holds)
    return found[-1]


def values(found: Finding) -> dict[str, Any]:
    return {value.name: value.value for value in found.values}


async def test_no_daemon_is_none_and_none_is_started(pm2: Pm2) -> None:
    found = await look(probe_of(pm2))
    assert found.none
    assert "rpc.sock" in found.mend
    assert list(pm2.home.iterdir()) == []


async def test_processes_with_their_state_and_nothing_of_their_environment(pm2: Pm2) -> None:
    pm2.start("web", "setInterval(() => {}, 1000)")
    pm2.start("bad", "process.exit(1)", "--max-restarts", "2")
    probe = probe_of(pm2)
    found = await look_until(probe, lambda found: "errored" in found.text)
    rows = {row["name"]: row for row in found.rows}
    assert (rows["web"]["status"], rows["web"]["level"], rows["web"]["restarts"]) == ("online", "green", 0)
    assert rows["web"]["pid"] > 0
    assert rows["web"]["memory_bytes"] > 1_000_000
    assert (rows["bad"]["status"], rows["bad"]["level"]) == ("errored", "red")
    assert (values(found)["online"], values(found)["broken"]) == (1, 1)
    assert "opensesame" not in json.dumps([dict(row) for row in found.rows])
    assert "opensesame" in pm2.run("jlist")


async def test_restarts_count_from_the_first_look(pm2: Pm2) -> None:
    pm2.start("web", "setInterval(() => {}, 1000)")
    pm2.run("restart", "web")
    probe = probe_of(pm2)
    assert values(await look(probe))["restarts_change"] == 0
    pm2.run("restart", "web")
    found = await look_until(probe, lambda found: found.rows[0]["status"] == "online")
    assert (found.rows[0]["restarts"], found.rows[0]["restarts_change"]) == (2, 1)
    pm2.run("stop", "web")
    stopped = await look(probe)
    assert (values(stopped)["down"], values(stopped)["broken"]) == (1, 1)
    assert "web stopped" in stopped.text


async def test_a_process_that_must_be_there_and_is_not(pm2: Pm2) -> None:
    pm2.start("web", "setInterval(() => {}, 1000)")
    found = await look(probe_of(pm2, "web", "worker"))
    assert [(row["name"], row["status"]) for row in found.rows] == [("web", "online"), ("worker", "missing")]
    pm2.run("delete", "web")
    assert (await look(probe_of(pm2))).none


async def test_the_command_line_tells_the_same(pm2: Pm2, monkeypatch: pytest.MonkeyPatch) -> None:
    assert PM2 is not None
    pm2.start("web", "setInterval(() => {}, 1000)")
    monkeypatch.setenv("PATH", f"{Path(PM2).parent}:{os.environ['PATH']}")
    listing = await run_jlist(pm2.home)
    assert [process["name"] for process in listing] == ["web"]
