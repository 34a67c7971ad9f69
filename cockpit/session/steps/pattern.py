"""A document's regular expression held against an output: bounded in time, in memory, and in what it may bring back.

`regex` and not `re`: it takes a deadline and lets other threads run meanwhile. Its deadline begins once the pattern is
compiled, though, and a counted repetition is written out then: `a{1000000000}` would take all memory before it matched
anything. So the size a pattern would have written out is worked out first.
"""

from __future__ import annotations

import re

TIMEOUT_S = 1.0
LARGEST = 50_000
"""Elements of a pattern, with its counted repetitions written out."""

_ELEMENT = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[^\\]", re.DOTALL)
_COUNT = re.compile(r"\{(\d*)(?:(,)(\d*))?\}")


def size(pattern: str) -> int:
    """How many elements the pattern has when its counted repetitions are written out."""
    sizes, last = [0], 0
    at = 0
    while at < len(pattern):
        count = _COUNT.match(pattern, at)
        if count and (count[1] or count[3]):
            # What stands there once already is repeated: it was counted once.
            times = max(int(count[1] or 0), int(count[3] or 0), 1)
            sizes[-1] += last * (min(times, LARGEST * 2) - 1)
            last *= min(times, LARGEST * 2)
            at = count.end()
            continue
        element = _ELEMENT.match(pattern, at)
        at = element.end() if element else at + 1
        piece = element[0] if element else ""
        if piece == "(":
            sizes.append(0)
        elif piece == ")" and len(sizes) > 1:
            last = sizes.pop() + 1
            sizes[-1] += last
        else:
            last = 1
            sizes[-1] += 1
    return sum(sizes)


def found(pattern: str, text: str, times: int) -> tuple[int, str]:
    """How often the pattern is found, counting no further than `times`, and what was found first.

    Raises:
        TimeoutError: it took too long, or would take too much; a person must look.
        ValueError: the pattern is not valid; says why.
    """
    import regex

    if size(pattern) > LARGEST:
        raise TimeoutError
    count, first = 0, ""
    try:
        for match in regex.finditer(f"(?m:{pattern})", text, timeout=TIMEOUT_S):
            first = match[0] if not count else first
            count += 1
            if count >= times:
                break
    except (regex.error, RecursionError, OverflowError) as error:
        raise ValueError(str(error)) from error
    except MemoryError as error:
        raise TimeoutError from error
    return count, first
