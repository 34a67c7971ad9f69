"""Alerts as an Alertmanager tells them, and Grafana like it: what fires, how severe, since when, and its runbook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from cockpit.adapters.probing import TEXT_CHARACTERS, Finding, Value
from cockpit.words import _, plural

_MOST_ROWS = 100
_LEVELS = {"critical": "red", "page": "red", "emergency": "red", "error": "red", "p0": "red", "p1": "red"} | {
    "warning": "yellow",
    "warn": "yellow",
    "p2": "yellow",
}
_OWN = ("alertname", "severity")


class _Status(Struct, frozen=True):
    state: str = "active"


class Alert(Struct, frozen=True):
    """One alert of the API version 2."""

    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    starts_at: str = field(default="", name="startsAt")
    status: _Status = _Status()

    @property
    def name(self) -> str:
        """What it is called."""
        return self.labels.get("alertname", "-")

    @property
    def severity(self) -> str:
        """As its rule says."""
        return self.labels.get("severity", "")

    @property
    def level(self) -> str:
        """What its severity means: "red", "yellow" or "" for a word nobody knows."""
        return _LEVELS.get(self.severity.lower(), "")


def _by_weight(alert: Alert) -> tuple[int, str, str]:
    return {"red": 0, "yellow": 1}.get(alert.level, 2), alert.starts_at, alert.name


def finding_of(found: Sequence[Alert]) -> Finding:
    """What is active, the gravest first; silenced and inhibited alerts are counted and not listed."""
    # An inhibited or silenced alert is "suppressed"; one that has just come is "unprocessed", and counts.
    active = sorted((each for each in found if each.status.state != "suppressed"), key=_by_weight)
    silenced = len(found) - len(active)
    red = sum(each.level == "red" for each in active)
    yellow = sum(each.level == "yellow" for each in active)
    worst = "red" if red else "yellow" if active else "green"
    values = (
        Value("alerts", float(len(active)), "", worst),
        Value("critical", float(red), "", "red" if red else ""),
        Value("warning", float(yellow), "", "yellow" if yellow else ""),
        Value("silenced", float(silenced)),
    )
    told = [plural("{n} alert", "{n} alerts", len(active)).format(n=len(active)) if active else _("no active alert")]
    told += [each.name[:TEXT_CHARACTERS] for each in active[:3]]
    told += [_("{n} silenced").format(n=silenced)] if silenced else []
    return Finding(" · ".join(told), values, tuple(map(_row, active[:_MOST_ROWS])))


def _row(alert: Alert) -> Mapping[str, Any]:
    others = (f"{name}={value}" for name, value in sorted(alert.labels.items()) if name not in _OWN)
    summary = alert.annotations.get("summary") or alert.annotations.get("description") or ""
    row = {
        "name": alert.name,
        "severity": alert.severity,
        "since": alert.starts_at,
        "summary": summary,
        "labels": " ".join(others),
        "runbook_url": alert.annotations.get("runbook_url", ""),
    }
    return {key: value[:TEXT_CHARACTERS] for key, value in row.items()} | {"level": alert.level}
