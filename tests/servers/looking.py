"""Looks of a probe at a server, as its panel would have them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cockpit.config import ProbeConfig
from cockpit.config.bound import parse_bound
from cockpit.monitor.panel import fold_sample
from cockpit.monitor.probe import WatchedProbe
from cockpit.monitor.registry import build
from cockpit.monitor.sample import Level, Sample
from cockpit.safety.redaction.redactor import Redactor
from screens.panels import detail_of
from tests.waiting import until


def probe(kind: str, *bounds: str, deadline_s: float = 30.0, **options: Any) -> WatchedProbe:
    thresholds = tuple(parse_bound(each, "test") for each in bounds)
    config = ProbeConfig(name="it", kind=kind, deadline_s=deadline_s, thresholds=thresholds, options=options)
    return build(config, Redactor().redact)


async def sampled(made: WatchedProbe) -> Sample:
    """One look, the last of this probe."""
    sample = await made.sample()
    await made.close()
    return sample


async def sampled_until(made: WatchedProbe, holds: Callable[[Sample], Any]) -> Sample:
    """Looks again and again until a sample is what is waited for."""
    found: list[Sample] = []

    async def look() -> bool:
        found.append(await made.sample())
        return bool(holds(found[-1]))

    await until(look)
    return found[-1]


def values(sample: Sample) -> dict[str, Any]:
    return {reading.name: reading.value for reading in sample.readings}


def level(sample: Sample, name: str) -> Level:
    return next(reading.level for reading in sample.readings if reading.name == name)


def rows(sample: Sample, what: str) -> list[Any]:
    return [row for row in sample.rows if row["what"] == what]


def shown(sample: Sample, width: int) -> list[str]:
    """The rows of the panel, each of which has room."""
    from rich.cells import cell_len

    lines = [line.text for line in detail_of(fold_sample(None, sample), width)]
    assert all(cell_len(line) <= width for line in lines), lines
    return lines
