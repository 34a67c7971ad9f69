"""First looks at hundreds of things: so many at once, in order, and none kept waiting by one that hangs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

FIRST_AT_ONCE, _FIRST_S = 24, 2.0


class FirstLooks:
    """A first look connects, which is work for this machine.

    One that takes longer than two seconds goes on, and the next one begins all the same.
    """

    def __init__(self, at_once: int = FIRST_AT_ONCE) -> None:
        self._room = asyncio.Semaphore(at_once)

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for one's turn, in the order of asking, and look."""
        await self._room.acquire()
        taken = True

        def leave() -> None:
            nonlocal taken
            if taken:
                self._room.release()
            taken = False

        timer = asyncio.get_running_loop().call_later(_FIRST_S, leave)
        try:
            yield
        finally:
            timer.cancel()
            leave()
