"""A host's watch and nothing else, for some seconds; prints what it cost: `watching.py CONFIG FOLDER SECONDS`."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

import psutil

from cockpit.commands.open_files import allow_many_files
from cockpit.config import load
from cockpit.monitor.watch import Watch
from cockpit.runbook.reading import parse
from cockpit.session.record.folder import SessionFolder
from cockpit.session.steps.targets import targets_of


async def watching(config: Path, root: Path, seconds: float) -> None:
    """Half of the time to begin, the other half measured."""
    allow_many_files()
    read, taken = load(config), 0
    folder = SessionFolder(root)
    folder.logs.mkdir()
    came: list[float] = []
    watch = Watch(
        read,
        parse("# Nothing\n"),
        folder,
        on_sample=lambda: came.append(time.monotonic()),
        adapters=targets_of(read.targets, read.origin),
    )
    await watch.start()
    late_beginning_s = await longest_wait_s(seconds / 2)
    taken, used_s, begun_s = len(came), time.process_time(), time.monotonic()
    late_s = await longest_wait_s(seconds / 2)
    share = 100 * (time.process_time() - used_s) / (time.monotonic() - begun_s)
    memory = psutil.Process().memory_info().rss / (1 << 20)
    told = {"cpu": share, "rss": memory, "samples": len(came) - taken, "late": late_s}
    told |= {
        "late_beginning": late_beginning_s,
        "threads": psutil.Process().num_threads(),
        "answering": answering(root),
    }
    print(json.dumps(told))
    await watch.stop()


async def longest_wait_s(seconds: float) -> float:
    """How long an event of the loop had to wait for its turn, at most, in that time."""
    late_s, until_s = 0.0, time.monotonic() + seconds
    while (now_s := time.monotonic()) < until_s:
        await asyncio.sleep(0.05)
        late_s = max(late_s, time.monotonic() - now_s - 0.05)
    return late_s


def answering(root: Path) -> int:
    """Probes whose newest sample holds data."""
    samples = [json.loads(line) for line in (root / "samples.jsonl").read_text().splitlines()]
    return sum(outcome == "data" for outcome in {each["probe"]: each["outcome"] for each in samples}.values())


if __name__ == "__main__":
    asyncio.run(watching(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])))
