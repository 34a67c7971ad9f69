"""ArgoCD's applications for the live panel: health, sync, the last operation and the revision; what is wrong first.

[[probe]]
name = "apps"
kind = "argocd"
url = "https://argocd.internal"    # and the other keys of a target of kind "argocd"
apps = ["shop"]                    # those that must be there; without any, all that the account sees
project = "shop"
"""

from __future__ import annotations

from typing import Any, ClassVar

from msgspec import Struct

from cockpit.adapters.argocd.api import APPLICATIONS, ArgocdApi, ArgocdOptions, check
from cockpit.adapters.argocd.reading import LISTED
from cockpit.adapters.argocd.shapes import Application, Applications
from cockpit.adapters.http.api import credentials_of
from cockpit.adapters.probing import TEXT_CHARACTERS, Finding, Value
from cockpit.safety.judge import judge
from cockpit.safety.permit import Action, Permit
from cockpit.safety.verdict import Judgement
from cockpit.words import _, shortened

_SHARE_OF_DEADLINE = 0.95
_MOST_ROWS = 100
_RANK = {"red": 0, "yellow": 1}
_HEALTH = {"Healthy": "green", "Degraded": "red", "Missing": "red"}
_SYNC = {"Synced": "green"}
_PHASES = {"Succeeded": "green", "": "green", "Failed": "red", "Error": "red"}


class ArgocdProbeOptions(ArgocdOptions, frozen=True, kw_only=True):
    """Keys of a probe of kind "argocd"."""

    apps: tuple[str, ...] = ()
    project: str = ""


class ArgocdProbe:
    """The applications of one server."""

    Options: ClassVar[type[Struct]] = ArgocdProbeOptions

    def __init__(self, options: ArgocdProbeOptions, deadline_s: float) -> None:
        check(options)
        self._options = options
        self._deadline_s = deadline_s * _SHARE_OF_DEADLINE
        self._api: ArgocdApi | None = None

    @property
    def action(self) -> Action:
        """The question; the target is the server's address."""
        project = f" --project '{self._options.project}'" if self._options.project else ""
        return Action("argocd", f"app list{project}", self._options.url)

    @property
    def judgement(self) -> Judgement:
        """What safety says of it."""
        return judge("argocd", self.action.body)

    async def look(self, permit: Permit) -> Finding:
        """How they stand now. See `Watchable`."""
        permit.covers(self.action)
        api = self._api = self._api or ArgocdApi(
            self._options, credentials_of(self._options.as_api()), self._deadline_s
        )
        values = {"fields": LISTED} | ({"projects": self._options.project} if self._options.project else {})
        found = (await api.get(APPLICATIONS, Applications, values)).items or []
        wanted = self._options.apps
        return self._finding([_row(it) for it in found if not wanted or it.name in wanted])

    async def close(self) -> None:
        """Let go of connections."""
        api, self._api = self._api, None
        if api is not None:
            await api.close()

    def _finding(self, rows: list[dict[str, Any]]) -> Finding:
        there = {row["name"] for row in rows}
        rows += [_missing(name) for name in self._options.apps if name not in there]
        if not rows:
            return Finding(_("no applications"), none=True, mend=_("may this account see them?"))
        ordered = sorted(rows, key=lambda row: (_RANK.get(row["level"], 2), row["name"]))
        late = [row for row in ordered if row["level"] != "green"]
        words = [
            *(f"{row['name']} {row['status']}" for row in late[:3]),
            _("{ready} of {all} applications healthy and in sync").format(ready=len(rows) - len(late), all=len(rows)),
        ]
        sick = [row for row in ordered if row["health"] != "Healthy"]
        values = [
            Value("apps", float(len(rows))),
            Value("apps_not_healthy", float(len(sick)), "", sick[0]["level"] if sick else "green"),
            *_counted("apps_out_of_sync", sum(row["sync"] != "Synced" for row in rows)),
        ]
        if len(rows) == 1:
            only = rows[0]
            words = [" · ".join(filter(None, (only["name"], only["status"], only["revision"])))]
            values += [
                Value("health", only["health"], "", _HEALTH.get(only["health"], "yellow")),
                Value("sync", only["sync"], "", _SYNC.get(only["sync"], "yellow")),
                Value("operation", only["operation"], "", _PHASES.get(only["operation"], "yellow")),
                Value("revision", only["revision"]),
            ]
        return Finding(" · ".join(words), tuple(values), tuple(ordered[:_MOST_ROWS]))


def _counted(name: str, count: int) -> tuple[Value]:
    return (Value(name, float(count), "", "yellow" if count else "green"),)


def _row(it: Application) -> dict[str, Any]:
    health, sync, phase = it.status.health.status or "Unknown", it.status.sync.status or "Unknown", it.state.phase
    levels = [_HEALTH.get(health, "yellow"), _SYNC.get(sync, "yellow"), _PHASES.get(phase, "yellow")]
    odd = [word for word, level in zip((health, sync, phase), levels, strict=True) if level != "green"]
    row = {
        "name": it.name,
        "revision": it.revision,
        "status": ", ".join(odd) or f"{health}, {sync}",
        "health": health,
        "sync": sync,
        "operation": phase,
        "version": it.spec.project,
        "message": _why(it, failed=levels[2] == "red"),
    }
    level = "red" if "red" in levels else "yellow" if "yellow" in levels else "green"
    return {key: shortened(value, TEXT_CHARACTERS) for key, value in row.items()} | {"level": level}


def _why(it: Application, *, failed: bool) -> str:
    """What ArgoCD says of an application: newer ones say nothing beside its health, and what they complain of apart."""
    complaints = (one.message for one in it.status.conditions or () if not one.type.endswith("Warning"))
    return it.status.health.message or (it.state.message if failed else "") or next(complaints, "")


def _missing(name: str) -> dict[str, Any]:
    told = dict.fromkeys(("revision", "operation", "version", "message"), "")
    return {**told, "name": name, "status": "missing", "health": "Missing", "sync": "Unknown", "level": "red"}
