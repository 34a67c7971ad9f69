"""What a run survives: its starter, its runner, its keeper, a full disk, children that will not die."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import random
import resource
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
    script = f"touch '{mark}'; for i in $(seq 1 200); do echo line $i; done; sleep 0.1; echo end >&2; exit {seed + 20}"
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(folder), script], stdout=subprocess.PIPE, cwd=REPOSITORY
    )
    with starter:
        assert starter.stdout is not None
        starter.stdout.readline()
        moment = random.Random(seed).uniform(0, 0.16)
        with pytest.raises(subprocess.TimeoutExpired):
            starter.wait(moment)
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

    assert running.run.state() == "lost"
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
    running = await local.start("echo one; sleep 0.3; echo two; exit 5")

    os.kill(running.run.runner()["keeper"], signal.SIGKILL)
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
    outcome, output = await local.run(script, timeout_s=0.3)

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


async def test_a_reboot_is_told_from_a_loss(local: Local) -> None:
    folder = local.folder()
    me = os.getpid()
    identity = {"pid": me, "start_time": process_start_time(me), "boot_id": "another", "child": me}
    (folder / "runner.json").write_text(json.dumps(identity | {"child_start_time": process_start_time(me)}))

    outcome = await (await LocalAdapter().adopt(folder)).wait()

    assert Run(folder).state() == "rebooted"
    assert (outcome.ending, outcome.survivors) == ("lost", ())
    assert "the machine went down" in outcome.detail


async def test_a_full_disk_drops_output_and_says_so_but_never_blocks_the_command(local: Local) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        running = await local.start("yes | head -c 2000000; exit 11")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    outcome = await running.wait()

    kept = running.run.output.read_bytes()
    assert (outcome.ending, outcome.exit_code) == ("exited", 11)
    assert len(kept) <= 100_000
    assert outcome.output_bytes == len(kept)
    assert outcome.dropped_bytes == 2_000_000 - len(kept)
    assert str(outcome.dropped_bytes) in outcome.detail


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small tmpfs needs root")
async def test_a_file_system_that_fills_up_still_takes_the_exit_status(local: Local, tmp_path: Path) -> None:
    mount = tmp_path / "small"
    mount.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(mount)], check=False).returncode:
        pytest.skip("this machine allows no mounts")
    try:
        local._root = mount
        running = await local.start("yes | head -c 3000000; exit 12")
        outcome = await running.wait()
        adopted = await (await LocalAdapter().adopt(running.run.folder)).wait()
    finally:
        subprocess.run(["umount", "-l", str(mount)], check=True)

    assert (outcome.exit_code, adopted.exit_code) == (12, 12)
    assert outcome.dropped_bytes > 2_000_000
    assert adopted.output_sha256 == outcome.output_sha256


async def test_more_than_the_cap_keeps_beginning_and_end_and_names_the_gap(local: Local) -> None:
    running = await local.start("seq 1 100000", adapter=LocalAdapter(output_cap_bytes=20_000))
    outcome = await running.wait()

    kept = running.run.output.read_bytes()
    whole = b"".join(b"%d\n" % number for number in range(1, 100_001))
    head, _mark, rest = kept.partition(b"\n[cockpit: ")
    count, _words, tail = rest.partition(b" bytes are not kept here]\n")
    assert whole.startswith(head)
    assert whole.endswith(tail)
    assert len(head) == len(tail) == 10_000
    assert int(count) == outcome.dropped_bytes == len(whole) - 20_000


async def test_five_hundred_quick_runs_leave_no_zombie_and_no_descriptor(local: Local) -> None:
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("needs /proc to count descriptors")
    await local.run("true")
    gc.collect()
    before = len(list(Path("/proc/self/fd").iterdir()))

    for _batch in range(125):
        ends = await asyncio.gather(*(local.run(f"echo {n}; exit {n}") for n in range(4)))
        assert [outcome.exit_code for outcome, _output in ends] == [0, 1, 2, 3]

    gc.collect()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert not [p for p in process_table() if p.parent == os.getpid() and p.state == "Z"]


async def test_secrets_are_in_no_argv_no_environment_of_the_runner_and_on_no_disk(local: Local) -> None:
    if not Path("/proc/self/environ").exists():
        pytest.skip("needs /proc to look at other processes")
    secret = "s3cr3t-that-nobody-may-see"
    script = f'# {secret}\n: "$INPUT"; export API_TOKEN=another-hidden-value PLAIN=1; export COPY=$INPUT; cat "$GATE"'
    gate = local.folder() / "gate"
    os.mkfifo(gate)
    running = await local.start(script, values={"INPUT": secret, "GATE": str(gate)}, secrets=[secret])
    about = running.run.runner()
    seen = b""
    for pid in (about["pid"], about["keeper"]):
        seen += Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/environ").read_bytes()
    seen += Path(f"/proc/{about['child']}/cmdline").read_bytes()
    gate.write_bytes(b"")
    outcome = await running.wait()
    disk = b"".join(path.read_bytes() for path in running.run.folder.iterdir() if path.is_file())

    assert secret.encode() not in seen + disk
    assert b"another-hidden-value" not in disk
    assert outcome.shell_state["COPY"] == secret
    assert outcome.shell_state["API_TOKEN"] == "another-hidden-value"
    recovered = await (await LocalAdapter().adopt(running.run.folder)).wait()
    assert dict(recovered.shell_state) == {"PLAIN": "1"}
    assert set(recovered.lost_variables) == {"COPY", "API_TOKEN"}


async def test_typed_input_reaches_a_terminal_and_is_never_recorded_by_itself(local: Local) -> None:
    script = (
        'read -rsp "Password: " word; echo; echo "${#word} letters"; read -rp "Name: " name; stty size; echo "<$name>"'
    )
    running = await local.start(script, terminal=(24, 80))
    output = running.run.output
    await local.until(lambda: b"Password: " in output.read_bytes())
    running.run.type(b"hidden-from-all\n")
    await local.until(lambda: b"Name: " in output.read_bytes())
    running.run.send({"resize": [40, 120]})
    running.run.type(b"kim\n")
    outcome = await running.wait()

    shown = output.read_bytes()
    assert outcome.exit_code == 0
    assert b"15 letters" in shown
    assert b"40 120" in shown
    assert b"<kim>" in shown
    everything = b"".join(path.read_bytes() for path in running.run.folder.iterdir() if path.is_file())
    assert b"hidden-from-all" not in everything


async def test_control_c_typed_into_a_terminal_interrupts_what_runs_in_it(local: Local) -> None:
    running = await local.start("echo on; sleep 1000", terminal=(24, 80))
    await local.until(lambda: b"on" in running.run.output.read_bytes())

    running.run.type(b"\x03")
    outcome = await running.wait()

    assert (outcome.ending, outcome.signal) == ("signalled", 2)


async def test_a_large_paste_reaches_a_terminal_whole(local: Local) -> None:
    running = await local.start("stty raw -echo; echo ready; head -c 20000 | tr -d x | wc -c", terminal=(24, 80))
    await local.until(lambda: b"ready" in running.run.output.read_bytes())

    for _piece in range(20):
        running.run.type(b"x" * 1000)
    outcome = await running.wait()

    assert outcome.exit_code == 0
    assert running.run.output.read_bytes().split()[-1] == b"0"


async def test_rubbish_in_the_control_pipe_is_passed_over(local: Local) -> None:
    running = await local.start("sleep 0.3; exit 3")
    with (running.run.folder / "control").open("wb", buffering=0) as control:
        control.write(b'\xff\xfe\nnull\n[1]\n{"signal":"SEGV"}\n{"resize":[1]}\n{"input":"%%%"}\n' + b"x" * 3000)

    assert (await running.wait()).exit_code == 3


async def test_output_is_timed_and_told_apart_by_stream(local: Local) -> None:
    from cockpit.runs.recording import FRAME, STDERR, STDOUT

    running = await local.start("echo out; sleep 0.1; echo err >&2; sleep 0.1; echo again")
    await running.wait()

    frames = list(FRAME.iter_unpack((running.run.folder / "index").read_bytes()))
    assert [(offset, length, stream) for offset, _m, length, stream in frames] == [
        (0, 4, STDOUT),
        (4, 4, STDERR),
        (8, 6, STDOUT),
    ]
    times = [m for _offset, m, _length, _stream in frames]
    assert times == sorted(times)


async def test_a_folder_that_takes_no_files_starts_nothing(local: Local, tmp_path: Path) -> None:
    folder = local.folder()
    (folder / "output").mkdir()
    mark = tmp_path / "mark"
    local.folder = lambda: folder

    with pytest.raises(CockpitError):
        await local.start(f"touch '{mark}'")

    assert not mark.exists()
