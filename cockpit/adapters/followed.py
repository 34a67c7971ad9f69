"""Runs of this machine: started under a runner of their own, followed, cancelled, and taken over from another host."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cockpit.adapters.base import Outcome
from cockpit.adapters.ending import outcome_of
from cockpit.adapters.runners import Runners
from cockpit.errors import AdapterError, FolderGone, Malformed, PolicyRefusal, ToolMissing
from cockpit.runs.files import write_all
from cockpit.runs.run import Run
from cockpit.runs.spec import write_spec
from cockpit.words import _

_FIRST_LOOK_S, _SLOWEST_LOOK_S = 0.02, 0.25


async def launch(
    folder: Path, document: Mapping[str, Any], still: Callable[[], None], runners: Runners | None = None
) -> FollowedRun:
    """Give a runner its document; returns once it has put the run on record and let it go.

    Args:
        still: looks once more whether it may run, at the last moment; it raises what it has against it.
        runners: where the runner comes from; None for a new one.

    Raises:
        PolicyRefusal: other bytes than were permitted, or `still` said no. ToolMissing, FolderGone, AdapterError: it
            could not be started; nothing ran.
    """
    # In a thread: it blocks for as long as Python needs to start.
    descriptor = await asyncio.to_thread(_launch, document, still, runners or Runners())
    return FollowedRun.followed(Run(folder), descriptor)


def adopt(folder: Path) -> FollowedRun:
    """Take over a run that another host started.

    Raises:
        AdapterError: there is no such run.
    """
    run = Run(folder)
    if not run.exists:
        raise AdapterError(_("there is no such run"), where=str(folder))
    return FollowedRun.adopted(run)


class FollowedRun:
    """A run of this machine under way: a script or a program, under the runner that was started for it."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._passed_on: dict[str, Any] | None = None
        self._ended: dict[str, Any] | None = None
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @classmethod
    def followed(cls, run: Run, descriptor: int) -> FollowedRun:
        """A run whose runner tells of its end through the descriptor, which is closed then."""
        running = cls(run)
        told = bytearray()
        asyncio.get_running_loop().add_reader(descriptor, running._hear, descriptor, told)
        return running

    @classmethod
    def adopted(cls, run: Run) -> FollowedRun:
        """A run known by its folder alone."""
        running = cls(run)
        running._look(_FIRST_LOOK_S)
        return running

    @property
    def pid(self) -> int | None:
        """The pid of the command, which leads its group."""
        return self.run.runner().get("child")

    async def wait(self) -> Outcome:
        """Wait for the end."""
        await asyncio.shield(self._over)
        end = await asyncio.to_thread(self.run.end) if self._ended is None else self._ended
        return outcome_of(end, self.run.carried() if self._passed_on is None else self._passed_on)

    async def cancel(self) -> None:
        """Ask the whole group to end: TERM, then KILL after the grace.

        Raises:
            TargetUnreachable: its runner is gone and the command still runs; says which process it is.
        """
        if self.run.state() != "finished":
            self.run.send({"cancel": True})

    def _hear(self, descriptor: int, told: bytearray) -> None:
        try:
            chunk = os.read(descriptor, 1 << 16)
        except OSError:
            chunk = b""
        told += chunk
        if chunk:
            return
        asyncio.get_running_loop().remove_reader(descriptor)
        os.close(descriptor)
        for message in map(_message, bytes(told).splitlines()):
            self._ended = message.get("ended", self._ended)
            self._passed_on = message.get("carried", self._passed_on)
        self._finish()

    def _look(self, patience_s: float) -> None:
        """Look into the folder, and again a little later each time."""
        if self._over.done():
            return
        state = self.run.state()
        if state == "lost" and not self.run.runner() and not self._abandoned():
            state = "starting"
        if state in ("starting", "running"):
            later_s = min(patience_s * 1.5, _SLOWEST_LOOK_S)
            asyncio.get_running_loop().call_later(patience_s, self._look, later_s)
        else:
            self._finish()

    def _abandoned(self) -> bool:
        try:
            return self.run.abandon()
        except OSError:
            return True  # the outcome then says that its end is not known, not that nothing ran

    def _finish(self) -> None:
        if not self._over.done():
            self._over.set_result(None)


def _launch(document: Mapping[str, Any], still: Callable[[], None], runners: Runners) -> int:
    """Give a runner its document and hear that its child began; returns the descriptor that tells of its end."""
    try:
        runner = runners.take()
        with runner:
            _hand_over(runner, document, still)
            assert runner.stdout is not None
            _check_started(runner.stdout.readline())
            descriptor = os.dup(runner.stdout.fileno())
    except OSError as error:
        raise AdapterError(
            _("the step could not be started: {error}").format(error=error.strerror), where=str(error.filename or "")
        ) from error
    os.set_blocking(descriptor, False)
    return descriptor


def _hand_over(runner: subprocess.Popen[bytes], document: Mapping[str, Any], still: Callable[[], None]) -> None:
    """Write the spec, while a new runner's Python starts; without the document, or all of it, it runs nothing."""
    assert runner.stdin is not None
    with runner.stdin:
        write_spec(document)
        still()
        try:
            write_all(runner.stdin.fileno(), json.dumps(document).encode("ascii"))
        except BrokenPipeError:
            pass  # it died; the end of its line says so


def _check_started(line: bytes) -> None:
    """No deadline here: only the runner can say that nothing ran, and if it dies the line ends."""
    if not line:
        raise Malformed(
            _("the runner ended without a word"), mend=_("see what the run's folder says, and run it again")
        )
    failure = _message(line).get("failed")
    if failure:
        raise _refused_start(failure)


def _refused_start(failure: Mapping[str, str]) -> AdapterError | PolicyRefusal:
    kind, detail = failure["kind"], failure["detail"]
    if kind == "bytes":
        return PolicyRefusal(_("what is about to run is not what was confirmed"), mend=_("confirm it again"))
    if kind == "cwd":
        return folder_gone(detail)
    if kind == "shell":
        return ToolMissing(_("the shell can't be started"), where=detail)
    return AdapterError(_("the step could not be started: {error}").format(error=detail))


def folder_gone(folder: str) -> FolderGone:
    """What to say where the last step ended in a folder that is gone, or closed."""
    return FolderGone(
        _("the working directory that earlier steps left behind can't be entered"),
        where=folder,
        mend=_("make it again, or begin a fresh shell: from the menu (:), without a screen in a new `cockpit run`"),
    )


def _message(line: bytes) -> dict[str, Any]:
    try:
        message = json.loads(line)
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}
