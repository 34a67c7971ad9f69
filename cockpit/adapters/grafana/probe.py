"""Grafana as a probe: whether it and its database are well, and, with a token, the alerts that fire there.

[[probe]]
name = "grafana"
kind = "grafana"
url = "https://grafana.example.com"
token_env = "GRAFANA_TOKEN"         # of a service account that may read alerts

Without a token only its health is looked at. Its alerts are those that its own rules raise; another Alertmanager has
its own probe.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from msgspec import Struct

from cockpit.adapters.alertmanager.alerts import Alert, finding_of
from cockpit.adapters.http.api import Api, ApiOptions, check_options, credentials_of
from cockpit.adapters.probing import Finding, Value
from cockpit.safety.judge import judge
from cockpit.safety.permit import Action, Permit
from cockpit.safety.verdict import Judgement
from cockpit.words import _, shortened

_SHARE_OF_DEADLINE = 0.45
"""Two questions, one after the other, within one deadline."""
_HEALTH = "/api/health"
_ALERTS = "/api/alertmanager/grafana/api/v2/alerts"
_LONGEST = 100


class GrafanaOptions(ApiOptions, frozen=True, kw_only=True):
    """Keys of a probe of kind "grafana": those of every such server."""


class _Health(Struct, frozen=True):
    database: str
    version: str = ""


class GrafanaProbe:
    """One server."""

    Options: ClassVar[type[Struct]] = GrafanaOptions

    def __init__(self, options: GrafanaOptions, deadline_s: float) -> None:
        check_options(options)
        self._options = options
        self._deadline_s = deadline_s * _SHARE_OF_DEADLINE
        self._signs_in = bool(options.token_env or options.token_file or options.user)
        self._api: Api | None = None

    @property
    def action(self) -> Action:
        """Its requests; the target is the server's address."""
        paths = (_HEALTH, _ALERTS) if self._signs_in else (_HEALTH,)
        asked = [f"GET {self._options.url.rstrip('/')}{path}" for path in paths]
        return Action("http", "\n\n###\n\n".join(asked), self._options.url)

    @property
    def judgement(self) -> Judgement:
        """GETs read."""
        return judge("http", self.action.body)

    async def look(self, permit: Permit) -> Finding:
        """Its health, and what fires. See `Watchable`."""
        permit.covers(self.action)
        api = self._api = self._api or Api(self._options, credentials_of(self._options), self._deadline_s)
        health = await api.ask(_HEALTH, {}, _Health)
        found = finding_of(await api.ask(_ALERTS, {}, list[Alert])) if self._signs_in else None
        well = health.database == "ok"
        values = (
            Value("database", shortened(health.database, _LONGEST), "", "green" if well else "red"),
            Value("version", shortened(health.version, _LONGEST)),
        )
        told = " ".join(filter(None, ("Grafana", shortened(health.version, _LONGEST))))
        said = [told, "" if well else _("its database: {state}").format(state=health.database)]
        if found is None:
            said.append(_("alerts are not looked at without a token"))
            return Finding(" · ".join(filter(None, said)), values)
        return replace(found, text=" · ".join(filter(None, (*said, found.text))), values=(*values, *found.values))

    async def close(self) -> None:
        """Let go of connections."""
        api, self._api = self._api, None
        if api is not None:
            await api.close()
