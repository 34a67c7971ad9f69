"""What it costs the host to watch much: 200 probes at 5 s, half of them over SSH, and 50 logs at ten lines a second.

Bars: half a core, 512 MiB, and no event that waits a second for its turn. The machine that is watched is this one: its
sshd, curl and shells are not counted.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.sandbox import PROGRAMS, ROOT, Sandbox
from tests.benchmarks.table import Figure
from tests.servers.pages import Page, page_server
from tests.servers.ssh import SshServer, ssh_server

_TARGETS, _HTTP, _FAR, _LOCAL_LOGS, _FAR_LOGS = 20, 100, 100, 25, 25
_SECONDS = 60
_LINES_PER_S = 10


class _Health(Page):
    def answer(self) -> None:
        self.says(200, b'{"status": "UP"}', "application/json")


def scale(box: Sandbox) -> list[Figure]:
    """In one process of its own, as a host is."""
    with ssh_server(box.folder / "sshd") as server, page_server(_Health) as port, _logs(box.folder) as logs:
        config = box.folder / "scale.toml"
        config.write_text("\n".join(_tables(server, port, logs)))
        (box.folder / "watch").mkdir()
        argv = [sys.executable, str(PROGRAMS / "watching.py"), str(config), str(box.folder / "watch"), str(_SECONDS)]
        environment = {**box.environment, "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
        ran = subprocess.run(argv, env=environment, capture_output=True, check=True)
    told = json.loads(ran.stdout)
    wanted = (_SECONDS / 2) * (200 / 5 + 50 / 2)
    note = f"{told['samples']} samples of {wanted:.0f} in {_SECONDS // 2} s, {told['threads']} threads"
    return [
        Figure("200 probes and 50 logs, of a core", told["cpu"], "%", bar=50, note=note),
        Figure("200 probes and 50 logs, memory", told["rss"], "MiB", bar=512),
        Figure("200 probes and 50 logs, longest wait", told["late"] * 1000, "ms", bar=1000),
    ]


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
