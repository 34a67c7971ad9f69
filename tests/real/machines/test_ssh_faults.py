"""What goes wrong with a connection, and what is then said and done: faults 27 to 33."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from cockpit.adapters.ssh.adapter import SshRunning
from cockpit.errors import AccessDenied, AdapterError, TargetUnreachable
from tests.servers.far import DEADLINE_S, Desk, said
from tests.servers.proxy import proxied
from tests.servers.ssh import SshServer, prepared
from tests.waiting import until

# -- the link breaks -------------------------------------------------------------------------------------------------


async def test_a_reset_in_the_middle_runs_nothing_twice_and_the_true_exit_status_is_collected(
    desk: Desk, tmp_path: Path
) -> None:
    runs, gate = tmp_path / "runs", tmp_path / "gate"
    os.mkfifo(gate)
    with proxied(desk.server.port) as proxy:
        desk.server.lead_to(proxy.port)
        running, folder = await desk.start(f"echo once >>{runs}; cat {gate} >/dev/null; echo end; exit 7")
        await until(runs.exists)
        proxy.reset()
        await until(lambda: "the link is gone" in (folder / "output").read_text())
        assert not (folder / "exit.json").exists()
        gate.write_bytes(b"")
        outcome = await running.wait()

    assert (outcome.ending, outcome.exit_code, said(folder)) == ("exited", 7, "end")
    assert runs.read_text() == "once\n"


@pytest.mark.parametrize("passed_bytes", [0, 200, 1500, 3000])
async def test_a_reset_while_a_step_is_being_sent_runs_it_once_or_not_at_all_and_says_which(
    desk: Desk, tmp_path: Path, passed_bytes: int
) -> None:
    runs = tmp_path / "runs"
    with proxied(desk.server.port) as proxy:
        desk.server.lead_to(proxy.port)
        await desk.run("true")
        proxy.reset_after(passed_bytes)
        running, _folder = await desk.start(f"echo once >>{runs}; exit 7 # {'x' * 2000}")
        outcome = await running.wait()

    ran = runs.read_text() if runs.exists() else ""
    told = (outcome.ending, outcome.exit_code)
    assert (ran, told) in (("once\n", ("exited", 7)), ("", ("lost", None)))
    assert bool(ran) or "nothing ran" in outcome.detail


async def test_a_link_that_is_found_gone_while_a_step_is_sent_is_asked_again_whether_it_runs(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As paramiko tells it where it writes before it has read the end: with an EOFError."""
    from paramiko import Channel

    await desk.run("true")
    breaks, sendall = [EOFError()], Channel.sendall

    def send(channel: Channel, data: bytes) -> None:
        if breaks and b"echo once" in data:
            raise breaks.pop()
        sendall(channel, data)

    monkeypatch.setattr(Channel, "sendall", send)
    running, _folder = await desk.start(f"echo once >>{tmp_path}/runs; exit 7")
    outcome = await running.wait()

    assert not breaks
    assert outcome.ending == "lost"
    assert "nothing ran" in outcome.detail
    assert not (tmp_path / "runs").exists()


