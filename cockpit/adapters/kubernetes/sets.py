"""StatefulSets and DaemonSets of a cluster's panel: what lacks pods, and updates under way.

Neither has a condition that says since when it stands so: it is known where that began while it was watched.
"""

from __future__ import annotations

import time

import msgspec
from msgspec import Struct

from cockpit.adapters.kubernetes.mirror import Mirrored
from cockpit.adapters.kubernetes.row import Row, row
from cockpit.words import _


class _Rolling(Struct):
    partition: int = 0


class _Strategy(Struct):
    type: str = "RollingUpdate"
    rollingUpdate: _Rolling | None = None  # noqa: N815 - the API's spelling


class _StatefulSetSpec(Struct):
    replicas: int = 1
    updateStrategy: _Strategy = msgspec.field(default_factory=_Strategy)  # noqa: N815 - the API's spelling


class _StatefulSetStatus(Struct):
    observedGeneration: int = 0  # noqa: N815 - the API's spelling
    replicas: int = 0
    readyReplicas: int = 0  # noqa: N815 - the API's spelling
    updatedReplicas: int = 0  # noqa: N815 - the API's spelling
    currentRevision: str = ""  # noqa: N815 - the API's spelling
    updateRevision: str = ""  # noqa: N815 - the API's spelling


class StatefulSet(Mirrored):
    """What of a StatefulSet is decoded."""

    spec: _StatefulSetSpec = msgspec.field(default_factory=_StatefulSetSpec)
    status: _StatefulSetStatus = msgspec.field(default_factory=_StatefulSetStatus)


class _DaemonSetSpec(Struct):
    updateStrategy: _Strategy = msgspec.field(default_factory=_Strategy)  # noqa: N815 - the API's spelling


class _DaemonSetStatus(Struct):
    observedGeneration: int = 0  # noqa: N815 - the API's spelling
    desiredNumberScheduled: int = 0  # noqa: N815 - the API's spelling
    currentNumberScheduled: int = 0  # noqa: N815 - the API's spelling
    numberReady: int = 0  # noqa: N815 - the API's spelling
    updatedNumberScheduled: int = 0  # noqa: N815 - the API's spelling


class DaemonSet(Mirrored):
    """What of a DaemonSet is decoded."""

    spec: _DaemonSetSpec = msgspec.field(default_factory=_DaemonSetSpec)
    status: _DaemonSetStatus = msgspec.field(default_factory=_DaemonSetStatus)


class SeenSet(Struct, frozen=True):
    """What is kept of either. `since` is in seconds since 1970, 0 where nobody saw it begin."""

    what: str
    name: str
    namespace: str
    ready: int
    wanted: int
    rolling: bool
    note: str
    since: float

    @property
    def standing(self) -> tuple[str, str]:
        """In one word, and its level."""
        level = "yellow" if self.ready or not self.wanted else "red"
        if self.rolling:
            return _("rolling out"), level
        return (_("not ready"), level) if self.ready < self.wanted else (_("ready"), "green")


def seen_stateful(it: StatefulSet, before: SeenSet | None) -> SeenSet:
    """What is kept of a StatefulSet. A partition holds back the pods below it: they are meant to stay old."""
    state, strategy = it.status, it.spec.updateStrategy
    unseen = state.observedGeneration < it.metadata.generation
    partition = strategy.rollingUpdate.partition if strategy.rollingUpdate is not None else 0
    rolls = strategy.type == "RollingUpdate" and state.updateRevision != state.currentRevision
    late = rolls and state.updatedReplicas < max(0, it.spec.replicas - partition)
    old = max(0, state.replicas - state.updatedReplicas)
    return _seen("statefulset", it, (state.readyReplicas, it.spec.replicas),
                 _progress(unseen, late, state.updatedReplicas, it.spec.replicas, old), before)  # fmt: skip


def seen_daemons(it: DaemonSet, before: SeenSet | None) -> SeenSet:
    """What is kept of a DaemonSet."""
    state = it.status
    unseen = state.observedGeneration < it.metadata.generation
    wanted, updated = state.desiredNumberScheduled, state.updatedNumberScheduled
    late = it.spec.updateStrategy.type == "RollingUpdate" and updated < wanted
    old = max(0, state.currentNumberScheduled - updated)
    return _seen("daemonset", it, (state.numberReady, wanted), _progress(unseen, late, updated, wanted, old), before)


def _progress(unseen: bool, late: bool, updated: int, wanted: int, old: int) -> str:
    """How far an update is; "" where none is under way."""
    if unseen:
        return _("the controller has not seen it yet")
    return _("{n} of {all} new, {old} old").format(n=updated, all=wanted, old=old) if late else ""


def _seen(what: str, it: Mirrored, counts: tuple[int, int], progress: str, before: SeenSet | None) -> SeenSet:
    made = SeenSet(
        what=what,
        name=it.metadata.name,
        namespace=it.metadata.namespace,
        ready=counts[0],
        wanted=counts[1],
        rolling=bool(progress),
        note=progress,
        since=0.0,
    )
    if before is None:
        return made
    begun = before.since if before.standing == made.standing else time.time()
    return msgspec.structs.replace(made, since=begun)


def set_row(it: SeenSet, name: str, now: float) -> Row:
    """Its row; since when only where it is not as it should be."""
    status, level = it.standing
    since = it.since if level != "green" else 0.0
    ready = f"{it.ready}/{it.wanted}"
    return row(it.what, name, status=status, level=level, ready=ready, since=since, now=now, note=it.note)
