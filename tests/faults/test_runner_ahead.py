"""The runner that is started before it is needed: it speeds steps up, and nothing may depend on it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cockpit.adapters.runners import Runners
from tests.waiting import until

Local = Any

REPOSITORY = Path(__file__).parents[2]
HOLDER = """
import sys
from cockpit.adapters.runners import Runners

runners = Runners(ahead=True)
runners.get_ready()
print(runners._waiting[0].pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def runners() -> Iterator[Runners]:
    held = Runners(ahead=True)
    yield held
    held.close()


def waiting(runners: Runners) -> int:
    runners.get_ready()
    return runners._waiting[0].pid


async def test_steps_one_after_another_are_run_by_runners_that_waited(local: Local, runners: Runners) -> None:
    for number in range(3):
        pid = waiting(runners)
        outcome, output = await local.run(f"echo {number}; exit {number}", runners=runners)
        assert (outcome.exit_code, output) == (number, b"%d\n" % number)
        assert not local.alive(pid)


async def test_a_waiting_runner_that_was_killed_costs_no_step(local: Local, runners: Runners) -> None:
    pid = waiting(runners)
    os.kill(pid, signal.SIGKILL)
    await until(lambda: not local.alive(pid))
    outcome, output = await local.run("echo all the same", runners=runners)
    assert (outcome.exit_code, output) == (0, b"all the same\n")


async def test_a_killed_host_leaves_no_runner_waiting(local: Local) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=REPOSITORY
    )
    with holder:
        assert holder.stdout is not None
        pid = int(holder.stdout.readline())
        assert local.alive(pid)
        holder.kill()
    await until(lambda: not local.alive(pid))


async def test_a_key_that_interrupts_the_terminal_reaches_no_waiting_runner(local: Local, runners: Runners) -> None:
    pid = waiting(runners)
    assert os.getsid(pid) != os.getsid(0)
    assert os.getpgid(pid) != os.getpgid(0)


async def test_nothing_waits_any_more_once_it_is_closed(local: Local, runners: Runners) -> None:
    pid = waiting(runners)
    runners.close()
    assert not local.alive(pid)
    runners.get_ready()
    assert not runners._waiting
