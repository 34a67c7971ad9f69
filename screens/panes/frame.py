"""The frame around the whole screen: solid where it is production, dashed in a rehearsal, none elsewhere."""

from __future__ import annotations

from screens.marks import is_production
from screens.paint import BLANK, Line, line
from screens.panes.pane import Pane
from screens.view import View


def frame_of(view: View) -> str:
    """ "production", "rehearsal" or "" for no frame. A rehearsal has its own also while it is read-only."""
    if view.mode == "rehearsal" or view.state.rehearsal:
        return "rehearsal"
    return "production" if is_production(view.environment) else ""


class Edge(Pane):
    """One side of the frame, a cell wide, beside every pane and dialog."""

    DEFAULT_CSS = """
    Edge { width: 1; height: 100%; display: none; }
    Edge#left-edge { dock: left; }
    Edge#right-edge { dock: right; }
    """
    titled = False

    def count(self) -> int:
        """As high as the screen."""
        return self.size.height

    def row_at(self, index: int) -> Line:
        """Its form tells the two apart without colours: no gaps, or a gap in every other row."""
        if frame_of(self.view) == "production":
            return line((" ", "header-live"))
        return line((" ", "header-rehearsal")) if index % 2 == 0 else BLANK
