"""Where a person types: what is pasted is made fit to show, and none of it is lost without a word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.strip import Strip
from textual.widgets import Input, TextArea

from cockpit.safety.text import in_one_cell, sanitise

if TYPE_CHECKING:
    from textual import events
    from textual.geometry import Region


class Typed(Input):
    """A field of one row."""

    def render_lines(self, crop: Region) -> list[Strip]:
        """Its rows in a frame."""
        return super().render_lines(crop) if self.is_attached else _gone(crop)

    def render_line(self, y: int) -> Strip:
        """The row as a terminal may have it."""
        return _guarded(super().render_line(y), self.size.width)

    def on_paste(self, event: events.Paste) -> None:
        """Several lines become one: what will be taken is what is seen."""
        event.prevent_default()
        event.stop()
        lines = [each for each in _fit(event.text).split("\n") if each.strip()]
        start, end = sorted((self.selection.start, self.selection.end))
        self.replace(" ".join(each.strip() for each in lines) if len(lines) > 1 else "".join(lines), start, end)


class TypedLines(TextArea):
    """A field of several rows."""

    def __init__(self, text: str) -> None:
        super().__init__(text, show_line_numbers=False, compact=True)
        self.cursor_blink = False

    def render_lines(self, crop: Region) -> list[Strip]:
        """Its rows in a frame."""
        return super().render_lines(crop) if self.is_attached else _gone(crop)

    def render_line(self, y: int) -> Strip:
        """A row as a terminal may have it."""
        return _guarded(super().render_line(y), self.size.width)

    def on_paste(self, event: events.Paste) -> None:
        """Lines stay lines; what would act on the terminal is shown."""
        event.prevent_default()
        event.stop()
        self.replace(_fit(event.text), *self.selection)


def _gone(crop: Region) -> list[Strip]:
    """Empty rows. A frame can fall between a field's end and the layout without it: it has no styles by then."""
    return [Strip.blank(crop.width)] * crop.height


def _guarded(strip: Strip, width: int) -> Strip:
    """The row with a visible character for each that acts or can't be seen: a document's command is edited as it is."""
    shown = [in_one_cell(segment.text) for segment in strip]
    if all(text == segment.text for text, segment in zip(shown, strip, strict=True)):
        return strip
    segments = [Segment(text, segment.style) for text, segment in zip(shown, strip, strict=True)]
    return Strip(segments).adjust_cell_length(width)


def _fit(text: str) -> str:
    """Pasted text fit to show, its lines ended one way: terminals paste them as the Enter key would type them."""
    return sanitise(text.replace("\r\n", "\n").replace("\r", "\n"))
