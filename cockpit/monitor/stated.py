"""Bounds that a document states in words, for the metrics that probes have."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

import msgspec

from cockpit.config import Bound
from cockpit.config.unit import known
from cockpit.runbook.model import StatedThreshold

# First match wins: "5xx error rate" is about 5xx, "P95 response time" about latency.
_METRICS = (
    (re.compile(r"5xx", re.IGNORECASE), "5xx"),
    (re.compile(r"\bcpu\b", re.IGNORECASE), "cpu_percent"),
    (re.compile(r"\bmem(?:ory)?\b|메모리", re.IGNORECASE), "memory_percent"),
    (re.compile(r"\bdisk\b|디스크", re.IGNORECASE), "disk_percent"),
    (re.compile(r"latency|response\s*time|\bp95\b|응답\s*시간|지연", re.IGNORECASE), "latency_ms"),
)
_MEAN = re.compile(r"\bmean\b|\baverage\b|\bavg\b|평균", re.IGNORECASE)
_P95 = re.compile(r"\bp95\b", re.IGNORECASE)
_LEVELS = {"red": "red", "p0": "red", "critical": "red", "yellow": "yellow", "p1": "yellow", "p2": "yellow"} | {
    "warning": "yellow",
    "green": "green",
}
_UNIT_OF = {"5xx": "%", "cpu_percent": "%", "memory_percent": "%", "disk_percent": "%", "latency_ms": "ms"}


def bounds_for(stated: Iterable[StatedThreshold], metrics: Collection[str]) -> Iterator[Bound]:
    """The stated bounds on these metrics.

    For all of them more is worse: "below" is kept for green alone, for the lower edge of a band ("10-50 %") says
    nothing bad. A level that is neither a colour nor a severity is left out.
    """
    for one in stated:
        metric = next((name for pattern, name in _METRICS if pattern.search(one.metric)), None)
        level = _LEVELS.get(one.level.lower())
        if metric not in metrics or metric is None or level is None or not known(one.unit):
            continue
        if one.operator.startswith("<") is not (level == "green"):
            continue
        values = {
            "metric": metric,
            "operator": one.operator,
            "bound": one.bound,
            "unit": one.unit or _UNIT_OF[metric],
            "statistic": _statistic(one.metric, metric),
            "level": level,
            "text": one.text,
        }
        yield msgspec.convert(values, Bound)


def _statistic(written: str, metric: str) -> str:
    if metric == "5xx":
        return "ratio"
    if _P95.search(written):
        return "p95"
    return "mean" if _MEAN.search(written) else "single"
