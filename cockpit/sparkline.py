"""Numbers drawn in one row of block characters."""

from __future__ import annotations

import math
from collections.abc import Sequence

_BLOCKS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float | None], cells: int) -> str:
    """The values between their least and greatest, one a cell; a blank where there is none.

    Where there are more values than cells, each cell shows the greatest of its share: a peak is never drawn away.
    """
    shares = [_greatest(values[at]) for at in _shares(len(values), cells)]
    drawn = [value for value in shares if value is not None]
    if not drawn:
        return ""
    low, high = min(drawn), max(drawn)
    scale = (len(_BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(" " if value is None else _BLOCKS[round((value - low) * scale)] for value in shares)


def _shares(count: int, cells: int) -> list[slice]:
    cells = min(count, cells)
    return [slice(cell * count // cells, (cell + 1) * count // cells) for cell in range(cells)]


def _greatest(values: Sequence[float | None]) -> float | None:
    return max((value for value in values if value is not None and math.isfinite(value)), default=None)
