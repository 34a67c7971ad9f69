"""Metrics and alerts as panels, against a real Prometheus and a real Alertmanager."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cockpit.config import ProbeConfig
from cockpit.config.bound import parse_bound
from cockpit.monitor.panel import fold_sample
from cockpit.monitor.probe import WatchedProbe
from cockpit.monitor.registry import build
from cockpit.monitor.sample import Level, Outcome, Sample
from screens.panels import alerting
from tests.servers.prometheus import (
    AlertmanagerServer,
    PrometheusServer,
    alertmanager_server,
    prometheus_server,
)
from tests.servers.server import free_port
from tests.waiting import until, wait_until

pytestmark = pytest.mark.real
BOUNDS = ("error_percent > 1 % red", "error_percent > 0.5 % yellow", "error_percent < 0.5 % green")


@pytest.fixture(scope="module")
def server() -> Iterator[PrometheusServer]:
    with prometheus_server("share 0.2\nnothing NaN\n") as made:
        wait_until(lambda: bool(made.query("share")))
        yield made


@pytest.fixture(scope="module")
def alertmanager() -> Iterator[AlertmanagerServer]:
    with alertmanager_server() as made:
        yield made


def probe(kind: str, url: str, **options: Any) -> WatchedProbe:
    bounds = tuple(parse_bound(each, "test") for each in BOUNDS) if kind == "prometheus" else ()
    config = ProbeConfig(name="it", kind=kind, deadline_s=30.0, thresholds=bounds, options={"url": url, **options})
    return build(config, lambda text: text)


async def sampled(made: WatchedProbe) -> Sample:
    sample = await made.sample()
    await made.close()
    return sample


@pytest.mark.parametrize(("share", "level"), [(0.2, "green"), (0.5, "yellow"), (0.8, "yellow"), (1.4, "red")])
async def test_a_metric_is_held_against_its_thresholds(server: PrometheusServer, share: float, level: str) -> None:
    server.page.text = f"share {share}\nnothing NaN\n"
    await until(lambda: server.query("share")[0]["value"][1] == str(share))

    sample = await sampled(probe("prometheus", server.url, queries={"error_percent": "share"}))

    assert (sample.outcome, sample.level) == (Outcome.DATA, Level(level))
    assert sample.text == f"error_percent {share:g}%"
    assert (sample.readings[0].value, sample.readings[0].unit) == (share, "%")


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("no_such", "no data"),
        ("nothing", "NaN"),
        ("vector(1)/0", "+Inf"),
        ('{__name__=~"share|up"}', "2 series"),
        ("rate(up)", "refused"),
    ],
)
async def test_what_is_no_number_is_told_and_never_green(server: PrometheusServer, query: str, told: str) -> None:
    queries = {"error_percent": query, "up": "up"}

    sample = await sampled(probe("prometheus", server.url, queries=queries))

    reading = next(each for each in sample.readings if each.name == "error_percent")
    assert str(reading.value).startswith(told)
    assert (reading.level, sample.level) == (Level.YELLOW, Level.YELLOW)
    assert next(each for each in sample.readings if each.name == "up").value == 1.0


async def test_nothing_at_all_is_none_and_no_answer_is_failed(server: PrometheusServer) -> None:
    none = await sampled(probe("prometheus", server.url, queries={"error_percent": "no_such"}))
    failed = await sampled(probe("prometheus", f"http://127.0.0.1:{free_port()}", queries={"error_percent": "up"}))

    assert none.outcome is Outcome.NONE
    assert (failed.outcome, failed.level) == (Outcome.FAILED, Level.RED)
    assert failed.mend


def alert(name: str, severity: str, minutes: int, **annotations: str) -> dict[str, Any]:
    begun = datetime.now(UTC) - timedelta(minutes=minutes)
    labels = {"alertname": name, "severity": severity, "service": "chat"}
    return {"labels": labels, "annotations": annotations, "startsAt": begun.isoformat()}


async def test_alerts_are_listed_by_weight_with_what_they_name(alertmanager: AlertmanagerServer) -> None:
    alertmanager.post(
        alert("DiskFilling", "warning", 30, summary="disk of chat-2 at 91 %"),
        alert("Watchdog", "none", 600),
        alert("JudgmentServiceDown", "critical", 12, summary="503", runbook_url="https://x.example/r/judgment.md#down"),
        alert("Silenced", "critical", 5),
    )
    now = datetime.now(UTC)
    alertmanager.silence("Silenced", now.isoformat(), (now + timedelta(hours=1)).isoformat())
    made = probe("alertmanager", alertmanager.url, filter=['service="chat"'])
    await until(lambda: len(alertmanager.names()) == 4)
    sample = await made.sample()
    while "1 silenced" not in sample.text:
        sample = await made.sample()
    await made.close()

    assert [row["name"] for row in sample.rows] == ["JudgmentServiceDown", "DiskFilling", "Watchdog"]
    assert {reading.name: reading.value for reading in sample.readings} == {
        "alerts": 3.0,
        "critical": 1.0,
        "warning": 1.0,
        "silenced": 1.0,
    }
    assert sample.level is Level.RED
    panel = fold_sample(None, sample)
    rows = ["".join(text for text, _style in row.spans) for row in alerting.detail(panel, 80)]
    assert "12 min" in rows[0]
    assert "disk of chat-2" in rows[1]
    assert "judgment.md" in rows[-1]
    assert alerting.runbooks_of([panel]) == ["https://x.example/r/judgment.md#down"]


async def test_no_alert_is_green(alertmanager: AlertmanagerServer) -> None:
    sample = await sampled(probe("alertmanager", alertmanager.url, filter=['service="nothing"']))

    assert (sample.outcome, sample.level, sample.text) == (Outcome.DATA, Level.GREEN, "no active alert")


async def test_an_alertmanager_that_is_not_there_costs_its_own_panel() -> None:
    sample = await sampled(probe("alertmanager", f"http://127.0.0.1:{free_port()}"))

    assert (sample.outcome, sample.level) == (Outcome.FAILED, Level.RED)
