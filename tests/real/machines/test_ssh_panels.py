"""What is watched on another machine, over a real sshd and links that break."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import psutil
import pytest

from cockpit.errors import LinkDown
from cockpit.monitor.machines import Machines
from cockpit.monitor.sample import Level, Outcome
from tests.servers.far import DEADLINE_S, probe_of, sample_of, sample_until, values
from tests.servers.pages import Page, page_server
from tests.servers.pm2 import PM2, pm2_daemon
from tests.servers.ssh import SshServer
from tests.waiting import until

# -- the machine -----------------------------------------------------------------------------------------------------


async def test_a_machine_tells_its_cpu_memory_disk_and_load(machines: Machines) -> None:
    probe = probe_of(machines, "machine", folders=["/", "/no such/place"])
    for _look in range(2):
        sample = await sample_of(probe)
    told = values(sample)

    assert sample.outcome is Outcome.DATA, sample
    assert 0 <= told["cpu_percent"] <= 100
    assert 0 < told["memory_percent"] < 100
    assert told["disk_percent"] == max(row["disk_percent"] for row in sample.rows)
    assert (told["cores"], [row["folder"] for row in sample.rows]) == (os.cpu_count(), ["/"])


async def test_a_machine_that_can_not_be_reached_is_red_and_says_how_to_mend_it(
    server: SshServer, machines: Machines
) -> None:
    server.stop()
    sample = await sample_of(probe_of(machines, "machine"))

    assert (sample.outcome, sample.level) == (Outcome.FAILED, Level.RED)
    assert "it can't be reached" in sample.error
    assert "ssh" in sample.mend


async def test_a_machine_that_is_not_known_is_refused_with_its_fingerprint(
    server: SshServer, machines: Machines
) -> None:
    server.known_hosts.write_text("")
    sample = await sample_of(probe_of(machines, "machine"))

    assert (sample.outcome, sample.level) == (Outcome.FAILED, Level.YELLOW)
    assert "SHA256:" in sample.error


# -- the link --------------------------------------------------------------------------------------------------------


async def test_all_looks_share_one_connection_and_it_is_made_again_after_a_cut(
    server: SshServer, machines: Machines
) -> None:
    probes = [probe_of(machines, "machine") for _ in range(6)]
    samples = await asyncio.gather(*map(sample_of, probes))
    assert {sample.outcome for sample in samples} == {Outcome.DATA}
    log = (server.folder / "sshd.log").read_text()
    assert log.count("Accepted publickey") == 1

    server.cut()
    await sample_until(probes[0], lambda sample: sample.outcome is Outcome.DATA)
    samples = await asyncio.gather(*map(sample_of, probes))

    assert {sample.outcome for sample in samples} == {Outcome.DATA}
    assert (server.folder / "sshd.log").read_text().count("Accepted publickey") == 2


async def test_a_link_that_is_cut_in_a_read_costs_that_look_only(
    server: SshServer, machines: Machines, tmp_path: Path
) -> None:
    far = machines.called("far", "here")
    begun = tmp_path / "begun"
    asking = asyncio.create_task(asyncio.to_thread(far.ask, f": >{begun}; sleep 600", deadline_s=60.0))
    await until(begun.exists)
    server.cut()

    with pytest.raises(LinkDown):
        await asking
    sample = await sample_until(probe_of(machines, "machine"), lambda one: one.outcome is Outcome.DATA)
    assert sample.text


async def test_a_peer_that_has_fallen_silent_is_told_from_a_slow_one(server: SshServer, machines: Machines) -> None:
    far = machines.called("far", "here")
    far.ask("true", deadline_s=DEADLINE_S)
    frozen = server.sessions()
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(LinkDown, match=r"silent|ended"):
            await asyncio.to_thread(far.ask, "true", deadline_s=8.0)
    finally:
        for pid in frozen:
            os.kill(pid, signal.SIGKILL)
    await sample_until(probe_of(machines, "machine"), lambda one: one.outcome is Outcome.DATA)


async def test_a_slow_look_does_not_hold_up_the_others(machines: Machines) -> None:
    far = machines.called("far", "here")
    over = threading.Event()

    def slow() -> None:
        with pytest.raises(Exception, match=r"too long|ended|silent"):
            far.ask("sleep 600", deadline_s=30.0)
        over.set()

    thread = threading.Thread(target=slow, daemon=True)
    thread.start()
    sample = await sample_of(probe_of(machines, "machine"))

    assert sample.outcome is Outcome.DATA
    assert not over.is_set()


async def test_what_a_login_shell_prints_of_its_own_accord_is_no_answer(machines: Machines) -> None:
    far = machines.called("far", "here")

    assert far.ask("printf 'a\\nb'; echo oops >&2", deadline_s=DEADLINE_S) == b"a\nb"
    assert far.ask("cat; printf %s 'it'\"'\"'s'", deadline_s=DEADLINE_S) == b"it's"


# -- HTTP ------------------------------------------------------------------------------------------------------------


class Service(Page):
    """Answers by its path, and remembers what was asked."""

    asked: ClassVar[list[tuple[str, str, str | None]]] = []

    def answer(self) -> None:
        self.asked.append((self.command, self.path, self.headers.get("authorization")))
        code = 503 if self.path == "/down" else 302 if self.path == "/away" else 200
        body = b'{"status": "%s", "n": 7}' % (b"DOWN" if code == 503 else b"UP")
        if self.path == "/hostile":
            body = b"\x00\xff\x1b]52;c;aGk=\x07\n" * 100
        if self.path == "/large":
            body = b"x" * (5 << 20)
        kind = "application/json" if body[:1] == b"{" else "text/plain\x1b[31m"
        self.says(code, body, kind, **({"location": "/elsewhere"} if code == 302 else {}))


@pytest.fixture
def service() -> Iterator[str]:
    Service.asked = []
    with page_server(Service) as port:
        yield f"http://127.0.0.1:{port}"


async def test_health_is_asked_from_there_with_its_headers_and_they_are_in_no_argument(
    machines: Machines, service: str, tmp_path: Path
) -> None:
    probe = probe_of(
        machines,
        "http",
        url=f"{service}/health?a=[1]",
        headers={"Authorization": 'Bearer "$(touch ' + str(tmp_path) + "/made)'\\"},
        values={"n": "$.n"},
    )
    sample = await sample_of(probe)
    told = values(sample)

    assert (told["status_code"], told["status"], told["healthy"], told["n"]) == (200.0, "UP", True, 7.0)
    # Another process of this machine may still ask the port that this service got for what stood there before.
    ours = [asked for asked in Service.asked if asked[1] != "/actuator/health"]
    assert ours == [("GET", "/health?a=[1]", 'Bearer "$(touch ' + str(tmp_path) + "/made)'\\")]
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("path", "level", "said"),
    [("/down", Level.RED, "DOWN 503"), ("/away", Level.RED, "302"), ("/hostile", Level.GREEN, "200")],
)
async def test_what_is_unwell_there_is_red_and_what_is_hostile_is_only_text(
    machines: Machines, service: str, path: str, level: Level, said: str
) -> None:
    sample = await sample_of(probe_of(machines, "http", url=service + path))

    assert sample.outcome is Outcome.DATA
    assert next(r.level for r in sample.readings if r.name == "healthy") is level
    assert said in sample.text
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", sample.text)


async def test_an_answer_without_end_is_given_up_on_and_the_next_look_is_well(machines: Machines, service: str) -> None:
    assert (await sample_of(probe_of(machines, "http", url=f"{service}/large"))).outcome is Outcome.FAILED
    assert (await sample_of(probe_of(machines, "http", url=f"{service}/ok", method="HEAD"))).outcome is Outcome.DATA


async def test_a_service_that_is_not_there_is_red_while_no_way_to_the_machine_is_only_blindness(
    server: SshServer, machines: Machines
) -> None:
    probe = probe_of(machines, "http", url="http://127.0.0.1:1/health")
    nobody = await sample_of(probe)
    server.stop()
    server.cut_all()
    blind = await sample_until(probe, lambda sample: "listens" not in sample.error)

    assert (nobody.level, "nothing listens there" in nobody.error) == (Level.RED, True)
    assert (blind.outcome, blind.level) == (Outcome.FAILED, Level.YELLOW)


# -- PM2 -------------------------------------------------------------------------------------------------------------


async def test_pm2s_processes_over_there_are_told_and_nothing_of_their_environment(machines: Machines) -> None:
    with pm2_daemon() as daemon:
        daemon.start("backend", "setInterval(() => {}, 1000)")
        probe = probe_of(machines, "pm2", home=str(daemon.home), program=PM2, processes=["backend", "worker"])
        sample = await sample_of(probe)

        assert [(row["name"], row["status"]) for row in sample.rows] == [("backend", "online"), ("worker", "missing")]
        assert "opensesame" not in str(sample)

        daemon.run("restart", "backend")
        sample = await sample_of(probe)
        assert (values(sample)["restarts_change"], sample.rows[0]["restarts"]) == (1, 1)


async def test_no_daemon_is_started_over_there_not_even_where_one_has_died(machines: Machines) -> None:
    with pm2_daemon() as daemon:
        probe = probe_of(machines, "pm2", home=str(daemon.home), program=PM2)
        never = await sample_of(probe)
        daemon.start("backend", "setInterval(() => {}, 1000)")
        pid = int((daemon.home / "pm2.pid").read_text())
        children = psutil.Process(pid).children(recursive=True)
        for process in (psutil.Process(pid), *children):
            process.kill()
        psutil.wait_procs(children, 30)
        assert (daemon.home / "rpc.sock").exists()
        dead = await sample_of(probe)
        (daemon.home / "rpc.sock").unlink()

        assert [(one.outcome, one.text) for one in (never, dead)] == [(Outcome.NONE, "no PM2 daemon")] * 2
        assert not (daemon.home / "rpc.sock").exists()


async def test_a_daemon_that_begins_later_is_seen_where_a_login_by_ssh_finds_no_pm2(machines: Machines) -> None:
    with pm2_daemon() as daemon:
        probe = probe_of(machines, "pm2", home=str(daemon.home), program="no-such-pm2")
        assert (await sample_of(probe)).outcome is Outcome.NONE
        daemon.start("backend", "setInterval(() => {}, 1000)")

        assert [row["name"] for row in (await sample_of(probe)).rows] == ["backend"]


@pytest.mark.parametrize("reached", [True, False])
async def test_pm2_is_looked_at_without_starting_anything_where_its_socket_can_be_reached(
    server: SshServer, machines: Machines, tmp_path: Path, reached: bool
) -> None:
    """A pm2 that notes that it was started stands for the real one."""
    if not reached:
        server.set("AllowStreamLocalForwarding no")
    with pm2_daemon() as daemon:
        daemon.start("backend", "setInterval(() => {}, 1000)")
        noting = tmp_path / "pm2"
        noting.write_text(f'#!/bin/sh\necho started >>{tmp_path}/started\nexec {PM2} "$@"\n')
        noting.chmod(0o755)
        probe = probe_of(machines, "pm2", home=str(daemon.home), program=str(noting))
        for _look in range(2):
            sample = await sample_of(probe)
            assert [(row["name"], row["status"]) for row in sample.rows] == [("backend", "online")]
        assert (tmp_path / "started").exists() is not reached

        daemon.run("kill")
        assert (await sample_of(probe)).outcome is Outcome.NONE
        daemon.start("worker", "setInterval(() => {}, 1000)")
        assert [row["name"] for row in (await sample_of(probe)).rows] == ["worker"]


async def test_a_pm2_that_a_login_by_ssh_does_not_find_is_asked_for_by_its_path(
    server: SshServer, machines: Machines
) -> None:
    server.set("AllowStreamLocalForwarding no")
    with pm2_daemon() as daemon:
        daemon.start("backend", "setInterval(() => {}, 1000)")
        sample = await sample_of(probe_of(machines, "pm2", home=str(daemon.home), program="no-such-pm2"))

        assert (sample.outcome, sample.level) == (Outcome.FAILED, Level.YELLOW)
        assert "program" in sample.mend
