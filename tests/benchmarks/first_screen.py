"""The first screen of `cockpit RUNBOOK` beside the framework's floor: paint, keys, bytes, memory, idling, leaving.

Bars, as ratios to the floor in the same run: first paint (the title, and places for what is to come) 1.6; the steps on
the screen, and settled after that, 1.8; bytes until then 3, memory 1.6, key p50 3 and p95 4, leaving 2, no terminal
mode left set. Idle bytes and CPU go against `glances` where it is installed.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.benchmarks.sandbox import COCKPIT, PROGRAMS, ROOT, Sandbox
from tests.benchmarks.table import Figure, median, share
from tests.benchmarks.terminal import Missed, Terminal

RUNBOOK = ROOT / "runbooks" / "p0-rollback.en.md"
FIRST_LOOK = ROOT / "runbooks" / "first-look.en.md"
FLOOR = (sys.executable, str(PROGRAMS / "hello.py"))
FLOOR_NAME = "hello"
WHOLE = r"(?s)P0 rollback.*0/\d+ steps.*\[  \]"
"""The document was read and its steps stand there; what settles before that has not settled."""
WARM_UP_S = 2.0
IDLE_S = 6.0
KEYS = 24
OUR_KEYS = ("j", "k", "tab", "shift+tab")
LEAVING = ("q", "enter")
SPACING_S = 0.12


@dataclass(slots=True)
class Visit:
    """What one visit to a program brought; times in ms, sizes as they are."""

    paint: float = 0.0
    whole: float = 0.0
    settled: float = 0.0
    bytes_to_settle: int = 0
    rss: int = 0
    keys: list[float] = field(default_factory=list)
    silent_keys: int = 0
    idle_bytes_per_s: float = 0.0
    idle_cpu: float = 0.0
    leaving: float = 0.0
    modes_left: int = 0


def visit(
    command: Sequence[str],
    box: Sandbox,
    ready: str,
    keys: Sequence[str],
    idle_s: float,
    leaving: Sequence[str] = ("q",),
    whole: str = "",
) -> Visit:
    """Start a program, press its keys, let it idle, leave it."""
    found = Visit()
    with Terminal(command, environment=box.environment, cwd=box.folder) as terminal:
        found.paint = (terminal.wait_for(ready) - terminal.started_at) * 1000
        found.whole = (terminal.wait_for(whole) - terminal.started_at) * 1000 if whole else found.paint
        found.settled = (terminal.settle() - terminal.started_at) * 1000
        found.bytes_to_settle = terminal.cost().output_bytes
        found.rss = terminal.cost().rss_bytes
        terminal.watch(WARM_UP_S)
        _press_all(terminal, keys, found)
        if idle_s:
            _idle(terminal, idle_s, found)
        found.leaving = leave(terminal, leaving) * 1000 if keys else 0.0
        found.modes_left = len(terminal.modes_left) if keys else 0
    return found


def leave(terminal: Terminal, keys: Sequence[str]) -> float:
    """Press the keys that end a program; seconds from the last one to the end."""
    for key in keys[:-1]:
        terminal.press(key)
        terminal.watch(0.2)
    return terminal.quit(keys[-1])


def _press_all(terminal: Terminal, keys: Sequence[str], found: Visit) -> None:
    for n in range(KEYS if keys else 0):
        pressed = terminal.press(keys[n % len(keys)])
        try:
            found.keys.append((terminal.wait_for_change(SPACING_S * 2) - pressed) * 1000)
        except Missed:
            found.silent_keys += 1
        terminal.rest_until(pressed + SPACING_S)


def _idle(terminal: Terminal, idle_s: float, found: Visit) -> None:
    terminal.watch(1.0)
    before, begun = terminal.cost(), time.monotonic()
    terminal.watch(idle_s)
    after, passed_s = terminal.cost(), time.monotonic() - begun
    found.idle_bytes_per_s = (after.output_bytes - before.output_bytes) / passed_s
    found.idle_cpu = (after.cpu_s - before.cpu_s) / passed_s * 100


def figures(box: Sandbox, runs: int) -> list[Figure]:
    """Visit both in turn, so many times."""
    ours, floor = [], []
    for _ in range(runs):
        floor.append(visit(FLOOR, box, "hello world", ["x"], 0))
        ours.append(visit([*COCKPIT, str(RUNBOOK)], box, "P0 rollback", OUR_KEYS, 0, LEAVING, WHOLE))
        box.end_hosts()
    return [*_against_floor(ours, floor), *_idling(box)]


def _against_floor(ours: list[Visit], floor: list[Visit]) -> list[Figure]:
    def both(name: str, field_name: str, unit: str, bar: float, scale: float = 1.0) -> Figure:
        a = median(getattr(each, field_name) for each in ours) / scale
        b = median(getattr(each, field_name) for each in floor) / scale
        return Figure(name, a, unit, b, FLOOR_NAME, bar)

    our_keys = [key for each in ours for key in each.keys]
    floor_keys = [key for each in floor for key in each.keys]
    silent = sum(each.silent_keys for each in ours)
    return [
        both("first paint", "paint", "ms", 1.6),
        both("steps on the screen", "whole", "ms", 1.8),
        both("settled", "settled", "ms", 1.8),
        both("bytes until settled", "bytes_to_settle", "kB", 3.0, 1000),
        both("memory at the first screen", "rss", "MB", 1.6, 1e6),
        Figure("key p50", share(our_keys, 0.5), "ms", share(floor_keys, 0.5), FLOOR_NAME, 3.0),
        Figure("key p95", share(our_keys, 0.95), "ms", share(floor_keys, 0.95), FLOOR_NAME, 4.0),
        Figure("keys without an answer", silent, f"of {KEYS * len(ours)}", bar=0.0),
        both("leaving", "leaving", "ms", 2.0),
        Figure("terminal modes left set", max(each.modes_left for each in ours), "", bar=0.0),
    ]


def _idling(box: Sandbox) -> list[Figure]:
    """A first look at this machine: the clock, and the panels of what is found here."""
    ours = visit([*COCKPIT, str(FIRST_LOOK)], box, r"vm .*CPU", [], IDLE_S)
    floor = visit(FLOOR, box, "hello world", [], IDLE_S)
    box.end_hosts()
    glances = shutil.which("glances")
    if glances:
        peer = visit([glances], box, r"CPU", [], IDLE_S)
        return [
            Figure(
                "idle, with clock and panels: bytes",
                ours.idle_bytes_per_s,
                "B/s",
                peer.idle_bytes_per_s,
                "glances",
                1.0,
            ),
            Figure("idle, with clock and panels: CPU", ours.idle_cpu, "%", peer.idle_cpu, "glances", 1.0),
        ]
    note = f"glances is not installed; {FLOOR_NAME} has {floor.idle_bytes_per_s:.0f} B/s and {floor.idle_cpu:.1f} %"
    return [
        Figure("idle, with clock and panels: bytes", ours.idle_bytes_per_s, "B/s", note=note),
        Figure("idle, with clock and panels: CPU", ours.idle_cpu, "%"),
    ]
