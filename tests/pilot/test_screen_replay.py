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


async def test_it_is_told_from_the_very_first_sample_and_says_that_it_is_a_replay(tmp_path: Path) -> None:
    many = [sample("api", 1 + n / 1000, text=f"UP {n} {'.' * 900}") for n in range(2000)]
    folder = record(tmp_path, "# Doc\n\n- [ ] check\n", [(10.0, "mode.changed", {"mode": "live"})], many)
    hand = Hand()
    clock = ReplayClock(4.0, hand)
    app = CockpitApp(folder, folder.runbook, spectator=True, source=Replay(folder, clock), clock=clock)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.ready.wait()
        assert app.viewer is not None
        hand.at_s += 0.3
        app.viewer.feed.read()
        app.viewer.ticked()
        await pilot.pause()
        assert "REPLAY x4" in shown(app)
        assert "SPECTATOR" not in shown(app)
        assert "UP 2" in shown(app)


async def test_the_output_of_a_run_is_not_shown_before_its_end(tmp_path: Path) -> None:
    from cockpit.runbook.reading import read

    document = "# Doc\n\n```bash\necho x\n```\n"
    (tmp_path / "doc.md").write_text(document)
    step = read(tmp_path / "doc.md").steps[0].id
    intent = {"step": step, "part": None, "run": 1, "command": "echo x"}
    end = {"step": step, "run": 1, "status": "passed", "exit_code": 0, "expectations": []}
    folder = record(tmp_path, document, [(10.0, "step.intent", intent), (20.0, "step.finished", end)])
    folder.run(1).mkdir(parents=True)
    (folder.run(1) / "output").write_text("what came of it\n")
    hand = Hand()
    clock = ReplayClock(1.0, hand)
    app = CockpitApp(folder, folder.runbook, spectator=True, source=Replay(folder, clock), clock=clock)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.ready.wait()
        assert app.viewer is not None
        for seconds, running in ((15.0, True), (21.0, False)):
            hand.at_s = 100.0 + seconds
            app.viewer.feed.read()
            await pilot.pause()
            assert (app.viewer.main.logs.output is None) is running
            assert ("running" in shown(app)) is running
