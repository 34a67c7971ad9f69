"""Writes numbered log lines at a steady rate: `log_writer.py FILE RATE SECONDS TIMELINE [ROTATE_S]`.

TIMELINE gets "monotonic-seconds last-number" after each write. With ROTATE_S the file is renamed and made anew that
often.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

TICK_S = 0.01
_TEXTS = (
    "GET /api/v1/cases/4711 200 in 12 ms user=u3",
    "주문 4711 접수 완료 (담당자=김민수, 처리시간=15ms)",
    "slow query 1204 ms: select * from cases where id = 4711",
    "판정 서비스 응답 수신: 사건번호=4711 결과=승인",
)


def line(number: int) -> bytes:
    """One line of about 170 bytes, some of them warnings and errors."""
    level = "ERROR" if number % 97 == 0 else " WARN" if number % 19 == 0 else " INFO"
    head = f"2026-11-20 23:34:09.123 {level} [case-api,{number:010d}] 4242 --- [nio-8080-exec-3]"
    return f"{head} c.e.c.web.CaseController                 : {_TEXTS[number % 4]}\n".encode()


def write(path: Path, count: int) -> None:
    """A file of so many lines."""
    with path.open("wb") as file:
        for start in range(0, count, 10_000):
            file.write(b"".join(map(line, range(start, min(count, start + 10_000)))))


def flow(path: Path, rate: float, seconds: float, timeline: Path, rotate_s: float) -> None:
    """Lines at a steady rate for a while."""
    lines = [line(number) for number in range(1_000_000, 1_000_000 + int(rate * seconds))]
    begun, written, rotations = time.monotonic(), 0, 0
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with timeline.open("w", buffering=1) as times:
        while written < len(lines):
            passed_s = time.monotonic() - begun
            if rotate_s and passed_s > rotate_s * (rotations + 1):
                rotations += 1
                os.close(descriptor)
                path.rename(f"{path}.{rotations}")
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            due = min(len(lines), int(passed_s * rate))
            if due > written:
                os.write(descriptor, b"".join(lines[written:due]))
                written = due
                times.write(f"{time.monotonic():.6f} {1_000_000 + written - 1}\n")
            time.sleep(TICK_S)


if __name__ == "__main__":
    flow(
        Path(sys.argv[1]),
        float(sys.argv[2]),
        float(sys.argv[3]),
        Path(sys.argv[4]),
        float(sys.argv[5]) if len(sys.argv) > 5 else 0.0,
    )
