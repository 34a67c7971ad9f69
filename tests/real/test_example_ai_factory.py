"""The example configuration of a service on Kubernetes: it is read, each of its probes looks at a real server, its
rules lead to sections of a runbook in that form, and the canary's gate is watched by its metrics."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from cockpit.config import Config, ProbeConfig, load
from cockpit.monitor.gate import begin_gate
from cockpit.monitor.registry import build, kinds
from cockpit.monitor.sample import Outcome, Sample
from cockpit.runbook.reading import read
from cockpit.safety.redaction.redactor import Redactor
from cockpit.session.host.host import Host
from cockpit.session.record.opening import open_session
from cockpit.session.record.settings import SessionSettings
from cockpit.session.steps.targets import able, targets_of
from tests.servers.argocd import argocd_server
from tests.servers.helm import Releases, require_helm
from tests.servers.kubernetes import ADMIN, deployment, kubernetes_server
from tests.servers.loki import loki_server
from tests.servers.postgresql import postgresql_server
from tests.servers.prometheus import alertmanager_server, prometheus_server
from tests.servers.redis import redis_server
from tests.servers.web import web_server
from tests.waiting import until

EXAMPLE = Path(__file__).parents[2] / "runbooks" / "examples" / "ai-factory.toml"
RUNBOOK = Path(__file__).parents[1] / "data" / "runbooks" / "factory.ko.md"
SECRETS = {"ARGOCD_TOKEN": "token", "FACTORY_DB_PASSWORD": "unused", "FACTORY_REDIS_PASSWORD": "hunter2hunter2"}
METRICS = """\
http_requests_total{app="judgment-service",track="canary",code="200"} 1000
http_requests_total{app="judgment-service",track="canary",code="500"} 1
http_request_duration_seconds_bucket{app="judgment-service",track="canary",le="1"} 900
http_request_duration_seconds_bucket{app="judgment-service",track="canary",le="+Inf"} 1000
llm_parsing_failures_total{track="canary"} 1
llm_requests_total{track="canary",outcome="done"} 1000
llm_requests_total{track="canary",outcome="failed"} 70
llm_request_duration_seconds_bucket{le="30"} 10
llm_request_duration_seconds_bucket{le="+Inf"} 10
llm_cost_usd_total 3
mcp_call_timeouts_total 1
circuit_breaker_state{state="OPEN"} 0
judgment_feedback_total{value="thumbs_down"} 3
judgment_feedback_total{value="thumbs_up"} 7
judgment_cache_hits_total 5
judgment_cache_misses_total 5
node_cpu_seconds_total{job="postgres-host",mode="idle"} 100
"""


@pytest.fixture(scope="module")
def config() -> Config:
    return load(EXAMPLE)


def test_every_kind_and_every_key_is_known(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)

    made = [build(probe, str, config.origin) for probe in config.probes]
    adapters = targets_of(config.targets, config.origin)

    assert {probe.kind for probe in config.probes} <= set(kinds())
    assert {probe.kind for probe in config.probes} >= {
        "kubernetes", "helm", "argocd", "postgresql", "redis", "prometheus", "loki", "alertmanager", "http",
    }  # fmt: skip
    assert len(made) == len(config.probes)
    for language in ("kubernetes", "helm", "argocd", "sql", "redis", "promql", "logql"):
        assert len(able(adapters, language)) == 1, language
    assert config.problems == ()


def test_the_figures_are_those_of_the_runbook(config: Config) -> None:
    written = {probe.name: {bound.text for bound in probe.thresholds} for probe in config.probes}

    assert written["canary"] == {
        "error_rate >= 0.01 red", "latency_p95_ms >= 2500 ms red", "llm_parsing_failure_rate >= 0.005 red",
    }  # fmt: skip
    assert {"failure_percent > 5 % red", "response_s > 30 s red", "cost_percent > 80 % yellow"} <= written["llm"]
    assert {"negative_percent > 20 % red", "cache_hit_percent <= 40 % yellow"} <= written["judgment"]
    assert "longest_query_s > 2 s yellow" in written["database"]
    assert written["database-host"] == {"cpu_percent > 90 % red"}


def test_every_rule_leads_to_a_section_of_such_a_runbook_and_names_a_probe(config: Config) -> None:
    sections = {section.id for section in read(RUNBOOK).sections}
    probes = {probe.name for probe in config.probes}

    assert {rule.section for rule in config.rules} <= sections
    assert {one.probe for rule in config.rules for one in rule.conditions} <= probes


def test_the_canarys_gate_is_answered_by_configured_metrics_and_by_no_person(config: Config) -> None:
    (gate,) = (step for step in read(RUNBOOK).steps if step.kind == "gate")

    begun = begin_gate(gate, config.probes)

    assert [(one.probe, one.bound.metric) for one in begun.criteria] == [
        ("canary", "error_rate"), ("canary", "latency_p95_ms"), ("canary", "llm_parsing_failure_rate"),
    ]  # fmt: skip
    assert begun.unmatched == ()


# -- real servers ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def places() -> Iterator[Mapping[str, Mapping[str, Any]]]:
    """By a probe's name, what of its options leads elsewhere here."""
    helm = require_helm()
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("PATH", helm, prepend=":")
        for name, value in SECRETS.items():
            patch.setenv(name, value)
        cluster = stack.enter_context(kubernetes_server())
        Releases(cluster, cluster.folder).install("judgment-service", namespace="production")
        cluster.apply("/apis/apps/v1/namespaces/production/deployments", deployment("judgment-service"))
        argo = stack.enter_context(argocd_server("token"))
        argo.app("judgment-service-staging", sync="OutOfSync")
        loki = stack.enter_context(loki_server())
        loki.push("ERROR no answer", namespace="production", app="judgment-service")
        metrics = stack.enter_context(prometheus_server(METRICS))
        database = stack.enter_context(postgresql_server())
        cache = stack.enter_context(redis_server("--requirepass", SECRETS["FACTORY_REDIS_PASSWORD"]))
        web, alerts = stack.enter_context(web_server()), stack.enter_context(alertmanager_server())
        kube = {"context": "it", "kubeconfig_file": str(cluster.kubeconfig(ADMIN))}
        prometheus = {"url": metrics.url}
        yield {
            "health": {"url": f"{web.url}/hello"},
            "alerts": {"url": alerts.url},
            "cluster": kube,
            "releases": kube,
            "apps": {"url": argo.url},
            **dict.fromkeys(("canary", "llm", "judgment", "database-host"), prometheus),
            "database": {"host": "127.0.0.1", "port": database.port, "database": "shop", "user": "postgres"},
            "cache": {"host": "127.0.0.1", "port": cache.port},
            "judgment-log": {"url": loki.url},
        }


