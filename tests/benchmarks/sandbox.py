"""A place of its own for what is measured: a state folder, scratch files, and an end to the hosts that were started."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cockpit.runs.process import process_start_time
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(__file__).parent / "programs"
COCKPIT = (str(Path(sys.executable).with_name("cockpit")),)
"""The installed command beside this interpreter."""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """Scratch files, and the environment to start programs in."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """A state folder of its own, no configuration, the project's own modules, compiled as installed ones are."""
        return {
            "COCKPIT_STATE_DIR": str(self.folder / "state"),
            "COCKPIT_CONFIG": str(self.configuration),
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "",
        }

    @property
    def configuration(self) -> Path:
        """An empty configuration file."""
        path = self.folder / "cockpit.toml"
        path.touch()
        return path

    def end_hosts(self) -> None:
        """End the hosts of sessions that were started here, and wait until they are gone."""
        for told in self.folder.glob("state/*/host.json"):
            with suppress(OSError, ValueError, KeyError):
                pid = json.loads(told.read_bytes())["pid"]
                os.kill(pid, signal.SIGTERM)
                eventually(partial(_gone, pid))


def _gone(pid: int) -> bool:
    return process_start_time(pid) is None


@contextmanager
def sandbox() -> Iterator[Sandbox]:
    """A sandbox that leaves nothing behind."""
    folder = Path(tempfile.mkdtemp(prefix="cockpit-bench-"))
    box = Sandbox(folder)
    try:
        yield box
    finally:
        box.end_hosts()
        shutil.rmtree(folder, ignore_errors=True)
