"""Rows of text that change often, painted sparingly: only rows that differ, only so many times a second."""

from __future__ import annotations

import time
from collections.abc import Callable

from textual import events
from textual.geometry import Region
from textual.strip import Strip
from textual.timer import Timer

from screens.paint import BLANK, Line, strip_of
from screens.panes.pane import changed_region
from screens.panes.seen import Seen
from screens.themes import palette_of

PAINTS_PER_S = 12.0


class LogLines(Seen, can_focus=True):
    """Shows what `compose_rows(width, height)` gives. While nobody asks for a paint, nothing happens at all."""

    DEFAULT_CSS = """
    LogLines { height: 1fr; width: 1fr; }
    """

    def __init__(self, compose_rows: Callable[[int, int], list[Line]]) -> None:
        super().__init__()
        self._compose_rows = compose_rows
        self._painted: list[Line] = []
        self._painted_at = 0.0
        self._waiting: Timer | None = None

    def paint_soon(self) -> None:
        """Something changed by itself: paint now, or as soon as it is time."""
        if self._waiting:
            return
        due_s = self._painted_at + 1 / PAINTS_PER_S - time.monotonic()
        if due_s <= 0:
            self.paint()
        else:
            self._waiting = self.set_timer(due_s, self.paint)

    def paint(self) -> None:
        """Something was done: paint at once, the rows that differ."""
        if self._waiting:
            self._waiting.stop()
            self._waiting = None
        if not self.size or not self.is_attached:
            return
        self._painted_at = time.monotonic()
        fresh = self._compose_rows(self.size.width, self.size.height)
        fresh += [BLANK] * (self.size.height - len(fresh))
        changed = [y for y, row in enumerate(fresh) if y >= len(self._painted) or row != self._painted[y]]
        width = self.size.width
        if len(fresh) != len(self._painted) or len(changed) > len(fresh) // 2:
            self.paint_seen([Region(0, y, width, 1) for y in range(len(fresh))])
        else:
            self.paint_seen([changed_region(y, self._painted[y], fresh[y], width) for y in changed])
        self._painted = fresh

    def render_line(self, y: int) -> Strip:
        """One row of the terminal, as the last paint found it."""
        shown = self._painted[y] if y < len(self._painted) else BLANK
        return strip_of(shown, self.size.width, palette_of(self.app.theme), self.rich_style)

    def notify_style_update(self) -> None:
        """Another theme: all rows anew."""
        super().notify_style_update()
        self._painted = []
        self.paint()

    def on_resize(self, _event: events.Resize) -> None:
        """Another size: all rows anew."""
        self._painted = []
        self.paint()
