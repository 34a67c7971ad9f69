"""A second look at a script that was not proven: what in it plainly stands where a command would.

The text is cut wherever a shell could begin a command, and quotes are not minded. So a piece may be no command at all,
which can only make a verdict worse: nothing found here is ever a reason to call a script harmless.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

MOST_PIECES = 20_000
_CUTS = re.compile(r"\\\n|[;&|(){}`\n]")
_INTRODUCED = re.compile(
    r"(?:(?:then|do|else|elif|if|while|until|time|coproc|exec|command|!|\$|>)\s+|[A-Za-z_]\w*\+?=\S*\s+)*"
)
_MEANINGLESS = re.compile(r"""["'\\]""")


def pieces(text: str) -> Iterator[str]:
    """What may be a command of its own, each once, without quotes and what introduces it."""
    seen: set[str] = set()
    for line in text.replace("\\\n", " ").split("\n"):
        if line.lstrip().startswith("#") and not _MEANINGLESS.search(line):
            continue
        for piece in _CUTS.split(line):
            bare = _MEANINGLESS.sub("", piece).strip()
            introduced = _INTRODUCED.match(bare)
            plain = bare[introduced.end() :] if introduced else bare
            if plain and plain not in seen:
                seen.add(plain)
                yield plain
                if len(seen) == MOST_PIECES:
                    return