async def test_on_a_peer_that_has_fallen_silent_nothing_is_started(desk: Desk, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    await desk.run("true")
    frozen = desk.server.sessions()
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    try:
        told = await _refused(desk, f"touch {mark}")
    finally:
        for pid in frozen:
            os.kill(pid, signal.SIGKILL)
    assert re.search("nothing ran|connection broke|can't be reached", told)
    assert not mark.exists()
    assert (await desk.run("echo well"))[1] == "well\n"


async def _refused(desk: Desk, text: str) -> str:
    """What is said of a step that did not start."""
    try:
        running, _folder = await desk.start(text)
    except TargetUnreachable as error:
        return str(error)
    return (await running.wait()).detail


async def test_a_shell_over_there_that_was_killed_costs_no_look_and_no_step_after_it(desk: Desk) -> None:
    far = desk.adapter.far("far")
    standing = int(far.ask("printf %s $$", deadline_s=DEADLINE_S))
    os.kill(standing, signal.SIGKILL)

    assert far.ask("printf well", deadline_s=DEADLINE_S) == b"well"
    assert (await desk.run("echo well; exit 3"))[0].exit_code == 3


# -- the machine goes down -------------------------------------------------------------------------------------------


WENT_DOWN = {
    "rebooted": ("no-boot-of-ours 1", "the machine went down while it ran"),
    "another process": ("{boot} 1", "how the command ended is not known"),
}


@pytest.mark.parametrize("case", WENT_DOWN)
async def test_a_process_that_got_a_steps_number_is_not_taken_for_it_and_not_signalled(
    desk: Desk, tmp_path: Path, case: str
) -> None:
    """As after a reboot: the number lives, and is not the step's. Here it is, to see whether it is signalled."""
    noted, told = WENT_DOWN[case]
    gate, over = tmp_path / "gate", tmp_path / "over"
    os.mkfifo(gate)
    boot = Path("/proc/sys/kernel/random/boot_id")
    if not boot.exists():
        pytest.skip("no /proc here")
    running, folder = await desk.start(f"echo began; read x <{gate}; touch {over}")
    await until(lambda: "began\n" in (folder / "output").read_text())
    (there,) = desk.server.steps()
    (there / "who").write_text(noted.format(boot=boot.read_text().strip()) + "\n")

    await running.cancel()
    desk.server.cut()
    outcome = await running.wait()

    assert (outcome.ending, outcome.exit_code) == ("lost", None)
    assert told in outcome.detail
    assert "can't be reached" not in outcome.detail
    gate.write_text("go\n")
    await until(over.exists)


async def test_a_step_whose_folder_is_gone_is_not_said_to_have_never_run(desk: Desk, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    running, folder = await desk.start(f"echo began; read x <{gate}")
    await until(lambda: "began\n" in (folder / "output").read_text())
    shutil.rmtree(desk.server.steps()[0])
    outcome = await running.wait()

    assert (outcome.ending, outcome.exit_code) == ("lost", None)
    assert "the step's folder is not there any more; how the command ended is not known" in outcome.detail
    assert "nothing ran" not in outcome.detail
    gate.write_text("go\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small tmpfs needs root")
async def test_a_disk_there_that_fills_up_costs_output_and_not_the_exit_status(desk: Desk, tmp_path: Path) -> None:
    mount = tmp_path / "small"
    mount.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "none", str(mount)], check=False).returncode:
        pytest.skip("no tmpfs can be mounted here")
    try:
        desk.server.give(XDG_STATE_HOME=mount)
        desk.server.set()
        outcome, output = await desk.run("seq 1 100000; exit 4")
        assert (outcome.ending, outcome.exit_code) == ("exited", 4)
        assert "the disk there was full: some of its output is missing" in outcome.detail
        assert output.startswith("1\n2\n3\n")
    finally:
        desk.server.stop()
        subprocess.run(["umount", "-l", str(mount)], check=False)


# -- who is there ----------------------------------------------------------------------------------------------------


def _fingerprint(server: SshServer) -> str:
    blob = base64.b64decode((server.folder / "host.pub").read_text().split()[1])
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def _another(server: SshServer) -> str:
    return " ".join((server.folder / "user.pub").read_text().split()[:2])


KEYS: dict[str, tuple[Callable[[SshServer, str], str], str]] = {
    "unknown": (lambda _server, _line: "", "not a known host"),
    "changed": (lambda server, line: f"{line.split()[0]} {_another(server)}\n", "another key than before"),
    "revoked": (lambda _server, line: f"{line}@revoked * {line.split(' ', 1)[1]}", "revoked"),
    "authority": (lambda server, line: f"@cert-authority {line.split()[0]} {_another(server)}\n", "certificate only"),
}


@pytest.mark.parametrize("case", KEYS)
async def test_a_key_that_is_not_the_known_one_is_refused_with_its_fingerprint_and_never_added(
    desk: Desk, tmp_path: Path, case: str
) -> None:
    written, told = KEYS[case]
    desk.server.known_hosts.write_text(written(desk.server, desk.server.known_hosts.read_text()))
    before, mark = desk.server.known_hosts.read_text(), tmp_path / "mark"

    with pytest.raises(AccessDenied, match=told) as refused:
        await desk.start(f"touch {mark}")

    assert _fingerprint(desk.server) in str(refused.value)
    assert str(desk.server.known_hosts) in refused.value.where
    assert (desk.server.known_hosts.read_text(), mark.exists()) == (before, False)


# -- how much at once ------------------------------------------------------------------------------------------------


async def test_a_server_that_takes_few_sessions_has_steps_looks_and_cancels_in_turn(desk: Desk) -> None:
    desk.server.set("MaxSessions 2")
    far = desk.adapter.far("far")
    for _ in range(2):
        assert far.ask("printf well", deadline_s=DEADLINE_S) == b"well"
    begun = await asyncio.gather(*(desk.start("sleep 0.2; echo done") for _ in range(5)))
    outcomes = await asyncio.gather(*(running.wait() for running, _folder in begun))
    assert [outcome.exit_code for outcome in outcomes] == [0] * 5

    running, folder = await desk.start("echo began; sleep 1000")
    await until(lambda: "began\n" in (folder / "output").read_text())
    assert await asyncio.to_thread(far.ask, "printf well", deadline_s=DEADLINE_S) == b"well"
    await cancelled(running)
    assert (await running.wait()).ending == "cancelled"


async def cancelled(running: SshRunning) -> None:
    """Cancel it as a person would, again where a machine under load was too slow to be told."""

    async def told() -> bool:
        with contextlib.suppress(TargetUnreachable):
            await running.cancel()
            return True
        return False

    await until(told)


