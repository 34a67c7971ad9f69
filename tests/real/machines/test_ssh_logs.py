"""Logs of another machine, over a real sshd and links that break."""

from __future__ import annotations

import asyncio
import re
import shutil
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cockpit.config import TailConfig
from cockpit.monitor.logs.probe import LogProbe
from cockpit.monitor.machines import Machines
from cockpit.monitor.sample import Outcome, Sample
from tests.servers.far import probe_of, sample_of, values
from tests.servers.ssh import SshServer
from tests.waiting import until


class Followed:
    """A log over there, its probe, and the lines that were brought here."""

    def __init__(self, machines: Machines, log: Path, here: Path) -> None:
        here.mkdir(exist_ok=True)
        self.log = log
        config = TailConfig(name="app", path=str(log), target="far", interval_s=0.1)
        self.probe = LogProbe(config, here / "app.log", lambda text: text, far=machines.called("far", "here"))
        assert self.probe.fetched is not None
        self.kept = self.probe.fetched.path

    async def poll(self) -> Sample:
        return await sample_of(self.probe)

    async def begins(self) -> None:
        """The first look, which a machine under load may take some tries for."""

        async def looked() -> bool:
            return (await self.poll()).outcome is Outcome.DATA

        await until(looked)

    async def brought(self, last: str) -> list[str]:
        """The lines once this one is there."""

        async def is_there() -> bool:
            if self.kept.exists() and f"{last}\n" in self.kept.read_text():
                return True
            await self.poll()
            return False

        await until(is_there, last)
        return self.lines()

    def lines(self) -> list[str]:
        return [line for line in self.kept.read_text().split("\n") if line and not line.startswith("--- ")]

    def marks(self) -> list[str]:
        return [line for line in self.kept.read_text().split("\n") if line.startswith("--- ")]


@pytest.fixture
async def followed(machines: Machines, tmp_path: Path) -> AsyncIterator[Followed]:
    logs = tmp_path / "it's a *log* folder"
    logs.mkdir()
    made = Followed(machines, logs / "app.log", tmp_path / "here")
    yield made
    await made.probe.close()


def write(path: Path, *lines: str) -> None:
    with path.open("a") as file:
        file.write("".join(f"{line}\n" for line in lines))


def numbered(first: int, last: int) -> list[str]:
    return [f"line {number}" for number in range(first, last + 1)]


async def test_a_log_over_there_is_followed_and_what_stood_before_is_shown(followed: Followed) -> None:
    write(followed.log, *numbered(1, 50))
    await followed.begins()
    write(followed.log, "ERROR one", "password=hunter2hunter2 \x1b]52;c;aGk=\x07")
    lines = await followed.brought("ERROR one")
    sample = await followed.poll()

    assert lines[:50] == numbered(1, 50)
    assert values(sample)["errors_per_min"] == 1
    text = followed.kept.read_text()
    assert "hunter2" not in text
    assert "\x1b" not in text
    assert followed.kept.stat().st_mode & 0o777 == 0o600


async def test_a_log_that_is_rotated_while_the_link_is_down_loses_and_doubles_no_line(
    server: SshServer, followed: Followed
) -> None:
    write(followed.log, *numbered(1, 100))
    await followed.begins()
    server.stop()
    server.cut_all()
    write(followed.log, *numbered(101, 200))
    for number in (3, 2):
        shutil.move(followed.log, followed.log.with_name(f"app.log.{number}"))
        write(followed.log, *(f"{number}: {line}" for line in numbered(1, 100)))
    assert (await followed.poll()).outcome is Outcome.FAILED

    server.start()
    lines = await followed.brought("2: line 100")

    expected = [*numbered(1, 200), *(f"3: {line}" for line in numbered(1, 100))]
    assert lines == [*expected, *(f"2: {line}" for line in numbered(1, 100))]
    assert sum("rotated" in mark for mark in followed.marks()) == 2


