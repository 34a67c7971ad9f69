"""The lists of commands beside this file, each written before the rules were held against it.

A line is a language, a verdict and a command, with tabs between; a newline in a command is written as ⏎.
`read-only` stands
for what plainly only reads. Any other verdict is a lower bound: the command may be judged worse, never better.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from cockpit.safety.verdict import Verdict

FOLDER = Path(__file__).parent
LISTS = tuple(sorted(path.name for path in FOLDER.glob("*.tsv")))

Row = tuple[str, Verdict, str]


@cache
def rows(name: str) -> tuple[Row, ...]:
    """The lines of one list."""
    lines = (line.split("\t", 2) for line in (FOLDER / name).read_text("utf-8").split("\n") if line)
    return tuple((language, Verdict(verdict), command.replace("⏎", "\n")) for language, verdict, command in lines)


def shell_commands() -> list[str]:
    """Every shell command of every list."""
    return [command for name in LISTS for language, _verdict, command in rows(name) if language == "bash"]
