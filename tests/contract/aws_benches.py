"""An AWS account for the contract suite of probes, in which every name and message is out to fool a screen."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.contract.probe_bench import HOSTILE, Bench
from tests.servers.aws import aws_stand_in, sign_in


def _answer(text: str, operation: str, given: dict[str, Any]) -> dict[str, Any]:
    now_s = time.time()
    deployment = {"status": text, "taskDefinition": text, "rolloutState": "FAILED", "rolloutStateReason": text}
    event = {"id": "e", "message": text, "createdAt": now_s}
    service = {"serviceName": text, "status": "ACTIVE", "deployments": [deployment], "events": [event]}
    points = {"Timestamps": [now_s - 120], "Values": [1.5], "StatusCode": "Complete"}
    alarm = {"AlarmName": text, "StateValue": "ALARM", "StateReason": text, "StateUpdatedTimestamp": now_s}
    line = {"eventId": "1", "timestamp": int(now_s * 1000), "message": text, "logStreamName": text}
    function = {"FunctionName": "f", "LastUpdateStatus": "Failed", "LastUpdateStatusReason": text}
    results = [{"Id": query["Id"]} | points for query in given.get("MetricDataQueries", ())]
    answers: dict[str, dict[str, Any]] = {
        "ecs:ListServices": {"serviceArns": ["arn:aws:ecs:r:1:service/a/b"]},
        "ecs:DescribeServices": {"services": [service]},
        "cloudwatch:GetMetricData": {"MetricDataResults": results},
        "cloudwatch:DescribeAlarms": {"MetricAlarms": [alarm]},
        "lambda:GetFunctionConfiguration": function | {"Environment": {"Variables": {"PASSWORD": "hunter2hunter2"}}},
        "logs:FilterLogEvents": {"events": [line]},
    }
    return answers[operation]


@asynccontextmanager
async def _bench(_folder: Path, **options: Any) -> AsyncIterator[Bench]:
    with aws_stand_in() as server, pytest.MonkeyPatch.context() as patch:
        sign_in(patch)
        for operation in (
            "ecs:ListServices",
            "ecs:DescribeServices",
            "cloudwatch:GetMetricData",
            "cloudwatch:DescribeAlarms",
            "lambda:GetFunctionConfiguration",
            "logs:FilterLogEvents",
        ):
            server.says(operation, partial(_answer, HOSTILE, operation))
        where = {"region": "us-east-1", **options}
        yield Bench(where | {"endpoint_url": server.url}, where | {"endpoint_url": "http://127.0.0.1:1"})


AWS_BENCHES: dict[str, Callable[[Path], AbstractAsyncContextManager[Bench]]] = {
    "ecs": _bench,
    "lambda": partial(_bench, functions=["f"]),
    "cloudwatch": partial(
        _bench, alarms=["*"], metrics={"a_ms": {"namespace": "N", "metric": "M", "statistic": "p95"}}
    ),
    "cloudwatch-logs": partial(_bench, group="한글"),
}
