"""What a run survives: its starter, its runner, its keeper, a full disk, children that will not die."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cockpit.adapters.local import LocalAdapter
from cockpit.errors import CockpitError, TargetUnreachable
from cockpit.runs.process import boot_id, process_start_time, process_table
from cockpit.runs.run import Run

Local = Any

STARTER = """
import asyncio, sys
from pathlib import Path
from cockpit.adapters.base import RunRequest
from cockpit.adapters.local import LocalAdapter
from cockpit.safety.permit import Action, Mode, grant
from cockpit.safety.verdict import Judgement, Verdict

async def main() -> None:
    action = Action("bash", sys.argv[2], "local")
    permit = grant(action, Judgement(Verdict.READ_ONLY), Mode.LIVE, by="test")
    print("ready", flush=True)
    running = await LocalAdapter().start(permit, RunRequest(Path(sys.argv[1])))
    print("started", flush=True)
    await running.wait()

asyncio.run(main())
"""
REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize("seed", range(12))
async def test_killing_the_starter_at_any_moment_costs_nothing(
    local: Local, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cockpit.runs.run._STARTING_S", 3.0)
    folder = local.folder()
    mark = folder.parent / f"mark-{seed}"
    script = f"touch '{mark}'; for i in $(seq 1 200); do echo line $i; done; sleep 0.3; echo end >&2; exit {seed + 20}"
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(folder), script], stdout=subprocess.PIPE, cwd=REPOSITORY
    )
    with starter:
        assert starter.stdout is not None
        starter.stdout.readline()
        # The fault is that it may be any moment: before the start, within it, or after; all three must cost nothing.
        killed_after_s = random.Random(seed).uniform(0, 0.16)
        with contextlib.suppress(subprocess.TimeoutExpired):  # on a quick machine it may be over by then
            starter.wait(killed_after_s)
        starter.kill()

    outcome = await (await LocalAdapter().adopt(folder)).wait()

    if outcome.ending == "lost":
        assert not mark.exists()
        assert "nothing ran" in outcome.detail
        return
    assert (outcome.ending, outcome.exit_code) == ("exited", seed + 20)
    expected = b"".join(b"line %d\n" % number for number in range(1, 201)) + b"end\n"
    assert (folder / "output").read_bytes() == expected


async def test_a_hang_up_of_the_whole_session_reaches_no_step(local: Local) -> None:
    folder = local.folder()
    script = "for i in 1 2 3 4 5 6; do echo $i; sleep 0.05; done; exit 9"
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(folder), script],
        stdout=subprocess.PIPE,
        cwd=REPOSITORY,
        start_new_session=True,
    )
    with starter:
        assert starter.stdout is not None
        starter.stdout.readline()
        starter.stdout.readline()
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            os.killpg(starter.pid, number)

    outcome = await (await LocalAdapter().adopt(folder)).wait()

    assert outcome.exit_code == 9
    assert (folder / "output").read_bytes() == b"1\n2\n3\n4\n5\n6\n"


async def test_a_killed_runner_leaves_the_command_alive_and_the_run_lost(local: Local, tmp_path: Path) -> None:
    gate, mark = tmp_path / "gate", tmp_path / "mark"
    os.mkfifo(gate)
    script = f"echo so far; cat '{gate}'; head -c 300000 /dev/zero; echo more >&2; touch '{mark}'"
    running = await local.start(script)
    await local.until(lambda: running.run.output.read_bytes() == b"so far\n")

    os.kill(running.run.runner()["pid"], signal.SIGKILL)
    outcome = await running.wait()

    await local.until(lambda: running.run.state() == "lost")  # its pipes close a moment before the process is gone
    assert (outcome.ending, outcome.exit_code, outcome.signal) == ("lost", None, None)
    assert outcome.survivors == (running.pid,)
    assert str(running.pid) in outcome.detail
    with pytest.raises(TargetUnreachable, match=str(running.pid)):
        await running.cancel()
    assert local.alive(running.pid)
    gate.write_bytes(b"go on\n")
    await local.until(mark.exists)
    assert running.run.output.read_bytes() == b"so far\n"


async def test_a_killed_keeper_changes_nothing(local: Local) -> None:
    gate = local.folder() / "gate"
    os.mkfifo(gate)
    running = await local.start(f"echo one; cat {gate}; echo two; exit 5")

    os.kill(running.run.runner()["keeper"], signal.SIGKILL)
    gate.write_bytes(b"")
    outcome = await running.wait()

    assert outcome.exit_code == 5
    assert running.run.output.read_bytes() == b"one\ntwo\n"


async def test_a_terminated_runner_ends_its_command_and_writes_it_down(local: Local) -> None:
    running = await local.start("sleep 1000", adapter=LocalAdapter(grace_s=0.2))

    os.kill(running.run.runner()["pid"], signal.SIGTERM)

    assert (await running.wait()).ending == "cancelled"


async def test_who_ignores_term_is_killed_with_its_children(local: Local) -> None:
    script = "trap '' TERM; sleep 1000 & (exec sleep 1001) & echo ready; while :; do sleep 1000; done"
    running = await local.start(script, adapter=LocalAdapter(grace_s=0.2))
    await local.until(lambda: running.run.output.read_bytes() == b"ready\n")
    group = [p.pid for p in process_table() if p.group == running.pid]
    assert len(group) >= 3

    await running.cancel()
    outcome = await running.wait()

    assert (outcome.ending, outcome.signal, outcome.survivors) == ("cancelled", 9, ())
    assert not [pid for pid in group if local.alive(pid)]


async def test_a_leader_that_obeys_does_not_save_children_that_do_not(local: Local) -> None:
    running = await local.start("(trap '' TERM; sleep 1000) & echo ready; wait", adapter=LocalAdapter(grace_s=0.2))
    await local.until(lambda: running.run.output.read_bytes() == b"ready\n")
    group = [p.pid for p in process_table() if p.group == running.pid]

    await running.cancel()
    outcome = await running.wait()

    assert outcome.ending == "cancelled"
    assert not [pid for pid in group if local.alive(pid)]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="setsid(1) is a Linux tool")
async def test_who_left_the_group_is_reported(local: Local) -> None:
    script = "setsid sleep 1000 </dev/null >/dev/null 2>&1 & echo $!; sleep 1000"
    for timeout_s in (0.3, 3.0, 30.0):  # a loaded machine needs more to get at it
        outcome, output = await local.run(script, timeout_s=timeout_s)
        if output:
            break

    assert outcome.ending == "timed-out"
    survivors = [pid for pid in outcome.survivors if local.alive(pid)]
    assert survivors
    assert [pid for pid in survivors if b"1000" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    assert output.strip().isdigit()


async def test_a_child_left_behind_with_the_pipe_neither_hangs_the_run_nor_dies(local: Local, tmp_path: Path) -> None:
    beats = tmp_path / "beats"
    script = f"(while :; do echo beat; echo x >> '{beats}'; sleep 0.02; done) & echo up; exit 6"
    outcome, output = await local.run(script)

    assert (outcome.ending, outcome.exit_code) == ("exited", 6)
    assert output.startswith((b"up\n", b"beat\n"))
    assert outcome.survivors
    assert "still holds its output" in outcome.detail
    seen = beats.stat().st_size
    await local.until(lambda: beats.stat().st_size > seen + 20)


async def test_a_background_child_that_lets_go_of_the_pipe_is_reported(local: Local) -> None:
    outcome, _output = await local.run("sleep 1000 >/dev/null 2>&1 & exit 0")

    assert outcome.exit_code == 0
    assert len(outcome.survivors) == 1


async def test_pid_reuse_never_signals_a_stranger(local: Local) -> None:
    with subprocess.Popen(["sleep", "1000"]) as stranger:
        folder = local.folder()
        identity = {
            "pid": stranger.pid,
            "start_time": "1",
            "boot_id": boot_id(),
            "child": stranger.pid,
            "child_start_time": "1",
        }
        (folder / "runner.json").write_text(json.dumps(identity))
        os.mkfifo(folder / "control")
        adopted = await LocalAdapter().adopt(folder)

        outcome = await adopted.wait()
        with pytest.raises(TargetUnreachable):
            await adopted.cancel()

        assert (Run(folder).state(), outcome.survivors) == ("lost", ())
        assert stranger.poll() is None
        stranger.kill()


async def test_a_run_nobody_took_up_is_given_up_and_a_late_runner_does_not_begin(
    local: Local, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cockpit.runs.run._STARTING_S", 0.0)
    folder, mark = local.folder(), tmp_path / "mark"
    outcome = await (await LocalAdapter().adopt(folder)).wait()
    assert outcome.ending == "lost"
    assert "nothing ran" in outcome.detail

    local.folder = lambda: folder
    with pytest.raises(CockpitError, match="given up"):
        await local.start(f"touch '{mark}'")

    assert not mark.exists()
    assert "nothing ran" in (await (await LocalAdapter().adopt(folder)).wait()).detail


async def test_a_reboot_before_the_runner_was_on_disk_claims_nothing(local: Local) -> None:
    folder = local.folder()
    (folder / "spec.json").write_text(json.dumps({"v": 1, "boot_id": "another"}))

    outcome = await (await LocalAdapter().adopt(folder)).wait()

    assert outcome.ending == "lost"
    assert "nothing ran" not in outcome.detail
    assert "the machine went down" in outcome.detail


async def test_a_reboot_is_told_from_a_loss(local: Local) -> None:
    folder = local.folder()
    me = os.getpid()
    identity = {"pid": me, "start_time": process_start_time(me), "boot_id": "another", "child": me}
    (folder / "runner.json").write_text(json.dumps(identity | {"child_start_time": process_start_time(me)}))

    outcome = await (await LocalAdapter().adopt(folder)).wait()

    assert Run(folder).state() == "rebooted"
    assert (outcome.ending, outcome.survivors) == ("lost", ())
    assert "the machine went down" in outcome.detail
