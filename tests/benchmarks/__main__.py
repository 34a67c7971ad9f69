"""All figures in one run: `python -m tests.benchmarks [--bars] [--runs N] [--only NAME]`.

Absolute figures depend on the machine; ratios taken in one run, in turn, much less. Each module says what its bars are:
`first_screen`, `logs`, `commands`, `redaction`, `ssh`, `cluster`, `scale`. Peers that are not installed are skipped and
named. With --bars the exit code is 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator

from tests.benchmarks import commands, first_screen, logs
from tests.benchmarks.cluster import cluster
from tests.benchmarks.redaction import redaction
from tests.benchmarks.sandbox import Sandbox, sandbox
from tests.benchmarks.scale import scale
from tests.benchmarks.ssh import ssh
from tests.benchmarks.table import Figure, share, shown
from tests.benchmarks.terminal import Missed

GROUPS = (
    "screen",
    "open",
    "follow",
    "lost",
    "help",
    "reading",
    "verdicts",
    "redaction",
    "steps",
    "ssh",
    "cluster",
    "scale",
)


def measure(box: Sandbox, wanted: str, runs: int) -> Iterator[Figure]:
    """The figures of one group, or of all."""
    work: dict[str, Callable[[], list[Figure]]] = {
        "screen": lambda: first_screen.figures(box, runs),
        "open": lambda: logs.opening(box, runs),
        "follow": lambda: logs.following(box, floor_key_p95(box)),
        "lost": lambda: logs.nothing_lost(box),
        "help": lambda: commands.help_text(box, runs),
        "reading": lambda: commands.reading(runs),
        "verdicts": lambda: commands.verdicts(runs),
        "redaction": lambda: redaction(runs),
        "steps": lambda: commands.steps(box),
        "ssh": lambda: ssh(box),
        "cluster": lambda: cluster(box),
        "scale": lambda: scale(box),
    }
    for name in GROUPS:
        if wanted in ("", name):
            print(f"measuring: {name}", file=sys.stderr, flush=True)
            try:
                yield from work[name]()
            except Missed as error:
                print(error, file=sys.stderr)
                yield Figure(f"{name}: could not be measured", 1.0, "", bar=0.0)


def floor_key_p95(box: Sandbox) -> float:
    """What a key costs at least."""
    return share(first_screen.visit(first_screen.FLOOR, box, "hello world", ["x"], 0).keys, 0.95)


def main() -> int:
    """Measure, print, and say whether all bars hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--bars", action="store_true", help="exit 1 when a bar is missed")
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="how often each start is measured (5)")
    parser.add_argument("--only", choices=GROUPS, default="", help="one group of figures")
    options = parser.parse_args()
    with sandbox() as box:
        figures = list(measure(box, options.only, options.runs))
    print(shown(figures))
    missed = [figure.name for figure in figures if figure.missed]
    if missed:
        print("missed: " + ", ".join(missed))
    return 1 if options.bars and missed else 0


if __name__ == "__main__":
    sys.exit(main())
