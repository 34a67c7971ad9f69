"""A host's watch and nothing else, for some seconds; prints what it cost: `watching.py CONFIG FOLDER SECONDS`."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

import psutil

from cockpit.config import load
from cockpit.monitor.watch import Watch
from cockpit.runbook.reading import parse
from cockpit.session.record.folder import SessionFolder
from cockpit.session.steps.targets import targets_of


async def watching(config: Path, root: Path, seconds: float) -> None:
    """Half of the time to begin, the other half measured."""
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
    await asyncio.sleep(seconds / 2)
    taken, used_s, begun_s = len(came), time.process_time(), time.monotonic()
    late_s = 0.0
    while (now_s := time.monotonic()) < begun_s + seconds / 2:
        await asyncio.sleep(0.05)
        late_s = max(late_s, time.monotonic() - now_s - 0.05)
    share = 100 * (time.process_time() - used_s) / (time.monotonic() - begun_s)
    memory = psutil.Process().memory_info().rss / (1 << 20)
    threads = psutil.Process().num_threads()
    print(json.dumps({"cpu": share, "rss": memory, "samples": len(came) - taken, "late": late_s, "threads": threads}))
    await watch.stop()


if __name__ == "__main__":
    asyncio.run(watching(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])))
