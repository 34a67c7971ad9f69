"""Warning events of a cluster's panel: the newest, the same ones as one, counted."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from cockpit.adapters.kubernetes.mirror import Mirrored
from cockpit.adapters.kubernetes.row import Row, row, seconds_of
from cockpit.adapters.probing import TEXT_CHARACTERS
from cockpit.words import shortened

RECENT_S = 900.0
MOST_KEPT = 1000


class _Series(Struct):
    count: int = 0
    lastObservedTime: str | None = None  # noqa: N815 - the API's spelling


class _About(Struct):
    kind: str = ""
    name: str = ""
    namespace: str = ""


class Event(Mirrored):
    """What of an event is decoded."""

    type: str = ""
    reason: str = ""
    message: str = ""
    count: int = 0
    lastTimestamp: str | None = None  # noqa: N815 - the API's spelling
    eventTime: str | None = None  # noqa: N815 - the API's spelling
    series: _Series | None = None
    involvedObject: _About = msgspec.field(default_factory=_About)  # noqa: N815 - the API's spelling


class SeenWarning(Struct, frozen=True):
    """What of a warning is kept."""

    reason: str
    about: str
    message: str
    count: int
    at: float


def seen(event: Event, _before: SeenWarning | None) -> SeenWarning:
    """What is kept of an event."""
    told = (event.series.lastObservedTime if event.series else None) or event.lastTimestamp or event.eventTime
    about = event.involvedObject
    return SeenWarning(
        reason=event.reason,
        about=f"{about.kind.lower()}/{about.name}",
        message=shortened(event.message, TEXT_CHARACTERS),
        count=max(1, event.count, event.series.count if event.series else 0),
        at=seconds_of(told or event.metadata.creationTimestamp),
    )


def warning_rows(events: Iterable[SeenWarning], now: float) -> list[Row]:
    """Recent warnings, newest first: those of one reason about one object as one row with the newest one's words."""
    newest: dict[tuple[str, str], SeenWarning] = {}
    counts: dict[tuple[str, str], int] = {}
    for it in events:
        if now - it.at > RECENT_S:
            continue
        key = (it.reason, it.about)
        counts[key] = counts.get(key, 0) + it.count
        if key not in newest or it.at > newest[key].at:
            newest[key] = it
    ordered = sorted(newest.items(), key=lambda pair: pair[1].at, reverse=True)
    return [
        row("warning", it.about, status=it.reason, level="", since=it.at, now=now, note=it.message, count=counts[key])
        for key, it in ordered
    ]
