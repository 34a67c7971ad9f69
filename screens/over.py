"""How the rows of a dialog come onto the screen although panes end beneath them."""

from __future__ import annotations

from textual._compositor import Compositor


class OverCompositor(Compositor):
    """Textual cuts every row where any widget on it begins or ends, also one that is covered; a wide character of the
    dialog across such a cut would be lost, and with it a letter of the very command that is to be confirmed. There is
    no public way to say so; the exact version in pyproject.toml and a pilot story watch over this.
    """

    @property
    def cuts(self) -> list[list[int]]:
        """Where each row is cut: a dialog's rows at its own edges, and nowhere else."""
        fresh = self._cuts is None
        cuts = super().cuts
        if fresh:
            width, height = self.size
            for widget, (region, _clip) in self.visible_widgets.items():
                if widget.id == "dialog":
                    rows = range(max(0, region.y), min(region.bottom, height))
                    edges = sorted({0, region.x, region.right, width})
                    cuts[rows.start : rows.stop] = [list(edges) for _row in rows]
        return cuts
