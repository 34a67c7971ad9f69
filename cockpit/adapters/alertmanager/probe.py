"""Active alerts of an Alertmanager as a probe: what fires, how severe, since when, and the runbook that it names.

[[probe]]
name = "alerts"
kind = "alertmanager"
url = "http://alertmanager:9093"    # and the other keys of a target of kind "prometheus"
filter = ['namespace="shop"']       # matchers, as amtool takes them

Silenced and inhibited alerts are counted and not listed.
"""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from cockpit.adapters.alertmanager.alerts import Alert, finding_of
from cockpit.adapters.http.api import Api, ApiOptions, check_options, credentials_of
from cockpit.adapters.probing import Finding
from cockpit.safety.judge import judge
from cockpit.safety.permit import Action, Permit
from cockpit.safety.verdict import Judgement

_SHARE_OF_DEADLINE = 0.95
_ALERTS = "/api/v2/alerts"


class AlertmanagerOptions(ApiOptions, frozen=True, kw_only=True):
    """Keys of a probe of kind "alertmanager"."""

    filter: tuple[str, ...] = ()


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
        found = await self._api.ask(_ALERTS, values, list[Alert])
        return finding_of(found)

    async def close(self) -> None:
        """Let go of connections."""
        api, self._api = self._api, None
        if api is not None:
            await api.close()
