"""A panel's named values: each with its level, the bound that decided it, and its history drawn in block characters."""

from __future__ import annotations

from cockpit.monitor.sample import Level, PanelState, Reading
from screens.paint import Line, fit, line, pad

LEVEL_MARKS = {
    Level.GREEN: ("OK", "ok"),
    Level.YELLOW: ("! ", "warn"),
    Level.RED: ("x ", "bad"),
    Level.GREY: ("  ", ""),
}
_BLOCKS = "▁▂▃▄▅▆▇█"
_SPARK_CELLS = 16


def detail(panel: PanelState, width: int) -> list[Line]:
    """One row a reading."""
    if panel.last_data is None:
        return []
    return [_reading(panel, reading, width) for reading in panel.last_data.readings]


def _reading(panel: PanelState, reading: Reading, width: int) -> Line:
    mark, style = LEVEL_MARKS[reading.level]
    names = min(20, max(8, width // 3))
    spans = [("  ", ""), (mark, style), (f" {pad(reading.name, names)} ", "dim"), (pad(value_text(reading), 11), style)]
    spark = sparkline(panel, reading.name) if width >= 56 else ""
    spans.append((pad(spark, _SPARK_CELLS) + " " if width >= 56 else "", "info"))
    spans.append((fit(reading.bound, max(0, width - 38)), "dim"))
    return line(*spans)


def value_text(reading: Reading) -> str:
    """The value with its unit."""
    value = reading.value
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g} {reading.unit}".strip()
    return f"{value} {reading.unit}".strip()


def sparkline(panel: PanelState, name: str) -> str:
    """The last values as blocks between their least and greatest; "" for fewer than two."""
    points = panel.extra.get("histories", {}).get(name) or ()
    values = [value for _m, value in points[-_SPARK_CELLS:]]
    if len(values) < 2:
        return ""
    low, high = min(values), max(values)
    scale = (len(_BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(_BLOCKS[round((value - low) * scale)] for value in values)
