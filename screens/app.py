"""The viewer's program: it paints first, then reads the document, then reaches for the host."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import App

from cockpit.errors import CockpitError
from cockpit.session.event import Event, Status
from cockpit.session.folder import SessionFolder
from screens.clock import Clock
from screens.feed import Feed, Revive, Source
from screens.first_glance import first_glance
from screens.main import MainScreen
from screens.themes import first_theme
from screens.view import LinkState, View

if TYPE_CHECKING:
    from textual.screen import Screen

    from cockpit.runbook.model import Runbook
    from screens.terminal_relay import Foreground

_OUTDATING = frozenset({"input.set", "mode.changed", "target.changed", "state.carried"})


class CockpitApp(App[int]):
    """One viewer of one session.

    Args:
        folder: the session's.
        runbook_path: the document; its head is read here, so that the first frame has something to show.
        source: where events come from; None follows the folder as it grows.
        revive: starts the host again; None when this viewer may not.
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
        read_only: bool = False,
        source: Source | None = None,
        revive: Revive | None = None,
        clock: Clock | None = None,
        foreground: Foreground | None = None,
    ) -> None:
        super().__init__()
        self.animation_level = "none"
        self.runbook_path = runbook_path
        self.view = View(first_glance(runbook_path), clock or Clock(), folder.name)
        self.view.spectator, self.view.read_only = spectator, read_only
        if source is not None:
            self.view.link = LinkState.REPLAY
        self.feed = Feed(folder, self, source=source, spectator=spectator, revive=revive)
        self.theme = first_theme()
        self._main = MainScreen(self.view, self.feed, foreground)
        self._reading: asyncio.Task[None] | None = None
        self._caught_up = False

    def get_default_screen(self) -> Screen[None]:
        """The one there is."""
        return self._main

    def on_mount(self) -> None:
        """Everything slow comes after the first frame."""
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self._reading = asyncio.create_task(self._read_document(), name="read-runbook")
        self.feed.start()

    async def _read_document(self) -> None:
        with self.feed.busy():
            try:
                runbook = await asyncio.to_thread(_read, self.runbook_path)
            except CockpitError as error:
                self._main.tell(str(error), "bad")
                return
            self._main.read_document(runbook)

    async def on_unmount(self) -> None:
        """Hang up; the session goes on."""
        if self._reading:
            self._reading.cancel()
        await self.feed.stop()

    async def on_event(self, event: events.Event) -> None:
        """Note when each key came: what confirms must be slower than a machine."""
        if isinstance(event, events.Key):
            self._main.keyed()
        await super().on_event(event)

    # -- what the feed tells ---------------------------------------------------------------------------------------

    def session_changed(self, events: list[Event]) -> None:
        """New events were folded in."""
        view = self.view
        view.state = self.feed.source.state
        view.events.extend(events)
        view.proposal = None if any(event.kind in _OUTDATING for event in events) else view.proposal
        if self._caught_up and any(_is_loud(event) for event in events):
            self.bell()
        if self._main.panes:
            self._main.session_changed(events if self._caught_up else [])

    def panels_changed(self) -> None:
        """New samples came, or a panel went stale."""
        self.view.panels = self.feed.panels
        if self._main.panes:
            self._main.sync_panels()

    def link_changed(self, up: bool, detail: str) -> None:
        """The line to the host is up or down."""
        view = self.view
        if up:
            view.link, view.link_detail = LinkState.UP, ""
            view.environment = str(self.feed.hello.get("environment") or "")
            view.targets = tuple(self.feed.hello.get("targets") or ())
        else:
            # Before the first answer the host is only starting; once it was there, it is lost.
            lost = view.link in (LinkState.UP, LinkState.LOST) or bool(detail and self.feed.host_spoke)
            view.link, view.link_detail = (LinkState.LOST if lost else view.link), detail if lost else ""
        if self._main.panes:
            self._main.link_changed()

    def ticked(self) -> None:
        """A poll passed."""
        self._caught_up = True
        self._main.tick()


def _is_loud(event: Event) -> bool:
    if event.kind == "step.finished":
        return (
            event.data.get("status") in (Status.FAILED, Status.TIMED_OUT) and (event.data.get("duration_s") or 0) > 10
        )
    return event.kind == "recommendation.raised" or (event.kind == "probe.changed" and event.data.get("level") == "red")


def _read(path: Path) -> Runbook:
    from cockpit.runbook.reading import read

    return read(path)


def run_viewer(
    folder: SessionFolder,
    runbook_path: Path,
    *,
    spectator: bool = False,
    read_only: bool = False,
    source: Source | None = None,
    revive: Revive | None = None,
) -> int:
    """Show a session until its viewer leaves; returns the exit code.

    Raises:
        RunbookError: the document can't be read.
    """
    app = CockpitApp(folder, runbook_path, spectator=spectator, read_only=read_only, source=source, revive=revive)
    code = app.run()
    return code if code is not None else app.return_code or 0
