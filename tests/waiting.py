"""Waiting for a state: the one place where tests poll. The patience costs nothing while things work."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

PATIENCE_S = 60.0


def _pauses() -> Iterator[float]:
    """Seconds between two looks: short at first, then such that looking does not load the machine."""
    pause_s = 0.002
    while True:
        yield pause_s
        pause_s = min(0.1, pause_s * 1.3)


async def until(holds: Callable[[], Any], what: str = "what was waited for") -> None:
    """Return once this is true, or what it gives to await is; after the patience, fail the test, saying `what`."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            for pause_s in _pauses():
                answer = holds()
                if await answer if isinstance(answer, Awaitable) else answer:
                    return
                await asyncio.sleep(pause_s)
    except TimeoutError as error:
        raise AssertionError(f"not within {PATIENCE_S:g} s: {what}") from error


def eventually(holds: Callable[[], Any], within_s: float = PATIENCE_S) -> bool:
    """Whether this comes to be true: to be asserted, where nothing else runs in this thread."""
    deadline_m = time.monotonic() + within_s
    for pause_s in _pauses():
        if holds():
            return True
        if time.monotonic() > deadline_m:
            break
        time.sleep(pause_s)
    return False


def wait_until(holds: Callable[[], Any], what: str = "what was waited for") -> None:
    """Return once this is true; after the patience, fail the test, saying `what`."""
    if not eventually(holds):
        raise AssertionError(f"not within {PATIENCE_S:g} s: {what}")
