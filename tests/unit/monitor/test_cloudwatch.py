"""CloudWatch in a panel: metrics of now against thresholds, and alarms with their states."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from cockpit.config import ProbeConfig
from cockpit.config.bound import parse_bound
from cockpit.errors import ConfigError
from cockpit.monitor.panel import fold_sample
from cockpit.monitor.probe import WatchedProbe
from cockpit.monitor.registry import build
from cockpit.monitor.sample import Level, Outcome, Sample
from screens.panels import alarms as panel
from tests.servers.aws import AwsStandIn, aws_stand_in, refusal, sign_in

LATENCY = {"namespace": "AWS/ApplicationELB", "metric": "TargetResponseTime", "statistic": "p95"}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsStandIn]:
    sign_in(monkeypatch)
    with aws_stand_in() as made:
        yield made


def probe(server: AwsStandIn, *bounds: str, **more: Any) -> WatchedProbe:
    options = {"region": "us-east-1", "endpoint_url": server.url, **more}
    thresholds = tuple(parse_bound(each, "test") for each in bounds)
    config = ProbeConfig(name="it", kind="cloudwatch", deadline_s=30.0, thresholds=thresholds, options=options)
    return build(config, lambda text: text)


async def sampled(made: WatchedProbe) -> Sample:
    sample = await made.sample()
    await made.close()
    return sample


def result(name: str, *points: tuple[float, float], status: str = "Complete", **more: Any) -> dict[str, Any]:
    """Args: points: how many seconds ago each began, and its value."""
    stamps = [time.time() - age_s for age_s, _value in points]
    return {"Id": name, "Timestamps": stamps, "Values": [it for _age, it in points], "StatusCode": status, **more}


def says(server: AwsStandIn, *results: dict[str, Any]) -> None:
    server.says("cloudwatch:GetMetricData", {"MetricDataResults": list(results)})


async def test_the_newest_whole_point_is_held_against_thresholds(server: AwsStandIn) -> None:
    says(server, result("p95_s", (20, 0.1), (90, 1.4), (150, 0.2)))
    dimensions = {"LoadBalancer": "app/shop/1"}

    made = probe(server, "p95_s > 1 s red", metrics={"p95_s": LATENCY | {"dimensions": dimensions}})
    sample = await sampled(made)

    assert (sample.outcome, sample.level, sample.text) == (Outcome.DATA, Level.RED, "p95_s 1.4s")
    (query,) = server.asked[0][1]["MetricDataQueries"]
    assert (query["MetricStat"]["Stat"], query["MetricStat"]["Period"]) == ("p95", 60)
    assert query["MetricStat"]["Metric"]["Dimensions"] == [{"Name": "LoadBalancer", "Value": "app/shop/1"}]


async def test_an_old_point_is_no_state_of_now(server: AwsStandIn) -> None:
    errors = {"namespace": "N", "metric": "5xx", "statistic": "Sum"}
    says(server, result("errors", (900, 17.0)), result("zero", (900, 17.0)), result("p95_s", (90, 0.2)))

    metrics = {"errors": errors, "zero": errors | {"missing": 0}, "p95_s": LATENCY}
    sample = await sampled(probe(server, metrics=metrics))

    values = {reading.name: (reading.value, reading.level) for reading in sample.readings}
    assert values["errors"] == ("no data", Level.YELLOW)
    assert values["zero"][0] == 0.0
    assert values["p95_s"][0] == 0.2


async def test_metrics_without_any_points_are_none_with_a_mend(server: AwsStandIn) -> None:
    says(server, result("p95_s"))

    sample = await sampled(probe(server, metrics={"p95_s": LATENCY}))

    assert (sample.outcome, "dimensions" in sample.mend) == (Outcome.NONE, True)


async def test_what_cloudwatch_refuses_costs_its_own_value_and_is_never_green(server: AwsStandIn) -> None:
    refused = result("other", status="Forbidden", Messages=[{"Code": "Forbidden", "Value": "not your account"}])
    says(server, refused, result("p95_s", (90, 0.2)))

    sample = await sampled(probe(server, metrics={"other": LATENCY, "p95_s": LATENCY}))

    assert [reading.value for reading in sample.readings] == ["refused: not your account", 0.2]
    assert sample.level is Level.YELLOW


async def test_pages_are_put_together(server: AwsStandIn) -> None:
    first = {"MetricDataResults": [result("p95_s", status="PartialData")], "NextToken": "t"}
    server.says("cloudwatch:GetMetricData", first, {"MetricDataResults": [result("p95_s", (90, 0.3))]})

    sample = await sampled(probe(server, metrics={"p95_s": LATENCY}))

    assert sample.readings[0].value == 0.3


async def test_an_expression_is_of_the_other_metrics_by_their_names(server: AwsStandIn) -> None:
    says(server, result("error_percent", (90, 2.5)), result("errors", (90, 1)), result("requests", (90, 40)))
    counted = {"namespace": "N", "metric": "x", "statistic": "Sum"}
    share = {"expression": "100 * errors / requests"}

    metrics = {"errors": counted, "requests": counted, "error_percent": share}
    sample = await sampled(probe(server, "error_percent > 1 % red", metrics=metrics))

    assert (sample.level, sample.readings[2].unit) == (Level.RED, "%")
    queries = {query["Id"]: query for query in server.asked[0][1]["MetricDataQueries"]}
    assert queries["error_percent"]["Expression"] == "100 * errors / requests"


async def test_the_values_of_many_looks_are_a_history(server: AwsStandIn) -> None:
    made = probe(server, metrics={"p95_s": LATENCY})
    state = None
    for value in (0.1, 0.2, 0.3):
        says(server, result("p95_s", (90, value)))
        state = fold_sample(state, await made.sample())
    await made.close()

    assert state is not None
    assert [value for _m, value in state.extra["histories"]["p95_s"]] == [0.1, 0.2, 0.3]


def alarm(name: str, state: str, **more: Any) -> dict[str, Any]:
    since = time.time() - 720
    return {"AlarmName": name, "StateValue": state, "StateTransitionedTimestamp": since, **more}


async def test_alarms_are_listed_by_weight_over_pages(server: AwsStandIn) -> None:
    server.says(
        "cloudwatch:DescribeAlarms",
        {"MetricAlarms": [alarm("shop-ok", "OK"), alarm("shop-new", "INSUFFICIENT_DATA")], "NextToken": "t"},
        {"CompositeAlarms": [alarm("shop-down", "ALARM", StateReason="5xx > 10", ActionsEnabled=False)]},
        {"MetricAlarms": []},
    )

    sample = await sampled(probe(server, alarms=["shop-*", "gone"]))

    assert [(row["name"], row["severity"], row["level"]) for row in sample.rows] == [
        ("shop-down", "ALARM", "red"),
        ("gone", "missing", "yellow"),
        ("shop-new", "unsure", "yellow"),
        ("shop-ok", "OK", ""),
    ]
    assert (sample.level, sample.text) == (Level.RED, "4 alarms: 1 in alarm · 2 without enough data · shop-down")
    asked = [given for _name, given in server.asked]
    assert (asked[0]["AlarmNamePrefix"], asked[2]["AlarmNames"]) == ("shop-", ["gone"])
    assert asked[0]["AlarmTypes"] == ["MetricAlarm", "CompositeAlarm"]
    rows = [line.text for line in panel.detail(fold_sample(None, sample), 110)]
    down = next(row for row in rows if "shop-down" in row)
    assert "12 min" in down
    assert "its actions are switched off; 5xx > 10" in down


@pytest.mark.parametrize(("state", "level"), [("OK", Level.GREEN), ("INSUFFICIENT_DATA", Level.YELLOW)])
async def test_an_alarm_that_knows_too_little_is_not_green(server: AwsStandIn, state: str, level: Level) -> None:
    server.says("cloudwatch:DescribeAlarms", {"MetricAlarms": [alarm("a", state)]})

    assert (await sampled(probe(server, alarms=["*"]))).level is level


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "no metric and no alarm"),
        ({"metrics": {"P95": LATENCY}}, "no such name"),
        ({"metrics": {"a": {"namespace": "N"}}}, "namespace and metric"),
        ({"metrics": {"a": LATENCY | {"expression": "b"}}}, "or an expression"),
        ({"metrics": {"a": LATENCY | {"statistic": "mean"}}}, "no statistic mean"),
        ({"metrics": {"a": LATENCY | {"period_s": 45}}}, "whole minutes"),
        ({"metrics": {"a": LATENCY | {"dimension": {}}}}, "dimension"),
    ],
)
def test_a_mistake_in_the_configuration_is_told_before_anything_is_asked(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        build(ProbeConfig(name="it", kind="cloudwatch", options=options), lambda text: text)


async def test_alarms_that_may_not_be_seen_cost_no_metric(server: AwsStandIn) -> None:
    says(server, result("p95_s", (90, 0.2)))
    server.says("cloudwatch:DescribeAlarms", refusal("AccessDeniedException", "not authorized for DescribeAlarms"))

    sample = await sampled(probe(server, "p95_s < 1 s green", metrics={"p95_s": LATENCY}, alarms=["shop-*"]))
    alone = await sampled(probe(server, alarms=["shop-*"]))

    assert (sample.outcome, sample.level) == (Outcome.DATA, Level.YELLOW)
    assert sample.text == "not authorized for DescribeAlarms · p95_s 0.2s"
    assert "role" in sample.mend
    assert (alone.outcome, alone.level) == (Outcome.FAILED, Level.YELLOW)
