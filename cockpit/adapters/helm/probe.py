"""Helm's releases for the live panel: what failed or is stuck comes first.

[[probe]]
name = "releases"
kind = "helm"
namespace = "shop"        # "*" for all; context and kubeconfig_file as for kind "kubernetes"
releases = ["api"]        # those that must be there; without any, all that there are

helm is not started for it: a look lists the labels of the releases' Secrets, and reads the record of a revision once.
"""

from __future__ import annotations

import time
from contextlib import closing
from typing import Any, ClassVar

from msgspec import Struct

from cockpit.adapters.helm.records import Listed, Record, listed, newest, record
from cockpit.adapters.kubernetes.cluster import Cluster
from cockpit.adapters.kubernetes.sign_in import KubernetesOptions
from cockpit.adapters.library import needing
from cockpit.adapters.own_thread import OwnThread
from cockpit.adapters.probing import TEXT_CHARACTERS, Finding, Value
from cockpit.safety.helm.judgement import judge_helm
from cockpit.safety.permit import Action, Permit
from cockpit.safety.verdict import Judgement
from cockpit.words import _, shortened

_MOST_ROWS = 100
_PENDING = "pending-"
_STUCK_S = 300.0
"""helm itself waits for five minutes unless it is told otherwise."""
_GONE = frozenset({"uninstalled", "superseded"})
_RANK = {"red": 0, "yellow": 1}


class HelmProbeOptions(Struct, frozen=True, kw_only=True):
    """Keys of a helm probe. `namespace` "*" is all; `releases` are names that must be there."""

    context: str = ""
    namespace: str = ""
    kubeconfig_file: str = ""
    releases: tuple[str, ...] = ()


class HelmProbe:
    """The releases of one namespace, or of a cluster."""

    Options: ClassVar[type[Struct]] = HelmProbeOptions

    def __init__(self, options: HelmProbeOptions, deadline_s: float) -> None:
        self._options = options
        self._everywhere = options.namespace == "*"
        self._target = KubernetesOptions(
            context=options.context,
            namespace="" if self._everywhere else options.namespace,
            kubeconfig_file=options.kubeconfig_file,
        )
        self._thread: OwnThread[Finding] = OwnThread("helm probe")
        self._cluster: Cluster | None = None
        self._read: dict[tuple[str, str], tuple[Listed, Record]] = {}

    @property
    def action(self) -> Action:
        """Exactly what is asked."""
        namespace = self._options.namespace
        where = " --all-namespaces" if self._everywhere else f" --namespace={namespace}" if namespace else ""
        return Action("helm", f"list{where}", self._options.context or "kubeconfig")

    @property
    def judgement(self) -> Judgement:
        """What safety says of it."""
        return judge_helm(self.action.body)

    async def look(self, permit: Permit) -> Finding:
        """What there is now. See `Watchable`."""
        permit.covers(self.action)
        return await self._thread.run(self._look)

    async def close(self) -> None:
        """Let go of connections."""
        cluster, self._cluster = self._cluster, None
        if cluster is not None:
            with closing(cluster):
                cluster.interrupt()

    def _look(self) -> Finding:
        with needing("kubernetes", "kubernetes"):
            cluster = self._cluster = self._cluster or Cluster(self._target, sealed=True)
        last = [it for it in newest(listed(cluster, "" if self._everywhere else cluster.namespace)) if self._asked(it)]
        known, self._read = self._read, {}
        rows = []
        for it in last:
            key = it.namespace, it.name
            kept = known.get(key)
            made = kept[1] if kept is not None and kept[0] == it else record(cluster, it)
            self._read[key] = it, made
            rows.append(_row(it, made, time.time()))
        return self._finding(rows)

    def _asked(self, it: Listed) -> bool:
        wanted = self._options.releases
        return it.name in wanted if wanted else it.status not in _GONE

    def _finding(self, rows: list[dict[str, Any]]) -> Finding:
        there = {row["name"] for row in rows}
        rows += [_missing(name) for name in self._options.releases if name not in there]
        if not rows:
            return Finding(_("no releases"), none=True, mend=_("is it the right namespace?"))
        ordered = sorted(rows, key=lambda row: _RANK.get(row["level"], 2))
        late = [row for row in ordered if row["level"] != "green"]
        words = [
            *(f"{row['name']} {row['status']}" for row in late[:3]),
            _("{ready} of {all} releases deployed").format(ready=len(rows) - len(late), all=len(rows)),
        ]
        values = [
            Value("releases", float(len(rows))),
            Value("releases_not_deployed", float(len(late)), "", late[0]["level"] if late else "green"),
        ]
        if len(rows) == 1:
            words, only = [_of_one(rows[0])], rows[0]
            values += [Value("revision", only["revision"]), Value("status", only["status"], "", only["level"])]
            values += [Value("chart", only["chart"]), Value("app_version", only["version"])]
        return Finding(" · ".join(words), tuple(values), tuple(ordered[:_MOST_ROWS]))


def _of_one(row: dict[str, Any]) -> str:
    number = f"{row['revision']:.0f}" if row["revision"] else "-"
    parts = (row["name"], row["status"], _("revision {n}").format(n=number), row["chart"], row["version"])
    return " · ".join(filter(None, parts))


def _row(it: Listed, made: Record, now_s: float) -> dict[str, Any]:
    level, status = "yellow", it.status or "unknown"
    age_s = max(0.0, now_s - it.changed_s)
    if status == "deployed":
        level = "green"
    elif status.startswith(_PENDING) and age_s > _STUCK_S:
        level, status = "red", _("{status} for {minutes} min").format(status=status, minutes=int(age_s // 60))
    elif not status.startswith(_PENDING):
        level = "red"
    return {
        "name": shortened(it.name, TEXT_CHARACTERS),
        "revision": float(it.number),
        "status": shortened(status, TEXT_CHARACTERS),
        "chart": shortened(made.chart_name, TEXT_CHARACTERS),
        "version": shortened(made.chart.metadata.app_version, TEXT_CHARACTERS),
        "updated": shortened(made.updated, TEXT_CHARACTERS),
        "message": shortened(made.info.description, TEXT_CHARACTERS),
        "level": level,
    }


def _missing(name: str) -> dict[str, Any]:
    gone: dict[str, Any] = dict.fromkeys(("chart", "version", "updated"), "")
    return gone | {"name": name, "revision": None, "status": "missing", "level": "red"}
