"""Logs: opening a file of five million lines, and following one that grows.

Bars: the large file opens within 1.1x of a small one's time and 1.2x of its memory; at 10,000 and 50,000 lines/s no key
goes unanswered for 200 ms, key p95 is within 8x of the floor's, the last line shows, bytes to the terminal from 10,000
to 50,000 lines/s grow within 1.2x, and no line is lost or comes twice through rotations. CPU goes against the
framework's own log widget. Where `tl` (toolong) or `lnav` is installed, opening is held to 0.15x of `tl`'s time, and
lag to 0.3x (10,000) and 0.05x (50,000) of `tl`'s and 0.3x of `lnav`'s.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cockpit.monitor.logs.raw_tail import Chunk, RawTail
from tests.benchmarks import first_screen
from tests.benchmarks.programs import log_writer
from tests.benchmarks.sandbox import PROGRAMS, Sandbox
from tests.benchmarks.table import Figure, median, share
from tests.benchmarks.terminal import Missed, Terminal

LARGE_LINES = 5_000_000
SMALL_LINES = 1_000
FOLLOW_S = 6.0
KEY_SPACING_S = 0.2
FRAME_S = 0.02
_NUMBER = re.compile(r"case-api,(\d{10})")
Command = Sequence[str]


def program(kind: str, path: Path) -> Command:
    """A program that shows this log with our pane, or with the framework's widget."""
    return [sys.executable, str(PROGRAMS / "log_program.py"), kind, str(path)]


# -- opening -----------------------------------------------------------------------------------------------------------


def opening(box: Sandbox, runs: int) -> list[Figure]:
    """Time until the last line shows, and memory then."""
    small, large = box.folder / "small.log", box.folder / "large.log"
    log_writer.write(small, SMALL_LINES)
    log_writer.write(large, LARGE_LINES)
    taken: dict[Path, list[tuple[float, float]]] = {small: [], large: []}
    for _ in range(runs):
        for path, lines in ((small, SMALL_LINES), (large, LARGE_LINES)):
            taken[path].append(_until_last(program("pane", path), box, lines))
    times = {path: median(time_ms for time_ms, _ in each) for path, each in taken.items()}
    memory = {path: median(size for _, size in each) for path, each in taken.items()}
    found = [
        Figure("open 5,000,000 lines", times[large], "ms", times[small], "1,000 lines", 1.1),
        Figure("memory then", memory[large], "MB", memory[small], "1,000 lines", 1.2),
        _against_tl(box, large, times[large]),
    ]
    large.unlink()
    return found


def _until_last(command: Command, box: Sandbox, lines: int) -> tuple[float, float]:
    with Terminal(command, environment=box.environment) as terminal:
        at = terminal.wait_for(f"case-api,{lines - 1:010d}", timeout_s=60)
        return (at - terminal.started_at) * 1000, terminal.cost().rss_bytes / 1e6


def _against_tl(box: Sandbox, large: Path, ours: float) -> Figure:
    tl = shutil.which("tl")
    if not tl:
        return Figure("open 5,000,000 lines", None, "ms", note="tl (toolong) is not installed")
    return Figure("open 5,000,000 lines", ours, "ms", _until_last([tl, str(large)], box, LARGE_LINES)[0], "tl", 0.15)


# -- following ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Follow:
    """One program following one flow of lines."""

    lag_ms: list[float] = field(default_factory=list)
    caught_up: bool = False
    cpu: float = 0.0
    tty_bytes_per_s: float = 0.0
    keys_ms: list[float] = field(default_factory=list)
    missed_keys: int = 0
    peak_rss: int = 0


def follow(command: Command, box: Sandbox, path: Path, rate: float, *, keys: bool) -> Follow:
    """Follow a log into which lines flow; with keys pressed meanwhile when they are to be measured."""
    timeline = box.folder / "timeline"
    path.unlink(missing_ok=True)
    log_writer.write(path, SMALL_LINES)
    found = Follow()
    with Terminal(command, environment=box.environment) as terminal:
        terminal.wait_for(f"case-api,{SMALL_LINES - 1:010d}")
        terminal.settle()
        before, begun = terminal.cost(), time.monotonic()
        writer = _writer(path, rate, FOLLOW_S, timeline)
        shown = _with_keys(terminal, found) if keys else terminal.watch(FOLLOW_S)
        after, passed_s = terminal.cost(), time.monotonic() - begun
        writer.wait()
        shown += terminal.watch(1.5)
        found.cpu = (after.cpu_s - before.cpu_s) / passed_s * 100
        found.tty_bytes_per_s = (after.output_bytes - before.output_bytes) / passed_s
        found.peak_rss = after.rss_bytes
    _judge_lag(found, shown, timeline)
    return found


def _writer(path: Path, rate: float, seconds: float, timeline: Path, rotate_s: float = 0.0) -> subprocess.Popen[bytes]:
    script = str(PROGRAMS / "log_writer.py")
    arguments = [str(path), str(rate), str(seconds), str(timeline), str(rotate_s)]
    return subprocess.Popen([sys.executable, script, *arguments])


def _with_keys(terminal: Terminal, found: Follow) -> list[tuple[float, str]]:
    """Press a key whose effect is its own; a pressed key that shows nothing for KEY_SPACING_S is missed."""
    end = time.monotonic() + FOLLOW_S
    presses = 0
    while time.monotonic() < end:
        presses += 1
        pressed = terminal.press("x")
        try:
            at = terminal.wait_for(f"count={presses};", KEY_SPACING_S)
            found.keys_ms.append((at - pressed) * 1000)
        except Missed:
            found.missed_keys += 1
        terminal.rest_until(pressed + KEY_SPACING_S)
    return []


