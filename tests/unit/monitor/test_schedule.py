"""Schedule, record and panels: each probe in its own time, each sample kept, each panel's standing right."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cockpit.adapters.own_thread import OwnThread
from cockpit.errors import TimedOut
from cockpit.monitor import turns
from cockpit.monitor.panel import HISTORY, aged, fold_sample
from cockpit.monitor.probe import now
from cockpit.monitor.record import SampleLog, sample_of
from cockpit.monitor.sample import Level, Outcome, PanelState, Reading, Sample
from cockpit.monitor.schedule import Monitor
from cockpit.session.record.reader import LineFollower
from tests.waiting import PATIENCE_S


def taken(probe: str, value: float = 1.0, **changes: Any) -> Sample:
    t, m = now()
    values: dict[str, Any] = {"t": t, "m": m, "outcome": Outcome.DATA, "level": Level.GREEN, "text": "fine"}
    values |= {"readings": (Reading("x", value),), **changes}
    return Sample(probe, "test", **values)


class StubProbe:
    """A probe whose looks the test decides."""

    kind = "test"

    def __init__(self, name: str, look: Callable[[], Any], interval_s: float = 60.0, deadline_s: float = 30.0) -> None:
        self.name = self.title = name
        self.interval_s, self.deadline_s = interval_s, deadline_s
        self._look = look
        self.under_way = self.most_under_way = self.looks = 0
        self.closed = False

    async def sample(self) -> Sample:
        self.looks += 1
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            found = self._look()
            return await found if asyncio.iscoroutine(found) else found  # type: ignore[no-any-return]  # tests' own
        finally:
            self.under_way -= 1

    async def close(self) -> None:
        self.closed = True


class Collected:
    """Samples as they come, and a way to wait for what one expects of them."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self._came = asyncio.Event()

    def __call__(self, sample: Sample) -> None:
        self.samples.append(sample)
        self._came.set()

    def of(self, probe: str) -> list[Sample]:
        return [sample for sample in self.samples if sample.probe == probe]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self._came.clear()
                await self._came.wait()


async def never() -> Sample:
    await asyncio.Event().wait()
    raise AssertionError


async def test_first_samples_come_at_once_and_a_hung_probe_holds_nobody_up() -> None:
    seen = Collected()
    hung = StubProbe("hung", never, interval_s=0.1, deadline_s=0.1)
    quick = StubProbe("quick", lambda: taken("quick"), interval_s=0.1)
    slow = StubProbe("slow", lambda: taken("slow"), interval_s=3600)
    monitor = Monitor([hung, slow, quick], seen)
    monitor.start()
    await seen.until(lambda: len(seen.of("hung")) >= 2 and len(seen.of("quick")) >= 3)
    await monitor.stop()
    assert len(seen.of("slow")) == 1
    assert {sample.outcome for sample in seen.of("hung")} == {Outcome.FAILED}
    assert "0.1 s" in seen.of("hung")[0].error
    assert hung.most_under_way == 1
    assert all(probe.closed for probe in (hung, slow, quick))


async def test_a_look_that_will_not_be_cancelled_is_never_joined_by_a_second() -> None:
    released = asyncio.Event()

    async def stubborn() -> Sample:
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                continue
        return taken("stubborn")

    seen = Collected()
    probe = StubProbe("stubborn", stubborn, interval_s=0.1, deadline_s=0.1)
    monitor = Monitor([probe], seen)
    monitor.start()
    await seen.until(lambda: len(seen.samples) >= 3)
    assert probe.looks == 1
    assert "still hangs" in seen.samples[-1].error
    released.set()
    await seen.until(lambda: seen.samples[-1].outcome is Outcome.DATA)
    await monitor.stop()
    assert probe.most_under_way == 1


async def test_one_can_ask_for_a_sample_now() -> None:
    seen = Collected()
    monitor = Monitor([StubProbe("rare", lambda: taken("rare"), interval_s=86400)], seen)
    monitor.start()
    await seen.until(lambda: len(seen.samples) == 1)
    assert monitor.request_now("rare")
    assert not monitor.request_now("nobody")
    await seen.until(lambda: len(seen.samples) == 2)
    await monitor.stop()


