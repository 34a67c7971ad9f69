"""A recorded session told again."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from textual.pilot import Pilot

from cockpit.runbook.reading import read
from cockpit.runs.recording import FRAME, STDOUT
from cockpit.session.record.folder import SessionFolder
from screens.app import CockpitApp
from screens.clock import Clock
from screens.replay import Replay, ReplayClock
from tests.pilot.recording import START, Told, at, record, replayed, sample, shown
from tests.waiting import until


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


DOCUMENT = "# Doc\n\n## One\n\n```bash\necho x\n```\n\n## Two\n\n```bash\necho y\n```\n"


def _recorded_runs(root: Path) -> SessionFolder:
    """Two runs: at 10 s one that writes at 12 and 16 s and ends at 20 s, and at 40 s one that writes nothing."""
    (root / "doc.md").write_text(DOCUMENT)
    first, second = (step.id for step in read(root / "doc.md").steps)
    told: list[Told] = []
    for run, step, begun in ((1, first, 10.0), (2, second, 40.0)):
        told.append((begun, "step.intent", {"step": step, "part": None, "run": run, "command": f"echo {run}"}))
        end = {"step": step, "run": run, "status": "passed", "exit_code": 0, "expectations": []}
        told.append((begun + 10, "step.finished", end))
    folder = record(root, DOCUMENT, told, [sample("api", at, text=f"UP {at:.0f}") for at in range(60)])
    for run in (1, 2):
        folder.run(run).mkdir(parents=True)
    (folder.run(1) / "output").write_bytes(b"what came\nof it\n")
    frames = [(0, int(12e9), 10, STDOUT), (10, int(16e9), 6, STDOUT)]
    (folder.run(1) / "index").write_bytes(b"".join(FRAME.pack(*frame) for frame in frames))
    return folder


class Viewing:
    """Somebody before a replay whose clock is moved by hand."""

    def __init__(self, app: CockpitApp, pilot: Pilot[int], hand: Hand) -> None:
        self.app, self.pilot, self.hand = app, pilot, hand

    async def after(self, seconds: float) -> str:
        """What the screen shows so many seconds of ours after it was opened."""
        self.hand.at_s = 100.0 + seconds
        return await self.now()

    async def now(self) -> str:
        assert self.app.viewer is not None
        self.app.viewer.feed.read()
        self.app.viewer.ticked()
        await self.pilot.pause()
        return shown(self.app)

    async def presses(self, *keys: str) -> str:
        """Keys, as a hand presses them."""
        for key in keys:
            self.hand.at_s += 0.06
            await self.pilot.press(key)
        return await self.now()

    async def comes_to_show(self, text: str) -> None:
        """Wait for it; fails the test if it never stands on the screen."""

        async def shows() -> bool:
            return text in await self.now()

        await until(shows, text)


@contextlib.asynccontextmanager
async def viewing(
    folder: SessionFolder, speed: float = 1.0, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[Viewing]:
    hand = Hand()
    clock = ReplayClock(speed, hand)
    app = CockpitApp(folder, folder.runbook, spectator=True, source=Replay(folder, clock), clock=clock)
    async with app.run_test(size=size) as pilot:
        await app.ready.wait()
        yield Viewing(app, pilot, hand)


async def test_the_output_of_a_run_comes_as_it_was_written(tmp_path: Path) -> None:
    async with viewing(_recorded_runs(tmp_path)) as viewer:
        assert "running" in await viewer.after(11)
        assert "what came" not in await viewer.now()
        await viewer.after(13)
        await viewer.comes_to_show("what came")
        assert "of it" not in await viewer.now()
        await viewer.after(17)
        await viewer.comes_to_show("of it")
        assert "running" in await viewer.now()
        assert "1/2 steps" in await viewer.after(21)


async def test_one_goes_back_and_on_in_a_recording(tmp_path: Path) -> None:
    async with viewing(_recorded_runs(tmp_path)) as viewer:
        await viewer.after(55)
        assert "2/2 steps" in await viewer.now()
        assert "1/2 steps" in await viewer.presses("left")
        assert "0/2 steps" in await viewer.presses("left", "left", "left")
        await viewer.comes_to_show("what came")
        screen = await viewer.presses("left")
        assert "00:05" in screen
        assert "what came" not in screen
        assert "UP 5" in screen
        assert "00:15" in await viewer.presses("right")
        await viewer.comes_to_show("what came")


async def test_from_event_to_event_and_to_a_time(tmp_path: Path) -> None:
    async with viewing(_recorded_runs(tmp_path)) as viewer:
        assert "00:10" in await viewer.presses("right_square_bracket")
        assert "1/2 steps" in await viewer.presses("right_square_bracket")
        assert "00:40" in await viewer.presses("right_square_bracket")
        assert "[2/2] Two" in await viewer.now()
        assert "00:20" in await viewer.presses("left_square_bracket")
        await viewer.presses("t", "0", "colon", "4", "5", "enter")
        await viewer.comes_to_show("00:45")
        await viewer.presses("t", "x", "enter")
        await viewer.comes_to_show("not a time such as 12:30: x")


async def test_it_is_held_and_told_faster(tmp_path: Path) -> None:
    async with viewing(_recorded_runs(tmp_path)) as viewer:
        await viewer.after(5)
        assert "REPLAY held" in await viewer.presses("space")
        assert "00:05" in await viewer.after(30)
        assert "REPLAY x1 " in await viewer.presses("space")
        assert "REPLAY x2" in await viewer.presses("plus")
        assert "00:15" in await viewer.after(35.5)
        assert "REPLAY x0.5" in await viewer.presses("minus", "minus")
        screen = await viewer.after(1000)
        assert "00:59" in screen
        assert "the recording ends here" in screen


async def test_only_what_works_in_a_recording_is_offered(tmp_path: Path) -> None:
    async with viewing(_recorded_runs(tmp_path), size=(80, 50)) as viewer:
        footer = (await viewer.now()).split("\n")[-1]
        assert "Space hold" in footer
        assert "q leave" in footer
        for word in ("run", "edit", "note", "skip"):
            assert f" {word}" not in footer
        await viewer.presses("question_mark")
        await viewer.comes_to_show("ten seconds back")
        screen = await viewer.now()
        for told in ("skip the step", "write a note", "stop the running step", "fill in", "start the host"):
            assert told not in screen
        await viewer.presses("escape", "colon")
        await viewer.comes_to_show("Commands and sections")
        screen = await viewer.now()
        assert "half as fast" in screen
        for told in ("end the session", "set the incident's severity", "edit the command", "followed logs"):
            assert told not in screen
        await viewer.presses("escape", "n")
        await viewer.comes_to_show("this is a recording: nothing can be done in it")


async def test_the_screen_stands_before_a_long_recording_is_read(tmp_path: Path) -> None:
    """What is read before the screen stands, and at first, is the head of a recording and not all of it."""
    folder = record(tmp_path, DOCUMENT, [(3600.0, "note.added", {"text": "late", "step": None, "by": "kim"})])
    line = json.dumps(sample("api", 1, text="x" * 900)) + "\n"
    with folder.samples.open("w") as file:
        file.write(json.dumps(sample("api", 0.5, text="UP first")) + "\n")
        for number in range(3600):
            file.write(line.replace(at(1), at(1 + number)))
    read_bytes = 0
    taken = os.pread

    def counted(descriptor: int, length: int, offset: int) -> bytes:
        nonlocal read_bytes
        data = taken(descriptor, length, offset)
        read_bytes += len(data)
        return data

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "pread", counted)
        async with viewing(folder) as viewer:
            assert "UP first" in await viewer.after(0.6)
            assert read_bytes < folder.samples.stat().st_size // 2


async def test_the_environment_stays_named_wherever_one_is_in_the_recording(tmp_path: Path) -> None:
    folder = record(tmp_path, "# Doc\n\n- [ ] check\n", [(40.0, "mode.changed", {"mode": "read-only"})])
    told = folder.journal.read_text()
    folder.journal.write_text(told.replace('"target": "local"', '"target": "local", "environment": "production"'))
    hand = Hand()
    clock = ReplayClock(10.0, hand)
    app = CockpitApp(folder, folder.runbook, spectator=True, source=Replay(folder, clock), clock=clock)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.ready.wait()
        await pilot.pause()
        assert " production  local " in shown(app)
        hand.at_s += 3
        await pilot.press("left_square_bracket")
        await pilot.pause()
        assert " production  local " in shown(app)


def _with_logs(folder: SessionFolder, today: Path) -> None:
    """It followed a file of its machine and one of another; the record has lines of both, today has others."""
    today.write_text("ERROR of today\n")
    tails = [
        {"name": "app", "title": "app", "path": str(today)},
        {"name": "far", "title": "far", "path": "/nowhere/far.lines", "fetched": True},
    ]
    folder.panel.write_text(json.dumps({"probes": [], "tails": tails}))
    folder.logs.mkdir()
    (folder.logs / "app.log").write_text("ERROR of the incident\n")
    (folder.logs / "far.lines").write_text("INFO fetched in the incident\n")


@pytest.mark.parametrize("key", ["l", "ㅣ"])
async def test_a_recording_shows_the_log_lines_that_it_holds_and_none_of_today(tmp_path: Path, key: str) -> None:
    folder = _recorded_runs(tmp_path)
    _with_logs(folder, tmp_path / "app.log")
    async with viewing(folder) as viewer:
        await viewer.presses(key)
        await viewer.comes_to_show("ERROR of the incident")
        screen = await viewer.now()
        assert "app: warnings and worse" in screen
        assert "kept in the record, of the whole session" in screen
        assert "of today" not in screen
        await viewer.presses("right_square_bracket")
        await viewer.comes_to_show("INFO fetched in the incident")


async def test_a_session_that_is_over_shows_the_log_lines_of_then(tmp_path: Path) -> None:
    ended = (60.0, "session.ended", {"session": "INC-20240127-001", "counts": {}})
    folder = record(tmp_path, DOCUMENT, [ended])
    _with_logs(folder, tmp_path / "app.log")
    app = replayed(folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.ready.wait()
        await pilot.press("l")
        await until(lambda: "ERROR of the incident" in shown(app), "the lines of then")
        assert "of today" not in shown(app)


async def test_a_recording_without_log_lines_says_so(tmp_path: Path) -> None:
    folder = _recorded_runs(tmp_path)
    _with_logs(folder, tmp_path / "app.log")
    for kept in folder.logs.iterdir():
        kept.unlink()
    async with viewing(folder) as viewer:
        await viewer.presses("l")
        await viewer.comes_to_show("the record holds no log lines")
        assert "of today" not in await viewer.now()


async def test_a_panel_is_stale_in_a_recording_where_nobody_looked_at_its_service(tmp_path: Path) -> None:
    told: list[Told] = [(300.0, "mode.changed", {"mode": "read-only"})]
    samples = [sample("api", at, text="UP 200") for at in (1, 6, 280)]
    async with viewing(record(tmp_path, DOCUMENT, told, samples)) as viewer:
        assert "UP 200" in await viewer.after(8)
        assert "stale 2 min" in await viewer.after(150)
        assert "stale" not in await viewer.after(282)
