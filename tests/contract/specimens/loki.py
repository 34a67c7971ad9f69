"""Loki for the contract suite: a stand-in, behind a wire that holds back what asks for the stream "stuck"."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cockpit.adapters.http.api import ApiOptions
from cockpit.adapters.loki.adapter import LokiAdapter
from tests.contract.specimens.specimen import Specimen
from tests.servers.holding import holding
from tests.servers.loki import LokiServer, loki_server
from tests.servers.server import free_port


@contextmanager
def specimen() -> Iterator[Specimen]:
    with loki_server() as server, loki_server(password="another") as closed, holding(server.port, b"stuck") as wire:
        _fill(server)
        yield Specimen(
            adapter=_adapter(wire.port),
            language="logql",
            cut=wire.cut,
            hello='{app="hello"}',
            streams=('{app="hello"}\n{app="stuck"}', b"hello", wire.let_go, b"at last"),
            endless='{app="stuck"}',
            at_it=wire.holds,
            large='{app="large"}',
            no_text='{app="odd"}',
            as_shown=b"a<U+202E>",
            echo=lambda value: f'{{app="hello"}}\n{{app="echo"}} != "{value}"',
            with_input='{app="echo"} |= "$WORD"',
            mistake='{app="hello"} |=',
            complaint=b"parse error",
            absent=_adapter(free_port()),
            library="httpx",
            wrong_credentials=LokiAdapter(
                ApiOptions(url=closed.url, user="oncall", password_env="COCKPIT_TEST_SECRET")
            ),
        )


def _fill(server: LokiServer) -> None:
    server.push("hello", app="hello")
    server.push("at last", app="stuck")
    server.push("a\u202e\x1b[31m", app="odd")
    for number in range(100):
        server.push("x" * 100_000, app="large", n=str(number))
    server.push("a'b\"c $(id) ; -- /* 한글", app="echo")


def _adapter(port: int) -> LokiAdapter:
    return LokiAdapter(ApiOptions(url=f"http://127.0.0.1:{port}"))
