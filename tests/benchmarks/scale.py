"""What it costs the host to watch much: 200 probes at 5 s, half of them over SSH, and 50 logs at ten lines a second.

And 500 machines over SSH, a connection each, looked at twice a minute. Bars: half a core, 512 MiB, and no event that
waits a second for its turn; for the 500 a quarter of a core, 256 MiB, and no more either while they are connected to.
The machine that is watched is this one: its sshd, curl and shells are not counted, and take most of its time.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.benchmarks.sandbox import PROGRAMS, ROOT, Sandbox
from tests.benchmarks.table import Figure
from tests.servers.pages import Page, page_server
from tests.servers.server import require
from tests.servers.ssh import SshServer, prepared, ssh_server

_TARGETS, _HTTP, _FAR, _LOCAL_LOGS, _FAR_LOGS = 20, 100, 100, 25, 25
_SECONDS = 60
_HOSTS, _HOSTS_EVERY_S, _HOSTS_SECONDS = 500, 30, 100
_LINES_PER_S = 10


class _Health(Page):
    def answer(self) -> None:
        self.says(200, b'{"status": "UP"}', "application/json")


def scale(box: Sandbox) -> list[Figure]:
    """Each in one process of its own, as a host is."""
    return [*_much(box), *_hosts(box)]


def _much(box: Sandbox) -> list[Figure]:
    with ssh_server(box.folder / "sshd") as server, page_server(_Health) as port, _logs(box.folder) as logs:
        told = _watched(box, "much", _tables(server, port, logs), _SECONDS)
    wanted = (_SECONDS / 2) * (200 / 5 + 50 / 2)
    note = f"{told['samples']} samples of {wanted:.0f} in {_SECONDS // 2} s, {told['threads']} threads"
    return [
        Figure("200 probes and 50 logs, of a core", told["cpu"], "%", bar=50, note=note),
        Figure("200 probes and 50 logs, memory", told["rss"], "MiB", bar=512),
        Figure("200 probes and 50 logs, longest wait", told["late"] * 1000, "ms", bar=1000, note=told["idle"]),
    ]


def _hosts(box: Sandbox) -> list[Figure]:
    """One sshd under 500 names, each with a connection of its own."""
    require("sshd", "ssh", "ssh-keygen", also_in=[Path("/usr/sbin")])
    server = prepared(box.folder / "hosts")
    server.ends_with_us = True
    server.config.write_text(server.config.read_text().replace("Host far\n", "Host m*\n"))
    server.set("MaxStartups 1000")
    try:
        told = _watched(box, "many", _machines(server), _HOSTS_SECONDS)
    finally:
        server.stop()
    wanted = _HOSTS_SECONDS / 2 * _HOSTS / _HOSTS_EVERY_S
    note = f"{told['samples']} samples of {wanted:.0f} in {_HOSTS_SECONDS // 2} s, {told['threads']} threads"
    return [
        Figure("500 hosts, of a core", told["cpu"], "%", bar=25, note=note),
        Figure("500 hosts, memory", told["rss"], "MiB", bar=256),
        Figure("500 hosts, longest wait", told["late"] * 1000, "ms", bar=1000, note=told["idle"]),
        Figure("500 hosts, longest wait while connecting", told["late_beginning"] * 1000, "ms", bar=1000),
        Figure("500 hosts, without an answer at the end", _HOSTS - told["answering"], "", bar=0),
    ]


def _watched(box: Sandbox, name: str, tables: Iterator[str], seconds: float) -> dict[str, Any]:
    """What it cost to watch what these tables say for so long."""
    config, folder = box.folder / f"{name}.toml", box.folder / name
    config.write_text("\n".join(tables))
    folder.mkdir()
    argv = [sys.executable, str(PROGRAMS / "watching.py"), str(config), str(folder), str(seconds)]
    environment = {**box.environment, "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    idle = subprocess.Popen([sys.executable, str(PROGRAMS / "idle.py")], stdout=subprocess.PIPE)
    try:
        ran = subprocess.run(argv, env=environment, stdout=subprocess.PIPE, check=True)
    finally:
        idle.terminate()
        waited, _none = idle.communicate()
    told: dict[str, Any] = json.loads(ran.stdout)
    return {**told, "idle": f"one that did nothing waited {float(waited or 0) * 1000:.0f} ms"}


def _machines(server: SshServer) -> Iterator[str]:
    for number in range(_HOSTS):
        where = f'host = "m{number}"\nssh_config = {json.dumps(str(server.config))}'
        yield f'[target.m{number}]\nkind = "ssh"\n{where}'
        probe = f'kind = "machine"\ntarget = "m{number}"\ninterval_s = {_HOSTS_EVERY_S}'
        yield f'[[probe]]\nname = "m{number}"\n{probe}'


def _tables(server: SshServer, port: int, logs: list[Path]) -> Iterator[str]:
    for number in range(_TARGETS):
        yield f'[target.m{number}]\nkind = "ssh"\nhost = "far"\nssh_config = {json.dumps(str(server.config))}'
    for number in range(_HTTP):
        yield f'[[probe]]\nname = "h{number}"\nkind = "http"\nurl = "http://127.0.0.1:{port}/health"\ninterval_s = 5'
    for number in range(_FAR):
        yield f'[[probe]]\nname = "f{number}"\nkind = "machine"\ntarget = "m{number % _TARGETS}"\ninterval_s = 5'
    for number, path in enumerate(logs):
        target = f'target = "m{number % _TARGETS}"\n' if number >= _LOCAL_LOGS else ""
        yield f'[[tail]]\nname = "t{number}"\npath = {json.dumps(str(path))}\n{target}interval_s = 2'


@contextmanager
def _logs(folder: Path) -> Iterator[list[Path]]:
    """Logs that grow."""
    paths = [folder / f"log{number}" for number in range(_LOCAL_LOGS + _FAR_LOGS)]
    over = threading.Event()

    def write() -> None:
        count = 0
        while not over.wait(1 / _LINES_PER_S):
            count += 1
            for path in paths:
                with path.open("a") as file:
                    file.write(f"10:00:00 {'ERROR' if count % 100 == 0 else 'INFO'} order {count} took 12 ms\n")

    for path in paths:
        path.touch()
    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield paths
    finally:
        over.set()
        writer.join()
