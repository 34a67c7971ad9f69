"""The example configuration for a canary on Cloud Run: its bounds and rules hold at the edges that its guide names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from cockpit.config import Config, ProbeConfig, load
from cockpit.monitor.registry import build
from cockpit.monitor.rule import begin, fold_rule
from cockpit.monitor.sample import Level, Outcome, Sample
from cockpit.runbook.reading import parse
from tests.servers.google import TOKEN, GoogleServer, google_server
from tests.servers.pages import Page, page_server

EXAMPLE = Path(__file__).parents[3] / "runbooks" / "examples" / "phase4.toml"
GUIDE = """# Phase 4
## Scenario 1: 배포 직후 에러율 급증
## Scenario 2: 응답 시간 급증
## Scenario 3: 메모리 폭발
## Scenario 5: Canary 서비스 완전 다운
## 📊 배포 실패 결정 기준
"""
METRICS = {"error_percent": "request_count", "p95_ms": "latencies", "memory_percent": "memory", "cpu_percent": "cpu"}


@pytest.fixture(scope="module")
def config() -> Config:
    return load(EXAMPLE)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[GoogleServer]:
    monkeypatch.setenv("CANARY_TOKEN", TOKEN)
    with google_server() as made:
        made.numbers = dict.fromkeys(METRICS.values(), "0")
        yield made


@pytest.fixture
def service() -> Iterator[list[int]]:
    """The status that both services answer with, and their port behind it."""
    said = [200]

    class Health(Page):
        def answer(self) -> None:
            self.says(said[0], b'{"status": "UP"}', "application/json")

    with page_server(Health) as port:
        said.append(port)
        yield said


def at(config: Config, name: str, server: GoogleServer, port: int = 1) -> ProbeConfig:
    """The probe of that name, with addresses of here."""
    probe = next(probe for probe in config.probes if probe.name == name)
    options = dict(probe.options)
    if probe.kind == "http":
        options["url"] = f"http://127.0.0.1:{port}/health"
    else:
        options |= {"url": server.url, "token_env": "CANARY_TOKEN", "project": "my-project"}
    return replace(probe, options=options, deadline_s=30.0)


async def sampled(probe: ProbeConfig) -> Sample:
    made = build(probe, lambda text: text)
    sample = await made.sample()
    await made.close()
    return sample


async def test_every_probe_looks_once(config: Config, server: GoogleServer, service: list[int]) -> None:
    server.write("started", "INFO", jsonPayload={"message": "slow", "latency_ms": 812})

    samples = [await sampled(at(config, probe.name, server, service[1])) for probe in config.probes]

    assert [(sample.probe, sample.outcome) for sample in samples] == [
        (probe.name, Outcome.DATA) for probe in config.probes
    ]
    assert {sample.level for sample in samples} <= {Level.GREEN, Level.GREY}


def test_every_rule_leads_to_a_section_of_the_guide(config: Config) -> None:
    sections = {section.id for section in parse(GUIDE).sections}

    assert {rule.section for rule in config.rules} <= sections
    probes = {probe.name for probe in config.probes}
    assert {condition.probe for rule in config.rules for condition in rule.conditions} <= probes


@pytest.mark.parametrize(
    ("metric", "number", "level"),
    [
        ("error_percent", "0.49", "green"),
        ("error_percent", "0.5", "yellow"),
        ("error_percent", "0.51", "yellow"),
        ("error_percent", "1.0", "yellow"),
        ("error_percent", "1.01", "red"),
        ("p95_ms", "199.9", "green"),
        ("p95_ms", "200", "yellow"),
        ("p95_ms", "500", "yellow"),
        ("p95_ms", "500.1", "red"),
        ("memory_percent", "69.9", "green"),
        ("memory_percent", "70", "yellow"),
        ("memory_percent", "85", "yellow"),
        ("memory_percent", "85.1", "red"),
        ("cpu_percent", "69.9", "green"),
        ("cpu_percent", "70", "yellow"),
        ("cpu_percent", "90", "yellow"),
        ("cpu_percent", "90.1", "red"),
    ],
)
async def test_bounds_hold_at_their_edges(
    config: Config, server: GoogleServer, metric: str, number: str, level: str
) -> None:
    server.numbers[METRICS[metric]] = number

    sample = await sampled(at(config, "canary-metrics", server))

    readings = {reading.name: reading.level for reading in sample.readings}
    assert readings == dict.fromkeys(METRICS, Level.GREEN) | {metric: Level(level)}
    assert sample.level is Level(level)


async def test_no_traffic_is_never_green(config: Config, server: GoogleServer) -> None:
    server.numbers["request_count"] = "NaN"
    assert (await sampled(at(config, "canary-metrics", server))).level is Level.YELLOW


def raised(config: Config, samples: Sequence[Sample]) -> set[str]:
    """The rules that recommend something after these samples."""
    states = [begin(rule) for rule in config.rules]
    for sample in samples:
        states = [fold_rule(state, sample)[0] for state in states]
    return {state.rule.name for state in states if state.raised_t is not None}


@pytest.mark.parametrize(
    ("errors", "rules"),
    [
        (["1.0", "1.0", "1.0"], set()),
        (["1.1"], {"caution"}),
        (["1.1", "1.1"], {"caution"}),
        (["1.1", "0.4", "1.1", "1.1"], {"caution"}),
        (["1.1", "1.1", "1.1"], {"caution", "roll-back"}),
        (["5"] * 3, {"caution", "roll-back"}),
    ],
)
async def test_a_rollback_is_recommended_at_the_third_time_in_a_row(
    config: Config, server: GoogleServer, errors: list[str], rules: set[str]
) -> None:
    samples = []
    for number in errors:
        server.numbers["request_count"] = number
        samples.append(await sampled(at(config, "canary-metrics", server)))

    assert raised(config, samples) == rules


@pytest.mark.parametrize(
    ("word", "number", "rule"), [("latencies", "800", "slow"), ("memory", "95", "memory"), ("cpu", "91", "cpu")]
)
async def test_each_red_flag_leads_to_its_scenario(
    config: Config, server: GoogleServer, word: str, number: str, rule: str
) -> None:
    server.numbers[word] = number
    assert raised(config, [await sampled(at(config, "canary-metrics", server))]) == {rule}


async def test_a_canary_that_is_down_is_told_at_once(config: Config, server: GoogleServer, service: list[int]) -> None:
    server.failed = "HealthCheckContainerError: the container failed to start"
    assert raised(config, [await sampled(at(config, "canary", server))]) == {"down"}
    assert raised(config, [await sampled(at(config, "canary-health", server, port=1))]) == {"down"}


async def test_a_monitor_that_may_not_look_recommends_nothing(config: Config, server: GoogleServer) -> None:
    server.refuse = (403, "Permission denied", "PERMISSION_DENIED")
    samples = [await sampled(at(config, name, server)) for name in ("canary", "canary-metrics")]
    assert raised(config, samples * 3) == set()


def test_nobody_is_told_anything_by_it(config: Config) -> None:
    assert config.targets == ()
