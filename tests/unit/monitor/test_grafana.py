"""Grafana's health and alerts, against a server that speaks as it does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from cockpit.config import ProbeConfig
from cockpit.errors import ConfigError
from cockpit.monitor.panel import fold_sample
from cockpit.monitor.registry import build
from cockpit.monitor.sample import Level, Outcome, Sample
from screens.panels import alerting, detail_of
from tests.servers.grafana import ALERTS, TOKEN, Grafana, grafana_server

FIRING = {
    "labels": {"alertname": "HighErrorRate", "severity": "critical", "grafana_folder": "shop"},
    "annotations": {"summary": "5xx above 50 %", "runbook_url": "https://x.example/r/errors.md"},
    "startsAt": "2026-01-01T00:00:00Z",
    "status": {"state": "active"},
}
SILENCED = {**FIRING, "labels": {"alertname": "Slow", "severity": "warning"}, "status": {"state": "suppressed"}}


@pytest.fixture
def grafana(monkeypatch: pytest.MonkeyPatch) -> Iterator[Grafana]:
    monkeypatch.setenv("GRAFANA_TOKEN", TOKEN)
    monkeypatch.setenv("STALE_TOKEN", "glsa_stale_0000")
    with grafana_server() as server:
        yield server


async def looked(server: Grafana, deadline_s: float = 20.0, **options: Any) -> Sample:
    config = ProbeConfig(name="g", kind="grafana", deadline_s=deadline_s, options={"url": server.url, **options})
    probe = build(config, lambda text: text)
    try:
        return await probe.sample()
    finally:
        await probe.close()


def values(sample: Sample) -> dict[str, Any]:
    return {reading.name: reading.value for reading in sample.readings}


async def test_without_a_token_its_health_is_looked_at_alone(grafana: Grafana) -> None:
    sample = await looked(grafana)
    assert (sample.outcome, sample.level) == (Outcome.DATA, Level.GREEN)
    assert values(sample) == {"database": "ok", "version": "11.2.0"}
    assert "11.2.0" in sample.text
    assert grafana.asked == [("GET", "/api/health")]


async def test_with_a_token_what_fires_is_shown_with_its_runbook(grafana: Grafana) -> None:
    grafana.alerts = [SILENCED, FIRING]
    sample = await looked(grafana, token_env="GRAFANA_TOKEN")
    assert grafana.asked == [("GET", "/api/health"), ("GET", ALERTS)]
    assert sample.level is Level.RED
    assert values(sample) | {"version": ""} == {
        "database": "ok", "version": "", "alerts": 1.0, "critical": 1.0, "warning": 0.0, "silenced": 1.0,
    }  # fmt: skip
    panel = fold_sample(None, sample)
    shown = "\n".join("".join(span[0] for span in row.spans) for row in detail_of(panel, 100))
    assert "HighErrorRate" in shown
    assert "database" in shown
    assert "Slow" not in shown
    assert alerting.runbooks_of([panel]) == ["https://x.example/r/errors.md"]


async def test_nothing_fires(grafana: Grafana) -> None:
    sample = await looked(grafana, token_env="GRAFANA_TOKEN")
    assert (sample.level, "no active alert" in sample.text) == (Level.GREEN, True)


async def test_a_broken_database_is_red(grafana: Grafana) -> None:
    grafana.database = "failing"
    sample = await looked(grafana)
    assert (sample.outcome, sample.level) == (Outcome.FAILED, Level.RED)
    assert "503" in sample.text


async def test_a_stale_token_says_how_to_mend_it_and_is_in_no_sample(grafana: Grafana) -> None:
    sample = await looked(grafana, token_env="STALE_TOKEN")
    assert (sample.outcome, sample.level) == (Outcome.FAILED, Level.YELLOW)
    assert "token_env" in sample.mend
    assert "glsa_stale" not in json.dumps([sample.text, sample.error, sample.mend])


async def test_a_server_that_hangs_costs_its_own_deadline(grafana: Grafana) -> None:
    grafana.go.clear()
    sample = await looked(grafana, deadline_s=0.3)
    assert sample.outcome is Outcome.FAILED
    assert "no answer within" in sample.text


async def test_what_is_no_grafana_is_told(grafana: Grafana) -> None:
    sample = await looked(grafana, url=f"{grafana.url}/elsewhere")
    assert sample.outcome is Outcome.FAILED


def test_a_token_that_is_not_there_and_credentials_in_the_address_are_refused() -> None:
    with pytest.raises(ConfigError):
        build(ProbeConfig(name="g", kind="grafana", options={"url": "http://u:p@localhost"}), lambda text: text)
