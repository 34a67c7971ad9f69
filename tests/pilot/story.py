"""Stories: what a responder does and sees, against a real session folder and a real host in the same loop.

    await story.presses("j", "enter").sees("hello").done()

Nothing sleeps: every `sees` waits for the screen to say so, with a deadline, and every key for the screen to be idle.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from cockpit.commands.host import serve
from cockpit.session.record.event import Status
from cockpit.session.record.folder import SessionFolder
from cockpit.session.record.opening import open_session
from cockpit.session.record.reader import SessionReader
from cockpit.session.record.settings import SessionSettings
from cockpit.session.record.state import SessionState
from screens.app import CockpitApp
from screens.clock import Clock
from screens.terminal_relay import Foreground
from screens.viewer import Viewer
from tests.pilot.recording import shown
from tests.waiting import PATIENCE_S, until

HAND_S = 0.5


class StoryClock(Clock):
    """The real time, which a story can move on, and stop: then only its pauses move it."""

    def __init__(self) -> None:
        self.ahead_s = 0.0
        self._stopped_s: float | None = None

    def stop(self) -> None:
        self._stopped_s = time.monotonic()

    @property
    def stopped(self) -> bool:
        return self._stopped_s is not None

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.ahead_s)

    def monotonic_s(self) -> float:
        return self.sent_s(time.monotonic())

    def sent_s(self, at_s: float) -> float:
        return (self._stopped_s or at_s) + self.ahead_s


class Story:
    """Steps of a story, told in order when awaited."""

    def __init__(self, app: CockpitApp, pilot: Pilot[int], clock: StoryClock, folder: SessionFolder) -> None:
        self.app = app
        self.pilot = pilot
        self.clock = clock
        self.folder = folder
        self.host: asyncio.Task[None] | None = None
        self._told: list[Callable[[], Awaitable[None]]] = []

    def __await__(self) -> Generator[Any, None, None]:
        return self._tell().__await__()

    async def _tell(self) -> None:
        told, self._told = self._told, []
        for each in told:
            await each()

    # -- what is done ----------------------------------------------------------------------------------------------

    def presses(self, *keys: str) -> Story:
        """Keys, as quickly as a machine; but a hand that comes to Enter or Space has taken its time."""
        return self._then(lambda: self._press(keys))

    def types(self, text: str) -> Story:
        """Letters."""
        return self.presses(*("space" if letter == " " else letter for letter in text))

    def pauses(self, seconds: float = 1.0) -> Story:
        """The responder takes a breath: the clock goes on, no key comes."""

        async def pause() -> None:
            await self._idle()
            self.clock.ahead_s += seconds

        return self._then(pause)

    def confirms(self) -> Story:
        """Reads, moves to Run, and takes it."""
        return self.sees("Run this?").pauses().presses("right").pauses().presses("enter")

    def at_machine_speed(self) -> Story:
        """From now on no time passes between keys but for the pauses that are told."""
        self.clock.stop()
        return self

    def does(self, act: Callable[[], Awaitable[Any]]) -> Story:
        """Something outside the screen."""

        async def acting() -> None:
            await act()

        return self._then(acting)

    # -- what is seen ----------------------------------------------------------------------------------------------

    def sees(self, *texts: str) -> Story:
        """All of these stand on the screen, soon; else the test fails, with the screen."""
        return self._then(lambda: self._until(lambda: all(text in self.screen for text in texts), f"no {texts}"))

    def sees_no(self, text: str) -> Story:
        """This is gone from the screen, soon; else the test fails, with the screen."""
        return self._then(lambda: self._until(lambda: text not in self.screen, f"still {text!r}"))

    def finds(self, holds: Callable[[SessionState], bool], what: str = "state") -> Story:
        """The session's record comes to say so; else the test fails, with the screen."""
        return self._then(lambda: self._until(lambda: holds(self.state), f"never {what}"))

    @property
    def passed(self) -> int:
        """How many steps have passed, by the session's record."""
        return sum(step.status is Status.PASSED for step in self.state.steps.values())

    @property
    def cursor(self) -> int:
        """The step the screen is at, from 0."""
        return self.viewer.view.cursor

    @property
    def viewer(self) -> Viewer:
        """What the app loaded after its first frame."""
        assert self.app.viewer is not None
        return self.app.viewer

    @property
    def screen(self) -> str:
        """What the terminal shows."""
        return shown(self.app)

    @property
    def state(self) -> SessionState:
        """The session, from its folder."""
        reader = SessionReader(self.folder)
        reader.poll()
        return reader.state

    # -- how -------------------------------------------------------------------------------------------------------

    def _then(self, each: Callable[[], Awaitable[None]]) -> Story:
        self._told.append(each)
        return self

    async def _press(self, keys: tuple[str, ...]) -> None:
        if keys[0] in ("enter", "space") and not self.clock.stopped:
            self.clock.ahead_s += HAND_S
        for key in keys:
            await self.pilot.press(key)
        await self._idle()

    async def _idle(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await self.viewer.feed.idle.wait()
        await self.pilot.pause()

    async def _until(self, holds: Callable[[], bool], otherwise: str) -> None:
        async def idle_and_so() -> bool:
            if holds():
                return True
            if self.host and self.host.done() and not self.host.cancelled() and self.host.exception():
                await self.host
            assert self.app._exception is None, "the viewer has ended with a defect"
            await self._idle()
            return False

        try:
            await until(idle_and_so)
        except AssertionError as error:
            raise AssertionError(f"{otherwise} on\n{self.screen}") from error


@contextlib.asynccontextmanager
async def opened(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    runbook: str,
    *,
    size: tuple[int, int] = (100, 40),
    mode: str = "live",
    config: str = "",
    brief: str = "",
    host: bool = True,
    spectator: bool = False,
    foreground: Foreground | None = None,
    revive: Callable[[], Awaitable[None]] | None = None,
) -> AsyncIterator[Story]:
    """A session on a runbook, its host running, its screen open. With a configuration it watches what that names."""
    monkeypatch.setenv("COCKPIT_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    document = tmp_path / "runbook.md"
    document.write_text(runbook, encoding="utf-8")
    toml = tmp_path / "cockpit.toml"
    if config:
        toml.write_text(config, encoding="utf-8")
    path = str(toml) if config else None
    settings = SessionSettings(
        str(document), mode=mode, config_path=path, watch=bool(config), cwd=str(tmp_path), brief=brief
    )
    folder = open_session(settings)
    clock = StoryClock()
    app = CockpitApp(folder, folder.runbook, clock=clock, spectator=spectator, foreground=foreground, revive=revive)
    serving = asyncio.create_task(serve(folder, {})) if host else None
    try:
        async with app.run_test(size=size) as pilot:
            story = Story(app, pilot, clock, folder)
            story.host = serving
            async with asyncio.timeout(PATIENCE_S):
                await app.ready.wait()
            if host:
                await story._until(lambda: story.viewer.feed.connected, "no host")
            await story._idle()
            yield story
            assert not story._told, "a part of the story was told and never awaited"
    finally:
        if serving is not None:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
