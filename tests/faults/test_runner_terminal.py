"""Steps in a real terminal, and orders to a run."""

from __future__ import annotations

import os
from typing import Any

Local = Any


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
    gate = local.folder() / "gate"
    os.mkfifo(gate)
    running = await local.start(f"cat {gate}; exit 3")
    with (running.run.folder / "control").open("wb", buffering=0) as control:
        control.write(b'\xff\xfe\nnull\n[1]\n{"signal":"SEGV"}\n{"resize":[1]}\n{"input":"%%%"}\n' + b"x" * 3000)
    gate.write_bytes(b"")

    assert (await running.wait()).exit_code == 3