async def test_a_log_whose_old_file_is_gone_says_that_lines_may_be_missing(
    server: SshServer, followed: Followed
) -> None:
    write(followed.log, *numbered(1, 10))
    await followed.begins()
    server.cut()
    write(followed.log, "never seen")
    followed.log.rename(followed.log.with_name("app.log.1"))
    followed.log.with_name("app.log.1").unlink()
    write(followed.log.with_name("other"), "which may get the inode that is free now")
    write(followed.log, "first of the new one")

    await followed.brought("first of the new one")

    assert re.search("is lost|lines may be missing", " ".join(followed.marks()))


# -- the host after this one -----------------------------------------------------------------------------------------


async def anew(followed: Followed, machines: Machines) -> Followed:
    """The tail of the next host of the same session; the one before is never heard of again."""
    await followed.probe.close()
    return Followed(machines, followed.log, followed.kept.parent)


async def test_the_next_host_goes_on_at_the_next_unread_line(followed: Followed, machines: Machines) -> None:
    write(followed.log, *numbered(1, 3))
    await followed.begins()
    write(followed.log, *numbered(4, 6))
    with followed.log.open("a") as file:
        file.write("half of")
    await followed.brought("line 6")
    write(followed.log, " line 7", "line 8")
    second = await anew(followed, machines)
    lines = await second.brought("line 8")
    write(followed.log, "line 9")
    third = await anew(second, machines)
    lines = await third.brought("line 9")
    await third.probe.close()

    assert lines == [*numbered(1, 6), "half of line 7", "line 8", "line 9"]
    assert sum("goes on where it was left" in mark for mark in third.marks()) == 2


async def test_rotations_between_two_hosts_lose_no_line(followed: Followed, machines: Machines) -> None:
    write(followed.log, *numbered(1, 3))
    await followed.begins()
    write(followed.log, "line 4")
    await followed.brought("line 4")
    write(followed.log, "line 5")
    for number in (2, 1):
        shutil.move(followed.log, followed.log.with_name(f"app.log.{number}"))
        write(followed.log, f"after rotation {number}")
    second = await anew(followed, machines)
    lines = await second.brought("after rotation 1")
    await second.probe.close()

    assert lines == [*numbered(1, 5), "after rotation 2", "after rotation 1"]


@pytest.mark.parametrize("kept", [True, False])
async def test_a_host_killed_before_or_after_it_kept_what_it_read_costs_no_line_and_doubles_none(
    followed: Followed, machines: Machines, kept: bool
) -> None:
    write(followed.log, *numbered(1, 3))
    await followed.begins()
    before = followed.kept.read_bytes()
    write(followed.log, *numbered(4, 6))
    await followed.brought("line 6")
    if not kept:
        followed.kept.write_bytes(before)
    write(followed.log, "line 7")
    second = await anew(followed, machines)
    lines = await second.brought("line 7")
    await second.probe.close()

    assert lines == numbered(1, 7)


async def test_a_file_that_is_gone_or_was_written_anew_between_two_hosts_is_told(
    followed: Followed, machines: Machines
) -> None:
    write(followed.log, *(f"{line} of the first file" for line in numbered(1, 9)))
    await followed.begins()
    write(followed.log, "seen")
    await followed.brought("seen")
    followed.log.write_text("")
    write(followed.log, "in its place")
    second = await anew(followed, machines)
    await second.brought("in its place")
    followed.log.rename(followed.log.with_name("elsewhere"))
    write(followed.log, "another")
    followed.log.with_name("elsewhere").unlink()
    third = await anew(second, machines)
    await third.brought("another")
    await third.probe.close()

    assert re.search("truncated|written anew", " ".join(third.marks()))
    assert "is lost" in " ".join(third.marks())


async def test_a_private_key_that_is_half_read_when_the_host_ends_is_masked_whole(
    followed: Followed, machines: Machines
) -> None:
    write(followed.log, "begin")
    await followed.begins()
    halves = [f"{number:02d}SecretBytesOfTheKey{'x' * 30}" for number in range(8)]
    write(followed.log, "-----BEGIN OPENSSH PRIVATE KEY-----", *halves[:4])
    await followed.begins()  # what was read last is no line that can be waited for
    write(followed.log, *halves[4:], "-----END OPENSSH PRIVATE KEY-----", "end")
    second = await anew(followed, machines)
    await second.brought("end")
    await second.probe.close()

    assert "SecretBytesOfTheKey" not in second.kept.read_text()
    assert "SecretBytes" not in second.kept.with_suffix(".place").read_text()


