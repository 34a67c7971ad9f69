"""Services of ECS in a panel: at rest, rolling out, failed, short of tasks, and not there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from cockpit.config import ProbeConfig
from cockpit.monitor.panel import fold_sample
from cockpit.monitor.probe import WatchedProbe
from cockpit.monitor.registry import build
from cockpit.monitor.sample import Level, Outcome, Sample
from screens.panels import services as panel
from tests.servers.aws import AwsStandIn, aws_stand_in, sign_in

FAMILY = "arn:aws:ecs:r:1:task-definition/api:"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsStandIn]:
    sign_in(monkeypatch)
    with aws_stand_in() as made:
        yield made


def deployment(state: str = "COMPLETED", running: int = 2, age_s: float = 3600, **more: Any) -> dict[str, Any]:
    given = {"status": "PRIMARY", "taskDefinition": f"{FAMILY}7", "desiredCount": 2, "runningCount": running}
    return given | {"rolloutState": state, "createdAt": time.time() - age_s} | more


def service(name: str = "api", running: int = 2, *deployments: dict[str, Any], **more: Any) -> dict[str, Any]:
    given = {"serviceName": name, "status": "ACTIVE", "desiredCount": 2, "runningCount": running}
    return given | {"deployments": list(deployments) or [deployment(running=running)]} | more


def probe(server: AwsStandIn, *names: str, **more: Any) -> WatchedProbe:
    options = {"region": "us-east-1", "endpoint_url": server.url, "cluster": "shop", "services": list(names)}
    return build(ProbeConfig(name="it", kind="ecs", deadline_s=30.0, options=options | more), lambda text: text)


async def sampled(made: WatchedProbe) -> Sample:
    sample = await made.sample()
    await made.close()
    return sample


def statuses(sample: Sample) -> list[tuple[str, str, str]]:
    return [(row["name"], row["status"], row["level"]) for row in sample.rows if row["row"] == "service"]


async def test_a_service_at_rest_is_green(server: AwsStandIn) -> None:
    server.says("ecs:DescribeServices", {"services": [service()]})

    sample = await sampled(probe(server, "api"))

    assert (sample.outcome, sample.level, sample.text) == (Outcome.DATA, Level.GREEN, "1 of 1 services steady")
    values = {reading.name: reading.value for reading in sample.readings}
    assert (values["tasks_running"], values["tasks_desired"], values["tasks_failed"]) == (2.0, 2.0, 0.0)


async def test_a_rollout_is_followed_through_to_its_end(server: AwsStandIn) -> None:
    new = deployment("IN_PROGRESS", 0, 20, pendingCount=2, taskDefinition=f"{FAMILY}8")
    old = deployment(status="ACTIVE")
    after = deployment(taskDefinition=f"{FAMILY}8")
    server.says(
        "ecs:DescribeServices",
        {"services": [service("api", 2, new, old, pendingCount=2)]},
        {"services": [service("api", 2, after)]},
    )
    made = probe(server, "api")

    moving, over = await made.sample(), await sampled(made)

    assert (moving.level, statuses(moving)) == (Level.YELLOW, [("api", "rolling out", "yellow")])
    told = [(row["name"], row["ready"], row["pending"], row["status"]) for row in moving.rows[1:]]
    assert told == [("PRIMARY :8", "0/2", 2, "IN_PROGRESS"), ("ACTIVE :7", "2/2", 0, "COMPLETED")]
    assert (over.level, len(over.rows)) == (Level.GREEN, 1)


async def test_a_failed_deployment_is_red_with_its_reason(server: AwsStandIn) -> None:
    reason = "ECS deployment circuit breaker: tasks failed to start."
    failed = deployment("FAILED", 0, 60, rolloutStateReason=reason, failedTasks=6)
    server.says("ecs:DescribeServices", {"services": [service("api", 2, failed, deployment(status="ACTIVE"))]})

    sample = await sampled(probe(server, "api"))

    assert (sample.level, statuses(sample)) == (Level.RED, [("api", "deployment failed", "red")])
    assert sample.rows[1]["detail"] == reason
    assert {reading.name: reading.value for reading in sample.readings}["tasks_failed"] == 6.0


async def test_too_few_tasks_are_yellow_at_first_and_red_when_it_lasts(server: AwsStandIn) -> None:
    server.says("ecs:DescribeServices", {"services": [service(running=1)]})
    made = probe(server, "api")
    clock = [1000.0]
    made.watchable.clock = lambda: clock[0]  # type: ignore[attr-defined]

    first = await made.sample()
    clock[0] += 400
    later = await made.sample()
    server.says("ecs:DescribeServices", {"services": [service()]})
    again = await sampled(made)

    assert (first.level, statuses(first)[0][1]) == (Level.YELLOW, "too few")
    assert (later.level, statuses(later)[0][1]) == (Level.RED, "too few for 6 min")
    assert again.level is Level.GREEN


async def test_a_rollout_that_has_got_nowhere_for_long_is_red_at_the_first_look(server: AwsStandIn) -> None:
    server.says("ecs:DescribeServices", {"services": [service("api", 1, deployment("IN_PROGRESS", 1, 1300))]})

    assert (await sampled(probe(server, "api"))).level is Level.RED


@pytest.mark.parametrize(
    ("more", "status"), [({"runningCount": 0}, "nothing runs"), ({"status": "DRAINING"}, "draining")]
)
async def test_a_service_that_serves_nobody_is_red(server: AwsStandIn, more: dict[str, Any], status: str) -> None:
    server.says("ecs:DescribeServices", {"services": [service() | more]})

    sample = await sampled(probe(server, "api"))

    assert (sample.level, statuses(sample)[0][1]) == (Level.RED, status)


async def test_a_service_that_must_be_there_and_is_not_comes_first(server: AwsStandIn) -> None:
    failure = {"arn": "arn:aws:ecs:r:1:service/shop/gone", "reason": "MISSING"}
    server.says("ecs:DescribeServices", {"services": [service()], "failures": [failure]})

    sample = await sampled(probe(server, "api", "gone"))

    assert statuses(sample) == [("gone", "missing", "red"), ("api", "steady", "green")]
    assert sample.level is Level.RED


async def test_all_services_of_a_cluster_are_found_over_pages_and_asked_for_ten_at_a_time(server: AwsStandIn) -> None:
    arns = [f"arn:aws:ecs:r:1:service/shop/s{number}" for number in range(13)]
    server.says("ecs:ListServices", {"serviceArns": arns[:8], "nextToken": "t"}, {"serviceArns": arns[8:]})
    server.says("ecs:DescribeServices", lambda given: {"services": [service(each[-3:]) for each in given["services"]]})

    sample = await sampled(probe(server))

    assert sample.text == "13 of 13 services steady"
    assert [len(given["services"]) for name, given in server.asked if name == "ecs:DescribeServices"] == [10, 3]


async def test_a_cluster_without_services_is_none_with_a_mend(server: AwsStandIn) -> None:
    server.says("ecs:ListServices", {"serviceArns": []})

    sample = await sampled(probe(server))

    assert (sample.outcome, bool(sample.mend)) == (Outcome.NONE, True)


async def test_the_panel_shows_services_deployments_and_the_newest_events(server: AwsStandIn) -> None:
    events = [{"id": str(n), "createdAt": 1_700_000_000 + n, "message": f"(service api) number {n}"} for n in range(7)]
    events[3]["message"] = "(service api) was unable to place a task"
    sick = service("api", 1, deployment("FAILED", 1, rolloutStateReason="tasks failed to start"), events=events)
    server.says("ecs:DescribeServices", {"services": [sick]})

    folded = fold_sample(None, await sampled(probe(server, "api")))
    rows = [line.text for line in panel.detail(folded, 78)]

    assert "1/2" in rows[1]
    assert "deployment failed" in rows[1]
    assert "tasks failed to start"[:8] in rows[2]
    assert [row.split()[-1] for row in rows[3:]] == ["6", "5", "4", "task", "2"]
    assert max(map(len, rows)) <= 78
    assert all(len(line.text) <= 40 for line in panel.detail(folded, 40))
