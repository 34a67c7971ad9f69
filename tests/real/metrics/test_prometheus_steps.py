"""PromQL as steps, against a real Prometheus."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from io import BytesIO

import pytest

from cockpit.adapters.http.api import ApiOptions
from cockpit.adapters.prometheus.adapter import PrometheusAdapter
from cockpit.adapters.step_program.adapter import Task
from cockpit.adapters.step_program.page import Page
from cockpit.errors import Declined
from tests.servers.misbehaving import misbehaving
from tests.servers.prometheus import PASSWORD, USER, PrometheusServer, prometheus_server
from tests.waiting import wait_until

pytestmark = pytest.mark.real
MANY = "".join(f'many{{pod="api-{n:05}", zone="ap-northeast-2a"}} {n}\n' for n in range(5000))
PAGE = f'# TYPE orders counter\norders_total{{code="200"}} 990\norders_total{{code="500"}} 10\n{MANY}'


@pytest.fixture(scope="module")
def server() -> Iterator[PrometheusServer]:
    with prometheus_server(PAGE) as made:
        wait_until(lambda: len(made.query("orders_total[1h]")) == 2 and len(made.query("count(many)")) == 1)
        yield made


def said(server: PrometheusServer, body: str, **values: str) -> list[str]:
    out = BytesIO()
    adapter = PrometheusAdapter(ApiOptions(url=server.url))
    adapter.perform(Task(language="promql", body=body, values=values), Page(out))
    return out.getvalue().decode().splitlines()


def test_a_single_value_is_one_number(server: PrometheusServer) -> None:
    share = '100 * sum(orders_total{code="500"}) / sum(orders_total)'

    assert said(server, share) == ["1"]
    assert said(server, "scalar(vector(0.0000123))") == ["0.0000123"]


def test_series_stand_behind_their_values(server: PrometheusServer) -> None:
    heads, first, second = said(server, "sort_desc(sum by (code) (orders_total))")

    assert heads.split() == ["value", "series"]
    assert first.split() == ["990", '{code="200"}']
    assert second.split() == ["10", '{code="500"}']


def test_a_range_is_a_chart(server: PrometheusServer) -> None:
    lines = said(server, "# range: 10m, step: 1s\nvector(time() % 60)")

    assert any(set("▁▂▃▄▅▆▇█") & set(line) for line in lines)
    assert lines[-1].startswith("from 20")


def test_a_range_selector_gives_what_was_scraped(server: PrometheusServer) -> None:
    lines = said(server, 'orders_total{code="$CODE"}[1h]', CODE="500")

    assert lines[1].split()[:3] == ["10", "10", "10"]
    assert 'code="500"' in lines[1]


def test_several_queries_are_told_apart(server: PrometheusServer) -> None:
    lines = said(server, "count(many)\n# all of them\nsum(orders_total)")

    assert lines == ["> count(many)", "5000", "", "> sum(orders_total)", "1000"]


def test_nothing_that_matches_is_said(server: PrometheusServer) -> None:
    assert said(server, "no_such_metric") == ["no series: nothing matches"]


def test_a_mistake_is_shown_with_its_place(server: PrometheusServer) -> None:
    out = BytesIO()
    adapter = PrometheusAdapter(ApiOptions(url=server.url))

    with pytest.raises(Declined, match="parse error"):
        adapter.perform(Task(language="promql", body="sum(orders_total)\n + foo bar"), Page(out))

    assert out.getvalue().decode() == " + foo bar\n       ^\n"


def test_too_many_samples_are_refused_with_a_way_out(server: PrometheusServer) -> None:
    three = " or ".join(f'label_replace(vector(1), "n", "{n}", "", "")' for n in range(3))
    with pytest.raises(Declined, match="larger step"):
        said(server, f"# range: 10000s, step: 1s\n{three}")


def test_five_thousand_series_cost_little_memory(server: PrometheusServer) -> None:
    said(server, "up")
    tracemalloc.start()
    lines = said(server, "many")
    _now, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(lines) == 5001
    assert peak_bytes < 32 << 20


def test_a_password_lets_in_and_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COCKPIT_TEST_SECRET", PASSWORD)
    with prometheus_server(with_password=True) as closed:
        adapter = PrometheusAdapter(ApiOptions(url=closed.url, user=USER, password_env="COCKPIT_TEST_SECRET"))
        out = BytesIO()
        adapter.perform(Task(language="promql", body="vector(7)", credentials=adapter.credentials()), Page(out))

    assert out.getvalue() == b"7\n"


def test_only_the_query_api_is_ever_asked(server: PrometheusServer) -> None:
    hostile = "up\n# range: 1h\nup{x='/api/v1/admin/tsdb/delete_series'}"
    with misbehaving() as wire:
        wire.says(b'{"status":"success","data":{"resultType":"vector","result":[]}}')
        adapter = PrometheusAdapter(ApiOptions(url=wire.url))
        adapter.perform(Task(language="promql", body=hostile), Page(BytesIO()))
        adapter.enforced(Task())

        asked = [request.split(b" ")[1].partition(b"?")[0] for request in wire.requests]

    assert asked == [b"/api/v1/query", b"/api/v1/query_range", b"/api/v1/query"]
