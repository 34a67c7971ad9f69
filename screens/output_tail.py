"""The end of a run's output."""

from __future__ import annotations

from cockpit.safety.text import decode
from cockpit.session.reader import SessionReader
from cockpit.words import _
from screens.paint import Line, plain_rows
from screens.pane import Pane

_TAIL_BYTES = 64 * 1024


class OutputTail(Pane):
    """Follows the run that goes with the cursor."""

    reader: SessionReader | None = None
    _rows: tuple[Line, ...] = ()
    _shown: tuple[int | None, int] = (None, 0)

    def title_text(self) -> str:
        """Whose output."""
        run = self.view.shown_run()
        return _("Output") if run is None else _("Output of run {run}").format(run=run)

    def sync(self) -> None:
        """Read what is new; stay at the end."""
        run = self.view.shown_run()
        size = self.reader.output_size(run) if self.reader and run is not None else 0
        if (run, size) != self._shown and self.size.width:
            self._shown = (run, size)
            data = self.reader.output(run, max(0, size - _TAIL_BYTES)) if self.reader and run is not None else b""
            self._rows = tuple(plain_rows(decode(data).rstrip("\n"), self.size.width)) if data else ()
            self.top = len(self._rows)
        super().sync()

    def laid_out(self) -> None:
        """Fold anew."""
        self._shown = (None, -1)

    def count(self) -> int:
        """Rows of the tail."""
        return len(self._rows)

    def row_at(self, index: int) -> Line:
        """One of them."""
        return self._rows[index]
