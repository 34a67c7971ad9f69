"""NO_COLOR: not one colour is sent, not even a grey or the terminal's own; bold, dim and reverse tell what they can."""

from __future__ import annotations

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter


class Colourless(LineFilter):
    """Takes the colours out of a row, and leaves the rest of its style."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments without colours."""
        return [Segment(text, style and style.without_color, control) for text, style, control in segments]


COLOURLESS = Colourless()
