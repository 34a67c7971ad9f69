"""Runs that tests start, each in a folder of its own, and all ended afterwards."""

from __future__ import annotations

from collections.abc import Awaitable
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from cockpit.adapters.base import Outcome, Running, RunRequest
from cockpit.safety.permit import Action, Mode, Permit, grant
from cockpit.safety.verdict import Judgement, Verdict

AnyRunning = TypeVar("AnyRunning", bound=Running)


class Starts(Protocol):
    """What runs can be started with: every adapter that runs steps."""

    async def start(self, permit: Permit, request: RunRequest) -> Running:
        """See `RunsSteps`."""
        ...


def read_permit(body: str, values: dict[str, str] | None = None, *, language: str = "bash", target: str) -> Permit:
    """Leave to run it, as something that only reads."""
    action = Action(language, body, target, values or {})
    return grant(action, Judgement(Verdict.READ_ONLY), Mode.LIVE, by="test")


def forged_from(granted: Permit) -> Permit:
    """A permit that nobody granted, with all that a granted one has."""
    forged = object.__new__(Permit)
    for name in ("action", "judgement", "mode", "by"):
        object.__setattr__(forged, name, getattr(granted, name))
    return forged


class RunFolders:
    """Folders for runs, numbered from 0001."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._count = 0

    def folder(self) -> Path:
        """Another one."""
        self._count += 1
        folder = self._root / f"{self._count:04d}"
        folder.mkdir(mode=0o700)
        return folder


class Runs(RunFolders, Generic[AnyRunning]):
    """Runs of an adapter."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.started: list[AnyRunning] = []

    async def begin(self, adapter: Starts, permit: Permit, **request: Any) -> tuple[AnyRunning, Path]:
        """Start it with what else a request holds; how it goes on, and its folder."""
        folder = self.folder()
        running: Any = await adapter.start(permit, RunRequest(folder, **request))
        self.started.append(running)
        return running, folder

    async def over(self, begun: Awaitable[tuple[AnyRunning, Path]]) -> tuple[Outcome, bytes]:
        """Wait for the end of what has begun; how it ended, and its output."""
        running, folder = await begun
        outcome = await running.wait()
        return outcome, (folder / "output").read_bytes()

    async def end_all(self) -> None:
        """Leave nothing running."""
        for running in self.started:
            await running.cancel()
            await running.wait()
