"""Deployments and autoscalers of a cluster's panel: rollouts under way or stuck, what lacks replicas."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from cockpit.adapters.kubernetes.mirror import Mirrored
from cockpit.adapters.kubernetes.row import Condition, Row, by_type, row, seconds_of
from cockpit.words import _


class _DeploymentSpec(Struct):
    replicas: int = 1
    paused: bool = False


class _DeploymentStatus(Struct):
    observedGeneration: int = 0  # noqa: N815 - the API's spelling
    replicas: int = 0
    updatedReplicas: int = 0  # noqa: N815 - the API's spelling
    availableReplicas: int = 0  # noqa: N815 - the API's spelling
    conditions: list[Condition] = []


class Deployment(Mirrored):
    """What of a deployment is kept."""

    spec: _DeploymentSpec = msgspec.field(default_factory=_DeploymentSpec)
    status: _DeploymentStatus = msgspec.field(default_factory=_DeploymentStatus)

    @property
    def rolling(self) -> bool:
        """Whether a rollout is under way: the controller has not seen it all, or old pods are still there."""
        state = self.status
        behind = state.observedGeneration < self.metadata.generation or state.updatedReplicas < self.spec.replicas
        return behind or state.replicas > state.updatedReplicas


def deployment_row(it: Deployment, name: str, now: float) -> Row:
    """Its row."""
    wanted, state = it.spec.replicas, it.status
    held = by_type(state.conditions)
    status, level, since, note = _("ready"), "green", 0.0, _progress(it) if it.rolling else ""
    progressing, available = held.get("Progressing"), held.get("Available")
    if progressing is not None and progressing.reason == "ProgressDeadlineExceeded":
        status, level = _("stuck"), "red"
        since = seconds_of(progressing.lastTransitionTime)
        note = note or progressing.reason
    elif it.spec.paused:
        status, level = _("paused"), "yellow"
    elif it.rolling:
        status, level = _("rolling out"), "yellow" if state.availableReplicas or not wanted else "red"
    elif state.availableReplicas < wanted:
        status, level = _("not ready"), "yellow" if state.availableReplicas else "red"
        since = seconds_of(available.lastTransitionTime) if available is not None else 0.0
    ready = f"{state.availableReplicas}/{wanted}"
    return row("deployment", name, status=status, level=level, ready=ready, since=since, now=now, note=note)


def _progress(it: Deployment) -> str:
    if it.status.observedGeneration < it.metadata.generation:
        return _("the controller has not seen it yet")
    old = max(0, it.status.replicas - it.status.updatedReplicas)
    return _("{n} of {all} new, {old} old").format(n=it.status.updatedReplicas, all=it.spec.replicas, old=old)


class _AutoscalerSpec(Struct):
    minReplicas: int = 1  # noqa: N815 - the API's spelling
    maxReplicas: int = 0  # noqa: N815 - the API's spelling
    metrics: list[dict[str, Any]] = []


class _AutoscalerStatus(Struct):
    currentReplicas: int = 0  # noqa: N815 - the API's spelling
    desiredReplicas: int = 0  # noqa: N815 - the API's spelling
    currentMetrics: list[dict[str, Any]] | None = None  # noqa: N815 - the API's spelling
    conditions: list[Condition] = []


class Autoscaler(Mirrored):
    """What of a horizontal pod autoscaler is kept."""

    spec: _AutoscalerSpec = msgspec.field(default_factory=_AutoscalerSpec)
    status: _AutoscalerStatus = msgspec.field(default_factory=_AutoscalerStatus)

    @property
    def maxed(self) -> bool:
        """Whether it has as many replicas as it may have, and may have wanted more."""
        return self.spec.maxReplicas > self.spec.minReplicas and self.status.currentReplicas >= self.spec.maxReplicas


def autoscaler_row(it: Autoscaler, name: str, now: float) -> Row:
    """Its row: replicas there are of those it wants, between which bounds, and each metric against its target."""
    held = by_type(it.status.conditions)
    active, limited = held.get("ScalingActive"), held.get("ScalingLimited")
    status, level, since = _("scales"), "green", 0.0
    if active is not None and active.status == "False" and active.reason != "ScalingDisabled":
        status, level, since = active.reason, "yellow", seconds_of(active.lastTransitionTime)
    elif it.maxed:
        status, level = _("maxed out"), "yellow"
        since = seconds_of(limited.lastTransitionTime) if limited is not None and limited.status == "True" else 0.0
    bounds = _("{least} to {most}").format(least=it.spec.minReplicas, most=it.spec.maxReplicas)
    note = ", ".join([bounds, *_metrics(it)])
    ready = f"{it.status.currentReplicas}/{it.status.desiredReplicas or it.status.currentReplicas}"
    return row("autoscaler", name, status=status, level=level, ready=ready, since=since, now=now, note=note)


def _metrics(it: Autoscaler) -> list[str]:
    """Each metric as "cpu 95 of 60 %"."""
    now = {_metric_name(one): _measure(one, "current") for one in it.status.currentMetrics or ()}
    told = []
    for one in it.spec.metrics:
        name, target = _metric_name(one), _measure(one, "target")
        told.append(_("{name} {now} of {target}").format(name=name, now=now.get(name) or "?", target=target))
    return told


def _body(metric: dict[str, Any]) -> dict[str, Any]:
    kind = str(metric.get("type", ""))
    body = metric.get(kind[:1].lower() + kind[1:])
    return body if isinstance(body, dict) else {}


def _metric_name(metric: dict[str, Any]) -> str:
    body = _body(metric)
    named = body.get("metric")
    return str(body.get("name") or (named.get("name") if isinstance(named, dict) else "") or metric.get("type", ""))


def _measure(metric: dict[str, Any], which: str) -> str:
    values = _body(metric).get(which)
    held = values if isinstance(values, dict) else {}
    if (share := held.get("averageUtilization")) is not None:
        return f"{share} %"
    return str(held.get("averageValue") or held.get("value") or "")
