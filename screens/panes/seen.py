"""Painting beside a dialog, and beneath one."""

from __future__ import annotations

from collections.abc import Iterable

from textual.geometry import Region
from textual.widget import Widget


class Seen(Widget):
    """A widget that a dialog may lie over.

    To paint a covered part is to send that piece of the dialog again, and a wide character across the piece's edge
    would be cut in two. So it waits. Textual keeps what it once rendered of a widget until it is told of a change:
    without a word of it, what comes to light again would show what was there when the dialog came.
    """

    _covered: tuple[Region, ...] = ()

    def paint_seen(self, regions: Iterable[Region]) -> None:
        """Paint these parts, but for those that a dialog lies over: they follow once it is gone."""
        regions = tuple(regions)
        if not regions:
            return
        over = [dialog.region for dialog in self.screen.query("#dialog") if dialog not in self.ancestors]
        corner = self.region.offset
        seen = []
        for part in regions:
            if any(part.translate(corner).overlaps(each) for each in over):
                self._covered = (*self._covered, part)
            else:
                seen.append(part)
        if seen:
            self.refresh(*seen)

    def uncovered(self) -> None:
        """The dialog is gone."""
        covered, self._covered = self._covered, ()
        if covered:
            self.refresh(*dict.fromkeys(covered))
