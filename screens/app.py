"""The viewer's program. It paints the document's head first, then loads the rest: little may be imported here."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import App

from cockpit.errors import CockpitError
from screens.clock import Clock
from screens.colourless import COLOURLESS
from screens.first_frame import FirstFrame, glance
from screens.pastes import keep_pastes_whole
from screens.themes import first_theme

if TYPE_CHECKING:
    from textual.filter import LineFilter
    from textual.screen import Screen

    from cockpit.runbook.model import Runbook
    from cockpit.session.record.folder import SessionFolder
    from screens.feed import Revive, Source
    from screens.terminal_relay import Foreground
    from screens.viewer import Viewer


class CockpitApp(App[int]):
    """One viewer of one session.

    Args:
        folder: the session's.
        runbook_path: the document; its head is read here, so that the first frame has something to show.
        spectator: it only reads, and says so to the host.
        mode: the one to show until the session's record says which it is.
        source: where events come from; None follows the folder as it grows.
        revive: starts the host; None when this viewer may not.
        read: gives the runbook, read already or not; None reads it here.
        start: starts the host; called once the first frame is painted, so that the host does not delay it.
        clock: the time, as told.
        foreground: gives the terminal to an interactive step; None for the real one.

    Raises:
        RunbookError: the document can't be read.
    """

    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS: ClassVar[str | None] = ""
    TITLE = "cockpit"

    def __init__(
        self,
        folder: SessionFolder,
        runbook_path: Path,
        *,
        spectator: bool = False,
        mode: str = "live",
        source: Source | None = None,
        revive: Revive | None = None,
        read: Callable[[], Runbook] | None = None,
        start: Callable[[], None] | None = None,
        clock: Clock | None = None,
        foreground: Foreground | None = None,
    ) -> None:
        super().__init__()
        self.animation_level = "none"
        self.theme = first_theme()
        self.viewer: Viewer | None = None
        self.ready = asyncio.Event()
        self._seen = glance(runbook_path)
        self._first = FirstFrame(self._seen, mode)
        self._place = (folder, runbook_path)
        self._start = start
        self._read = read or partial(_read, runbook_path)
        self._choices: dict[str, Any] = {
            "spectator": spectator,
            "mode": mode,
            "source": source,
            "revive": revive,
            "clock": clock or Clock(),
            "foreground": foreground,
        }

    def get_default_screen(self) -> Screen[None]:
        """The first frame."""
        return self._first

    def on_mount(self) -> None:
        """Everything slow comes after the first frame."""
        self._first.hold(self._begin)

    async def _begin(self) -> None:
        from screens.viewer import Viewer

        folder, path = self._place
        viewer = Viewer(folder, path, self._seen, self._read, **self._choices)
        await viewer.begin()
        self.viewer = viewer
        with self.batch_update():
            await self.push_screen(viewer.main)
            viewer.main.hold(self._started)

    def _start_host(self) -> str:
        """Start the host, if that is ours to do; what went wrong, or ""."""
        try:
            if self._start:
                self._start()
        except CockpitError as error:
            return str(error)
        return ""

    def _started(self) -> None:
        failure = self._start_host()
        if self.viewer:
            if failure:
                self.viewer.main.tell(failure, "bad")
            self.viewer.feed.start()
        self.ready.set()

    async def on_unmount(self) -> None:
        """Hang up; the session goes on."""
        if self.viewer:
            await self.viewer.stop()

    def _fatal_error(self) -> None:
        """A defect of ours ends the viewer with one line. Textual would print every local variable, secrets too."""
        from rich.text import Text

        from cockpit.safety.telling import told_defect

        self._exit_renderables.append(Text(f"cockpit: {told_defect(sys.exc_info()[1])}"))
        self._close_messages_no_wait()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What every row goes through; with NO_COLOR, ours alone: Textual's own makes greys of colours."""
        return (COLOURLESS,) if self.no_color else super().get_line_filters()

    async def on_event(self, event: events.Event) -> None:
        """Keys that do not count get nowhere: what confirms must have been read, and be slower than a machine."""
        if isinstance(event, events.Key) and self.viewer:
            # It comes twice: from the terminal, and from whoever had the keys and did nothing with it.
            if event.is_forwarded:
                self.viewer.main.pace.acts_on(event)
            elif not self.viewer.main.takes(event):
                return
        await super().on_event(event)


def _read(path: Path) -> Runbook:
    from cockpit.runbook.reading import read

    return read(path)


def run_viewer(
    folder: SessionFolder,
    runbook_path: Path,
    *,
    spectator: bool = False,
    mode: str = "live",
    revive: Revive | None = None,
    read: Callable[[], Runbook] | None = None,
    start: Callable[[], None] | None = None,
    replay_speed: float | None = None,
) -> int:
    """Show a session until its viewer leaves; returns the exit code.

    Args:
        mode, read, start: see CockpitApp.
        replay_speed: tell the recorded session again, so many times as fast as it happened; None shows it as it is.

    Raises:
        RunbookError: the document can't be read.
    """
    keep_pastes_whole()
    if replay_speed is None:
        app = CockpitApp(folder, runbook_path, spectator=spectator, mode=mode, revive=revive, read=read, start=start)
    else:
        from screens.replay import Replay, ReplayClock

        clock = ReplayClock(replay_speed)
        app = CockpitApp(folder, runbook_path, spectator=True, source=Replay(folder, clock), read=read, clock=clock)
    code = app.run()
    return code if code is not None else app.return_code or 0
