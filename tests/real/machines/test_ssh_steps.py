"""Steps on another machine, over a real sshd and links that break."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import msgspec
import pytest

from cockpit.adapters.base import RunRequest
from cockpit.adapters.ssh import script, step
from cockpit.adapters.ssh.adapter import SshAdapter, SshOptions
from cockpit.errors import AccessDenied, CockpitError, ConfigError, TargetUnreachable
from cockpit.runs.recording import FRAME, STDERR, STDOUT
from tests.servers.far import DEADLINE_S, Desk, permit_for, said
from tests.servers.ssh import SshServer
from tests.waiting import until


async def test_it_runs_there_and_not_here(desk: Desk) -> None:
    outcome, output = await desk.run("echo $FAR; echo ${SSH_CONNECTION:+by ssh}")

    assert (outcome.exit_code, output) == (0, "yes\nby ssh\n")


async def test_nothing_of_a_collected_step_stays_there(desk: Desk) -> None:
    await desk.run("echo done")

    await until(lambda: not desk.server.steps())
    assert desk.server.steps() == []


async def test_what_a_step_makes_there_has_the_permissions_of_its_operator(desk: Desk, tmp_path: Path) -> None:
    outcome, output = await desk.run(f"umask; : >{tmp_path}/made")

    os.umask(here := os.umask(0))
    assert (outcome.exit_code, int(output, 8)) == (0, here | 0o022)
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o666 & ~(here | 0o022)


async def test_steps_and_looks_share_a_shell_and_nothing_of_one_is_left_to_the_next(desk: Desk) -> None:
    far = desk.adapter.far("far")
    before = await desk.run("umask; echo $A$PWD")
    await desk.run("export A=1; cd /tmp; umask 077; set -e; false")
    first = far.ask('printf "%s %s %s" $$ "$A" "$PWD"; A=2; cd /; exit 3', deadline_s=DEADLINE_S)
    again = far.ask('printf "%s %s %s" $$ "$A" "$PWD"', deadline_s=DEADLINE_S)

    assert first == again
    assert b"/tmp" not in first
    assert (await desk.run("umask; echo $A$PWD"))[1] == before[1]


def has(folder: Path, word: str) -> bool:
    return f"{word}\n" in (folder / "output").read_text()


def streams(folder: Path) -> list[tuple[int, bytes]]:
    """The output by stream, stretches of one stream joined."""
    output = (folder / "output").read_bytes()
    joined: list[tuple[int, bytes]] = []
    for offset, _m, length, stream in FRAME.iter_unpack((folder / "index").read_bytes()):
        piece = output[offset : offset + length]
        if joined and joined[-1][0] == stream:
            joined[-1] = stream, joined[-1][1] + piece
        else:
            joined.append((stream, piece))
    return joined


async def test_what_comes_by_standard_error_is_told_apart_and_the_order_is_true(desk: Desk, tmp_path: Path) -> None:
    words = ["err 1", "out 1", "err 2", "out 2"]
    # Files and no pipe: who opens that again finds the last writer still there, and reads its end.
    say = 'echo {0} $i{1}; until [ -e "$GO-{0}-$i" ]; do sleep 0.02; done'
    loop = f"GO={tmp_path}/go; for i in 1 2; do {say.format('err', ' >&2')}; {say.format('out', '')}; done"
    running, folder = await desk.start(loop)
    for word in words:
        await until(partial(has, folder, word), word)
        (tmp_path / f"go-{word.replace(' ', '-')}").touch()
    await running.wait()

    assert streams(folder) == [(STDERR if word[0] == "e" else STDOUT, f"{word}\n".encode()) for word in words]


async def test_standard_error_is_told_apart_through_a_broken_link_and_every_byte_comes_once(desk: Desk) -> None:
    loop = "for i in $(seq 1 200); do echo out $i; echo err $i >&2; sleep 0.01; done; exit 4"
    running, folder = await desk.start(loop)
    await until(lambda: "out 50\n" in (folder / "output").read_text())
    desk.server.cut()
    outcome = await running.wait()

    assert outcome.exit_code == 4
    for stream, word in ((STDOUT, "out"), (STDERR, "err")):
        whole = b"".join(part for kind, part in streams(folder) if kind == stream).decode()
        assert whole == "".join(f"{word} {number}\n" for number in range(1, 201))


async def test_what_a_step_leaves_running_keeps_its_standard_error(desk: Desk, tmp_path: Path) -> None:
    gate, over = tmp_path / "gate", tmp_path / "over"
    os.mkfifo(gate)
    later = f"(read x <{gate}; echo later >&2 && : >{over}) >/dev/null &"
    outcome, output = await desk.run(f"{later}\necho now >&2")
    assert (outcome.exit_code, output) == (0, "now\n")

    gate.write_text("go\n")
    await until(over.exists)


async def test_where_there_is_no_perl_both_streams_come_as_one(desk: Desk, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for folder in ("/usr/bin", "/bin"):
        for tool in Path(folder).iterdir():
            if tool.name != "perl" and not (tools / tool.name).exists():
                (tools / tool.name).symlink_to(tool)
    desk.server.give(PATH=tools)
    desk.server.set()

    outcome, output = await desk.run("echo out; echo err >&2; exit 2")

    assert (outcome.exit_code, output) == (2, "out\nerr\n")


async def test_a_secret_input_is_in_no_argument_over_there(desk: Desk, tmp_path: Path) -> None:
    running, folder = await desk.start("echo began; sleep 1000")
    await until(lambda: (folder / "output").read_bytes() == b"began\n")
    listing = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    await running.cancel()

    assert "echo began" not in listing


async def test_a_step_goes_on_when_the_link_drops_and_every_byte_is_collected_once(desk: Desk) -> None:
    running, folder = await desk.start("for i in $(seq 1 400); do echo line $i; sleep 0.01; done; exit 7")
    await until(lambda: "line 50\n" in (folder / "output").read_text())

    for _ in range(3):
        desk.server.cut()
        await until(lambda: bool(desk.server.sessions()) or (folder / "exit.json").exists())
    outcome = await running.wait()

    assert (outcome.ending, outcome.exit_code) == ("exited", 7)
    assert said(folder) == "\n".join(f"line {i}" for i in range(1, 401))
    assert "the link is gone" in (folder / "output").read_text()


async def test_a_machine_that_stays_away_is_waited_for(desk: Desk, tmp_path: Path) -> None:
    gate, over = tmp_path / "gate", tmp_path / "over"
    os.mkfifo(gate)
    running, folder = await desk.start(f"echo before; cat {gate} >/dev/null; echo after; touch {over}; exit 5")
    await until(lambda: "before\n" in (folder / "output").read_text())
    sessions = desk.server.sessions()
    desk.server.stop()
    for pid in sessions:
        os.kill(pid, signal.SIGKILL)
    gate.write_bytes(b"")
    await until(over.exists)
    await until(lambda: "the link is gone" in (folder / "output").read_text())

    desk.server.start()
    outcome = await running.wait()

    assert (outcome.exit_code, said(folder)) == (5, "before\nafter")


async def test_a_machine_that_stays_away_past_the_deadline_is_unknown_and_says_where_the_end_is_kept(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step, "_PAST_DEADLINE_S", 0.0)
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    running, folder = await desk.start(f"echo before; cat {gate} >/dev/null; exit 5", timeout_s=3600.0)
    await until(lambda: "before\n" in (folder / "output").read_text())
    desk.server.stop()
    desk.server.cut_all()
    await until(lambda: "the link is gone" in (folder / "output").read_text())
    assert not (folder / "exit.json").exists()

    running.step.place = msgspec.structs.replace(running.step.place, began=time.time() - 7200)
    outcome = await running.wait()

    assert (outcome.ending, outcome.exit_code) == ("lost", None)
    assert "it may still run there" in outcome.detail
    kept = desk.server.steps()[0].name
    assert f"are kept there in ~/.local/state/incident-cockpit/steps/{kept}" in outcome.detail
    assert "its deadline has passed" in (folder / "output").read_text()
    gate.write_bytes(b"")


async def test_a_peer_that_has_fallen_silent_is_noticed(desk: Desk, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    running, folder = await desk.start(f"echo began; cat {gate} >/dev/null; echo end")
    await until(lambda: "began\n" in (folder / "output").read_text())
    frozen = desk.server.sessions()
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    try:
        await until(lambda: "the link is gone" in (folder / "output").read_text())
        gate.write_bytes(b"")
        outcome = await running.wait()
    finally:
        for pid in frozen:
            os.kill(pid, signal.SIGKILL)

    assert (outcome.exit_code, said(folder)) == (0, "began\nend")


async def test_cancelling_what_cannot_be_reached_says_that_it_may_go_on(desk: Desk) -> None:
    running, folder = await desk.start("echo began; sleep 4")
    await until(lambda: "began\n" in (folder / "output").read_text())
    sessions = desk.server.sessions()
    desk.server.stop()
    for pid in sessions:
        os.kill(pid, signal.SIGKILL)
    await until(lambda: "the link is gone" in (folder / "output").read_text())

    await running.cancel()
    outcome = await running.wait()

    assert (outcome.ending, outcome.exit_code, outcome.signal) == ("lost", None, None)
    assert "may still run" in outcome.detail
    desk.server.start()


async def test_a_step_whose_host_was_killed_is_collected_by_the_next(desk: Desk, tmp_path: Path) -> None:
    folder = tmp_path / "0099"
    folder.mkdir()
    argv = [sys.executable, "-c", _HOST, str(desk.server.config), str(folder)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as host:
        assert host.stdout is not None
        assert host.stdout.readline() == b"started\n"
        host.kill()

    running = await desk.adapter.adopt(folder)
    outcome = await running.wait()

    assert (outcome.ending, outcome.exit_code) == ("exited", 42)
    assert said(folder) == "\n".join(str(i) for i in range(1, 151))
    assert outcome.shell_state["A"] == "1"


_HOST = """
import asyncio, sys
from pathlib import Path
from cockpit.adapters.base import RunRequest
from cockpit.adapters.ssh.adapter import SshAdapter, SshOptions
from cockpit.safety.permit import Action, Mode, grant
from cockpit.safety.verdict import Judgement, Verdict

