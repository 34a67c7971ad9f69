"""Whatever answers in the place of Prometheus or Loki: one clear line, no hang, no growth, and nothing passed on."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import msgspec
import pytest

from cockpit.adapters.http.api import ApiOptions
from cockpit.adapters.loki.adapter import LokiAdapter
from cockpit.adapters.prometheus.adapter import PrometheusAdapter
from cockpit.adapters.step_program.adapter import StepProgram, Task
from cockpit.adapters.step_program.page import Page
from cockpit.config import ProbeConfig
from cockpit.errors import AccessDenied, AdapterError, ConfigError, Declined, Malformed, TargetUnreachable, TimedOut
from cockpit.monitor.registry import build
from cockpit.monitor.sample import Level, Outcome, Sample
from tests.servers.misbehaving import Misbehaving, misbehaving

SECRET = {"token": "Zq7-bearer-91"}
Make = Callable[..., tuple[StepProgram[Any], Task]]


@pytest.fixture
def server() -> Iterator[Misbehaving]:
    with misbehaving() as made:
        yield made


@pytest.fixture(params=["prometheus", "loki"])
def make(request: pytest.FixtureRequest) -> Make:
    def prometheus(url: str, **options: Any) -> tuple[StepProgram[Any], Task]:
        return PrometheusAdapter(ApiOptions(url=url, **options)), Task(language="promql", body="up")

    def loki(url: str, **options: Any) -> tuple[StepProgram[Any], Task]:
        return LokiAdapter(ApiOptions(url=url, **options)), Task(language="logql", body='{app="x"}')

    return prometheus if request.param == "prometheus" else loki


def asked(make: Make, server: Misbehaving, **options: Any) -> str:
    adapter, task = make(server.url, **options)
    out = BytesIO()
    adapter.perform(Task(language=task.language, body=task.body, credentials=SECRET), Page(out))
    return out.getvalue().decode()


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        ("401 Unauthorized", b"", AccessDenied, "credentials"),
        ("429 Too Many Requests", b"", AccessDenied, "too often"),
        ("404 Not Found", b"<html>", Declined, "no such API"),
        ("502 Bad Gateway", b"<html>bad</html>", TargetUnreachable, "502"),
        ("500 Internal Server Error", b"", TargetUnreachable, "500"),
        (
            "503 Service Unavailable",
            b'{"errorType":"timeout","error":"it took long"}',
            TimedOut,
            "long",
        ),
        ("422 Unprocessable", b'{"errorType":"execution","error":"too many samples"}', Declined, "larger step"),
        ("400 Bad Request", b'{"errorType":"bad_data","error":"1:3: parse error: x"}', Declined, "parse error"),
    ],
)
def test_a_refusal_is_told_for_what_it_is(
    make: Make, server: Misbehaving, status: str, body: bytes, error: type[AdapterError], words: str
) -> None:
    server.says(body, status)

    with pytest.raises(error) as caught:
        asked(make, server)

    assert words in str(caught.value)
    assert server.url in str(caught.value)


def test_a_redirect_is_not_followed_and_takes_no_credentials_along(make: Make, server: Misbehaving) -> None:
    with misbehaving() as elsewhere:
        server.says(b"", "302 Found", f"Location: {elsewhere.url}/api\r\n")

        with pytest.raises(Malformed, match="leads elsewhere"):
            asked(make, server)

        assert not elsewhere.requests
    assert b"Bearer Zq7-bearer-91" in server.requests[0]


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"status":', b'{"status":"success","data":7}', b"\xff\xfe{"])
def test_what_is_no_answer_of_such_a_server_is_told(make: Make, server: Misbehaving, body: bytes) -> None:
    server.says(body)

    with pytest.raises(Malformed):
        asked(make, server)


def test_a_result_of_another_shape_is_told(make: Make, server: Misbehaving) -> None:
    for kind in ("vector", "matrix", "streams", "scalar", "string"):
        server.says(json.dumps({"status": "success", "data": {"resultType": kind, "result": [[["x"]]]}}).encode())

        with pytest.raises(Malformed):
            asked(make, server)


def test_half_an_answer_is_told(make: Make, server: Misbehaving) -> None:
    server.answer = b'HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{"status":"success"'

    with pytest.raises(Malformed, match="broke off"):
        asked(make, server)


def test_no_answer_at_all_is_told(make: Make, server: Misbehaving) -> None:
    with pytest.raises(TargetUnreachable):
        asked(make, server)


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"])
def test_an_answer_that_does_not_end_is_given_up(make: Make, server: Misbehaving, sent: bytes) -> None:
    server.answer, server.hangs = sent, True

    with pytest.raises(TimedOut, match=r"0\.3 s"):
        asked(make, server, timeout_s=0.3)


def test_an_answer_beyond_measure_is_not_held(make: Make, server: Misbehaving) -> None:
    server.says(gzip.compress(b" " * (65 << 20)), head="Content-Encoding: gzip\r\n")

    with pytest.raises(Declined, match="larger than 64 MiB"):
        asked(make, server)


def test_a_million_series_are_not_shown(server: Misbehaving) -> None:
    series = ",".join(f'{{"metric":{{"n":"{n}"}},"value":[1,"{n}"]}}' for n in range(12_000))
    server.says(f'{{"status":"success","data":{{"resultType":"vector","result":[{series}]}}}}'.encode())
    adapter, out = PrometheusAdapter(ApiOptions(url=server.url)), BytesIO()

    with pytest.raises(Declined, match="12000 series"):
        adapter.perform(Task(language="promql", body="up"), Page(out))

    assert out.getvalue().count(b"\n") == 10_001


def test_values_that_are_no_numbers_are_shown_as_they_are(server: Misbehaving) -> None:
    values = ["NaN", "+Inf", "-Inf", "1e-07", "5"]
    series = [{"metric": {"n": value}, "value": [1, value]} for value in values]
    server.says(json.dumps({"status": "success", "data": {"resultType": "vector", "result": series}}).encode())
    out = BytesIO()

    PrometheusAdapter(ApiOptions(url=server.url)).perform(Task(language="promql", body="up"), Page(out))

    shown = [line.split()[0] for line in out.getvalue().decode().splitlines()[1:]]
    assert shown == ["NaN", "+Inf", "-Inf", "0.0000001", "5"]


@pytest.mark.parametrize(
    "options",
    [
        {"url": "prometheus:9090"},
        {"url": "http://a:b@prometheus:9090"},
        {"url": "http://prometheus:9090/?x=1"},
        {"url": "http://prometheus:9090", "timeout_s": 0},
        {"url": "http://prometheus:9090", "token_env": "A", "password_env": "B"},
    ],
)
def test_options_that_can_not_work_are_refused_at_once(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        PrometheusAdapter(ApiOptions(**options))


def test_an_authority_that_is_not_there_is_told(server: Misbehaving) -> None:
    adapter = PrometheusAdapter(ApiOptions(url=server.url, ca_file="/nowhere/ca.pem"))

    with pytest.raises(ConfigError, match="ca_file"):
        adapter.perform(Task(language="promql", body="up"), Page(BytesIO()))


PROBES: dict[str, dict[str, Any]] = {
    "prometheus": {"queries": {"share": "up"}},
    "alertmanager": {},
    "loki": {"query": '{app="x"}'},
}


async def sampled(kind: str, server: Misbehaving, deadline_s: float = 30.0) -> Sample:
    options = {"url": server.url, **PROBES[kind]}
    probe = build(ProbeConfig(name="it", kind=kind, deadline_s=deadline_s, options=options), lambda text: text)
    sample = await probe.sample()
    await probe.close()
    return sample


@pytest.mark.parametrize("kind", sorted(PROBES))
@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull",
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" + b"[" * 10_000_000,
    ],
    ids=["nothing", "half", "null", "redirect", "500", "10 MB of nonsense, half"],
)
async def test_a_panels_server_that_misbehaves_costs_its_own_panel(
    server: Misbehaving, kind: str, answer: bytes
) -> None:
    server.answer = answer

    sample = await sampled(kind, server)

    assert (sample.outcome, sample.level) == (Outcome.FAILED, Level.RED)
    assert sample.mend
    assert len(sample.error) < 400


@pytest.mark.parametrize("kind", sorted(PROBES))
async def test_a_panels_server_that_hangs_is_given_up_before_its_deadline(server: Misbehaving, kind: str) -> None:
    server.hangs = True

    sample = await sampled(kind, server, deadline_s=0.5)

    assert sample.outcome is Outcome.FAILED
    assert "no answer within" in sample.error


@pytest.mark.parametrize("kind", sorted(PROBES))
async def test_refused_credentials_of_a_panel_say_nothing_about_the_service(server: Misbehaving, kind: str) -> None:
    server.says(b"", "401 Unauthorized")

    sample = await sampled(kind, server)

    assert (sample.outcome, sample.level) == (Outcome.FAILED, Level.YELLOW)


async def test_five_thousand_series_and_alerts_make_no_large_samples(server: Misbehaving) -> None:
    series = [{"metric": {"pod": f"api-{n}"}, "value": [1, "1"]} for n in range(5000)]
    server.says(json.dumps({"status": "success", "data": {"resultType": "vector", "result": series}}).encode())
    metrics = await sampled("prometheus", server)
    server.says(json.dumps([{"labels": {"alertname": f"A{n}", "severity": "critical"}} for n in range(5000)]).encode())
    alerts = await sampled("alertmanager", server)

    assert metrics.readings[0].value == "5000 series, one is wanted"
    assert (alerts.readings[0].value, len(alerts.rows)) == (5000.0, 100)
    assert len(msgspec.json.encode(metrics)) + len(msgspec.json.encode(alerts)) < 40_000