async def test_changes_are_told_once_with_what_was_before() -> None:
    script = iter(
        [
            taken("api"),
            taken("api", text="still fine"),
            taken("api", level=Level.RED, text="slow"),
            taken("api", outcome=Outcome.FAILED, level=Level.RED, text="gone"),
            taken("api", text="back"),
        ]
    )
    seen = Collected()
    changes: list[Mapping[str, Any]] = []
    monitor = Monitor([StubProbe("api", lambda: next(script), interval_s=0.1)], seen, changes.append)
    monitor.start()
    await seen.until(lambda: len(seen.samples) == 5)
    await monitor.stop()
    assert [(change["was"], change["outcome"], change["level"], change["text"]) for change in changes] == [
        ("", "data", "green", "fine"),
        ("green", "data", "red", "slow"),
        ("red", "failed", "red", "gone"),
        ("failed", "data", "green", "back"),
    ]


async def test_blocking_work_never_overlaps_itself() -> None:
    release = threading.Event()
    thread = OwnThread[bool]("test")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await thread.run(release.wait)
    with pytest.raises(TimedOut, match="still hangs"):
        await thread.run(release.wait)
    release.set()
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                assert await thread.run(lambda: True)
                break
            except TimedOut:
                await asyncio.sleep(0)


def test_a_record_survives_being_read_back(tmp_path: Path) -> None:
    log = SampleLog(tmp_path / "samples.jsonl")
    odd = taken("한글", value=float("inf"), rows=({"name": "web", "cpu_percent": float("nan")},), text='a "b" \\ c')
    log.append(taken("api"))
    log.append(odd)
    log.close()
    records = [msgspec.json.decode(line) for line in (tmp_path / "samples.jsonl").read_bytes().splitlines()]
    found = [sample_of(record) for record in records]
    assert [one.probe for one in found if one] == ["api", "한글"]
    assert found[1] is not None
    assert (found[1].text, found[1].readings[0].value) == (odd.text, None)
    assert (tmp_path / "samples.jsonl").stat().st_mode & 0o777 == 0o600