async def main():
    action = Action("bash", "for i in $(seq 1 150); do echo $i; sleep 0.01; done; export A=1; exit 42", "far")
    permit = grant(action, Judgement(Verdict.READ_ONLY), Mode.LIVE, by="test")
    adapter = SshAdapter(SshOptions(host="far", ssh_config=sys.argv[1]))
    running = await adapter.start(permit, RunRequest(Path(sys.argv[2])))
    print("started", flush=True)
    await running.wait()
    await asyncio.sleep(1000)

asyncio.run(main())
"""


async def test_a_start_that_arrives_after_it_was_given_up_does_nothing(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}

    def told(text: bytes) -> str:
        done = subprocess.run(["/bin/sh", "-s"], input=text, capture_output=True, env=environment, check=False)
        return done.stdout.decode()

    claimed = told(script.claim("one", "n"))
    late = told(script.start("one", "n", f"touch {mark}", environment={}, cwd=None))

    assert claimed == "n begin\ne never\n"
    assert "\ns " not in late
    assert "\nx " not in late
    assert not mark.exists()


async def test_hashed_names_patterns_and_lines_of_other_kinds_are_understood(desk: Desk) -> None:
    name = f"[127.0.0.1]:{desk.server.port}"
    kind, key = desk.server.known_hosts.read_text().split()[1:]
    salt = b"0123456789abcdefghij"
    digest = hmac.new(salt, name.encode(), hashlib.sha1).digest()
    hashed = "|1|" + "|".join(base64.b64encode(part).decode() for part in (salt, digest))
    other = "@cert-authority *.example.com ssh-ed25519 AAAA\nbroken line\n"
    for hosts in (hashed, f"[127.0.0.*]:{desk.server.port}"):
        desk.server.known_hosts.write_text(f"{other}{hosts} {kind} {key}\n")

        outcome, _ = await Desk.run(desk, "true")
        desk.adapter = SshAdapter(desk.adapter.options)

        assert outcome.exit_code == 0

    desk.server.known_hosts.write_text(f"*,![127.0.0.1]:{desk.server.port} {kind} {key}\n")
    with pytest.raises(AccessDenied, match="not a known host"):
        await desk.start("true")


async def test_credentials_that_are_refused_say_what_was_tried(desk: Desk) -> None:
    (desk.server.folder / "authorized_keys").write_text("")

    with pytest.raises(AccessDenied) as refused:
        await desk.start("true")

    assert f"{desk.server.folder}/user: refused" in str(refused.value)


async def test_a_machine_that_is_not_there_says_so(desk: Desk) -> None:
    desk.server.stop()

    with pytest.raises(TargetUnreachable, match="refused"):
        await desk.start("true")

    desk.server.start()


@pytest.mark.parametrize("host", ["-oProxyCommand=touch /tmp/never", "", " far"])
async def test_a_name_that_is_no_host_reaches_no_ssh(host: str, server: SshServer, tmp_path: Path) -> None:
    adapter = SshAdapter(SshOptions(host=host, ssh_config=str(server.config)))

    with pytest.raises(ConfigError, match="no host name"):
        await adapter.start(permit_for("true"), RunRequest(tmp_path))


async def test_more_steps_than_a_server_takes_at_once_wait_their_turn(desk: Desk) -> None:
    begun = await asyncio.gather(*(desk.start("sleep 0.3; echo done") for _ in range(12)))
    outcomes = await asyncio.gather(*(running.wait() for running, _folder in begun))

    assert [outcome.exit_code for outcome in outcomes] == [0] * 12


async def test_a_folder_that_cannot_be_made_there_is_said_and_nothing_runs(desk: Desk, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    (desk.server.state / "incident-cockpit").write_text("a file in the way")

    with pytest.raises(CockpitError, match="no folder for the step"):
        await desk.start(f"touch {mark}")

    assert not mark.exists()
