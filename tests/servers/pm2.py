"""A real PM2 daemon of one's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

PM2 = os.environ.get("COCKPIT_TEST_PM2") or shutil.which("pm2")


@dataclass
class Pm2:
    """A daemon of one's own, in a short temporary folder (a socket's path has a limit)."""

    home: Path

    def run(self, *arguments: str) -> str:
        assert PM2 is not None
        done = subprocess.run(
            [PM2, *arguments],
            env=os.environ | {"PM2_HOME": str(self.home), "SECRET_OF_PM2": "opensesame"},
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout

    def start(self, name: str, script: str, *arguments: str) -> None:
        (self.home / f"{name}.js").write_text(script)
        self.run("start", f"{name}.js", "--name", name, *arguments)


@contextmanager
def pm2_daemon() -> Iterator[Pm2]:
    if PM2 is None or shutil.which("node") is None:
        pytest.skip("no pm2 and node on PATH (COCKPIT_TEST_PM2 may name it)")
    with tempfile.TemporaryDirectory(dir="/tmp", ignore_cleanup_errors=True) as folder:
        daemon = Pm2(Path(folder))
        yield daemon
        if (daemon.home / "rpc.sock").exists():
            daemon.run("kill")
