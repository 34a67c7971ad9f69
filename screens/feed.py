"""The viewer's two lines to a session: its folder, which is read, and its host, which is asked.

The folder is the truth and is always read, host or no host. The host may not be up yet, may go away, may come back.
Nothing here blocks the screen.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from cockpit.errors import CockpitError, HostUnreachable
from cockpit.session.record.event import Event
from cockpit.session.record.folder import SessionFolder
from cockpit.session.record.reader import SessionReader
from cockpit.session.record.state import SessionState
from screens.clock import Clock

if TYPE_CHECKING:
    from cockpit.monitor.sample import PanelState
    from cockpit.session.line.client import HostClient

POLL_S = 0.25
RETRY_FIRST_S = 0.05
RETRY_MOST_S = 1.0
_LONG_AFTER = 1 << 63
Revive = Callable[[], Awaitable[None]]


class Source(Protocol):
    """Where events and samples come from: a folder that grows, or a recording played at its own pace."""

    @property
    def state(self) -> SessionState:
        """The fold of every event so far."""

    def poll(self) -> list[Event]:
        """New events."""

    def poll_samples(self) -> list[dict[str, Any]]:
        """New samples, as JSON objects."""

    def growth(self, run: int) -> Callable[[], int] | None:
        """How many bytes of a run's output had come at the moment that is told; None for all there are."""


class Listener(Protocol):
    """Who is told. Called on the event loop."""

    def session_changed(self, events: list[Event]) -> None:
        """New events were folded in."""

    def panels_changed(self) -> None:
        """New samples came, or a panel went stale."""

    def link_changed(self, up: bool, detail: str) -> None:
        """The line to the host is up or down."""

    def record_failed(self) -> None:
        """The host could not write down what it saw."""

    def secrets_known(self, secrets: Sequence[str]) -> None:
        """The values that the host masks, now."""

    def question_asked(self) -> None:
        """A system asks what only a person knows, or does not any more."""

    def ticked(self) -> None:
        """A poll passed, changed or not."""

    def started_over(self) -> None:
        """Another moment of a recording is told from now on."""