def here(config: Config, places: Mapping[str, Mapping[str, Any]]) -> list[ProbeConfig]:
    return [
        replace(probe, options={**probe.options, **places[probe.name]}, interval_s=1.0, deadline_s=30.0)
        for probe in config.probes
    ]


@pytest.mark.real
async def test_each_probe_looks_once_at_a_real_server(config: Config, places: Mapping[str, Mapping[str, Any]]) -> None:
    seen: dict[str, Sample] = {}
    for probe in here(config, places):
        made = build(probe, Redactor().redact)
        seen[probe.name] = await made.sample()
        await made.close()

    failed = {name: (sample.error, sample.mend) for name, sample in seen.items() if sample.outcome is Outcome.FAILED}
    assert failed == {}
    told = {name: {reading.name: reading.value for reading in sample.readings} for name, sample in seen.items()}
    assert told["releases"]["status"] == "deployed"
    assert told["apps"]["sync"] == "OutOfSync"
    assert told["cluster"]["deployments"] == 1.0
    assert isinstance(told["database"]["connections"], float)
    assert isinstance(told["cache"]["ping_ms"], float)
    assert "hunter2" not in json.dumps([str(sample) for sample in seen.values()])


@pytest.mark.real
async def test_a_runbook_in_that_form_opens_and_its_gate_is_watched(
    config: Config, places: Mapping[str, Mapping[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COCKPIT_STATE_DIR", str(tmp_path / "state"))
    written = EXAMPLE.read_text(encoding="utf-8").replace(
        "http://prometheus.factory.internal:9090", str(places["canary"]["url"])
    )
    (tmp_path / "cockpit.toml").write_text(written, encoding="utf-8")
    settings = SessionSettings(runbook_path="ops.md", config_path=str(tmp_path / "cockpit.toml"), mode="live")
    host = Host(open_session(settings, RUNBOOK.read_bytes()))
    await host.begin()
    await host.watch()
    (gate,) = (step.id for step in host.runbook.steps if step.kind == "gate")

    host.watch_gate(gate, "operator:kim")
    await until(lambda: host.engine.state.gates[gate]["criteria"][0]["seen"], "the canary's metrics are seen")

    assert host.engine.state.gates[gate]["unmatched"] == []
    host.end("", "host")
    await host.close()
