"""How fast secrets are masked, in what is slowest to look through, beside ordinary lines of a log.

Bars: base64 and hex dumps, lines full of the words that secrets are called, and lines that end in dots within 2.5x of
ordinary lines, with a dozen known values.
"""

from __future__ import annotations

import base64
import random
import time
from collections.abc import Iterator

from cockpit.safety.redaction.redactor import Redactor
from tests.benchmarks.table import Figure

_CHUNK_BYTES = 1 << 16
_BAR = 2.5


def redaction(runs: int) -> list[Figure]:
    """Milliseconds of processor time a megabyte, the best of some runs, taken in turn."""
    texts = dict(_texts(random.Random(7)))
    known = [f"Zq{number}x-{random.Random(number).randbytes(9).hex()}-Lw" for number in range(12)]
    best = dict.fromkeys(texts, float("inf"))
    for _ in range(max(3, runs)):
        for name, text in texts.items():
            best[name] = min(best[name], _took_ms(text, known))
    ordinary = best.pop("ordinary lines")
    return [
        Figure(f"masking {name}, a MB", took, "ms", ordinary, "ordinary lines", _BAR) for name, took in best.items()
    ]


def _took_ms(text: bytes, known: list[str]) -> float:
    redactor = Redactor(known)
    begun = time.process_time()
    for at in range(0, len(text), _CHUNK_BYTES):
        redactor.feed(text[at : at + _CHUNK_BYTES])
    redactor.flush()
    return (time.process_time() - begun) * 1e9 / len(text)


def _texts(dice: random.Random) -> Iterator[tuple[str, bytes]]:
    packed = base64.b64encode(dice.randbytes(1_500_000))
    yield (
        "ordinary lines",
        b"".join(b"10:00:%02d INFO order %d in %d ms\n" % (n % 60, n, n % 97) for n in range(60_000)),
    )
    yield "base64", b"".join(packed[at : at + 76] + b"\n" for at in range(0, len(packed), 76))
    yield "hex", b"".join(dice.randbytes(32).hex().encode() + b"\n" for _ in range(30_000))
    words = b"token refresh: key rotation for password policy, secret store ok; credential cache hit %d\n"
    yield "lines of keywords", b"".join(words % n for n in range(22_000))
    yield "lines that end in dots", b"".join(b"Starting service number %d...\n" % n for n in range(60_000))