async def test_copytruncate_and_a_switched_link_are_noticed_over_there(followed: Followed) -> None:
    first, second = followed.log.with_name("one"), followed.log.with_name("two")
    write(first, *numbered(1, 10))
    followed.log.symlink_to(first)
    await followed.begins()
    with first.open("r+") as file:
        file.truncate(0)
    write(first, "after the truncation")
    await followed.brought("after the truncation")

    write(second, "in the second")
    followed.log.unlink()
    followed.log.symlink_to(second)
    lines = await followed.brought("in the second")

    assert lines == [*numbered(1, 10), "after the truncation", "in the second"]
    assert [word in " ".join(followed.marks()) for word in ("truncated", "link now leads to")] == [True, True]


async def test_a_flood_is_brought_whole_through_cuts(server: SshServer, followed: Followed) -> None:
    write(followed.log, "begin")
    await followed.begins()
    stop = threading.Event()

    def flood() -> None:
        with followed.log.open("a") as file:
            for number in range(1, 60_001):
                file.write(f"{number} {'x' * 80}\n")
                if not number % 10_000:
                    file.flush()
                    stop.wait(0.2)

    thread = threading.Thread(target=flood)
    thread.start()
    for _ in range(3):
        await followed.poll()
        server.cut()
    await asyncio.to_thread(thread.join)
    write(followed.log, "end")
    lines = await followed.brought("end")

    assert [line.split(" ")[0] for line in lines[1:-1]] == [str(number) for number in range(1, 60_001)]


async def test_a_missing_an_unreadable_and_a_strange_path_are_told(machines: Machines, tmp_path: Path) -> None:
    gone = Followed(machines, tmp_path / "none" / "app.log", tmp_path / "a")
    folder = Followed(machines, tmp_path, tmp_path / "b")

    assert (await gone.poll()).outcome is Outcome.NONE
    assert (await folder.poll()).outcome is Outcome.FAILED


async def test_the_words_for_logs_are_understood_by_every_shell_and_tool_box(tmp_path: Path) -> None:
    """busybox stands for small systems, with its own `ls` and `dd`."""
    shells = [[shell] for shell in map(shutil.which, ("dash", "bash", "ksh", "mksh")) if shell]
    if box := shutil.which("busybox"):
        tools = tmp_path / "tools"
        tools.mkdir()
        for tool in ("ls", "dd", "readlink", "tail", "df", "uptime", "cat", "sleep", "nproc", "tr", "ps"):
            (tools / tool).symlink_to(box)
        shells.append(["env", "-i", f"PATH={tools}", box, "sh"])
    for number, shell in enumerate(shells):
        machines = Machines({"far": Here(shell)})
        here = Followed(machines, tmp_path / f"{number} log", tmp_path / f"here{number}")
        write(here.log, *numbered(1, 9))
        await here.begins()
        here.log.rename(tmp_path / f"{number} log.1")
        write(here.log, "new")
        assert await here.brought("new") == [*numbered(1, 9), "new"], shell
        assert (await sample_of(probe_of(machines, "machine"))).outcome is Outcome.DATA, shell


class Here:
    """An adapter whose machine is this one, asked with another shell."""

    def __init__(self, shell: list[str]) -> None:
        self._shell = shell

    def far(self, name: str) -> Here:
        self.name = name
        return self

    def ask(self, script: str, *, deadline_s: float, most_bytes: int = 0) -> bytes:
        import subprocess

        done = subprocess.run(self._shell, input=script.encode(), capture_output=True, timeout=deadline_s, check=False)
        return done.stdout


async def test_the_next_host_of_a_quiet_log_shows_no_line_again(followed: Followed, machines: Machines) -> None:
    write(followed.log, *numbered(1, 3))
    await followed.begins()
    second = await anew(followed, machines)
    await second.begins()
    third = await anew(second, machines)
    write(followed.log, "line 4")
    lines = await third.brought("line 4")
    await third.probe.close()

    assert lines == numbered(1, 4)
