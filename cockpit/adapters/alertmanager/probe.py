"""Active alerts of an Alertmanager as a probe: what fires, how severe, since when, and the runbook that it names.

[[probe]]
name = "alerts"
kind = "alertmanager"
url = "http://alertmanager:9093"    # and the other keys of a target of kind "prometheus"
filter = ['namespace="shop"']       # matchers, as amtool takes them

Silenced and inhibited alerts are counted and not listed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from msgspec import Struct, field

from cockpit.adapters.http.api import Api, ApiOptions, check_options, credentials_of
from cockpit.adapters.probing import TEXT_CHARACTERS, Finding, Value
from cockpit.safety.judge import judge
from cockpit.safety.permit import Action, Permit
from cockpit.safety.verdict import Judgement
from cockpit.words import _, plural

_SHARE_OF_DEADLINE = 0.95
_ALERTS = "/api/v2/alerts"
_MOST_ROWS = 100
_LEVELS = {"critical": "red", "page": "red", "emergency": "red", "error": "red", "p0": "red", "p1": "red"} | {
    "warning": "yellow",
    "warn": "yellow",
    "p2": "yellow",
}
_OWN = ("alertname", "severity")


class AlertmanagerOptions(ApiOptions, frozen=True, kw_only=True):
    """Keys of a probe of kind "alertmanager"."""

    filter: tuple[str, ...] = ()


class _Status(Struct, frozen=True):
    state: str = "active"


class _Alert(Struct, frozen=True):
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    starts_at: str = field(default="", name="startsAt")
    status: _Status = _Status()

    @property
    def name(self) -> str:
        return self.labels.get("alertname", "-")

    @property
    def severity(self) -> str:
        return self.labels.get("severity", "")

    @property
    def level(self) -> str:
        return _LEVELS.get(self.severity.lower(), "")


class AlertmanagerProbe:
    """The alerts of one server."""

    Options: ClassVar[type[Struct]] = AlertmanagerOptions

    def __init__(self, options: AlertmanagerOptions, deadline_s: float) -> None:
        check_options(options)
        self._options = options
        self._deadline_s = deadline_s * _SHARE_OF_DEADLINE
        self._api: Api | None = None

    @property
    def action(self) -> Action:
        """The request line; the target is the server's address."""
        return Action("http", f"GET {self._options.url.rstrip('/')}{_ALERTS}", self._options.url)

    @property
    def judgement(self) -> Judgement:
        """A GET reads."""
        return judge("http", self.action.body)

    async def look(self, permit: Permit) -> Finding:
        """What is active now. See `Watchable`."""
        permit.covers(self.action)
        self._api = self._api or Api(self._options, credentials_of(self._options), self._deadline_s)
        values = {"filter": list(self._options.filter)} if self._options.filter else {}
        found = await self._api.ask(_ALERTS, values, list[_Alert])
        # An inhibited or silenced alert is "suppressed"; one that has just come is "unprocessed", and counts.
        active = sorted((each for each in found if each.status.state != "suppressed"), key=_by_weight)
        return _finding(active, len(found) - len(active))

    async def close(self) -> None:
        """Let go of connections."""
        api, self._api = self._api, None
        if api is not None:
            await api.close()


def _by_weight(alert: _Alert) -> tuple[int, str, str]:
    return {"red": 0, "yellow": 1}.get(alert.level, 2), alert.starts_at, alert.name


def _finding(active: Sequence[_Alert], silenced: int) -> Finding:
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


def _row(alert: _Alert) -> Mapping[str, Any]:
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
