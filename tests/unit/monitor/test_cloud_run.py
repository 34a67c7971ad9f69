"""A Cloud Run service as a panel, and metrics of Cloud Monitoring beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cockpit.config import ProbeConfig
from cockpit.config.bound import parse_bound
from cockpit.errors import ConfigError
from cockpit.monitor.panel import fold_sample
from cockpit.monitor.registry import build
from cockpit.monitor.sample import Level, Outcome, Sample
from screens.panels import revisions
from tests.servers.google import PROJECT, REGION, SERVICE, TOKEN, GoogleServer, google_server
from tests.servers.misbehaving import misbehaving
from tests.servers.server import free_port

NEW, OLD = f"{SERVICE}-00042-vuc", f"{SERVICE}-00041-kap"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[GoogleServer]:
    monkeypatch.setenv("CANARY_TOKEN", TOKEN)
    with google_server() as made:
        yield made


async def sampled(url: str, kind: str = "cloud-run", bounds: tuple[str, ...] = (), **given: Any) -> Sample:
    options = {"project": PROJECT, "url": url, "token_env": "CANARY_TOKEN", **given}
    if kind == "cloud-run":
        options = {"region": REGION, "service": SERVICE, **options}
    parsed = tuple(parse_bound(each, "test") for each in bounds)
    probe = build(
        ProbeConfig(name="it", kind=kind, deadline_s=30.0, thresholds=parsed, options=options), lambda text: text
    )
    sample = await probe.sample()
    await probe.close()
    return sample


def readings(sample: Sample) -> dict[str, object]:
    return {reading.name: reading.value for reading in sample.readings}


def shown(sample: Sample, width: int) -> list[str]:
    return ["".join(text for text, _style in row.spans) for row in revisions.detail(fold_sample(None, sample), width)]


async def test_a_service_that_is_ready_is_green(server: GoogleServer) -> None:
    sample = await sampled(server.url)

    assert (sample.outcome, sample.level) == (Outcome.DATA, Level.GREEN)
    assert sample.text == f"it is ready · {NEW} 100 %"
    assert readings(sample) == {"ready": True, "newest_percent": 100.0, "serving": 1.0}
    assert sorted(server.asked) == [
        ("GET", f"/v2/projects/{PROJECT}/locations/{REGION}/services/{SERVICE}"),
        ("GET", f"/v2/projects/{PROJECT}/locations/{REGION}/services/{SERVICE}/revisions"),
    ]


async def test_the_traffic_split_stands_beside_the_revisions_with_their_tags(server: GoogleServer) -> None:
    server.traffic = [(OLD, 90, ""), ("", 10, ""), (NEW, 0, "canary"), (f"{SERVICE}-00007-old", 0, "archive")]

    sample = await sampled(server.url)

    assert sample.text == f"it is ready · {OLD} 90 % · {NEW} 10 %"
    assert readings(sample)["newest_percent"] == 10.0
    assert [(row["name"], row["percent"], row["tag"]) for row in sample.rows] == [
        (NEW, 10.0, "canary"),
        (OLD, 90.0, ""),
        (f"{SERVICE}-00007-old", 0.0, "archive"),
    ]
    for width in (40, 60, 110):
        rows = shown(sample, width)
        assert "00042-vuc" in rows[1]
        assert "canary" in rows[1]
        assert all(len(row) <= width for row in rows)
    assert "ion-api:v042" in shown(sample, 110)[1]


async def test_a_service_that_is_not_ready_says_why(server: GoogleServer) -> None:
    server.failed = "CONTAINER_MISSING: Image 'gcr.io/my-project/ion-api:v2' not found"
    server.revisions[0] = (NEW, 60.0, False, "Image not found")
    server.traffic = [(OLD, 100, "")]

    sample = await sampled(server.url, bounds=("ready == false red",))

    assert sample.level is Level.RED
    assert sample.text.startswith("not ready: CONTAINER_MISSING: Image 'gcr.io")
    assert sample.text.endswith(f"{OLD} 100 %")
    assert (sample.rows[0]["state"], sample.rows[0]["level"]) == ("Image not found", "red")


async def test_what_was_not_yet_taken_up_is_yellow(server: GoogleServer) -> None:
    server.generation = 6
    sample = await sampled(server.url)
    assert (sample.level, "being changed" in sample.text) == (Level.YELLOW, True)


@pytest.mark.parametrize(
    ("refuse", "told", "level"),
    [
        ((403, "Permission 'run.services.get' denied on resource", "PERMISSION_DENIED"), "run.services.get", "yellow"),
        ((403, "Cloud Run Admin API has not been used before or it is disabled", "X"), "disabled", "yellow"),
        ((404, "Resource 'ion-api-canary' of kind 'SERVICE' does not exist.", "NOT_FOUND"), "does not exist", "red"),
        ((429, "Quota exceeded for quota metric 'Read requests'", "RESOURCE_EXHAUSTED"), "Quota exceeded", "yellow"),
        ((503, "The service is currently unavailable.", "UNAVAILABLE"), "503", "red"),
    ],
)
async def test_what_google_refuses_costs_this_panel_and_says_why(
    server: GoogleServer, refuse: tuple[int, str, str], told: str, level: str
) -> None:
    server.refuse = refuse

    sample = await sampled(server.url)

    assert (sample.outcome, sample.level) == (Outcome.FAILED, Level(level))
    assert told in sample.error
    assert sample.mend


async def test_a_wrong_token_is_said_and_never_shown(server: GoogleServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY_TOKEN", "ya29.wrong-wrong-wrong")

    sample = await sampled(server.url)

    assert (sample.outcome, sample.level) == (Outcome.FAILED, Level.YELLOW)
    assert "credentials" in sample.error
    assert "wrong-wrong" not in sample.error + sample.mend + sample.text


async def test_a_redirect_is_not_followed_with_the_token(server: GoogleServer) -> None:
    with misbehaving() as wild:
        wild.says(b"", "302 Found", f"Location: {server.url}/elsewhere\r\n")

        sample = await sampled(wild.url)

    assert sample.outcome is Outcome.FAILED
    assert "leads elsewhere" in sample.error
    assert server.asked == []


async def test_a_server_that_is_not_there_or_talks_nonsense_is_failed(server: GoogleServer) -> None:
    gone = await sampled(f"http://127.0.0.1:{free_port()}")
    with misbehaving() as wild:
        wild.says(b"<html>sign in</html>")
        odd = await sampled(wild.url)

    assert (gone.outcome, gone.level) == (Outcome.FAILED, Level.RED)
    assert (odd.outcome, bool(odd.mend)) == (Outcome.FAILED, True)


@pytest.mark.parametrize(("key", "value"), [("service", "a/../b"), ("region", "us central1"), ("service", "")])
def test_what_is_no_name_is_refused(key: str, value: str) -> None:
    options = {"project": PROJECT, "region": REGION, "service": SERVICE, key: value}
    with pytest.raises(ConfigError, match="no name"):
        build(ProbeConfig(name="it", kind="cloud-run", options=options), lambda text: text)


async def test_metrics_are_asked_in_promql_and_held_against_bounds(server: GoogleServer) -> None:
    server.numbers = {"request_count": "0.7", "request_latencies": "NaN"}
    queries = {
        "error_percent": '100 * sum(rate(run_googleapis_com:request_count{response_code_class="5xx"}[5m]))',
        "p95_ms": "histogram_quantile(0.95, sum by (le) (rate(run_googleapis_com:request_latencies_bucket[5m])))",
    }

    sample = await sampled(
        server.url, "cloud-monitoring", ("error_percent > 1 % red", "error_percent > 0.5 % yellow"), queries=queries
    )

    assert readings(sample) == {"error_percent": 0.7, "p95_ms": "NaN"}
    assert sample.level is Level.YELLOW
    assert set(server.asked) == {("POST", f"/v1/projects/{PROJECT}/location/global/prometheus/api/v1/query")}
