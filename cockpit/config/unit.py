"""Units a bound may be written in, and how they convert."""

from __future__ import annotations

_FACTORS: dict[str, tuple[str, float]] = {
    "us": ("time", 1e-6),
    "ms": ("time", 1e-3),
    "s": ("time", 1.0),
    "sec": ("time", 1.0),
    "seconds": ("time", 1.0),
    "초": ("time", 1.0),
    "m": ("time", 60.0),
    "min": ("time", 60.0),
    "minutes": ("time", 60.0),
    "분": ("time", 60.0),
    "h": ("time", 3600.0),
    "시간": ("time", 3600.0),
    "d": ("time", 86400.0),
    "%": ("share", 1.0),
    "percent": ("share", 1.0),
    "b": ("size", 1.0),
    "bytes": ("size", 1.0),
    "kb": ("size", 1e3),
    "mb": ("size", 1e6),
    "gb": ("size", 1e9),
    "tb": ("size", 1e12),
    "kib": ("size", 2.0**10),
    "mib": ("size", 2.0**20),
    "gib": ("size", 2.0**30),
    "tib": ("size", 2.0**40),
}


def known(unit: str) -> bool:
    """Whether the unit is one a bound may have; "" counts as none given."""
    return not unit or unit.lower() in _FACTORS


def convert(value: float, unit: str, wanted: str) -> float | None:
    """The value in the wanted unit; None when the two measure different things.

    A side without a unit is taken to be in the other's: "latency_ms > 500" means milliseconds.
    """
    if not unit or not wanted or unit == wanted:
        return value
    source, target = _FACTORS.get(unit.lower()), _FACTORS.get(wanted.lower())
    if source is None or target is None or source[0] != target[0]:
        return None
    return value * source[1] / target[1]


def seconds(value: float, unit: str) -> float | None:
    """A duration in seconds; None when the unit is not one of time."""
    return convert(value, unit or "s", "s")
