"""Rows of a cluster's panel: what each holds, whatever it is about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from cockpit.adapters.probing import TEXT_CHARACTERS
from cockpit.words import shortened

Row = dict[str, Any]


class Condition(Struct):
    """One of an object's conditions."""

    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""
    lastTransitionTime: str | None = None  # noqa: N815 - the API's spelling
    lastUpdateTime: str | None = None  # noqa: N815 - the API's spelling


def by_type(conditions: list[Condition]) -> Mapping[str, Condition]:
    """Conditions by their type."""
    return {one.type: one for one in conditions}


def seconds_of(written: str | None) -> float:
    """A time of the API as seconds since 1970; 0 when it is none."""
    try:
        return datetime.fromisoformat(written).timestamp() if written else 0.0
    except (ValueError, OverflowError):
        return 0.0


def row(
    what: str,
    name: str,
    *,
    status: str = "",
    level: str = "",
    ready: str = "",
    since: float = 0.0,
    now: float = 0.0,
    note: str = "",
    **rest: Any,
) -> Row:
    """One row.

    Args:
        what: "deployment", "statefulset", "daemonset", "job", "pod", "node", "autoscaler", "warning" or "note".
        since: when it came to stand so, in seconds since 1970; 0 when that is not known. The row has its age.
        rest: numbers: restarts, restarts_change, cpu_cores, memory_bytes, count.
    """
    made: Row = {"what": what, "name": shortened(name, TEXT_CHARACTERS), "level": level}
    made["ready"], made["status"] = ready, shortened(status, TEXT_CHARACTERS)
    if since:
        made["since_s"] = round(max(0.0, now - since))
    if note:
        made["note"] = shortened(note, TEXT_CHARACTERS)
    return made | {name: value for name, value in rest.items() if value is not None}
