"""What has no screen: help, reading runbooks, verdicts, steps.

Bars: `--help` within 4x of `python -c pass`; a runbook read within 3x of markdown-it-py alone; a step from intent to
result within 4x of `bash -c true` plus one paint interval (67 ms). Verdicts are shown beside the bare grammar, with no
bar.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from tests.benchmarks.first_screen import LEAVING, leave
from tests.benchmarks.sandbox import COCKPIT, ROOT, Sandbox
from tests.benchmarks.table import Figure, median
from tests.benchmarks.terminal import Terminal

STEPS = 30
# As long as a hand takes between two steps: an Enter that comes sooner may have been meant for the step before.
HAND_S = 0.6
PAINT_MS = 67.0


def help_text(box: Sandbox, runs: int) -> list[Figure]:
    """Both in turn."""
    ours, bare = [], []
    for _ in range(runs * 3):
        bare.append(_took_ms([sys.executable, "-c", "pass"], box))
        ours.append(_took_ms([*COCKPIT, "--help"], box))
    return [Figure("--help", median(ours), "ms", median(bare), "python -c pass", 4.0)]


def _took_ms(command: Sequence[str], box: Sandbox) -> float:
    begun = time.perf_counter()
    subprocess.run(command, env={**os.environ, **box.environment}, stdout=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - begun) * 1000


def reading(runs: int) -> list[Figure]:
    """All runbooks of this repository, read by us and by the bare Markdown parser."""
    from markdown_it import MarkdownIt

    from cockpit.runbook.reading import read

    paths = [path for folder in ("runbooks", "tests/data") for path in sorted((ROOT / folder).rglob("*.md"))]
    texts = [path.read_text(encoding="utf-8") for path in paths]
    bare = MarkdownIt("gfm-like", {"linkify": False})
    ours = _best_ms(lambda: [read(path) for path in paths], runs)
    theirs = _best_ms(lambda: [bare.parse(text) for text in texts], runs)
    return [Figure(f"reading {len(paths)} runbooks", ours, "ms", theirs, "markdown-it", 3.0)]


def verdicts(runs: int) -> list[Figure]:
    """Judging the corpus, beside parsing it with the bare grammar."""
    import tree_sitter_bash
    from tree_sitter import Language, Parser

    from cockpit.safety.judge import judge

    lines = (ROOT / "tests" / "data" / "verdicts" / "shell.tsv").read_text(encoding="utf-8").split("\n")
    commands = [line.split("\t", 1)[1].replace("⏎", "\n") for line in lines if "\t" in line]
    parser = Parser(Language(tree_sitter_bash.language()))
    ours = _best_ms(lambda: [judge("bash", command) for command in commands], runs)
    theirs = _best_ms(lambda: [parser.parse(command.encode()) for command in commands], runs)
    rate = len(commands) / ours * 1000
    note = f"{rate:,.0f} verdicts/s"
    return [Figure("one verdict", ours / len(commands), "ms", theirs / len(commands), "bare grammar", note=note)]


def _best_ms(work: Callable[[], object], runs: int) -> float:
    times = []
    for _ in range(max(3, runs)):
        begun = time.perf_counter()
        work()
        times.append((time.perf_counter() - begun) * 1000)
    return min(times)


def steps(box: Sandbox) -> list[Figure]:
    """A step that does nothing: with no screen from intent to finish, and on the screen from the key to the tick."""
    runbook = box.folder / "steps.md"
    runbook.write_text("# Steps\n\n" + "```bash\ntrue\n```\n\n" * STEPS)
    bash = asyncio.run(_bash_ms())
    headless = _headless_ms(runbook, box)
    on_screen = _on_screen_ms(runbook, box)
    box.end_hosts()
    allowed = (4 * bash + PAINT_MS) / bash
    return [
        Figure("step, intent to result", headless, "ms", bash, "bash -c true", allowed),
        Figure("step, key to tick on the screen", on_screen, "ms", bash, "bash -c true", allowed),
    ]


async def _bash_ms() -> float:
    times = []
    for _ in range(60):
        begun = time.perf_counter()
        process = await asyncio.create_subprocess_exec("bash", "-c", "true")
        await process.wait()
        times.append((time.perf_counter() - begun) * 1000)
    return median(times)


def _headless_ms(runbook: Path, box: Sandbox) -> float:
    ran = subprocess.run(
        [*COCKPIT, "run", str(runbook), "--yes", "--json"],
        env={**os.environ, **box.environment},
        capture_output=True,
        check=True,
    )
    events = [json.loads(line) for line in ran.stdout.splitlines()]
    intents = [datetime.fromisoformat(event["t"]) for event in events if event["kind"] == "step.intent"]
    ends = [datetime.fromisoformat(event["t"]) for event in events if event["kind"] == "step.finished"]
    return median((end - begin).total_seconds() * 1000 for begin, end in zip(intents, ends, strict=True))


def _on_screen_ms(runbook: Path, box: Sandbox) -> float:
    times = []
    with Terminal([*COCKPIT, str(runbook)], environment=box.environment, cwd=box.folder) as terminal:
        terminal.wait_for(f"0/{STEPS} steps")
        terminal.wait_for(r"read-only +on")
        terminal.watch(1.0)
        for n in range(1, 16):
            pressed = terminal.press("enter")
            times.append((terminal.wait_for(rf"\b{n}/{STEPS} steps", 5.0) - pressed) * 1000)
            terminal.watch(HAND_S)
        leave(terminal, LEAVING)
    return median(times)
