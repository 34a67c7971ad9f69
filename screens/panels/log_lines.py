"""The newest lines of a log that is asked for and not followed, below its rates."""

from __future__ import annotations

from cockpit.monitor.sample import PanelState
from screens.paint import Line, fit, line
from screens.panels.readings import rows_of


def detail(panel: PanelState, width: int) -> list[Line]:
    """The rates, then the lines, oldest first."""
    if panel.last_data is None:
        return []
    rows = rows_of(panel, panel.last_data.readings, width)
    return [*rows, *(_line(str(row.get("at", "")), str(row.get("text", "")), width) for row in panel.last_data.rows)]


def _line(at: str, text: str, width: int) -> Line:
    return line((f"  {at[11:19]} ", "dim"), fit(text, max(8, width - 12)))
