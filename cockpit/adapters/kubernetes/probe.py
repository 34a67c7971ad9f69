"""Deployments, pods and nodes of a cluster, for the live panel: what is not as it should be comes first."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from cockpit.adapters.kubernetes.cluster import Cluster, KubernetesOptions
from cockpit.adapters.kubernetes.mirror import Mirror, Mirrored
from cockpit.adapters.library import needing
from cockpit.adapters.own_thread import OwnThread
from cockpit.adapters.probing import TEXT_CHARACTERS, Finding, Value
from cockpit.errors import AccessDenied
from cockpit.safety.kubernetes.judgement import judge_kubernetes
from cockpit.safety.permit import Action, Permit
from cockpit.safety.verdict import Judgement
from cockpit.words import _, shortened

_MOST_ROWS = 100
_SHARE_OF_DEADLINE = 0.9
_PRESSURES = ("MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable")


class KubernetesProbeOptions(Struct, frozen=True, kw_only=True):
    """Keys of a kubernetes probe. Empty ones are what kubectl would use.

    `namespace` "*" is all of them; `deployments` are names that must be there, empty for all.
    """

    context: str = ""
    namespace: str = ""
    kubeconfig_file: str = ""
    deployments: tuple[str, ...] = ()


class _Condition(Struct):
    type: str = ""
    status: str = ""
    reason: str = ""


class _ContainerStatus(Struct):
    ready: bool = False
    restartCount: int = 0  # noqa: N815 - the API's spelling
    state: dict[str, Any] = {}


class _PodStatus(Struct):
    phase: str = ""
    reason: str = ""
    containerStatuses: list[_ContainerStatus] = []  # noqa: N815 - the API's spelling


class Pod(Mirrored):
    """What of a pod is kept."""

    status: _PodStatus = msgspec.field(default_factory=_PodStatus)


class _DeploymentSpec(Struct):
    replicas: int = 1
    paused: bool = False


class _DeploymentStatus(Struct):
    observedGeneration: int = 0  # noqa: N815 - the API's spelling
    replicas: int = 0
    updatedReplicas: int = 0  # noqa: N815 - the API's spelling
    availableReplicas: int = 0  # noqa: N815 - the API's spelling
    conditions: list[_Condition] = []


class Deployment(Mirrored):
    """What of a deployment is kept."""

    spec: _DeploymentSpec = msgspec.field(default_factory=_DeploymentSpec)
    status: _DeploymentStatus = msgspec.field(default_factory=_DeploymentStatus)


class _NodeSpec(Struct):
    unschedulable: bool = False


class _NodeStatus(Struct):
    conditions: list[_Condition] = []


class Node(Mirrored):
    """What of a node is kept."""

    spec: _NodeSpec = msgspec.field(default_factory=_NodeSpec)
    status: _NodeStatus = msgspec.field(default_factory=_NodeStatus)


class KubernetesProbe:
    """One namespace, or a whole cluster, followed by list and watch."""

    Options: ClassVar[type[Struct]] = KubernetesProbeOptions

    def __init__(self, options: KubernetesProbeOptions, deadline_s: float) -> None:
        self._options = options
        self._patience_s = deadline_s * _SHARE_OF_DEADLINE
        everywhere = options.namespace == "*"
        target = KubernetesOptions(
            context=options.context,
            namespace="" if everywhere else options.namespace,
            kubeconfig_file=options.kubeconfig_file,
        )

        def listed(root: str, plural: str) -> Any:
            return lambda cluster: _address(cluster, root, plural, everywhere=everywhere)

        self._deployments = Mirror(target, listed("/apis/apps/v1", "deployments"), Deployment)
        self._pods = Mirror(target, listed("/api/v1", "pods"), Pod)
        self._nodes = Mirror(target, lambda _cluster: "/api/v1/nodes", Node)
        self._thread: OwnThread[Finding] = OwnThread("kubernetes probe")
        self._first_restarts: int | None = None

    @property
    def action(self) -> Action:
        """Exactly what is asked of the server."""
        namespace = self._options.namespace
        where = " --all-namespaces" if namespace == "*" else f" --namespace={namespace}" if namespace else ""
        body = f"get deployments{where}\nget pods{where}\nget nodes"
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
        for mirror in (self._deployments, self._pods, self._nodes):
            await asyncio.to_thread(mirror.close)

    def _look(self) -> Finding:
        with needing("kubernetes", "kubernetes"):
            deployments = self._deployments.items(self._patience_s)
            pods = self._pods.items(self._patience_s)
        try:
            nodes = self._nodes.items(self._patience_s)
        except AccessDenied:
            nodes = []  # many may look at their namespace and not at nodes
        return self._finding(deployments, pods, nodes)

    def _finding(self, deployments: Sequence[Deployment], pods: Sequence[Pod], nodes: Sequence[Node]) -> Finding:
        rows = [*map(_deployment_row, deployments), *self._missing(deployments)]
        listed = [*map(_pod_row, pods)]
        sick = [row for row in listed if row["level"]]
        ill = [row for row in map(_node_row, nodes) if row["level"]]
        if not rows and not pods:
            return Finding(_("no deployments and no pods"), none=True, mend=_("is it the right namespace?"))
        late = [row for row in rows if row["level"] != "green"]
        words = [
            _("{ready} of {all} deployments ready").format(ready=len(rows) - len(late), all=len(rows)),
            _("{all} pods, {sick} not well").format(all=len(pods), sick=len(sick)),
            *(f"{row['name']} {row['status']}" for row in (*ill, *sick)[:2]),
        ]
        values = (
            Value("deployments", float(len(rows))),
            Value("deployments_unready", float(len(late)), "", _worst(late)),
            Value("pods", float(len(pods))),
            Value("pods_unready", float(len(sick)), "", _worst(sick)),
            *self._restarts(sum(row["restarts"] for row in listed)),
            Value("nodes", float(len(nodes))),
            Value("nodes_unready", float(len(ill)), "", _worst(ill)),
        )
        ordered = [*late, *ill, *sick, *(row for row in rows if row["level"] == "green")]
        return Finding(" · ".join(words), values, tuple(ordered[:_MOST_ROWS]))

    def _restarts(self, restarts: int) -> tuple[Value, Value]:
        """Of all pods there are, and since the first look; pods that went took theirs with them."""
        if self._first_restarts is None or restarts < self._first_restarts:
            self._first_restarts = restarts
        change = restarts - self._first_restarts
        return Value("restarts", float(restarts)), Value("restarts_change", float(change))

    def _missing(self, deployments: Sequence[Deployment]) -> list[dict[str, Any]]:
        there = Counter(it.metadata.name for it in deployments)
        return [
            {"name": name, "ready": "0/?", "status": "missing", "restarts": 0, "level": "red"}
            for name in self._options.deployments
            if not there[name]
        ]


def _worst(rows: Sequence[Mapping[str, Any]]) -> str:
    levels = {row["level"] for row in rows}
    return "red" if "red" in levels else "yellow" if levels else "green"


def _address(cluster: Cluster, root: str, plural: str, *, everywhere: bool) -> str:
    return f"{root}/{plural}" if everywhere else f"{root}/namespaces/{cluster.namespace}/{plural}"


def _deployment_row(it: Deployment) -> dict[str, Any]:
    wanted, ready = it.spec.replicas, it.status.availableReplicas
    stuck = any(one.reason == "ProgressDeadlineExceeded" for one in it.status.conditions)
    moving = it.status.observedGeneration < it.metadata.generation or it.status.updatedReplicas < wanted
    moving = moving or it.status.replicas > it.status.updatedReplicas
    status, level = ("rolling out", "yellow") if moving else ("ready", "green")
    if stuck:
        status, level = "stuck", "red"
    elif it.spec.paused:
        status, level = "paused", "yellow"
    elif ready < wanted:
        status, level = ("rolling out" if moving else "not ready"), ("yellow" if ready else "red")
    return _row(it, f"{ready}/{wanted}", status, 0, level)


def _pod_row(it: Pod) -> dict[str, Any]:
    containers = it.status.containerStatuses
    ready, restarts = sum(one.ready for one in containers), sum(one.restartCount for one in containers)
    reasons = [str(_reason(one.state)) for one in containers if not one.ready and _reason(one.state)]
    status = it.status.reason or (reasons[0] if reasons else it.status.phase)
    well = it.status.phase == "Running" and ready == len(containers)
    broken = it.status.phase in ("Failed", "Unknown") or status.endswith(("BackOff", "Error"))
    over = it.metadata.deletionTimestamp or it.status.phase == "Succeeded"
    level = "" if over or well else "red" if broken else "yellow"
    return _row(it, f"{ready}/{len(containers)}", status, restarts, level)


def _reason(state: Mapping[str, Any]) -> str:
    """Why a container waits or has ended."""
    held = [one.get("reason") for one in state.values() if isinstance(one, Mapping)]
    return next((reason for reason in held if isinstance(reason, str)), "")


def _node_row(it: Node) -> dict[str, Any]:
    held = {one.type: one.status for one in it.status.conditions}
    pressed = [name for name in _PRESSURES if held.get(name) == "True"]
    ready = held.get("Ready") == "True"
    status = "NotReady" if not ready else ", ".join(pressed) or ("cordoned" if it.spec.unschedulable else "Ready")
    return _row(it, "", status, 0, "red" if not ready or pressed else "yellow" if it.spec.unschedulable else "")


def _row(it: Mirrored, ready: str, status: str, restarts: int, level: str) -> dict[str, Any]:
    return {
        "name": shortened(it.metadata.name, TEXT_CHARACTERS),
        "ready": ready,
        "status": shortened(status, TEXT_CHARACTERS),
        "restarts": restarts,
        "level": level,
    }
