"""One step on several machines over real sshds: those that are down, links that break, hosts that are killed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from cockpit.safety.permit import Confirmation, Rung
from cockpit.session import headless
from cockpit.session.host.host import Host
from cockpit.session.host.spawn import host_alive, start_host
from cockpit.session.line.client import HostClient
from cockpit.session.record.event import Status
from cockpit.session.record.folder import SessionFolder
from cockpit.session.record.opening import open_session
from cockpit.session.record.reader import SessionReader
from cockpit.session.record.settings import SessionSettings
from cockpit.session.record.verify import verify
from cockpit.session.steps.execution import Execution
from tests.servers.farm import Farm, farm
from tests.waiting import until

RUNBOOK = """# Web

```bash {name=who}
cd "$XDG_STATE_HOME/.." && export WHO=$(basename "$PWD")
```

```bash {name=tell}
echo "I am $WHO in $PWD"
```

```bash {name=restart}
echo begun >> "$XDG_STATE_HOME/../ran"; until [ -e "$XDG_STATE_HOME/../go" ]; do sleep 0.05; done; echo over
```

```bash {name=crowd}
cd "$XDG_STATE_HOME/.."; here=$(mktemp -d busy.XXXXXX); ls -d busy.* | wc -l >> at-once
until [ -e go ]; do sleep 0.05; done; rmdir "$here"
```
"""
KIM = "operator:kim"


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Farm]:
    with farm(tmp_path) as made:
        yield made


Open = Callable[..., SessionFolder]


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """A session on the group, with this configuration."""
    monkeypatch.setenv("COCKPIT_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    document, toml = tmp_path / "web.md", tmp_path / "cockpit.toml"
    document.write_text(RUNBOOK)
    folders: list[SessionFolder] = []

    def open_(config: str, target: str = "web") -> SessionFolder:
        toml.write_text(config)
        settings = SessionSettings(str(document), target=target, config_path=str(toml), watch=False)
        folders.append(open_session(settings))
        return folders[-1]

    yield open_
    for folder in folders:
        if host_alive(folder):
            os.kill(int(json.loads(folder.host.read_text())["pid"]), signal.SIGKILL)


class Session:
    """A host in this process."""

    def __init__(self, host: Host) -> None:
        self.host = host

    async def begin(self, step: str, target: str | None = None) -> int:
        proposal = self.host.engine.propose(step, target=target)
        confirmed = Confirmation(proposal.sha256, Rung.CONFIRM, KIM)
        return await self.host.execution.start(proposal.proposal, confirmed, KIM)

    async def run(self, step: str) -> Status:
        await self.host.execution.wait(await self.begin(step))
        return self.host.engine.state.step(step).status

    def lines(self, step: str) -> dict[str, str]:
        state = self.host.engine.state
        told = [each for each in state.fan_outs.values() if each.step == step][-1]
        return {line.target: line.status.value for line in told.lines(state.runs)}

    def output(self, target: str) -> str:
        state = self.host.engine.state
        run = max(run for run, record in state.runs.items() if record.intent["target"] == target)
        return (self.host.folder.run(run) / "output").read_text()


@contextlib.asynccontextmanager
async def session(folder: SessionFolder, out_of_touch_s: float = 60.0) -> AsyncIterator[Session]:
    host = Host(folder)
    host.execution = Execution(host.engine, out_of_touch_s=out_of_touch_s)
    await host.begin()
    try:
        yield Session(host)
    finally:
        await host.close()


async def test_each_machine_has_its_own_result_variables_and_folder(opened: Open, web: Farm) -> None:
    async with session(opened(web.config())) as here:
        assert await here.run("who") is Status.PASSED
        assert await here.run("tell") is Status.PASSED
        for name, server in web.servers.items():
            assert here.output(name).strip() == f"I am {name} in {server.folder}"
        here.host.end("", "host")
        assert verify(here.host.folder).ok


async def test_a_machine_that_is_down_costs_its_own_line_only(opened: Open, web: Farm) -> None:
    web.servers["web-2"].stop()
    async with session(opened(web.config())) as here:
        assert await here.run("who") is Status.FAILED
        assert here.lines("who") == {"web-1": "passed", "web-2": "refused", "web-3": "passed"}
        assert here.host.engine.state.step("who").reason == "2 of 3 passed; refused: web-2"


async def test_a_machine_that_is_down_stops_what_is_rolled_out_one_by_one(opened: Open, web: Farm) -> None:
    web.servers["web-2"].stop()
    web.let_go("web-1")
    async with session(opened(web.config("rolling = 1"))) as here:
        assert await here.run("restart") is Status.FAILED
        assert here.lines("restart") == {"web-1": "passed", "web-2": "refused", "web-3": "skipped"}
        assert web.said("ran") == {"web-1": ["begun"], "web-2": [], "web-3": []}


async def test_a_machine_that_dies_in_the_middle_is_unknown_and_is_not_asked_again(opened: Open, web: Farm) -> None:
    async with session(opened(web.config()), out_of_touch_s=1.0) as here:
        run = await here.begin("restart")
        await until(lambda: all(web.said("ran").values()), "all have begun")
        web.servers["web-2"].stop()
        web.servers["web-2"].cut_all()
        for name in web.servers:
            web.let_go(name)
        await here.host.execution.wait(run)
        assert here.lines("restart") == {"web-1": "passed", "web-2": "unknown", "web-3": "passed"}
        web.servers["web-2"].start()
        assert web.said("ran") == {name: ["begun"] for name in web.servers}


async def test_a_link_that_comes_back_in_time_tells_the_true_end(opened: Open, web: Farm) -> None:
    async with session(opened(web.config("rolling = 2"))) as here:
        run = await here.begin("restart")
        await until(lambda: web.said("ran")["web-1"] and web.said("ran")["web-2"], "two have begun")
        web.servers["web-1"].cut()
        for name in web.servers:
            web.let_go(name)
        await here.host.execution.wait(run)
        assert here.host.engine.state.step("restart").status is Status.PASSED
        assert web.said("ran") == {name: ["begun"] for name in web.servers}


async def test_a_run_without_a_screen_ends_where_its_only_machine_stays_away(
    opened: Open, web: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(headless, "OUT_OF_TOUCH_S", 0.5)
    async with session(opened(web.config(), target="web-1")) as here:
        chosen = here.host.runbook.step("restart")
        assert chosen is not None
        driven = headless.Headless(here.host, headless.Leave(yes=True), lambda _event: None)
        run = asyncio.create_task(driven.run([chosen]))
        await until(lambda: bool(web.said("ran")["web-1"]), "it has begun")
        web.servers["web-1"].stop()
        web.servers["web-1"].cut_all()
        await run
        state = here.host.engine.state.step("restart")
        assert state.status is Status.UNKNOWN
        assert "it may still run there" in state.reason
        assert headless.exit_code([state.status.value]) == 1
        web.let_go("web-1")


async def test_cancelling_ends_it_on_every_machine(opened: Open, web: Farm) -> None:
    async with session(opened(web.config("at_once = 2"))) as here:
        run = await here.begin("restart")
        await until(lambda: web.said("ran")["web-1"] and web.said("ran")["web-2"], "two have begun")
        await here.host.execution.cancel(run)
        await here.host.execution.wait(run)
        assert here.lines("restart") == {"web-1": "cancelled", "web-2": "cancelled", "web-3": "skipped"}
        assert web.said("ran")["web-3"] == []


async def test_fifty_machines_are_asked_no_more_at_a_time_than_was_said(opened: Open, web: Farm) -> None:
    names = [f"host-{number}" for number in range(50)]
    async with session(opened(web.config("at_once = 8", names))) as here:
        run = await here.begin("crowd")
        await until(lambda: len(web.said("at-once")["web-1"]) == 8, "eight have begun")
        assert len(here.host.engine.state.running) == 8
        web.let_go("web-1")
        await here.host.execution.wait(run)
        assert here.host.engine.state.step("crowd").status is Status.PASSED
        counts = [int(line) for line in web.said("at-once")["web-1"]]
        assert (len(counts), max(counts)) == (50, 8)


# -- the host is killed ----------------------------------------------------------------------------------------------


async def connected(folder: SessionFolder) -> HostClient:
    client = HostClient(folder)

    async def answers() -> bool:
        with contextlib.suppress(Exception):
            await client.connect()
            return True
        return False

    await until(answers, "a host answers")
    return client


def is_over(reader: SessionReader, step: str) -> bool:
    reader.poll()
    return reader.state.step(step).status.over


async def test_a_host_killed_in_the_middle_of_a_rolling_step_has_nothing_run_twice(opened: Open, web: Farm) -> None:
    folder = opened(web.config("rolling = 1"))
    start_host(folder)
    client = await connected(folder)
    web.let_go("web-1")
    await client.run(await client.propose("restart"), rung="confirm")
    await until(lambda: web.said("ran")["web-2"], "the second has begun")
    os.kill(int(json.loads(folder.host.read_text())["pid"]), signal.SIGKILL)
    await until(lambda: not host_alive(folder), "the host is gone")
    await client.close()
    web.let_go("web-2")

    start_host(folder)
    client = await connected(folder)
    reader = SessionReader(folder)
    await until(partial(is_over, reader, "restart"), "its end is on record")
    step = reader.state.step("restart")
    assert step.status is Status.UNKNOWN
    assert step.reason == "the host ended in the middle; 2 of 3 passed; not begun: web-3"
    assert web.said("ran") == {"web-1": ["begun"], "web-2": ["begun"], "web-3": []}

    web.let_go("web-3")
    rest = await client.propose("restart", rest=True)
    assert rest.group == ("web-3",)
    await client.run(rest, rung="confirm")
    await until(partial(has_passed, reader, "restart"), "the rest has passed")
    assert web.said("ran") == {name: ["begun"] for name in web.servers}
    await client.call("end", reason="done")
    await until(lambda: not host_alive(folder), "the host stops")
    assert verify(folder).ok
    await client.close()


def has_passed(reader: SessionReader, step: str) -> bool:
    reader.poll()
    return reader.state.step(step).status is Status.PASSED
