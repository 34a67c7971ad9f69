"""Prometheus for the contract suite, behind a wire that holds back what asks for the metric "stuck"."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cockpit.adapters.http.api import ApiOptions
from cockpit.adapters.prometheus.adapter import PrometheusAdapter
from tests.contract.specimens.specimen import Specimen
from tests.servers.holding import holding
from tests.servers.prometheus import prometheus_server
from tests.servers.server import free_port
from tests.waiting import wait_until

_LARGE = "\n".join(f'large{{n="{number}", x="{"x" * 100_000}"}} 1' for number in range(100))


@contextmanager
def specimen() -> Iterator[Specimen]:
    with (
        prometheus_server(_LARGE + "\n", every_s=5) as server,
        prometheus_server(with_password=True) as closed,
        holding(server.port, b"stuck") as wire,
    ):
        wait_until(lambda: len(server.query("large")) == 100)
        server.page.text = ""  # once is enough
        yield Specimen(
            adapter=_adapter(wire.port),
            language="promql",
            cut=wire.cut,
            hello=said("hello"),
            streams=(f"{said('first')}\n{said('stuck')}", b"first", wire.let_go, b'said="stuck"'),
            endless="stuck",
            at_it=wire.holds,
            large='last_over_time(large{job="shop"}[1h])',
            no_text=said("a\\u202e\\x07"),
            as_shown=b"a<U+202E>",
            echo=said,
            with_input=said("$WORD"),
            mistake="sum(rate(",
            complaint=b"parse error",
            absent=_adapter(free_port()),
            library="httpx",
            wrong_credentials=PrometheusAdapter(
                ApiOptions(url=f"http://127.0.0.1:{closed.port}", user="oncall", password_env="COCKPIT_TEST_SECRET")
            ),
        )


def said(value: str) -> str:
    return f'label_replace(vector(1), "said", "{value}", "", "")'


def _adapter(port: int) -> PrometheusAdapter:
    return PrometheusAdapter(ApiOptions(url=f"http://127.0.0.1:{port}"))
