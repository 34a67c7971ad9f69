"""What a run does when disk, descriptors or patience run out, and what of it lies where."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cockpit.adapters.local import LocalAdapter
from cockpit.errors import CockpitError
from cockpit.runs.process import process_table

Local = Any


def open_without_end(held: list[int]) -> None:
    while True:
        held.append(os.open(os.devnull, os.O_RDONLY))


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


async def test_output_is_timed_and_told_apart_by_stream(local: Local) -> None:
    from cockpit.runs.recording import FRAME, STDERR, STDOUT

    gate = local.folder() / "gate"
    os.mkfifo(gate)
    running = await local.start(f"echo out; cat {gate}; echo err >&2; cat {gate}; echo again")
    for said in (b"out\n", b"out\nerr\n"):
        await local.until(partial(_holds, running.run.output, said))
        gate.write_bytes(b"")
    await running.wait()

    frames = list(FRAME.iter_unpack((running.run.folder / "index").read_bytes()))
    assert [(offset, length, stream) for offset, _m, length, stream in frames] == [
        (0, 4, STDOUT),
        (4, 4, STDERR),
        (8, 6, STDOUT),
    ]
    times = [m for _offset, m, _length, _stream in frames]
    assert times == sorted(times)


def _holds(output: Path, said: bytes) -> bool:
    return output.read_bytes() == said


async def test_a_folder_that_takes_no_files_starts_nothing(local: Local, tmp_path: Path) -> None:
    folder = local.folder()
    (folder / "output").mkdir()
    mark = tmp_path / "mark"
    local.folder = lambda: folder

    with pytest.raises(CockpitError):
        await local.start(f"touch '{mark}'")

    assert not mark.exists()


async def test_without_a_free_descriptor_nothing_starts_and_later_all_is_well(local: Local, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    held: list[int] = []
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    await local.run("true")  # what asyncio opens once is open from here on
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            open_without_end(held)
        with pytest.raises(CockpitError, match="Too many open files"):
            await local.start(f"touch '{mark}'")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for descriptor in held:
            os.close(descriptor)

    assert not mark.exists()
    assert (await local.run("echo well"))[1] == b"well\n"


async def test_few_descriptors_are_enough_for_a_step(local: Local) -> None:
    outcome, output = await local.run("ulimit -n 100; bash -c 'true'; echo on; export A=1")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (128, hard))
    try:
        running = await local.start("ulimit -Sn; export A=1")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    limited = await running.wait()

    assert (outcome.exit_code, output) == (0, b"on\n")
    assert running.run.output.read_bytes() == b"128\n"
    assert limited.shell_state["A"] == "1"


async def test_files_of_a_run_are_private_and_the_steps_own_are_the_operators_choice(
    local: Local, tmp_path: Path
) -> None:
    before = os.umask(0o002)
    try:
        running = await local.start(f"umask; touch '{tmp_path / 'made'}'")
        await running.wait()
    finally:
        os.umask(before)

    modes = {path.name: path.stat().st_mode & 0o777 for path in running.run.folder.iterdir()}
    assert set(modes.values()) == {0o600}, modes
    assert {"spec.json", "runner.json", "output", "index", "control", "carried.json", "exit.json"} <= modes.keys()
    assert running.run.output.read_bytes() == b"0002\n"
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o664


async def test_values_that_no_program_can_be_given_are_refused(local: Local) -> None:
    for values in ({"A": "x\0y"}, {"A=B": "x"}, {"A": "\ud800"}):
        with pytest.raises(CockpitError):
            await local.start("true", values=values)
    with pytest.raises(CockpitError):
        await local.start("true", values={"LD_PRELOAD": "/tmp/x.so"})
