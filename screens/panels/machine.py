"""A machine: how busy it is. What seldom changes is told only where there is room to spare."""

from __future__ import annotations

from cockpit.monitor.sample import Level, PanelState
from screens.paint import Line
from screens.panels.readings import rows_of

_FIRST = ("cpu_percent", "memory_percent", "disk_percent", "load1")
_WIDE_CELLS = 70


def detail(panel: PanelState, width: int) -> list[Line]:
    """CPU, memory, disk, load, and whatever has left its bounds; the rest in wide panels only."""
    if panel.last_data is None:
        return []
    told = panel.last_data.readings
    if width < _WIDE_CELLS:
        told = tuple(each for each in told if each.name in _FIRST or each.level in (Level.YELLOW, Level.RED))
    return rows_of(panel, told, width)
