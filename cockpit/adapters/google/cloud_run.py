"""A Cloud Run service as a probe: whether it is ready and why not, who gets the traffic, and its newest revisions.

[[probe]]
name = "canary"
kind = "cloud-run"
project = "my-project"
region = "us-central1"
service = "ion-api-canary"
interval_s = 15

Asked is the Cloud Run Admin API v2, two GETs a look: gcloud would take a second to start for each.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from msgspec import Struct, field

from cockpit.adapters.google.api import GoogleApi
from cockpit.adapters.google.options import GoogleOptions, check
from cockpit.adapters.probing import TEXT_CHARACTERS, Finding, Value
from cockpit.errors import ConfigError
from cockpit.safety.judge import judge
from cockpit.safety.permit import Action, Permit
from cockpit.safety.verdict import Judgement
from cockpit.words import _

_SHARE_OF_DEADLINE = 0.95
_NEWEST = 5
_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")
_LATEST = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
_LEVELS = {"CONDITION_SUCCEEDED": "green", "CONDITION_FAILED": "red"}


class CloudRunOptions(GoogleOptions, frozen=True, kw_only=True):
    """Keys of a probe of kind "cloud-run"."""

    region: str
    service: str
    url: str = "https://run.googleapis.com"


class Condition(Struct, frozen=True, rename="camel"):
    """One condition; of the three reasons at most one is there."""

    type: str = ""
    state: str = ""
    message: str = ""
    reason: str = ""
    revision_reason: str = ""

    @property
    def level(self) -> str:
        """Green, red, or yellow while it is open."""
        return _LEVELS.get(self.state, "yellow")

    @property
    def why(self) -> str:
        """Reason and message, as far as they are there."""
        reason = self.reason or self.revision_reason
        return ": ".join(part for part in (reason, self.message) if part)


class Share(Struct, frozen=True):
    """Who gets how much of the traffic, and by which tag it can be reached besides."""

    type: str = ""
    revision: str = ""
    percent: float = 0.0
    tag: str = ""


class _Container(Struct, frozen=True):
    image: str = ""


class Revision(Struct, frozen=True, rename="camel"):
    """One revision; its name is a path that ends in the short one."""

    name: str = ""
    create_time: str = ""
    conditions: list[Condition] = []
    containers: list[_Container] = []

    @property
    def ready(self) -> Condition:
        """Whether it can serve."""
        return next((each for each in self.conditions if each.type == "Ready"), Condition())


class _Revisions(Struct, frozen=True):
    revisions: list[Revision] = []


class Service(Struct, frozen=True, rename="camel"):
    """The service; generations are numbers written as texts."""

    terminal_condition: Condition = Condition()
    conditions: list[Condition] = []
    traffic_statuses: list[Share] = []
    latest_ready_revision: str = ""
    latest_created_revision: str = ""
    generation: str = ""
    observed_generation: str = ""
    uri: str = field(default="")


class CloudRunProbe:
    """One service of one region."""

    Options: ClassVar[type[Struct]] = CloudRunOptions

    def __init__(self, options: CloudRunOptions, deadline_s: float) -> None:
        check(options, options.url)
        for key, name in (("region", options.region), ("service", options.service)):
            if not _NAME.fullmatch(name):
                raise ConfigError(_("{name} is no name of a service or region").format(name=repr(name)), where=key)
        self._options = options
        self._deadline_s = deadline_s * _SHARE_OF_DEADLINE
        self._api: GoogleApi | None = None

    @property
    def action(self) -> Action:
        """The request line; the target is the server's address."""
        return Action("http", f"GET {self._options.url.rstrip('/')}{self._path}", self._options.url)

    @property
    def judgement(self) -> Judgement:
        """A GET reads."""
        return judge("http", self.action.body)

    async def look(self, permit: Permit) -> Finding:
        """The service and its newest revisions. See `Watchable`."""
        permit.covers(self.action)
        api = self._api = self._api or GoogleApi(self._options, self._options.url, self._deadline_s)
        newest = {"pageSize": str(_NEWEST)}
        asked = api.ask(self._path, {}, Service), api.ask(f"{self._path}/revisions", newest, _Revisions)
        service, revisions = await asyncio.gather(*asked, return_exceptions=True)
        if isinstance(service, BaseException):
            raise service
        if isinstance(revisions, BaseException):
            raise revisions
        return _finding(service, revisions.revisions)

    async def close(self) -> None:
        """Let go of connections."""
        api, self._api = self._api, None
        if api is not None:
            await api.close()

    @property
    def _path(self) -> str:
        options = self._options
        return f"/v2/projects/{options.project}/locations/{options.region}/services/{options.service}"


def _finding(service: Service, revisions: Sequence[Revision]) -> Finding:
    ready, newest = service.terminal_condition, _short(service.latest_created_revision)
    level = ready.level
    if level == "green" and service.observed_generation != service.generation:
        level = "yellow"  # what it tells is of an older wish
    shares = _shares(service)
    rows = _rows(shares, sorted(revisions, key=lambda each: each.create_time, reverse=True)[:_NEWEST], newest)
    percent = sum(share.percent for name, share in shares if name == newest)
    values = (
        Value("ready", ready.state == "CONDITION_SUCCEEDED", "", level),
        Value("newest_percent", percent, "%"),
        Value("serving", float(len({name for name, share in shares if share.percent}))),
    )
    split = " · ".join(f"{name} {share.percent:g} %" for name, share in shares if share.percent)
    told = _("it is ready") if level == "green" else _("it is being changed") if level == "yellow" else _("not ready")
    why = f": {ready.why}" if ready.why and level != "green" else ""
    return Finding(f"{told}{why} · {split}"[:TEXT_CHARACTERS], values, tuple(rows))


def _shares(service: Service) -> list[tuple[str, Share]]:
    """Each share with the revision it goes to; what goes to "the latest" goes to the latest that is ready."""
    latest = _short(service.latest_ready_revision)
    return [
        (_short(each.revision) or (latest if each.type == _LATEST else "?"), each) for each in service.traffic_statuses
    ]


def _rows(shares: Sequence[tuple[str, Share]], revisions: Sequence[Revision], newest: str) -> list[Mapping[str, Any]]:
    """A row each revision: the newest first, then older ones that get traffic or have a tag."""
    known = {_short(each.name): each for each in revisions}
    names = [*known, *dict.fromkeys(name for name, _share in shares if name not in known)]
    return [
        _row(name, [share for at, share in shares if at == name], known.get(name), name == newest) for name in names
    ]


def _row(name: str, shares: Sequence[Share], revision: Revision | None, newest: bool) -> Mapping[str, Any]:
    ready = revision.ready if revision else Condition()
    serves = sum(share.percent for share in shares)
    level = ready.level if revision and (serves or newest) else ""
    texts = {
        "name": name,
        "tag": ", ".join(share.tag for share in shares if share.tag),
        "created": revision.create_time if revision else "",
        "state": ready.why if level in ("red", "yellow") else "",
        "image": revision.containers[0].image if revision and revision.containers else "",
    }
    return {key: text[:TEXT_CHARACTERS] for key, text in texts.items()} | {"percent": serves, "level": level}


def _short(name: str) -> str:
    return name.rpartition("/")[2]