class Feed:
    """Reads a session and talks to its host.

    Args:
        folder: the session's.
        listener: who is told of changes.
        source: what is read; None reads the folder as it grows.
        spectator: say so to the host.
        revive: starts the host again; None when this viewer can't.
        clock: the time, as told; None for the real one.
    """

    def __init__(
        self,
        folder: SessionFolder,
        listener: Listener,
        *,
        source: Source | None = None,
        spectator: bool = False,
        revive: Revive | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.folder = folder
        self.reader = SessionReader(folder)
        self.source: Source = source or self.reader
        self.live = source is None
        self.panels: dict[str, PanelState] = {}
        self.tails: tuple[dict[str, Any], ...] = ()
        self.hello: dict[str, Any] = {}
        self.idle = asyncio.Event()
        self.idle.set()
        self._listener = listener
        self._spectator = spectator
        self._revive = revive
        self._clock = clock or Clock()
        self._client: HostClient | None = None
        self._busy = 0
        self._woken = asyncio.Event()
        self._lost = asyncio.Event()
        self._titles: dict[str, str] = {}
        self._panel_mtime = 0
        self._tasks: list[asyncio.Task[None]] = []

    # -- life ------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin reading and, for a live session, reach for the host."""
        self._tasks = [asyncio.create_task(self._keep_reading(), name="feed-read")]
        if self.live:
            self._tasks.append(asyncio.create_task(self._keep_connected(), name="feed-connect"))

    async def stop(self) -> None:
        """Hang up. The session goes on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client:
            await self._client.close()

    @property
    def connected(self) -> bool:
        """Whether commands can be sent."""
        return self._client is not None and self._client.connected

    @property
    def can_revive(self) -> bool:
        """Whether this viewer may start the host again."""
        return self._revive is not None

    # -- asking the host -------------------------------------------------------------------------------------------

    @property
    def client(self) -> HostClient:
        """The line, for `propose` and `run`.

        Raises:
            HostUnreachable: it is down.
        """
        if self._client is None or not self._client.connected:
            from cockpit.words import _

            raise HostUnreachable(_("the session's host does not answer"), where=self.folder.name)
        return self._client

    async def call(self, command: str, **arguments: Any) -> dict[str, Any]:
        """One command to the host; what it changed is read before this returns.

        Raises:
            HostUnreachable: the line is down. Other CockpitErrors: the host refused.
        """
        with self.busy():
            answer = await self.client.call(command, **arguments)
            self.read()
            return answer

    @contextmanager
    def busy(self) -> Iterator[None]:
        """The screen is not idle within."""
        self._busy += 1
        self.idle.clear()
        try:
            yield
        finally:
            self._busy -= 1
            if not self._busy:
                self.idle.set()

    async def revive(self) -> None:
        """Start the host again, if this viewer may; the line comes back by itself.

        Raises:
            SessionError: it can't be started.
        """
        if self._revive is not None:
            with self.busy():
                await self._revive()

    # -- reading ---------------------------------------------------------------------------------------------------

    def start_over(self) -> None:
        """The source tells of another moment: what was known of the former one is forgotten."""
        self.panels, self._panel_mtime = {}, 0
        self._listener.started_over()
        self.read()
        self._listener.ticked()

    def read(self) -> None:
        """Take what is new in the folder and tell the listener."""
        if events := self.source.poll():
            self._listener.session_changed(events)
        if self._read_panels():
            self._listener.panels_changed()

    def _read_panels(self) -> bool:
        described = self._read_description()
        found = self.source.poll_samples()
        if not (found or described or self.panels):
            return False
        from cockpit.monitor.panel import aged, fold_sample
        from cockpit.monitor.record import sample_of

        before = self.panels
        panels = dict(before)
        for record in found:
            if sample := sample_of(record):
                panels[sample.probe] = self._titled(fold_sample(panels.get(sample.probe), sample))
        now_m = self._told_m(panels)
        self.panels = {name: aged(panel, now_m) for name, panel in panels.items()}
        return described or self.panels != before

    def _told_m(self, panels: Mapping[str, PanelState]) -> int:
        """The moment that is told, on the clock of the samples."""
        if self.live:
            # After its end nobody looks any more: what was found last is of then.
            return time.monotonic_ns() if self.source.state.ended_t is None else _LONG_AFTER
        newest = max((panel.last for panel in panels.values() if panel.last), key=lambda last: last.t, default=None)
        if newest is None:
            return 0
        # A recording goes on where nothing was sampled: its host was dead.
        passed_s = self._clock.since_s(newest.t) if self._clock.recorded else None
        return newest.m + int((passed_s or 0.0) * 1e9)

    def _titled(self, panel: PanelState) -> PanelState:
        from msgspec.structs import replace

        return replace(panel, title=self._titles.get(panel.probe, panel.title or panel.probe))

    def _read_description(self) -> bool:
        """panel.json: the panels there will be, before their first sample. True when it is new."""
        try:
            mtime = self.folder.panel.stat().st_mtime_ns
            if mtime == self._panel_mtime:
                return False
            told = json.loads(self.folder.panel.read_bytes())
            probes, tails = told["probes"], tuple(told.get("tails", ()))
        except (OSError, ValueError, KeyError):
            return False
        from cockpit.monitor.sample import PanelState

        self._panel_mtime, self.tails = mtime, tails
        self._titles = {probe["name"]: probe.get("title") or probe["name"] for probe in (*probes, *tails)}
        # A probe that brings lines is a tail too; what its panel shows is the probe's affair.
        kinds = {one["name"]: one.get("kind", "log") for one in (*tails, *probes)}
        known = self.panels
        self.panels = {
            name: known.get(name) or PanelState(name, kinds[name], title) for name, title in self._titles.items()
        }
        return True

    async def _keep_reading(self) -> None:
        while True:
            self.read()
            self._listener.ticked()
            try:
                async with asyncio.timeout(POLL_S):
                    await self._woken.wait()
            except TimeoutError:
                continue
            self._woken.clear()

    # -- the line --------------------------------------------------------------------------------------------------

    async def _keep_connected(self) -> None:
        pause_s = RETRY_FIRST_S
        while True:
            try:
                await self._connect()
            except (CockpitError, OSError):
                self._listener.link_changed(False, self._last_word())
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 1.5, RETRY_MOST_S)
                continue
            pause_s = RETRY_FIRST_S
            await self._lost.wait()

    async def _connect(self) -> None:
        from cockpit.session.line.client import HostClient

        client = HostClient(self.folder, spectator=self._spectator)
        client.on_wake = self._on_wake
        client.on_lost = self._on_lost
        self._lost.clear()
        with self.busy():
            self.hello = await client.connect()
            self._client = client
            self._listener.link_changed(True, "")
            self.read()
            await self._learn()
        if not self._spectator:
            self._listener.question_asked()

    async def _learn(self) -> None:
        """The host's secrets, for logs that are read here and were masked by nobody."""
        with contextlib.suppress(CockpitError):  # the line went down again: asked anew with the next one
            self._listener.secrets_known((await self.client.call("secrets"))["values"])

    def _on_wake(self, what: str) -> None:
        if what == "record-failed":
            self._listener.record_failed()
        elif what == "question" and not self._spectator:
            self._listener.question_asked()
        elif what == "secrets":
            self._tasks.append(asyncio.create_task(self._learn(), name="feed-secrets"))
        self._woken.set()

    def _on_lost(self) -> None:
        self._client = None
        self._lost.set()
        self._woken.set()
        self._listener.link_changed(False, "")

    def _last_word(self) -> str:
        """What a host that could not serve left behind; "" when it left nothing."""
        try:
            told = json.loads((self.folder.path / "host.error").read_bytes())
            return " · ".join(text for text in (told["what"], told.get("where"), told.get("mend")) if text)
        except (OSError, ValueError, KeyError, TypeError):
            return ""
