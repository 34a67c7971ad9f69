"""Every probe in its own time. None waits for another, and none runs twice at once."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cockpit.errors import CockpitError, TimedOut
from cockpit.monitor.probe import Probe, failed
from cockpit.monitor.sample import Outcome, Sample
from cockpit.monitor.turns import FirstLooks
from cockpit.words import _

_GRACE_S = 0.05
"""How long a cancelled look may take to let go before it is called hung."""

_STOP_S = 1.0

OnSample = Callable[[Sample], None]
OnChange = Callable[[Mapping[str, Any]], None]


class Monitor:
    """Runs probes until stopped.

    Args:
        probes: each with its own interval and deadline.
        on_sample: called on the event loop with every sample, in the order they come.
        on_change: called when a probe's outcome or level changes, with the data of a `probe.changed` event.
    """

    def __init__(self, probes: Sequence[Probe], on_sample: OnSample, on_change: OnChange | None = None) -> None:
        self._probes = tuple(probes)
        self._on_sample = on_sample
        self._changes = Changes(on_change)
        self._wanted = {probe.name: asyncio.Event() for probe in probes}
        self._lanes: tuple[asyncio.Task[None], ...] = ()

    def start(self) -> None:
        """Take the first samples as soon as can be, and go on. Call it on the event loop, once."""
        first = FirstLooks()
        self._lanes = tuple(
            asyncio.create_task(self._lane(probe, first), name=f"probe {probe.name}") for probe in self._probes
        )

    def request_now(self, name: str) -> bool:
        """Have that probe looked at now instead of at its next turn; False when there is none of that name."""
        wanted = self._wanted.get(name)
        if wanted is not None:
            wanted.set()
        return wanted is not None

    async def stop(self) -> None:
        """End every lane and let go of what the probes hold; at most about a second, whatever hangs."""
        for lane in self._lanes:
            lane.cancel()
        if self._lanes:
            await asyncio.wait(self._lanes, timeout=_STOP_S)
        closing = [asyncio.ensure_future(probe.close()) for probe in self._probes]
        if closing:
            _done, stuck = await asyncio.wait(closing, timeout=_STOP_S)
            for task in stuck:
                task.cancel()
        self._lanes = ()

    def note(self, sample: Sample) -> None:
        """Pass on a sample that came from elsewhere (a log's counts), and its change."""
        self._on_sample(sample)
        self._changes.note(sample)

    async def _lane(self, probe: Probe, first: FirstLooks) -> None:
        loop = asyncio.get_running_loop()
        look = _Look(probe)
        wanted = self._wanted[probe.name]
        # After the first look, lanes of one interval are spread out, so that they never come in step.
        wait_s = probe.interval_s * random.uniform(0.5, 1.0)  # noqa: S311  # no secret depends on it
        turn: contextlib.AbstractAsyncContextManager[None] = first.turn()
        try:
            while True:
                async with turn:
                    begun = loop.time()
                    wanted.clear()
                    # A journal that can't be written is told elsewhere; the watch goes on, and tells the change again.
                    with contextlib.suppress(CockpitError, OSError):
                        self.note(await look.once())
                turn = contextlib.nullcontext()
                try:
                    async with asyncio.timeout(max(0.0, begun + wait_s - loop.time())):
                        await wanted.wait()
                except TimeoutError:
                    pass
                wait_s = probe.interval_s
        finally:
            look.abandon()


class _Look:
    """One probe's looks, one after another, each ended by its deadline."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self._task: asyncio.Task[Sample] | None = None

    async def once(self) -> Sample:
        """The next sample; a failed one when the look hangs, or when the last one still does."""
        if self._task is not None and not self._task.done():
            return self._hung(_("an earlier look still hangs; no new one is started"))
        self._task = asyncio.create_task(self._probe.sample())
        await asyncio.wait((self._task,), timeout=self._probe.deadline_s)
        if self._task.done():
            return self._task.result()
        self._task.cancel()
        await asyncio.wait((self._task,), timeout=_GRACE_S)
        return self._hung(_("no answer within {seconds:g} s").format(seconds=self._probe.deadline_s))

    def abandon(self) -> None:
        """Cancel what is under way, without waiting."""
        if self._task is not None:
            self._task.cancel()

    def _hung(self, what: str) -> Sample:
        return failed(self._probe, TimedOut(what, mend=_("look at the service's load, or raise deadline_s")))


class Changes:
    """Tells when a probe's outcome or level is another than in its last sample."""

    def __init__(self, on_change: OnChange | None) -> None:
        self._on_change = on_change
        self._last: dict[str, Sample] = {}

    def note(self, sample: Sample) -> None:
        """Compare with the last one of that probe. The first one counts as a change from "".

        A change that could not be told is told again with the next sample.
        """
        last = self._last.get(sample.probe)
        changed = last is None or (last.outcome, last.level) != (sample.outcome, sample.level)
        if changed and self._on_change is not None:
            self._on_change(
                {
                    "probe": sample.probe,
                    "outcome": sample.outcome.value,
                    "level": sample.level.value,
                    "was": standing(last) if last is not None else "",
                    "text": sample.text,
                }
            )
        self._last[sample.probe] = sample


def standing(sample: Sample) -> str:
    """One word for how a sample stands: its level when it has data, else "none" or "failed"."""
    return sample.level.value if sample.outcome is Outcome.DATA else sample.outcome.value
