"""Nodes of a cluster's panel: which are not ready, under pressure or cordoned, and how full each is."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from cockpit.adapters.kubernetes.mirror import Mirrored
from cockpit.adapters.kubernetes.row import Condition, Row, by_type, row, seconds_of
from cockpit.adapters.kubernetes.usage import Used, quantity

_PRESSURES = ("MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable")


class _NodeSpec(Struct):
    unschedulable: bool = False


class _NodeStatus(Struct):
    conditions: list[Condition] = []
    allocatable: dict[str, str] = {}


class Node(Mirrored):
    """What of a node is kept."""

    spec: _NodeSpec = msgspec.field(default_factory=_NodeSpec)
    status: _NodeStatus = msgspec.field(default_factory=_NodeStatus)

    def shares(self, used: Used | None) -> tuple[float | None, float | None]:
        """How much of its CPU and of its memory is in use, in percent."""
        if used is None:
            return None, None
        cpu, memory = (quantity(self.status.allocatable.get(name, "")) for name in ("cpu", "memory"))
        return (
            round(100 * used.cpu_cores / cpu, 1) if cpu else None,
            round(100 * used.memory_bytes / memory, 1) if memory else None,
        )


def node_row(it: Node, now: float, used: Used | None) -> Row:
    """Its row."""
    held = by_type(it.status.conditions)
    pressed = [held[name] for name in _PRESSURES if name in held and held[name].status == "True"]
    ready = held.get("Ready")
    status, level, since, note = "Ready", "", 0.0, ""
    if ready is None or ready.status != "True":
        status, level = "NotReady", "red"
        since, note = (seconds_of(ready.lastTransitionTime), ready.message) if ready is not None else (0.0, "")
    elif pressed:
        status, level = ", ".join(one.type for one in pressed), "red"
        since, note = min(seconds_of(one.lastTransitionTime) for one in pressed), pressed[0].message
    elif it.spec.unschedulable:
        status, level = "cordoned", "yellow"
    cpu, memory = it.shares(used)
    return row(
        "node",
        it.metadata.name,
        status=status,
        level=level,
        since=since,
        now=now,
        note=note,
        cpu_percent=cpu,
        memory_percent=memory,
    )
