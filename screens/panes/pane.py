"""A pane: rows of plain lines in one widget, painted through the line API.

What is on the terminal is remembered row by row: a change repaints the cells that differ and nothing else, so a pane
whose text stays the same sends no byte.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.geometry import Region, Size

from screens.paint import BLANK, Line, Span, fit, line, spread, strip_of
from screens.panes.seen import Seen
from screens.themes import palette_of

if TYPE_CHECKING:
    from textual import events
    from textual.strip import Strip

    from screens.view import View


class Canvas(Seen):
    """Rows of lines. Subclasses give `count`, `row_at` and, if they have a title bar, `title_text`."""

    DEFAULT_CSS = """
    Canvas { height: 1fr; width: 1fr; }
    """
    titled = True
    standing = 0

    def __init__(self, canvas_id: str | None) -> None:
        super().__init__(id=canvas_id)
        self.top = 0
        self.active = False
        self._painted: list[Line] = []
        self._painted_for: Size | None = None
        self._folded_for = 0

    # -- what subclasses say -----------------------------------------------------------------------------------------

    def count(self) -> int:
        """How many rows there are in all, title aside."""
        return 0

    def row_at(self, index: int) -> Line:
        """One row."""
        raise NotImplementedError

    def gather(self) -> None:
        """Take what is to be shown, before it is counted; for those that keep rows of their own."""

    def follow_cursor(self) -> None:
        """Scroll so that the current step shows, where steps are shown."""

    def laid_out(self) -> None:
        """The width changed; those that fold text forget their rows."""

    def title_text(self) -> str:
        """The title bar's text."""
        return ""

    # -- painting ----------------------------------------------------------------------------------------------------

    @property
    def room(self) -> int:
        """Rows below the title."""
        return max(0, self.size.height - (1 if self.titled else 0))

    def sync(self) -> None:
        """Bring the terminal up to date, repainting only cells that differ."""
        if not self.size or not self.is_attached:
            return
        fresh = self._rows_now()
        if self._painted_for != self.size:
            # A new size is painted whole by Textual; what `render_line` is to find is there already.
            self._painted, self._painted_for = fresh, self.size
            return
        rows = enumerate(zip(self._painted, fresh, strict=True))
        self.paint_seen([changed_region(y, old, new, self.size.width) for y, (old, new) in rows if old != new])
        self._painted = fresh

    def render_line(self, y: int) -> Strip:
        """One row of the terminal, as `sync` found it, or found now for a size that is new."""
        if self._painted_for != self.size:
            self._painted, self._painted_for = self._rows_now(), self.size
        shown = self._painted[y] if y < len(self._painted) else BLANK
        return strip_of(shown, self.size.width, palette_of(self.app.theme), self.rich_style)

    def _rows_now(self) -> list[Line]:
        if self.size.width != self._folded_for:
            self._folded_for = self.size.width
            self.laid_out()
        self.gather()
        self.top = max(0, min(self.top, self.count() - self.room))
        return [self._compose_row(y) for y in range(self.size.height)]

    def stand(self, rows: int) -> None:
        """Take so many rows of the screen. Said only when it is another number: saying it lays out everything."""
        if self.standing != rows:
            self.standing = rows
            self.styles.height = rows

    def repaint(self) -> None:
        """Everything anew: the theme or the document changed."""
        self._painted_for = None
        self.sync()
        self.refresh()

    def _compose_row(self, y: int) -> Line:
        if self.titled and y == 0:
            return self._title_row()
        index = self.top + y - (1 if self.titled else 0)
        return self.row_at(index) if index < self.count() else BLANK

    def _title_row(self) -> Line:
        style = "bar-active" if self.active else "bar"
        total, last = self.count(), self.top + self.room
        where = "" if total <= self.room or not self.room else f"{self.top + 1}-{min(last, total)}/{total} "
        left = line(f" {fit(self.title_text(), self.size.width - 2)}", row=style)
        return spread(left, Line(((where, ""),)), self.size.width)

    # -- moving ------------------------------------------------------------------------------------------------------

    def scroll_rows(self, rows: int) -> None:
        """Move the window; it stops at both ends."""
        self.top = max(0, min(self.top + rows, self.count() - self.room))
        self.sync()

    def reveal(self, first: int, last: int) -> None:
        """Move the window as little as needed for these rows to be seen, the first one before the last."""
        if last >= self.top + self.room:
            self.top = last - self.room + 1
        if first < self.top or self.room <= last - first:
            self.top = first

    def on_resize(self, _event: events.Resize) -> None:
        """More or fewer rows."""
        self.follow_cursor()
        self.sync()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Three rows a notch."""
        self.scroll_rows(3)
        event.stop()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Three rows a notch."""
        self.scroll_rows(-3)
        event.stop()


class Pane(Canvas):
    """A canvas that draws from the view."""

    def __init__(self, view: View, pane_id: str | None) -> None:
        super().__init__(pane_id)
        self.view = view


def changed_region(y: int, old: Line, new: Line, width: int) -> Region:
    """The part of row `y` outside which two rows look the same."""
    if old.row != new.row:
        return Region(0, y, width, 1)
    start = sum(cell_len(a[0]) for a in _shared(old.spans, new.spans))
    if old.width != new.width:
        return Region(min(start, width - 1), y, max(1, width - start), 1)
    end = old.width - sum(cell_len(a[0]) for a in _shared(old.spans[::-1], new.spans[::-1]))
    start = min(start, width - 1)
    return Region(start, y, max(1, min(end, width) - start), 1)


def _shared(old: Sequence[Span], new: Sequence[Span]) -> Iterator[Span]:
    """The spans that both begin with."""
    for before, after in zip(old, new, strict=False):
        if before != after:
            return
        yield before
