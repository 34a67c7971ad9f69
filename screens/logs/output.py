"""The output of one run: a log that ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cockpit.monitor.logs.raw_tail import Happening, TailEvent
from cockpit.words import _
from screens.logs.pane import LogPane
from screens.logs.source import LogSource


def source_of(run: Path, name: str, growth: Callable[[], int] | None = None) -> LogSource:
    """The output of a run's folder, under a name; it may not be there yet. `growth`: see `LogSource`."""
    return LogSource(name, run / "output", redacted=True, provisional_s=0.0, growth=growth)


class OutputPane(LogPane):
    """The output of one run as it grows, each byte once."""

    over = False
    """Whether the run has ended: nothing more will come."""

    def tell_over(self, over: bool) -> None:
        """Say whether the run has ended."""
        if over != self.over:
            self.over = over
            self._changed()

    def at_end(self) -> str:
        """A run that has ended is not followed any more."""
        return _("ended") if self.over else super().at_end()

    def worth_showing(self, event: TailEvent) -> bool:
        """A run that has written nothing yet has no file; that is no news."""
        return event.happening not in (Happening.MISSING, Happening.BACK)
