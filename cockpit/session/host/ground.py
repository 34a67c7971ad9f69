"""What a host finds out about where it stands, while its viewers already see the screen: each finding is an event."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

from cockpit.adapters.base import Enforcement, RunsSteps, TellsEnforcement
from cockpit.errors import CockpitError, JournalError
from cockpit.safety.permit import Mode
from cockpit.session.host.footing import Weakness, weaknesses
from cockpit.session.steps.engine import Engine
from cockpit.words import _


class Ground:
    """Looks at the ground of one session, and at who enforces read-only mode when that begins.

    Args:
        look: finds what is weak; blocks.
    """

    def __init__(self, engine: Engine, look: Callable[[], list[Weakness]] | None = None) -> None:
        self._engine = engine
        self._look = look or (lambda: weaknesses(engine.folder.path))
        self._asked = False
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self) -> None:
        """Start looking; nothing waits for it."""
        self._start(self._tell_weaknesses())
        self.mode_changed()

    def mode_changed(self) -> None:
        """In read-only mode, ask every target who enforces it; asked anew each time the mode is entered."""
        read_only = self._engine.mode is Mode.READ_ONLY
        if read_only and not self._asked:
            for name, adapter in self._engine.adapters.items():
                self._start(self._ask(name, adapter))
        self._asked = read_only

    def warn(self, about: str, text: str, mend: str) -> None:
        """Tell of something that does not hold, once a session."""
        if text not in self._engine.state.warnings:
            self._record("warning.raised", about=about, text=text, mend=mend)

    async def close(self) -> None:
        """Stop looking."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name="ground")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell_weaknesses(self) -> None:
        for about, text, mend in await asyncio.to_thread(self._look):
            self.warn(about, text, mend)

    async def _ask(self, target: str, adapter: RunsSteps) -> None:
        found = await _enforcement(adapter)
        self._record("enforcement.found", target=target, by=found.by, detail=found.detail)

    def _record(self, kind: str, **data: Any) -> None:
        if self._engine.state.ended_t is None:
            with contextlib.suppress(JournalError):  # a full disk is told by those who look after it
                self._engine.record(kind, **data)


async def _enforcement(adapter: RunsSteps) -> Enforcement:
    """Who keeps read-only mode; where that can't be asked, nobody but this tool may be counted on."""
    if not isinstance(adapter, TellsEnforcement):
        return Enforcement("tool", _("commands are judged before they run; nothing stands behind that"))
    try:
        return await adapter.enforcement()
    except CockpitError as error:
        return Enforcement("tool", _("the target can't be asked: {error}").format(error=error))
