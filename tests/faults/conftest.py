"""Runs started for fault tests, and ended with them."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cockpit.adapters.base import Outcome, RunRequest
from cockpit.adapters.followed import FollowedRun
from cockpit.adapters.local import LocalAdapter
from cockpit.runs.process import process_start_time, relatives
from tests.runs import RunFolders, read_permit
from tests.waiting import until


def alive(pid: int) -> bool:
    return process_start_time(pid) is not None


class LocalBench(RunFolders):
    """Local runs in folders of their own; whatever they leave alive is ended afterwards, each by its own pid."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._started: list[tuple[int, Path]] = []
        self.until = until
        self.alive = alive

    async def start(
        self, script: str, *, adapter: LocalAdapter | None = None, values: dict[str, str] | None = None, **request: Any
    ) -> FollowedRun:
        permit = read_permit(script, values, target="local")
        running = await (adapter or LocalAdapter()).start(permit, RunRequest(self.folder(), **request))
        if running.pid:
            self._started.append((running.pid, running.run.folder))
        return running

    async def run(self, script: str, **request: Any) -> tuple[Outcome, bytes]:
        running = await self.start(script, **request)
        outcome = await running.wait()
        if not outcome.survivors and running.pid:
            self._started.remove((running.pid, running.run.folder))
        return outcome, running.run.output.read_bytes()

    def end_leftovers(self) -> None:
        for leader, folder in self._started:
            for pid in [leader, *relatives(leader, f"COCKPIT_RUN={folder}")]:
                with contextlib.suppress(ProcessLookupError):
                    if alive(pid) and os.getsid(pid) != os.getsid(0):
                        os.kill(pid, signal.SIGKILL)


@pytest.fixture
async def local(tmp_path: Path) -> AsyncIterator[LocalBench]:
    bench = LocalBench(tmp_path)
    yield bench
    bench.end_leftovers()