def test_a_full_record_goes_on_in_a_new_file_that_says_so(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    log, follower = SampleLog(path, bound_bytes=2000), LineFollower(path)
    read = []
    for number in range(40):
        log.append(taken("api", value=float(number)))
        read += [sample_of(msgspec.json.decode(line)) for line in follower.poll()]
    log.close()
    assert path.stat().st_size < 3000
    assert b'"mark":"rotated"' in path.read_bytes().splitlines()[0]
    assert (tmp_path / "samples.1.jsonl").stat().st_size >= 2000
    assert [one.readings[0].value for one in read if one] == [float(number) for number in range(40)]


def test_a_viewer_that_looks_seldom_misses_no_sample_before_a_new_file(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    for seldom in (2, 3, 5, 7):
        log, read = SampleLog(path, bound_bytes=2000), []
        follower = LineFollower(path, older=tmp_path / "samples.1.jsonl")
        for number in range(60):
            log.append(taken("api", value=float(number)))
            if number % seldom == 0:
                read += follower.poll()
        read += follower.poll()
        log.close()
        found = [sample_of(msgspec.json.decode(line)) for line in read]
        assert [one.readings[0].value for one in found if one] == [float(number) for number in range(60)], seldom
        path.unlink()
        (tmp_path / "samples.1.jsonl").unlink()


def test_a_viewer_that_comes_after_a_new_file_began_knows_how_things_stood(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    log, number = SampleLog(path, bound_bytes=2000), 0
    while not (tmp_path / "samples.1.jsonl").exists():
        log.append(taken("api", value=float(number)))
        number += 1
    log.close()
    follower = LineFollower(path, from_last_bytes=1500, older=tmp_path / "samples.1.jsonl")
    found = [sample_of(msgspec.json.decode(line)) for line in follower.poll()]
    values = [one.readings[0].value for one in found if one]
    assert values[-3:] == [float(number - 3), float(number - 2), float(number - 1)]
    assert follower.poll() == []


def test_a_torn_line_is_left_alone_and_a_full_disk_is_told_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "samples.jsonl"
    path.write_bytes(b'{"probe":"api","ki')
    log = SampleLog(path)
    log.append(taken("api"))
    write, torn = os.write, iter([True, False])

    def full(descriptor: int, data: bytes) -> int:
        if next(torn):
            return write(descriptor, data[:7])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    log.append(taken("api"))
    log.append(taken("api"))
    assert log.lost == 2
    monkeypatch.setattr(os, "write", write)
    log.append(taken("api", text="last"))
    lines = path.read_bytes().splitlines()
    assert lines[0] == b'{"probe":"api","ki'
    assert lines[2] == b'{"probe'
    assert msgspec.json.decode(lines[3])["samples"] == 2
    assert msgspec.json.decode(lines[4])["text"] == "last"


def series(*standings: tuple[float, Outcome, Level], interval_s: float = 5.0) -> list[Sample]:
    return [
        taken("api", at_s, t=f"t{at_s:g}", m=int(at_s * 1e9), outcome=outcome, level=level, interval_s=interval_s)
        for at_s, outcome, level in standings
    ]


def panel_of(samples: Sequence[Sample], panel: PanelState | None = None) -> PanelState:
    for sample in samples:
        panel = fold_sample(panel, sample)
    assert panel is not None
    return aged(panel, samples[-1].m)


DATA, NONE, FAILED = Outcome.DATA, Outcome.NONE, Outcome.FAILED
GREEN, RED, GREY = Level.GREEN, Level.RED, Level.GREY


def test_a_panel_is_stale_since_its_last_answer() -> None:
    samples = series((0, DATA, GREEN), (5, DATA, GREEN), (10, FAILED, RED), (15, FAILED, RED), (20, FAILED, RED))
    assert panel_of(samples).stale_since_t is None
    late = panel_of([*samples, *series((25, FAILED, RED))])
    assert (late.stale_since_t, late.extra["since_t"]) == ("t5", "t10")
    assert late.last is not None
    assert late.last_data is not None
    assert (late.last.t, late.last_data.t) == ("t25", "t5")
    assert panel_of(series((30, NONE, GREY)), late).stale_since_t is None


def test_a_panel_that_hears_nothing_grows_stale_by_the_clock_alone() -> None:
    panel = panel_of(series((0, DATA, GREEN)))
    assert aged(panel, int(15e9)).stale_since_t is None
    assert aged(panel, int(15.1e9)).stale_since_t == "t0"


def test_a_probe_that_never_answered_is_stale_since_its_first_look() -> None:
    panel = panel_of(series(*((at, FAILED, RED) for at in range(0, 30, 5))))
    assert (panel.stale_since_t, panel.last_data) == ("t0", None)


def test_history_is_bounded_and_has_gaps_where_there_was_no_data() -> None:
    samples = series(*((at, FAILED if at == 3 else DATA, GREEN) for at in range(HISTORY + 20)))
    panel = panel_of(samples)
    assert len(panel.history) == HISTORY
    assert panel.history[-1] == (HISTORY + 19.0, HISTORY + 19.0)
    early = panel_of(samples[:6])
    assert [at for at, _value in early.history] == [0, 1, 2, 4, 5]


def test_folding_in_parts_is_folding_at_once() -> None:
    samples = series((0, DATA, GREEN), (5, NONE, GREY), (10, FAILED, RED), (15, DATA, RED), (40, FAILED, RED))
    at_once = panel_of(samples)
    in_parts = panel_of(samples[3:], panel_of(samples[:3]))
    assert at_once == in_parts


async def test_of_five_hundred_first_looks_a_few_go_on_at_once_and_all_have_their_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turns, "_FIRST_S", 3600.0)
    begun: list[int] = []
    at_it, most, open_ = 0, 0, asyncio.Event()

    def looking(number: int) -> Callable[[], Awaitable[Sample]]:
        async def look() -> Sample:
            nonlocal at_it, most
            begun.append(number)
            at_it += 1
            most = max(most, at_it)
            await open_.wait()
            at_it -= 1
            return taken(f"p{number}")

        return look

    seen = Collected()
    monitor = Monitor([StubProbe(f"p{n}", looking(n), interval_s=3600, deadline_s=3600) for n in range(500)], seen)
    monitor.start()
    async with asyncio.timeout(PATIENCE_S):
        while len(begun) < turns.FIRST_AT_ONCE:
            await asyncio.sleep(0)
    open_.set()
    await seen.until(lambda: len(seen.samples) == 500)
    await monitor.stop()

    assert most == turns.FIRST_AT_ONCE
    assert begun == list(range(500))


async def test_first_looks_that_hang_let_the_next_ones_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "_FIRST_S", 0.05)
    seen = Collected()
    hung = [StubProbe(f"h{number}", never, interval_s=3600, deadline_s=3600) for number in range(100)]
    monitor = Monitor([*hung, StubProbe("last", lambda: taken("last"), interval_s=3600)], seen)
    monitor.start()
    await seen.until(lambda: len(seen.of("last")) == 1)
    await monitor.stop()
