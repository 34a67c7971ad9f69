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
from cockpit.safety.permit import Action, Mode, grant
from cockpit.safety.verdict import Judgement, Verdict
from tests.waiting import until


def alive(pid: int) -> bool:
    return process_start_time(pid) is not None


class LocalBench:
    """Local runs in folders of their own; whatever they leave alive is ended afterwards, each by its own pid."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._count = 0
        self._started: list[tuple[int, Path]] = []
        self.until = until
        self.alive = alive

    def folder(self) -> Path:
        self._count += 1
        folder = self._root / f"{self._count:04d}"
        folder.mkdir(mode=0o700)
        return folder

    async def start(
        self, script: str, *, adapter: LocalAdapter | None = None, values: dict[str, str] | None = None, **request: Any
    ) -> FollowedRun:
        action = Action("bash", script, "local", values or {})
        permit = grant(action, Judgement(Verdict.READ_ONLY), Mode.LIVE, by="test")
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