def _judge_lag(found: Follow, shown: list[tuple[float, str]], timeline: Path) -> None:
    written = [(float(at), int(number)) for at, number in map(str.split, timeline.read_text().splitlines())]
    newest = [(at, max(map(int, numbers))) for at, text in shown if (numbers := _NUMBER.findall(text))]
    found.caught_up = bool(newest) and newest[-1][1] == written[-1][1]
    if not newest:
        return
    sample = written[0][0] + 0.5
    while sample < written[-1][0]:
        seen = max((number for at, number in newest if at <= sample), default=-1)
        oldest = next((at for at, number in written if number > seen), sample)
        found.lag_ms.append(max(0.0, sample - oldest) * 1000)
        sample += 0.05


def following(box: Sandbox, floor_key_p95: float) -> list[Figure]:
    """Both rates, with and without keys."""
    path = box.folder / "growing.log"
    rates = (10_000, 50_000)
    ours = {rate: follow(program("pane", path), box, path, rate, keys=False) for rate in rates}
    widget = {rate: follow(program("log", path), box, path, rate, keys=False) for rate in rates}
    found: list[Figure] = []
    for rate in rates:
        name = f"{rate:,} lines/s"
        pressed = follow(program("pane", path), box, path, rate, keys=True)
        mine, plain = ours[rate], widget[rate]
        key_p95 = share(pressed.keys_ms or [KEY_SPACING_S * 1000], 0.95)
        found += [
            Figure(f"{name}: last line not shown", float(not mine.caught_up), "", bar=0.0),
            Figure(f"{name}: lag p95", share(mine.lag_ms, 0.95), "ms", share(plain.lag_ms, 0.95), "textual Log"),
            *_against_peers(box, path, rate, share(mine.lag_ms, 0.95)),
            Figure(f"{name}: CPU", mine.cpu, "%", plain.cpu, "textual Log", 1.0),
            Figure(
                f"{name}: to the terminal",
                mine.tty_bytes_per_s / 1000,
                "kB/s",
                plain.tty_bytes_per_s / 1000,
                "textual Log",
            ),
            Figure(f"{name}: key p95", key_p95, "ms", floor_key_p95, first_screen.FLOOR_NAME, 8.0),
            Figure(
                f"{name}: keys missed (200 ms)", pressed.missed_keys, f"of {int(FOLLOW_S / KEY_SPACING_S)}", bar=0.0
            ),
        ]
    slow, fast = ours[rates[0]], ours[rates[1]]
    found.append(
        Figure(
            "to the terminal, 50,000 lines/s",
            fast.tty_bytes_per_s / 1000,
            "kB/s",
            slow.tty_bytes_per_s / 1000,
            "10,000 lines/s",
            1.2,
        )
    )
    return found


def _against_peers(box: Sandbox, path: Path, rate: int, ours: float) -> list[Figure]:
    found = []
    for peer, bar in (("tl", 0.3 if rate == 10_000 else 0.05), ("lnav", 0.3)):
        where = shutil.which(peer)
        if not where:
            found.append(Figure(f"{rate:,} lines/s: lag p95", None, "ms", note=f"{peer} is not installed"))
            continue
        theirs = follow([where, str(path)], box, path, rate, keys=False)
        found.append(Figure(f"{rate:,} lines/s: lag p95", ours, "ms", share(theirs.lag_ms, 0.95), peer, bar))
    return found


# -- losing nothing ----------------------------------------------------------------------------------------------------


def nothing_lost(box: Sandbox) -> list[Figure]:
    """Every line of a flow of 50,000 a second through a rotation each second, once; and memory that stays bounded."""
    path, timeline = box.folder / "rotated.log", box.folder / "timeline"
    log_writer.write(path, 1)
    tail = RawTail(path)
    tail.poll()
    writer = _writer(path, 50_000, 4.0, timeline, rotate_s=1.0)
    numbers: list[int] = []
    quiet_since = time.monotonic()
    while writer.poll() is None or time.monotonic() - quiet_since < 1.5:
        for piece in tail.poll().pieces:
            if isinstance(piece, Chunk):
                numbers += map(int, re.findall(rb"case-api,(\d{10})", piece.data))
                quiet_since = time.monotonic()
        time.sleep(FRAME_S)
    tail.close()
    wanted = range(1_000_000, int(timeline.read_text().split()[-1]) + 1)
    lost = len(set(wanted) - set(numbers))
    return [
        Figure("50,000 lines/s, 3 rotations: lines lost", lost, f"of {len(wanted):,}", bar=0.0),
        Figure("50,000 lines/s, 3 rotations: lines repeated", len(numbers) - len(set(numbers)), "", bar=0.0),
        _bounded_memory(box),
    ]


def _bounded_memory(box: Sandbox) -> Figure:
    path = box.folder / "retained.log"
    log_writer.write(path, SMALL_LINES)
    with Terminal(program("pane", path), environment=box.environment) as terminal:
        terminal.wait_for(f"case-api,{SMALL_LINES - 1:010d}")
        sizes = []
        for seconds in (6.0, 14.0):  # 300,000 lines, then 700,000 more
            writer = _writer(path, 50_000, seconds, box.folder / "timeline")
            terminal.watch(seconds + 0.5)
            writer.wait()
            sizes.append(terminal.cost().rss_bytes / 1e6)
    return Figure("memory after 1,000,000 lines", sizes[1], "MB", sizes[0], "300,000 lines", 1.1)
