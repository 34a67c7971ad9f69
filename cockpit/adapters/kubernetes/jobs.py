"""Jobs of a cluster's panel: those that failed lately. A CronJob's are told of by its newest alone."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from cockpit.adapters.kubernetes.mirror import Metadata, Mirrored
from cockpit.adapters.kubernetes.row import Condition, Row, by_type, row, seconds_of
from cockpit.words import _

RECENT_S = 3600.0
"""A failed Job stays until somebody deletes it; so long it is worth a row."""


class _Owner(Struct):
    kind: str = ""
    uid: str = ""


class _JobMetadata(Metadata):
    ownerReferences: list[_Owner] = msgspec.field(default_factory=list)  # noqa: N815 - the API's spelling


class _JobStatus(Struct):
    conditions: list[Condition] = []


class Job(Mirrored):
    """What of a Job is decoded."""

    metadata: _JobMetadata = msgspec.field(default_factory=_JobMetadata)
    status: _JobStatus = msgspec.field(default_factory=_JobStatus)


class SeenJob(Struct, frozen=True):
    """What is kept of a Job. Times are seconds since 1970; `schedule` is its CronJob, "" where it has none."""

    name: str
    namespace: str
    schedule: str
    begun_at: float
    failed_at: float
    why: str


def seen(it: Job, _before: SeenJob | None) -> SeenJob:
    """What is kept of a Job."""
    failed = by_type(it.status.conditions).get("Failed")
    has_failed = failed is not None and failed.status == "True"
    return SeenJob(
        name=it.metadata.name,
        namespace=it.metadata.namespace,
        schedule=next((owner.uid for owner in it.metadata.ownerReferences if owner.kind == "CronJob"), ""),
        begun_at=seconds_of(it.metadata.creationTimestamp),
        failed_at=seconds_of(failed.lastTransitionTime) if failed is not None and has_failed else 0.0,
        why=": ".join(filter(None, (failed.reason, failed.message))) if failed is not None and has_failed else "",
    )


def failed_lately(jobs: Iterable[SeenJob], now: float) -> list[SeenJob]:
    """Which have failed, and were not followed by another of their CronJob; the latest first."""
    newest: dict[str, SeenJob] = {}
    alone: list[SeenJob] = []
    for it in jobs:
        if not it.schedule:
            alone.append(it)
        elif it.schedule not in newest or _turn(it) > _turn(newest[it.schedule]):
            newest[it.schedule] = it
    found = [it for it in (*alone, *newest.values()) if it.failed_at and now - it.failed_at < RECENT_S]
    return sorted(found, key=lambda it: it.failed_at, reverse=True)


def _turn(it: SeenJob) -> tuple[float, str]:
    """By which Jobs of a CronJob follow each other: within a second by their names, which end in the minute."""
    return it.begun_at, it.name


def job_row(it: SeenJob, name: str, now: float) -> Row:
    """The row of one that has failed; the next one of a CronJob may do better."""
    level = "yellow" if it.schedule else "red"
    return row("job", name, status=_("failed"), level=level, since=it.failed_at, now=now, note=it.why)
