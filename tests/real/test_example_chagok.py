"""The example configuration for AWS: it is read, fits a guide of its form, and every probe of it can look."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cockpit.config import Config, load
from cockpit.monitor.registry import build
from cockpit.monitor.sample import Level, Outcome, Sample
from cockpit.runbook.reading import read
from tests.servers.aws import AwsStandIn, aws_stand_in, sign_in
from tests.servers.moto import MotoServer, moto_server
from tests.servers.pages import Page, page_server

pytestmark = pytest.mark.real
ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "runbooks" / "examples" / "chagok.toml"
GUIDE = ROOT / "tests" / "data" / "runbooks" / "aws-rollback.ko.md"


@pytest.fixture(scope="module")
def config() -> Config:
    return load(EXAMPLE)


class Well(Page):
    def answer(self) -> None:
        self.says(200, b'{"status": "UP"}', "application/json")


@pytest.fixture(scope="module")
def moto() -> Iterator[MotoServer]:
    with moto_server() as made, pytest.MonkeyPatch.context() as patch:
        sign_in(patch)
        fill(made)
        yield made


@pytest.fixture
def server(moto: MotoServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsStandIn]:
    sign_in(monkeypatch)
    with aws_stand_in(moto.port) as made:
        made.says("cloudwatch:GetMetricData", percentiles)  # the emulator knows none
        made.says("lambda:GetFunctionConfiguration", {"FunctionName": "leh-ai-worker", "State": "Active"})
        yield made


def fill(server: MotoServer) -> None:
    ecs = server.client("ecs", "ap-northeast-2")
    ecs.create_cluster(clusterName="leh-cluster")
    container = {"name": "app", "image": "leh-backend:7", "memory": 64}
    ecs.register_task_definition(family="leh-backend", containerDefinitions=[container])
    ecs.create_service(cluster="leh-cluster", serviceName="leh-backend", taskDefinition="leh-backend:1", desiredCount=0)
    logs = server.client("logs", "ap-northeast-2")
    for group in ("/ecs/leh-backend", "/aws/lambda/leh-ai-worker"):
        logs.create_log_group(logGroupName=group)
        logs.create_log_stream(logGroupName=group, logStreamName="1")
        line = {"timestamp": int(time.time() * 1000), "message": "INFO begun"}
        logs.put_log_events(logGroupName=group, logStreamName="1", logEvents=[line])
    server.client("cloudwatch", "ap-northeast-2").put_metric_alarm(
        AlarmName="leh-5xx",
        MetricName="HTTPCode_Target_5XX_Count",
        Namespace="AWS/ApplicationELB",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        Statistic="Sum",
    )


def percentiles(given: dict[str, Any]) -> dict[str, Any]:
    def result(name: str) -> dict[str, Any]:
        value = 0.0 if name.endswith(("errors", "throttles")) else 0.5
        return {"Id": name, "Timestamps": [time.time() - 120], "Values": [value], "StatusCode": "Complete"}

    return {"MetricDataResults": [result(query["Id"]) for query in given["MetricDataQueries"]]}


def test_the_guide_has_every_section_that_a_rule_recommends(config: Config) -> None:
    sections = {section.id for section in read(GUIDE).sections}

    assert {rule.section for rule in config.rules} <= sections
    assert {condition.probe for rule in config.rules for condition in rule.conditions} <= {
        probe.name for probe in config.probes
    }


def test_every_threshold_and_condition_is_about_a_value_that_its_probe_has(config: Config) -> None:
    metrics = {probe.name: probe.options.get("metrics", {}) for probe in config.probes if probe.kind == "cloudwatch"}
    bounds = {(probe.name, bound.metric) for probe in config.probes for bound in probe.thresholds}
    bounds |= {(it.probe, bound.metric) for rule in config.rules for it in rule.conditions for bound in it.bounds}

    unknown = [(name, metric) for name, metric in bounds if name in metrics and metric not in metrics[name]]
    assert unknown == []


async def test_every_probe_looks_once(config: Config, server: AwsStandIn) -> None:
    found: dict[str, Sample] = {}
    with page_server(Well) as port:
        for probe in config.probes:
            where = "url" if probe.kind == "http" else "endpoint_url"
            url = f"http://127.0.0.1:{port}/" if probe.kind == "http" else server.url
            there = msgspec.structs.replace(probe, deadline_s=30.0, options={**probe.options, where: url})
            made = build(there, lambda text: text, config.origin)
            found[probe.name] = await made.sample()
            await made.close()

    assert {name: sample.error for name, sample in found.items() if sample.outcome is not Outcome.DATA} == {}
    assert found["backend"].text == "1 of 1 services steady"
    assert found["worker"].level is Level.GREEN
    assert found["traffic"].text.startswith("1 alarm: 0 in alarm")
    assert {reading.value for reading in found["edge"].readings} == {0.5}
    assert found["api-log"].text == "0 errors/min of 1 lines/min"
