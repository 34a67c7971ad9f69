"""Error logs of a real PM2, followed by the name of the process: here, and on a machine over a real sshd."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from cockpit.config import Config, ProbeConfig, TailConfig
from cockpit.monitor.discover import discover
from cockpit.monitor.logs.probe import LogProbe
from cockpit.monitor.machines import Machines
from cockpit.monitor.probe import WatchedProbe
from cockpit.monitor.registry import build
from cockpit.monitor.sample import Outcome, Sample
from cockpit.monitor.tails import build_tail
from cockpit.runbook.reading import parse
from cockpit.safety.redaction.redactor import Known
from tests.servers.far import DEADLINE_S, sample_of, values
from tests.servers.pm2 import Pm2, pm2_daemon
from tests.waiting import until

pytestmark = pytest.mark.real
SILENT = "setInterval(() => {}, 1000)"


@pytest.fixture
def pm2() -> Iterator[Pm2]:
    with pm2_daemon() as daemon:
        yield daemon


class Tail:
    """`pm2 = "backend"` of a configuration, and the lines that it brought."""

    def __init__(self, pm2: Pm2, machines: Machines, target: str, here: Path) -> None:
        here.mkdir(exist_ok=True)
        self.pm2, self.machines, self.target, self.here = pm2, machines, target, here
        options = {"home": str(pm2.home)}
        asking = ProbeConfig(name="pm2", kind="pm2", target=target, deadline_s=DEADLINE_S, options=options)
        tail = TailConfig(name="errors", pm2="backend", target=target)
        self.asking: WatchedProbe = build(asking, str, "here", machines)
        self.probe: LogProbe = build_tail(
            tail,
            Config(probes=(asking,)),
            here / "errors.log",
            str,
            lambda: Known(()),
            machines,
            {"pm2": self.asking},
        )

    async def poll(self, *, asked_anew: bool = True) -> Sample:
        """A look of the tail, after one of the probe, whose word it takes."""
        if asked_anew:
            await sample_of(self.asking)
        return await sample_of(self.probe)

    async def begins(self) -> Sample:
        async def looked() -> bool:
            return (await self.poll()).outcome is Outcome.DATA

        await until(looked, "the first look")
        return await self.poll()

    async def brought(self, *wanted: str) -> list[str]:
        """The lines, once these are there."""

        async def are_there() -> bool:
            await self.poll()
            return set(wanted) <= set(self.lines())

        await until(are_there, f"{wanted} of {self.here}")
        return self.lines()

    async def anew(self) -> Tail:
        """That of the next host of the same session."""
        await self.probe.close()
        return Tail(self.pm2, self.machines, self.target, self.here)

    def lines(self) -> list[str]:
        return [line for line in self._kept() if not line.startswith("--- ")]

    def marks(self) -> str:
        return "\n".join(line for line in self._kept() if line.startswith("--- "))

    def _kept(self) -> list[str]:
        assert self.probe.fetched
        kept = self.probe.fetched.path
        return [line for line in kept.read_text().split("\n") if line] if kept.exists() else []


@pytest.fixture(params=["far", ""], ids=["over-ssh", "here"])
async def tail(request: pytest.FixtureRequest, pm2: Pm2, machines: Machines, tmp_path: Path) -> AsyncIterator[Tail]:
    made = Tail(pm2, machines, request.param, tmp_path / "here")
    yield made
    await made.probe.close()


def error_logs(pm2: Pm2, name: str = "backend") -> list[Path]:
    """Where PM2 itself says that they are."""
    listing = json.loads(pm2.run("jlist").splitlines()[-1])
    return [Path(one["pm2_env"]["pm_err_log_path"]) for one in listing if one["name"] == name]


def write(path: Path, *lines: str) -> None:
    with path.open("a") as file:
        file.write("".join(f"{line}\n" for line in lines))


async def test_what_a_crashing_process_says_is_brought_wherever_its_log_is(tail: Tail, pm2: Pm2) -> None:
    script = "console.error('ERROR no DB_URL'); setTimeout(() => process.exit(1), 300)"
    pm2.start("backend", script, "--max-restarts", "3", "-e", str(pm2.home / "it's an *odd* name.log"))
    await tail.begins()
    await tail.brought("ERROR no DB_URL")
    write(pm2.home / "it's an *odd* name.log", "ERROR of today", "password=hunter2hunter2")
    await tail.brought("ERROR of today")
    sample = await tail.poll()

    assert values(sample)["errors_per_min"] >= 1
    assert "hunter2" not in "\n".join(tail.lines())


async def test_a_process_that_is_deleted_and_started_with_another_log_is_followed_there(tail: Tail, pm2: Pm2) -> None:
    pm2.start("backend", SILENT, "-e", str(pm2.home / "one.log"))
    write(pm2.home / "one.log", "old")
    await tail.begins()
    write(pm2.home / "one.log", "first")
    await tail.brought("first")
    pm2.run("delete", "backend")
    write(pm2.home / "one.log", "last words")
    assert "last words" in await tail.brought("last words")
    pm2.run("start", "backend.js", "--name", "backend", "-e", str(pm2.home / "two.log"))
    await tail.poll()
    write(pm2.home / "one.log", "the very last words")
    write(pm2.home / "two.log", "second")
    lines = await tail.brought("second", "the very last words")

    assert sorted(lines) == sorted(["old", "first", "last words", "the very last words", "second"])
    assert "two.log" in tail.marks()


async def test_each_instance_of_a_cluster_is_followed_and_named(tail: Tail, pm2: Pm2) -> None:
    pm2.start("backend", SILENT, "-i", "2")
    first, second = error_logs(pm2)
    await tail.begins()
    write(first, "of the first")
    write(second, "of the second")
    lines = await tail.brought("0| of the first", "1| of the second")
    sample = await tail.poll()

    assert sorted(lines) == ["0| of the first", "1| of the second"]
    assert values(sample)["lines_per_min"] == 2


async def test_a_log_that_is_rotated_as_pm2_logrotate_does_is_read_on(tail: Tail, pm2: Pm2) -> None:
    """It copies the file, and makes it empty."""
    pm2.start("backend", SILENT)
    (log,) = error_logs(pm2)
    await tail.begins()
    write(log, "before")
    await tail.brought("before")
    shutil.copy(log, log.with_name("backend-error__2026-11-22_00-00-00.log"))
    log.write_text("")
    write(log, "after")
    lines = await tail.brought("after")

    assert lines == ["before", "after"]
    assert "truncated" in tail.marks() or "written anew" in tail.marks()


async def test_the_next_host_goes_on_in_each_file_also_in_one_that_pm2_has_given_up(tail: Tail, pm2: Pm2) -> None:
    pm2.start("backend", SILENT, "-i", "2")
    first, second = error_logs(pm2)
    write(first, "stood there")
    await tail.begins()
    write(first, "one")
    write(second, "two")
    await tail.brought("0| one", "1| two")
    write(first, "three, while there is no host")
    write(second, "four, while there is no host")
    pm2.run("delete", "1")
    following = await tail.anew()
    await following.brought("three, while there is no host", "four, while there is no host")
    third = await following.anew()
    write(first, "five")
    lines = await third.brought("five")
    await third.probe.close()

    assert sorted(lines) == sorted(
        [
            "0| stood there",
            "0| one",
            "1| two",
            "three, while there is no host",
            "four, while there is no host",
            "five",
        ]
    )


async def test_a_process_that_is_not_there_keeps_no_log_or_has_no_daemon_is_told(tail: Tail, pm2: Pm2) -> None:
    none = await tail.poll()
    pm2.start("worker", SILENT)
    other = await tail.poll()
    pm2.start("backend", SILENT, "-e", "/dev/null")
    nowhere = await tail.poll()

    assert [sample.outcome for sample in (none, other, nowhere)] == [Outcome.NONE] * 3
    assert none.text == "no PM2 daemon"
    assert (other.text, other.mend) == ("PM2 has no process called backend", "it has: worker")
    assert nowhere.text == "PM2 keeps no error log of backend"


async def test_pm2_is_not_asked_again_where_its_probe_has_just_asked(tail: Tail, pm2: Pm2) -> None:
    pm2.start("backend", SILENT)
    (log,) = error_logs(pm2)
    await tail.begins()
    pm2.run("kill")
    write(log, "said afterwards")
    sample = await tail.poll(asked_anew=False)

    assert (sample.outcome, sample.text) == (Outcome.DATA, "0 errors/min")
    assert tail.lines() == ["said afterwards"]
    assert "no PM2 daemon" in (await tail.poll()).text


async def test_without_configuration_the_processes_that_the_runbook_names_are_followed_and_no_others(
    pm2: Pm2, monkeypatch: pytest.MonkeyPatch
) -> None:
    pm2.start("backend", SILENT)
    pm2.start("worker", SILENT)
    monkeypatch.setenv("PM2_HOME", str(pm2.home))
    runbook = parse("# R\n\n```bash\npm2 restart all\npm2 logs backend --lines 50\npm2 restart web\n```\n")
    found = await asyncio.to_thread(discover, runbook, {})

    assert [tail.pm2 for tail in found.tails if tail.pm2] == ["backend"]
