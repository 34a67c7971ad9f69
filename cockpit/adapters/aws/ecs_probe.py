"""Services of an ECS cluster: their deployments, how many tasks run of those that should, and what ECS says of them.

[[probe]]
name = "backend"
kind = "ecs"
region = "ap-northeast-2"
cluster = "shop"
services = ["api"]        # those that must be there; without it, all of the cluster
"""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from msgspec import Struct

from cockpit.adapters.aws.looking import Asking, AwsProbe, AwsProbeOptions
from cockpit.adapters.probing import TEXT_CHARACTERS, Finding, Value
from cockpit.errors import ConfigError
from cockpit.safety.permit import Action
from cockpit.words import _, shortened

_A_CALL = 10
"""DescribeServices takes so many names."""
_MOST_SERVICES = 100
_MOST_EVENTS = 5
_SHORT_FOR_S = 300.0
"""Fewer tasks than wanted for so long is no deployment that takes its time."""
_GRAVE = re.compile(r"unable|fail|unhealthy|stopped|rolling back", re.IGNORECASE)
_RANK = {"red": 0, "yellow": 1}


class EcsProbeOptions(AwsProbeOptions, frozen=True, kw_only=True):
    """Keys of a probe of kind "ecs"."""

    cluster: str = "default"
    services: tuple[str, ...] = ()


class _Listed(Struct, rename="camel"):
    service_arns: list[str]
    next_token: str = ""


class _Deployment(Struct, rename="camel"):
    status: str = ""
    task_definition: str = ""
    desired_count: int = 0
    running_count: int = 0
    pending_count: int = 0
    failed_tasks: int = 0
    created_at: datetime | None = None
    rollout_state: str = ""
    rollout_state_reason: str = ""


class _Event(Struct, rename="camel"):
    message: str = ""
    created_at: datetime | None = None


class _Service(Struct, rename="camel"):
    service_name: str
    status: str = "ACTIVE"
    desired_count: int = 0
    running_count: int = 0
    pending_count: int = 0
    deployments: list[_Deployment] = []
    events: list[_Event] = []

    @property
    def primary(self) -> _Deployment:
        return next((it for it in self.deployments if it.status == "PRIMARY"), _Deployment())


class _Failure(Struct):
    arn: str = ""
    reason: str = ""


class _Described(Struct):
    services: list[_Service]
    failures: list[_Failure] = []


