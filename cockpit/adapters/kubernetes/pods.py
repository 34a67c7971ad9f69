"""Pods of a cluster's panel: which are not as they should be, why, since when, and whose restarts rise."""

from __future__ import annotations

import time

import msgspec
from msgspec import Struct

from cockpit.adapters.kubernetes.mirror import Mirrored
from cockpit.adapters.kubernetes.row import Condition, Row, by_type, row, seconds_of
from cockpit.words import _

RECENT_S = 600.0
"""A restart is worth a row so long."""
_LATE_S = 60.0
_STARTING = ("ContainerCreating", "PodInitializing")


class _Waiting(Struct):
    reason: str = ""
    message: str = ""


class _Terminated(Struct):
    reason: str = ""
    exitCode: int = 0  # noqa: N815 - the API's spelling
    finishedAt: str | None = None  # noqa: N815 - the API's spelling


class _State(Struct):
    waiting: _Waiting | None = None
    terminated: _Terminated | None = None


class _Container(Struct):
    name: str = ""
    ready: bool = False
    restartCount: int = 0  # noqa: N815 - the API's spelling
    state: _State = msgspec.field(default_factory=_State)
    lastState: _State = msgspec.field(default_factory=_State)  # noqa: N815 - the API's spelling


class _PodStatus(Struct):
    phase: str = ""
    reason: str = ""
    conditions: list[Condition] = []
    containerStatuses: list[_Container] = []  # noqa: N815 - the API's spelling
    initContainerStatuses: list[_Container] = []  # noqa: N815 - the API's spelling


class Pod(Mirrored):
    """What of a pod is decoded."""

    status: _PodStatus = msgspec.field(default_factory=_PodStatus)


class _Trouble(Struct, frozen=True):
    status: str
    level: str
    since: float = 0.0
    note: str = ""


class SeenPod(Struct):
    """What of a pod is kept. Times are seconds since 1970, those of `rises` of the monotonic clock."""

    name: str
    namespace: str
    ready: str
    restarts: int
    first_restarts: int
    rises: tuple[tuple[float, int], ...]
    trouble: _Trouble | None
    gone_at: float
    ended_at: float
    ended: str

    @property
    def restarts_change(self) -> int:
        """Restarts since it was first seen."""
        return self.restarts - self.first_restarts

    def restarts_within(self, seconds: float, now_m: float) -> int:
        """Restarts seen in the last so many seconds."""
        return sum(n for at, n in self.rises if now_m - at <= seconds)


def seen(pod: Pod, before: SeenPod | None) -> SeenPod:
    """What is kept of a pod; a pod that has fewer restarts than before is another one of that name."""
    status = pod.status
    containers = [*status.initContainerStatuses, *status.containerStatuses]
    restarts = sum(one.restartCount for one in containers)
    rises: tuple[tuple[float, int], ...] = ()
    first = restarts
    if before is not None and restarts >= before.restarts:
        first, rises = before.first_restarts, before.rises
        if restarts > before.restarts:
            now_m = time.monotonic()
            rises = (*(rise for rise in rises if now_m - rise[0] < RECENT_S), (now_m, restarts - before.restarts))
    ended_at, ended = _last_end(containers)
    return SeenPod(
        name=pod.metadata.name,
        namespace=pod.metadata.namespace,
        ready=f"{sum(one.ready for one in status.containerStatuses)}/{len(status.containerStatuses)}",
        restarts=restarts,
        first_restarts=first,
        rises=rises,
        trouble=_trouble(pod),
        gone_at=seconds_of(pod.metadata.deletionTimestamp),
        ended_at=ended_at,
        ended=ended,
    )


def pod_row(it: SeenPod, name: str, now: float) -> Row | None:
    """A row for a pod that is not as it should be; None for the others."""
    trouble = it.trouble
    if it.gone_at:
        if now - it.gone_at < _LATE_S:
            return None
        trouble = _Trouble("Terminating", "yellow", it.gone_at)
    elif trouble is None and it.ended_at and now - it.ended_at < RECENT_S:
        trouble = _Trouble(_("restarted: {why}").format(why=it.ended), "yellow", it.ended_at)
    if trouble is None:
        return None
    return row(
        "pod",
        name,
        status=trouble.status,
        level=trouble.level,
        ready=it.ready,
        since=trouble.since,
        now=now,
        note=trouble.note,
        restarts=it.restarts,
        restarts_change=it.restarts_change,
    )


def _trouble(pod: Pod) -> _Trouble | None:
    status = pod.status
    held = by_type(status.conditions)
    unready = held.get("Ready")
    since = seconds_of(unready.lastTransitionTime) if unready is not None else 0.0
    born = seconds_of(pod.metadata.creationTimestamp)
    if status.phase == "Succeeded":
        return None
    if status.phase in ("Failed", "Unknown"):
        return _Trouble(status.reason or _why_ended(status) or status.phase, "red", since or born)
    if (stopped := _stopped(status)) is not None:
        return _Trouble(stopped[0], "red", since or born, stopped[1])
    if status.phase != "Running":
        placed = held.get("PodScheduled")
        if placed is not None and placed.status == "False":
            since = seconds_of(placed.lastTransitionTime) or born
            return _Trouble(f"{status.phase}: {placed.reason}", "yellow", since, placed.message)
        return _Trouble(_waits(status) or status.phase, "yellow", since or born)
    if all(one.ready for one in status.containerStatuses):
        return None
    return _Trouble(_("not ready"), "yellow", since)


def _stopped(status: _PodStatus) -> tuple[str, str] | None:
    """Why a container does not run though it should, and what is said of it."""
    for one in (*status.initContainerStatuses, *status.containerStatuses):
        waiting, ended = one.state.waiting, one.state.terminated
        if waiting is not None and waiting.reason and waiting.reason not in _STARTING:
            before = one.lastState.terminated
            cause = f" ({_cause(before)})" if before is not None and waiting.reason == "CrashLoopBackOff" else ""
            return waiting.reason + cause, waiting.message
        if ended is not None and ended.exitCode:
            return _cause(ended), ""
    return None


def _waits(status: _PodStatus) -> str:
    containers = (*status.initContainerStatuses, *status.containerStatuses)
    return next((one.state.waiting.reason for one in containers if one.state.waiting is not None), "")


def _why_ended(status: _PodStatus) -> str:
    ended = (one.state.terminated for one in (*status.initContainerStatuses, *status.containerStatuses))
    return next((_cause(one) for one in ended if one is not None and one.exitCode), "")


def _cause(ended: _Terminated) -> str:
    """OOMKilled, or the exit status where the reason says nothing more than that it failed."""
    return ended.reason if ended.reason not in ("", "Error") else _("exit status {code}").format(code=ended.exitCode)


def _last_end(containers: list[_Container]) -> tuple[float, str]:
    """When a container of those last ended, and why; (0, "") when none has."""
    ended = [one.lastState.terminated for one in containers if one.lastState.terminated is not None]
    return max(((seconds_of(it.finishedAt), _cause(it)) for it in ended), default=(0.0, ""))
