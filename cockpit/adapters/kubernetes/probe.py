"""A cluster for the live panel: workloads, autoscalers, pods, nodes and warnings. What is not well comes first."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, ClassVar

from msgspec import Struct

from cockpit.adapters.kubernetes import events, jobs, pods, sets
from cockpit.adapters.kubernetes.cluster import Cluster, Refused
from cockpit.adapters.kubernetes.door import Door
from cockpit.adapters.kubernetes.events import Event, SeenWarning
from cockpit.adapters.kubernetes.jobs import Job, SeenJob
from cockpit.adapters.kubernetes.mirror import Mirror
from cockpit.adapters.kubernetes.nodes import Node
from cockpit.adapters.kubernetes.picture import Picture
from cockpit.adapters.kubernetes.pods import Pod, SeenPod
from cockpit.adapters.kubernetes.sets import DaemonSet, SeenSet, StatefulSet
from cockpit.adapters.kubernetes.sign_in import KubernetesOptions
from cockpit.adapters.kubernetes.usage import Usage
from cockpit.adapters.kubernetes.workloads import Autoscaler, Deployment
from cockpit.adapters.library import needing
from cockpit.adapters.own_thread import OwnThread
from cockpit.adapters.probing import Finding
from cockpit.errors import AccessDenied
from cockpit.safety.kubernetes.judgement import judge_kubernetes
from cockpit.safety.permit import Action, Permit
from cockpit.safety.verdict import Judgement
from cockpit.words import _

_SHARE_OF_DEADLINE = 0.9


class KubernetesProbeOptions(Struct, frozen=True, kw_only=True):
    """Keys of a kubernetes probe. Empty ones are what kubectl would use.

    `namespace` "*" is all of them; `deployments` are names that must be there, empty for all.
    """

    context: str = ""
    namespace: str = ""
    kubeconfig_file: str = ""
    deployments: tuple[str, ...] = ()


def _itself(item: Any, _before: Any) -> Any:
    return item


class KubernetesProbe:
    """One namespace, or a whole cluster, followed by list and watch."""

    Options: ClassVar[type[Struct]] = KubernetesProbeOptions

    def __init__(self, options: KubernetesProbeOptions, deadline_s: float) -> None:
        self._options = options
        self._patience_s = deadline_s * _SHARE_OF_DEADLINE
        self._everywhere = options.namespace == "*"
        self._door = Door(
            KubernetesOptions(
                context=options.context,
                namespace="" if self._everywhere else options.namespace,
                kubeconfig_file=options.kubeconfig_file,
            )
        )
        door, listed = self._door, self._listed
        self._deployments: Mirror[Deployment, Deployment] = Mirror(
            door, listed("/apis/apps/v1", "deployments"), Deployment, _itself
        )
        self._stateful_sets: Mirror[StatefulSet, SeenSet] = Mirror(
            door, listed("/apis/apps/v1", "statefulsets"), StatefulSet, sets.seen_stateful
        )
        self._daemon_sets: Mirror[DaemonSet, SeenSet] = Mirror(
            door, listed("/apis/apps/v1", "daemonsets"), DaemonSet, sets.seen_daemons
        )
        self._jobs: Mirror[Job, SeenJob] = Mirror(door, listed("/apis/batch/v1", "jobs"), Job, jobs.seen)
        self._pods: Mirror[Pod, SeenPod] = Mirror(door, listed("/api/v1", "pods"), Pod, pods.seen)
        self._nodes: Mirror[Node, Node] = Mirror(door, lambda _cluster: "/api/v1/nodes", Node, _itself)
        self._autoscalers: Mirror[Autoscaler, Autoscaler] = Mirror(
            door, listed("/apis/autoscaling/v2", "horizontalpodautoscalers"), Autoscaler, _itself
        )
        self._warnings: Mirror[Event, SeenWarning] = Mirror(
            door,
            listed("/api/v1", "events"),
            Event,
            events.seen,
            query=lambda _cluster: {"fieldSelector": "type=Warning"},
            newest=events.MOST_KEPT,
            rank=lambda kept: kept.at,
        )
        self._usage = Usage(door)
        self._thread: OwnThread[Finding] = OwnThread("kubernetes probe")

    @property
    def action(self) -> Action:
        """Exactly what is asked of the server."""
        namespace = self._options.namespace
        where = " --all-namespaces" if self._everywhere else f" --namespace={namespace}" if namespace else ""
        listed = ("deployments", "statefulsets", "daemonsets", "jobs", "pods", "horizontalpodautoscalers", "events")
        body = "\n".join([*(f"get {kind}{where}" for kind in listed), "get nodes", f"top pods{where}", "top nodes"])
        return Action("kubernetes", body, self._options.context or "kubeconfig")

    @property
    def judgement(self) -> Judgement:
        """What safety says of it."""
        return judge_kubernetes(self.action.body)

    async def look(self, permit: Permit) -> Finding:
        """What the server has told by now. See `Watchable`."""
        permit.covers(self.action)
        return await self._thread.run(self._look)

    async def close(self) -> None:
        """Let the watches end."""
        await asyncio.gather(*(asyncio.to_thread(mirror.close) for mirror in self._mirrors()))
        await asyncio.to_thread(self._door.close)

    def _mirrors(self) -> tuple[Mirror[Any, Any], ...]:
        workloads = self._deployments, self._stateful_sets, self._daemon_sets, self._jobs
        return *workloads, self._pods, self._nodes, self._autoscalers, self._warnings

    def _listed(self, root: str, plural_name: str) -> Callable[[Cluster], str]:
        def address(cluster: Cluster) -> str:
            where = "" if self._everywhere else f"/namespaces/{cluster.namespace}"
            return f"{root}{where}/{plural_name}"

        return address

    def _look(self) -> Finding:
        ends_m = time.monotonic() + self._patience_s
        with needing("kubernetes", "kubernetes"):
            for mirror in self._mirrors():
                mirror.begin()
            found = self._deployments.items(ends_m - time.monotonic())
            seen = self._pods.items(ends_m - time.monotonic())
            self._door.knock(self._patience_s / 3)
        absent: list[str] = []
        stateful_sets = self._optional(self._stateful_sets, _("statefulsets"), absent, ends_m)
        daemon_sets = self._optional(self._daemon_sets, _("daemonsets"), absent, ends_m)
        failed = self._optional(self._jobs, _("jobs"), absent, ends_m)
        nodes = self._optional(self._nodes, _("nodes"), absent, ends_m)
        autoscalers = self._optional(self._autoscalers, _("autoscalers"), absent, ends_m)
        warned = self._optional(self._warnings, _("warnings"), absent, ends_m)
        self._usage.refresh("" if self._everywhere else self._door.cluster().namespace)
        if self._usage.absent:
            absent.append(_("CPU and memory"))
        picture = Picture(self._everywhere, time.time(), self._usage)
        picture.deployments(found, self._options.deployments)
        picture.stateful_sets(stateful_sets)
        picture.daemon_sets(daemon_sets)
        picture.jobs(failed)
        picture.pods(seen)
        picture.nodes(nodes)
        picture.autoscalers(autoscalers)
        picture.warnings(warned)
        return picture.finding(absent)

    def _optional(self, mirror: Mirror[Any, Any], name: str, absent: list[str], ends_m: float) -> list[Any]:
        """What many may not look at, or an old server has not."""
        try:
            return mirror.items(ends_m - time.monotonic())
        except (AccessDenied, Refused):
            absent.append(name)
            return []
