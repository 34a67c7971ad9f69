"""Metrics of CloudWatch, a row each, and below them its alarms, those that ring first."""

from __future__ import annotations

from cockpit.monitor.sample import PanelState
from screens.paint import Line
from screens.panels import alerting, readings


def detail(panel: PanelState, width: int) -> list[Line]:
    """The values, then the alarms."""
    return [*readings.detail(panel, width), *alerting.detail(panel, width)]