class EcsProbe(AwsProbe):
    """The services of one cluster."""

    Options: ClassVar[type[Struct]] = EcsProbeOptions

    def __init__(self, options: EcsProbeOptions, deadline_s: float) -> None:
        if len(options.services) > _MOST_SERVICES:
            raise ConfigError(_("more than {most} services").format(most=_MOST_SERVICES))
        super().__init__(options, deadline_s, "ecs")
        self._options = options
        self._short_since: dict[str, float] = {}
        self.clock = time.monotonic

    @property
    def action(self) -> Action:
        """Exactly what is asked."""
        cluster, names = shlex.quote(self._options.cluster), shlex.join(self._options.services)
        body = f"ecs describe-services --cluster {cluster} --services {names or '*'}"
        return Action("aws", body if names else f"ecs list-services --cluster {cluster}\n{body}", self._options.target)

    def _look(self, asking: Asking) -> Finding:
        names = list(self._options.services) or self._listed(asking)
        services: list[_Service] = []
        for begin in range(0, len(names), _A_CALL):
            asked = {"cluster": self._options.cluster, "services": names[begin : begin + _A_CALL]}
            services += asking.call("ecs", "DescribeServices", asked, _Described).services
        if not names:
            return Finding(_("no services"), none=True, mend=_("is it the right cluster and region?"))
        there = {service.service_name for service in services}
        missing = [name for name in self._options.services if name.rpartition("/")[2] not in there]
        return self._finding(services, missing)

    def _listed(self, asking: Asking) -> list[str]:
        found: list[str] = []
        token = ""
        while len(found) < _MOST_SERVICES:
            asked = {"cluster": self._options.cluster, "maxResults": 100} | ({"nextToken": token} if token else {})
            page = asking.call("ecs", "ListServices", asked, _Listed)
            found += page.service_arns
            token = page.next_token
            if not token:
                break
        return found[:_MOST_SERVICES]

    def _finding(self, services: Sequence[_Service], missing: Sequence[str]) -> Finding:
        heads = [self._row(service) for service in services]
        heads += [_missing_row(name) for name in missing]
        ill = [row for row in heads if row["level"] != "green"]
        groups = [[row, *_deployment_rows(service)] for row, service in zip(heads, services, strict=False)]
        groups += [[row] for row in heads[len(services) :]]
        groups.sort(key=lambda group: _RANK.get(group[0]["level"], 2))
        rows = [row for group in groups for row in group]
        words = [_("{steady} of {all} services steady").format(steady=len(heads) - len(ill), all=len(heads))]
        words += [f"{row['name']} {row['ready']} {row['status']}" for row in ill[:3]]
        return Finding(" · ".join(words), _values(services, heads), (*rows, *_event_rows(services)))

    def _row(self, service: _Service) -> dict[str, Any]:
        status, level = self._standing(service)
        return {
            "row": "service",
            "name": shortened(service.service_name, TEXT_CHARACTERS),
            "ready": f"{service.running_count}/{service.desired_count}",
            "pending": service.pending_count,
            "status": status,
            "detail": service.primary.task_definition.rpartition("/")[2],
            "level": level,
        }

    def _standing(self, service: _Service) -> tuple[str, str]:
        """A word for how a service stands, and its level."""
        short_s = self._short_s(service)
        if service.status != "ACTIVE":
            return service.status.lower(), "red"
        if any(it.rollout_state == "FAILED" for it in service.deployments):
            return _("deployment failed"), "red"
        if service.desired_count and not service.running_count:
            return _("nothing runs"), "red"
        moving = len(service.deployments) > 1 or service.primary.rollout_state == "IN_PROGRESS"
        if short_s >= _SHORT_FOR_S:
            minutes = int(short_s // 60)
            return _("too few for {n} min").format(n=minutes), "red"
        if moving:
            return _("rolling out"), "yellow"
        return (_("too few"), "yellow") if short_s >= 0 else (_("steady"), "green")

    def _short_s(self, service: _Service) -> float:
        """For how long there have been too few tasks, as far as is known: since the first look that saw it, or since
        the deployment began that is under way; negative when there are enough."""
        if service.running_count >= service.desired_count:
            self._short_since.pop(service.service_name, None)
            return -1.0
        seen_s = self.clock() - self._short_since.setdefault(service.service_name, self.clock())
        begun, under_way = service.primary.created_at, service.primary.rollout_state == "IN_PROGRESS"
        if begun is None or not under_way:
            return seen_s
        return max(seen_s, (datetime.now(UTC) - begun.astimezone(UTC)).total_seconds())


def _missing_row(name: str) -> dict[str, Any]:
    told = {"row": "service", "name": name, "ready": "0/?", "pending": 0, "detail": "", "level": "red"}
    return told | {"status": _("missing")}


def _values(services: Sequence[_Service], heads: Sequence[Mapping[str, Any]]) -> tuple[Value, ...]:
    levels = {row["level"] for row in heads}
    worst = next((level for level in ("red", "yellow") if level in levels), "green")
    failed = sum(it.failed_tasks for service in services for it in service.deployments)
    return (
        Value("services", float(len(heads))),
        Value("services_unsteady", float(sum(row["level"] != "green" for row in heads)), "", worst),
        Value("tasks_running", float(sum(service.running_count for service in services))),
        Value("tasks_desired", float(sum(service.desired_count for service in services))),
        Value("tasks_pending", float(sum(service.pending_count for service in services))),
        Value("tasks_failed", float(failed), "", "yellow" if failed else ""),
    )


def _deployment_rows(service: _Service) -> Iterator[dict[str, Any]]:
    """The deployments of a service that is not at rest; one that is has nothing to tell beyond its service's row."""
    if len(service.deployments) == 1 and service.primary.rollout_state in ("COMPLETED", ""):
        return
    for it in service.deployments:
        level = {"FAILED": "red", "IN_PROGRESS": "yellow"}.get(it.rollout_state, "")
        yield {
            "row": "deployment",
            "name": shortened(f"{it.status} :{it.task_definition.rpartition(':')[2]}", TEXT_CHARACTERS),
            "ready": f"{it.running_count}/{it.desired_count}",
            "pending": it.pending_count,
            "status": it.rollout_state or it.status,
            "detail": shortened(it.rollout_state_reason or it.task_definition.rpartition("/")[2], TEXT_CHARACTERS),
            "level": level,
        }


def _event_rows(services: Sequence[_Service]) -> Iterator[dict[str, Any]]:
    """What ECS last said, newest first."""
    said = [(it.created_at, it.message) for service in services for it in service.events if it.created_at]
    for at, message in sorted(said, reverse=True)[:_MOST_EVENTS]:
        yield {
            "row": "event",
            "at": at.astimezone(UTC).isoformat(timespec="seconds"),
            "text": shortened(message, TEXT_CHARACTERS),
            "level": "yellow" if _GRAVE.search(message) else "",
        }
