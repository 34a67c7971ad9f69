"""One viewer of one session: its view, its feed, its main screen, and what passes between them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from cockpit.errors import CockpitError
from cockpit.runbook.model import Passage, Runbook
from cockpit.session.record.event import Event, Status
from cockpit.session.record.folder import SessionFolder
from cockpit.words import _
from screens.clock import Clock
from screens.feed import Feed, Revive, Source
from screens.first_frame import Glance
from screens.main import MainScreen
from screens.terminal_relay import Foreground
from screens.view import LinkState, View

_READ_SOON_S = 0.5
_LONG_RUN_S = 10.0
_OUTDATING = frozenset({"input.set", "mode.changed", "target.changed", "state.carried"})


class Viewer:
    """Listens to the feed, keeps the view, and tells the screen. Arguments are those of `CockpitApp`."""

    def __init__(
        self,
        folder: SessionFolder,
        runbook_path: Path,
        seen: Glance,
        read: Callable[[], Runbook],
        *,
        spectator: bool,
        mode: str,
        source: Source | None,
        revive: Revive | None,
        clock: Clock,
        foreground: Foreground | None,
    ) -> None:
        self.view = View(_at_a_glance(seen, runbook_path), clock, folder.name)
        self.view.spectator, self.view.expected_mode = spectator, mode
        self.view.revivable = revive is not None
        if source is not None:
            self.view.link = LinkState.REPLAY
        self.feed = Feed(folder, self, source=source, spectator=spectator, revive=revive, clock=clock)
        self.main = _replaying(self.view, self.feed, source) or MainScreen(self.view, self.feed, foreground)
        self._read_document = read
        self._reading: asyncio.Task[None] | None = None
        self._caught_up = False

    async def begin(self) -> None:
        """Start reading the document; return once it is read, or soon: a huge one comes later."""
        self._reading = asyncio.create_task(self._read(), name="read-runbook")
        await asyncio.wait([self._reading], timeout=_READ_SOON_S)

    async def stop(self) -> None:
        """Hang up; the session goes on."""
        if self._reading:
            self._reading.cancel()
        await self.feed.stop()

    async def _read(self) -> None:
        with self.feed.busy():
            try:
                runbook = await asyncio.to_thread(self._read_masked)
            except CockpitError as error:
                self.view.notice = (str(error), "bad")
                return
            if self.main.panes:
                self.main.read_document(runbook)
            else:
                self.view.read(runbook)

    def _read_masked(self) -> Runbook:
        from screens.masked import masked

        return masked(self._read_document())

    # -- what the feed tells ---------------------------------------------------------------------------------------

    def session_changed(self, events: list[Event]) -> None:
        """New events were folded in."""
        view = self.view
        view.state = self.feed.source.state
        view.events.extend(events)
        view.record_fails = False
        if any(event.kind in _OUTDATING for event in events):
            view.proposal = None
        if self._caught_up and any(_is_loud(event) for event in events):
            self.main.app.bell()
        if self.main.panes:
            self._warn(events)
            self.main.session_changed(events if self._caught_up else [])

    def _warn(self, events: list[Event]) -> None:
        """Say what of the ground does not hold, and a second person's word; the timeline keeps both."""
        for event in events:
            if self.view.clock.recorded:
                return
            if event.kind == "warning.raised":
                self.main.tell(f"{event.data['text']}: {event.data['mend']}", "warn")
            elif event.kind == "approval.given":
                told = _("{name} approved it: run it within ten minutes").format(name=event.data["by"])
                self.main.tell(told, "ok")
            elif event.kind == "approval.denied":
                self.main.tell(_("{name} said no to it").format(name=event.data["by"]), "bad")

    def panels_changed(self) -> None:
        """New samples came, or a panel went stale."""
        self.view.panels = self.feed.panels
        if self.main.panes:
            self.main.sync_panels()

    def link_changed(self, up: bool, detail: str) -> None:
        """The line to the host is up or down."""
        view = self.view
        if up:
            view.link, view.link_detail = LinkState.UP, ""
            view.targets = tuple(self.feed.hello.get("targets") or ())
        elif view.link in (LinkState.UP, LinkState.LOST) or detail:
            # Before its first answer a host is only starting, unless it left word why it can't.
            view.link, view.link_detail = LinkState.LOST, detail
        if self.main.panes:
            self.main.link_changed()

    def record_failed(self) -> None:
        """The host could not write down what it saw; the next event takes the alarm away."""
        self.view.record_fails = True
        self.main.app.bell()
        if self.main.panes:
            self.main.link_changed()

    def started_over(self) -> None:
        """Another moment of a recording is told."""
        self._caught_up = False
        view, state = self.view, self.feed.source.state
        told = [event for event in view.events if event.seq <= state.seq]
        view.events.clear()
        view.events.extend(told)
        view.state, view.panels = state, {}
        if self.main.panes:
            self.main.logs.start_over()
            self.main.session_changed([])

    def secrets_known(self, secrets: Sequence[str]) -> None:
        """Followed logs are masked here."""
        self.main.logs.learn(secrets)

    def question_asked(self) -> None:
        """Something is asked, perhaps: the host knows."""
        from screens.asked import answer_question

        if self.main.panes:
            self.main.flow(answer_question(self.main))

    def ticked(self) -> None:
        """A poll passed."""
        self._caught_up = True
        self.main.tick()


def _replaying(view: View, feed: Feed, source: Source | None) -> MainScreen | None:
    """The screen for a recording; None for a session of now."""
    if not view.clock.recorded:
        return None
    from screens.replay import Replay
    from screens.replaying import ReplayScreen

    return ReplayScreen(view, feed, source) if isinstance(source, Replay) else None


def _is_loud(event: Event) -> bool:
    """Worth a bell: a recommendation, a gate's proposal, a red panel, a long step that failed, the session's end."""
    if event.kind == "step.finished":
        long = (event.data.get("duration_s") or 0) > _LONG_RUN_S
        return long and event.data.get("status") in (Status.FAILED, Status.TIMED_OUT)
    if event.kind == "gate.changed":
        return event.data.get("phase") in ("held", "broken")
    return event.kind in ("recommendation.raised", "session.ended", "approval.given", "approval.denied") or (
        event.kind == "probe.changed" and event.data.get("level") == "red"
    )


def _at_a_glance(seen: Glance, path: Path) -> Runbook:
    """The head of the document, line by line, with no steps yet."""
    passages = tuple(_passage(number, text) for number, text in enumerate(seen.lines, 1) if text.strip())
    return Runbook(seen.title, str(path), "", "", "", {}, (), (), (), passages=passages)


def _passage(number: int, text: str) -> Passage:
    marks = len(text) - len(text.lstrip("#"))
    if 0 < marks <= 6 and text[marks : marks + 1] == " ":
        return Passage("heading", number, number, ((text[marks + 1 :], ""),), level=marks)
    return Passage("paragraph", number, number, ((text, ""),))
