"""A recorded session told again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from screens.app import CockpitApp
from screens.clock import Clock
from screens.replay import Replay, ReplayClock
from tests.pilot.recording import START, record, sample, shown


class Hand(Clock):
    """A clock moved by hand."""

    at_s = 100.0

    def monotonic_s(self) -> float:
        return self.at_s


async def test_events_and_samples_come_in_their_time(tmp_path: Path) -> None:
    told = [(10.0, "severity.set", {"severity": "P1", "reason": ""}), (40.0, "mode.changed", {"mode": "read-only"})]
    folder = record(tmp_path, "# Doc\n\n- [ ] check\n", told, [sample("api", 20, text="UP 200")])
    hand = Hand()
    clock = ReplayClock(10.0, hand)
    app = CockpitApp(folder, folder.runbook, spectator=True, source=Replay(folder, clock), clock=clock)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.ready.wait()
        assert app.viewer is not None

        async def after(seconds: float) -> str:
            hand.at_s = 100.0 + seconds
            assert app.viewer is not None
            app.viewer.feed.read()
            app.viewer.ticked()
            await pilot.pause()
            return shown(app)

        first = await after(0.5)
        assert "P1" not in first
        assert "00:05" in first
        second = await after(2.0)
        assert "P1" in second
        assert "UP 200" in second
        assert "READ-WRITE" in second
        assert "[READ-ONLY]" in await after(30.0)
        assert clock.now() == START + timedelta(seconds=40)
