"""HTTP for the contract suite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cockpit.adapters.http.adapter import HttpAdapter, HttpTargetOptions
from tests.contract.specimens.specimen import Specimen
from tests.servers.proxy import proxied
from tests.servers.server import free_port
from tests.servers.web import web_server


@contextmanager
def specimen() -> Iterator[Specimen]:
    with web_server() as server, proxied(server.port) as proxy:
        yield Specimen(
            adapter=_adapter(proxy.port),
            language="http",
            cut=proxy.cut,
            hello="GET /hello",
            streams=("GET /hello\n\n###\nGET /wait", b"hello", server.let_go, b"let go"),
            endless="GET /wait",
            at_it=lambda: server.holding > 0,
            large="GET /large",
            no_text="GET /bytes",
            as_shown=b"a\xff\xfeb\x1b[31m",
            echo=lambda value: f"GET /echo\nX-Echo: {value}",
            with_input="GET /echo?text=$WORD",
            mistake="POST /mistake\n\n{}",
            complaint=b"there is no such order",
            changes='POST /order\nContent-Type: application/json\n\n{"count": 1}',
            changes_slowly="POST /wait",
            fingerprint=server.fingerprint,
            absent=_adapter(free_port()),
            library="httpx",
            wrong_credentials=HttpAdapter(
                HttpTargetOptions(base_url=f"http://127.0.0.1:{proxy.port}", token_env="COCKPIT_TEST_SECRET")
            ),
        )


def _adapter(port: int) -> HttpAdapter:
    return HttpAdapter(HttpTargetOptions(base_url=f"http://127.0.0.1:{port}"))
