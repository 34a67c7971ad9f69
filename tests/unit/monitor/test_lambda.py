"""Lambda functions in a panel: calls, errors, throttles, times, and how the last update ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from cockpit.config import ProbeConfig
from cockpit.config.bound import parse_bound
from cockpit.errors import ConfigError
from cockpit.monitor.panel import fold_sample
from cockpit.monitor.registry import build
from cockpit.monitor.sample import Level, Outcome, Sample
from screens.panels import functions as panel
from tests.servers.aws import Answer, AwsStandIn, aws_stand_in, refusal, sign_in

CONFIGURATION = {"FunctionName": "worker", "State": "Active", "LastUpdateStatus": "Successful"}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsStandIn]:
    sign_in(monkeypatch)
    with aws_stand_in() as made:
        made.says("lambda:GetFunctionConfiguration", CONFIGURATION)
        made.says("cloudwatch:GetMetricData", points(Invocations=[10, 30], Errors=[1, 1], Duration=[800, 1200]))
        yield made


def points(**values: list[float]) -> Callable[[dict[str, Any]], Answer]:
    """Points of the last whole minutes for each metric that has some."""

    def answer(given: dict[str, Any]) -> Answer:
        found = []
        for query in given["MetricDataQueries"]:
            numbers = values.get(query["MetricStat"]["Metric"]["MetricName"], [])
            stamps = [given["EndTime"] - 60 * (back + 1) for back in range(len(numbers))]
            found.append({"Id": query["Id"], "Timestamps": stamps, "Values": numbers, "StatusCode": "Complete"})
        return {"MetricDataResults": found}

    return answer


async def sampled(server: AwsStandIn, *names: str, bound: str = "") -> Sample:
    options = {"region": "us-east-1", "endpoint_url": server.url, "functions": list(names or ("worker",))}
    bounds = (parse_bound(bound, "test"),) if bound else ()
    config = ProbeConfig(name="it", kind="lambda", deadline_s=30.0, options=options, thresholds=bounds)
    made = build(config, lambda text: text)
    sample = await made.sample()
    await made.close()
    return sample


def values(sample: Sample) -> dict[str, Any]:
    return {reading.name: reading.value for reading in sample.readings}


async def test_the_last_minutes_are_added_up_and_the_slowest_told(server: AwsStandIn) -> None:
    sample = await sampled(server)

    found = values(sample)
    assert (found["invocations"], found["errors"], found["error_percent"]) == (40.0, 2.0, 5.0)
    assert (found["throttles"], found["duration_p95_ms"]) == (0.0, 1200.0)
    assert (sample.level, sample.text) == (Level.YELLOW, "2 errors of 40 calls in 5 min")
    asked = next(given for name, given in server.asked if name == "cloudwatch:GetMetricData")
    assert {query["MetricStat"]["Stat"] for query in asked["MetricDataQueries"]} == {"Sum", "p95"}
    assert asked["EndTime"] % 60 == 0
    assert asked["EndTime"] <= time.time()


async def test_the_share_of_errors_is_held_against_bounds(server: AwsStandIn) -> None:
    assert (await sampled(server, bound="error_percent > 4 % red")).level is Level.RED


async def test_a_function_that_nobody_calls_has_no_share_of_errors_and_is_green(server: AwsStandIn) -> None:
    server.says("cloudwatch:GetMetricData", points())

    sample = await sampled(server, bound="error_percent > 4 % red")

    assert (values(sample)["error_percent"], sample.level) == (None, Level.GREEN)


async def test_throttled_calls_are_told(server: AwsStandIn) -> None:
    server.says("cloudwatch:GetMetricData", points(Invocations=[5], Throttles=[3]))

    sample = await sampled(server)

    assert (sample.level, "3 throttled" in sample.text) == (Level.YELLOW, True)


@pytest.mark.parametrize(
    ("more", "level", "status"),
    [
        ({"LastUpdateStatus": "Failed", "LastUpdateStatusReason": "image not found"}, Level.RED, "update failed"),
        ({"LastUpdateStatus": "InProgress"}, Level.YELLOW, "updating"),
        ({"State": "Failed", "StateReason": "no subnet"}, Level.RED, "failed"),
    ],
)
async def test_how_an_update_ended_is_told(server: AwsStandIn, more: dict[str, Any], level: Level, status: str) -> None:
    server.says("lambda:GetFunctionConfiguration", CONFIGURATION | more)
    server.says("cloudwatch:GetMetricData", points())

    sample = await sampled(server)

    assert (sample.level, sample.rows[0]["status"]) == (level, status)


async def test_a_function_that_is_not_there_costs_no_other(server: AwsStandIn) -> None:
    server.says(
        "lambda:GetFunctionConfiguration", refusal("ResourceNotFoundException", "no function", 404), CONFIGURATION
    )

    sample = await sampled(server, "gone", "worker")

    assert (sample.outcome, sample.level) == (Outcome.DATA, Level.RED)
    assert [(row["name"], row["status"]) for row in sample.rows] == [("gone", "missing"), ("worker", "active")]


async def test_the_environment_of_a_function_is_kept_nowhere(server: AwsStandIn) -> None:
    variables = {"Variables": {"DATABASE_URL": "postgres://u:Zq9-not-to-be-seen@db"}}
    server.says("lambda:GetFunctionConfiguration", CONFIGURATION | {"Environment": variables})

    assert b"Zq9" not in msgspec.json.encode(await sampled(server))


async def test_the_panel_has_a_row_a_function_and_why_it_is_not_well(server: AwsStandIn) -> None:
    failed = {"LastUpdateStatus": "Failed", "LastUpdateStatusReason": "image not found in ECR"}
    server.says("lambda:GetFunctionConfiguration", CONFIGURATION | failed)

    folded = fold_sample(None, await sampled(server))
    rows = [line.text for line in panel.detail(folded, 90)]

    assert rows[1].split()[:6] == ["x", "worker", "40", "2", "0", "1200"]
    assert "image not found" in rows[2]
    assert all(len(line.text) <= 41 for line in panel.detail(folded, 41))


def test_no_function_at_all_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match="no function"):
        build(ProbeConfig(name="it", kind="lambda", options={"functions": []}), lambda text: text)
