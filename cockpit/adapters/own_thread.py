"""Blocking work off the event loop, in a thread that nobody waits for at exit."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from cockpit.errors import TimedOut
from cockpit.words import _

Result = TypeVar("Result")


class OwnThread(Generic[Result]):
    """Runs one piece of work at a time, each in a new daemon thread.

    A pool would not do: a dead network disk hangs the thread that asks for its size, and a hung pool thread blocks
    its other users and the end of the process.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._last: Future[Result] | None = None

    async def run(self, work: Callable[[], Result]) -> Result:
        """The result of `work`, or its exception. Cancelling leaves the thread to itself.

        Raises:
            TimedOut: an earlier, cancelled piece of work has not ended yet; the new one was not started.
        """
        if self._last is not None and not self._last.done():
            raise TimedOut(_("an earlier look still hangs; no new one is started"), mend=_("is a network disk away?"))
        done: Future[Result] = Future()
        done.set_running_or_notify_cancel()
        self._last = done

        def settle() -> None:
            try:
                done.set_result(work())
            except Exception as error:  # noqa: BLE001  # carried over to whoever awaits
                done.set_exception(error)

        threading.Thread(target=settle, name=self._name, daemon=True).start()
        return await asyncio.wrap_future(done)
