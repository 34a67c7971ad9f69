"""The output of a run: a log that the runner has masked already."""

from __future__ import annotations

from pathlib import Path

from cockpit.monitor.raw_tail import Happening, TailEvent
from cockpit.words import _
from screens.log_pane import LogPane, LogSource


class OutputPane(LogPane):
    """The output of one run as it grows, each byte once."""

    def show_run(self, path: Path) -> None:
        """Show a run's output.

        Args:
            path: `runs/0007`, or the file `output` in it; it may not be there yet.
        """
        output = path / "output" if path.name != "output" else path
        self.show(LogSource(_("Output"), output, redacted=True, provisional_s=0.0))

    def worth_showing(self, event: TailEvent) -> bool:
        """A run that has written nothing yet has no file; that is no news."""
        return event.happening not in (Happening.MISSING, Happening.BACK)
