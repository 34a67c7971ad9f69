"""A command on another machine, over a real sshd on loopback, beside OpenSSH with ControlMaster.

Bars: within 1.2x of `ssh -S CONTROL host true`, for a command in a session of its own, as OpenSSH gives each, and for a
look, in a shell that stands there. A whole step is more than its command: from `start` to its outcome, with its folder
over there that outlives the connection, its record here and the check of its bytes. It is held against the same step
on this machine, and told beside OpenSSH.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cockpit.adapters.base import Running, RunsSteps
from cockpit.adapters.local import LocalAdapter
from cockpit.adapters.ssh.adapter import SshAdapter
from cockpit.adapters.ssh.address import resolve
from cockpit.adapters.ssh.link import SshLink
from tests.benchmarks.sandbox import Sandbox
from tests.benchmarks.table import Figure, median, share
from tests.runs import Runs, read_permit
from tests.servers.ssh import SshServer, ssh_server

_BAR = 1.2
_ROUNDS, _IN_A_ROW = 6, 5
_PATIENCE_S = 60.0


def ssh(box: Sandbox) -> list[Figure]:
    """All in turn, some of each in a row."""
    with ssh_server(box.folder / "sshd") as server, _master(server) as master:
        return asyncio.run(_figures(server, master, box.folder))


async def _figures(server: SshServer, master: list[str], folder: Path) -> list[Figure]:
    link = SshLink(resolve("far", config=str(server.config)))
    (folder / "runs").mkdir()
    runs, there = Runs[Running](folder / "runs"), SshAdapter(server.options)
    far = there.far("far")

    async def step(adapter: RunsSteps, target: str) -> object:
        return await runs.over(runs.begin(adapter, read_permit("true", target=target)))

    ways: dict[str, Callable[[], Awaitable[object]]] = {
        "ControlMaster": lambda: asyncio.to_thread(subprocess.run, [*master, "far", "true"], check=True),
        "look": lambda: asyncio.to_thread(far.ask, "true", deadline_s=_PATIENCE_S),
        "session": lambda: asyncio.to_thread(link.say, b"true"),
        "step": lambda: step(there, "far"),
        "step here": lambda: step(LocalAdapter(), "local"),
    }
    took: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(_ROUNDS + 1):
        for name, way in ways.items():
            for _ in range(_IN_A_ROW):
                begun = time.perf_counter()
                await way()
                if number:  # the first round connects, and warms up
                    took[name].append((time.perf_counter() - begun) * 1000)
    link.close()
    peer, beside = median(took["ControlMaster"]), "ssh -S CONTROL"
    note = {name: f"p95 {share(times, 0.95):.0f} ms" for name, times in took.items()}
    there_ms, here_ms = median(took["step"]), median(took["step here"])
    told = f"{note['step']}; {there_ms / peer:.1f}x of {beside}, which keeps nothing"
    return [
        Figure("a look over SSH", median(took["look"]), "ms", peer, beside, _BAR, note["look"]),
        Figure("a command over SSH", median(took["session"]), "ms", peer, beside, _BAR, note["session"]),
        Figure("a step over SSH", there_ms, "ms", here_ms, "a step on this machine", _BAR, told),
    ]


@contextmanager
def _master(server: SshServer) -> Iterator[list[str]]:
    """OpenSSH's client, with a master connection that is up."""
    argv = ["ssh", "-F", str(server.config), "-S", str(server.folder / "ctl"), "-o", "LogLevel=ERROR"]
    subprocess.run([*argv, "-M", "-N", "-f", "far"], check=True, stdin=subprocess.DEVNULL)
    try:
        yield argv
    finally:
        with contextlib.suppress(subprocess.SubprocessError):
            subprocess.run([*argv, "-O", "exit", "far"], check=True, capture_output=True)