async def test_where_the_server_gives_one_session_only_a_step_can_still_be_cancelled(desk: Desk) -> None:
    desk.server.set("MaxSessions 1")
    running, folder = await desk.start("echo began; sleep 1000")
    await until(lambda: "began\n" in (folder / "output").read_text())
    with pytest.raises(AdapterError, match="no further session"):
        await asyncio.to_thread(desk.adapter.far("far").ask, "true", deadline_s=0.5)

    await cancelled(running)
    outcome = await running.wait()

    assert (outcome.ending, said(folder)) == ("cancelled", "began")
    assert (await desk.run("exit 3"))[0].exit_code == 3


async def test_five_mebibytes_on_both_streams_at_once_block_nothing(desk: Desk) -> None:
    half = "head -c 5242880 /dev/zero | tr '\\0' {letter} | fold -w 99"
    outcome, output = await desk.run(f"{half.format(letter='e')} >&2 & {half.format(letter='o')}; wait")

    assert outcome.exit_code == 0
    assert (output.count("e"), output.count("o")) == (5242880, 5242880)


# -- keys ------------------------------------------------------------------------------------------------------------


async def refusal(desk: Desk) -> AdapterError:
    desk.anew()
    with pytest.raises(AccessDenied) as refused:
        await desk.start("true")
    assert "ssh-add" in str(refused.value)
    return refused.value


def offer(server: SshServer, **settings: str) -> None:
    """Have the client offer other keys."""
    text = server.config.read_text()
    for name, value in settings.items():
        text = re.sub(rf"(?m)^  {name} .*$", f"  {name} {value}", text)
    server.config.write_text(text)


async def test_an_agent_that_is_gone_or_hangs_is_told_with_what_to_do(desk: Desk, tmp_path: Path) -> None:
    sockets = {"gone": tmp_path / "gone", "hangs": tmp_path / "hangs"}
    hanging = socket.socket(socket.AF_UNIX)
    hanging.bind(str(sockets["hangs"]))
    hanging.listen()
    for path in sockets.values():
        offer(desk.server, IdentityAgent=str(path), IdentityFile="/none", IdentitiesOnly="no")
        assert "the agent does not answer" in str(await refusal(desk))
    hanging.close()


async def test_a_key_on_a_security_key_is_told_with_what_to_do(desk: Desk) -> None:
    key = desk.server.folder / "sk"
    public = _strings(b"sk-ssh-ed25519@openssh.com", b"p" * 32, b"ssh:")
    (desk.server.folder / "sk.pub").write_text(f"sk-ssh-ed25519@openssh.com {base64.b64encode(public).decode()} me\n")
    secret = b"\0\0\0\1" * 2 + public + b"\1" + _strings(b"handle", b"", b"me")
    secret += bytes(range(1, 1 + -len(secret) % 8))
    whole = b"openssh-key-v1\0" + _strings(b"none", b"none", b"") + b"\0\0\0\1" + _strings(public, secret)
    armour = base64.encodebytes(whole).decode()
    key.write_text(f"-----BEGIN OPENSSH PRIVATE KEY-----\n{armour}-----END OPENSSH PRIVATE KEY-----\n")
    key.chmod(0o600)
    offer(desk.server, IdentityFile=str(key))

    assert f"{key}: lies on a security key" in str(await refusal(desk))


def _strings(*parts: bytes) -> bytes:
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)


# -- jump hosts ------------------------------------------------------------------------------------------------------


async def test_when_a_jump_host_dies_both_hops_are_named_and_the_step_is_collected(desk: Desk, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    inner = prepared(tmp_path / "inner")
    inner.start()
    try:
        outer = desk.server.config.read_text().replace("Host far", "Host outer")
        desk.server.config.write_text(
            inner.config.read_text().replace("Host far", "Host far\n  ProxyJump outer") + outer
        )
        desk.anew()
        running, folder = await desk.start(f"echo began; cat {gate} >/dev/null; exit 6")
        await until(lambda: "began\n" in (folder / "output").read_text())
        desk.server.stop()
        desk.server.cut_all()
        named = f"127.0.0.1:{desk.server.port}, on the way to .*127.0.0.1:{inner.port}"
        await until(lambda: re.search(named, (folder / "output").read_text()))
        desk.server.start()
        threading.Thread(target=gate.write_bytes, args=(b"",), daemon=True).start()
        assert (await running.wait()).exit_code == 6

        inner.stop()
        desk.anew()
        with pytest.raises(TargetUnreachable) as refused:
            await desk.start("true")
        assert re.search(rf":{inner.port}, by way of .*:{desk.server.port}", refused.value.where)
    finally:
        inner.stop()


async def test_a_jump_host_that_lets_nobody_in_is_named_with_where_it_leads(desk: Desk, tmp_path: Path) -> None:
    inner = prepared(tmp_path / "inner")
    (desk.server.folder / "authorized_keys").write_text("")
    outer = desk.server.config.read_text().replace("Host far", "Host outer")
    desk.server.config.write_text(inner.config.read_text().replace("Host far", "Host far\n  ProxyJump outer") + outer)

    refused = await refusal(desk)

    assert re.search(rf":{desk.server.port}, on the way to .*:{inner.port}", refused.where)
