"""A process that does nothing, until it is ended; prints the longest it had to wait for the processor, in seconds."""

from __future__ import annotations

import os
import signal
import time


def waiting() -> float:
    """Sleep in short turns until SIGTERM, or until whoever started it is gone."""
    over: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_told: over.append(1))
    late_s, parent = 0.0, os.getppid()
    while not over and os.getppid() == parent:
        begun_s = time.monotonic()
        time.sleep(0.05)
        late_s = max(late_s, time.monotonic() - begun_s - 0.05)
    return late_s


if __name__ == "__main__":
    print(waiting())
