"""A process that does nothing, until it is ended; prints the longest it had to wait for the processor, in seconds."""

from __future__ import annotations

import signal
import time


def waiting() -> float:
    """Sleep in short turns until SIGTERM."""
    over: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_told: over.append(1))
    late_s = 0.0
    while not over:
        begun_s = time.monotonic()
        time.sleep(0.05)
        late_s = max(late_s, time.monotonic() - begun_s - 0.05)
    return late_s


if __name__ == "__main__":
    print(waiting())
