"""Lines of several streams that come interleaved, each stream masked by itself: a key's lines stand apart otherwise."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from cockpit.monitor.logs.cleaning import Cleaning

_MOST_SOURCES = 256


class CleaningBySource:
    """Keeps, for each stream, what runs over several lines; of those that were silent longest it forgets it."""

    def __init__(self) -> None:
        self._cleanings: OrderedDict[str, Cleaning] = OrderedDict()

    def lines(self, given: Sequence[tuple[str, bytes]]) -> list[list[str]]:
        """For each (stream, line) what of it may be shown: mostly one line, none where several became one."""
        blocks: dict[str, list[int]] = {}
        for index, (source, _line) in enumerate(given):
            blocks.setdefault(source, []).append(index)
        shown: list[list[str]] = [[] for _each in given]
        for source, places in blocks.items():
            cleaned = self._of(source).lines(b"".join(given[index][1] + b"\n" for index in places))
            if len(cleaned) == len(places):
                for index, line in zip(places, cleaned, strict=True):
                    shown[index] = [line]
            else:
                shown[places[0]] = cleaned
        return shown

    def _of(self, source: str) -> Cleaning:
        cleaning = self._cleanings.setdefault(source, Cleaning())
        self._cleanings.move_to_end(source)
        if len(self._cleanings) > _MOST_SOURCES:
            self._cleanings.popitem(last=False)
        return cleaning
