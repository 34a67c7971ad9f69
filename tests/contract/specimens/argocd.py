"""ArgoCD for the contract suite: a stand-in, behind a wire that holds back what is about the application "stuck"."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from cockpit.adapters.argocd.adapter import ArgocdAdapter
from cockpit.adapters.argocd.api import ArgocdOptions
from tests.contract.specimens.specimen import Specimen
from tests.servers.argocd import ArgocdServer, argocd_server
from tests.servers.holding import holding_where
from tests.servers.server import free_port


@contextmanager
def specimen() -> Iterator[Specimen]:
    with argocd_server() as server, argocd_server("another") as closed, holding_where(server.port, _waits) as wire:
        _fill(server)
        yield Specimen(
            adapter=_adapter(wire.port),
            language="argocd",
            cut=wire.cut,
            hello="app get hello",
            streams=("app get hello\napp get stuck", b"hello", wire.let_go, b"at last"),
            endless="app wait stuck --health",
            at_it=wire.holds,
            large="app manifests large",
            no_text="app get odd",
            as_shown=b"a<U+202E>",
            echo=lambda value: f"app get '{value}'",
            with_input='app list --project="$WORD"',
            mistake="app sync absent",
            complaint=b"not found",
            changes="app sync shop",
            changes_slowly="app sync slow",
            fingerprint=server.fingerprint,
            absent=_adapter(free_port()),
            library="httpx",
            wrong_credentials=ArgocdAdapter(ArgocdOptions(url=closed.url, token_env="COCKPIT_TEST_SECRET")),
        )


def _waits(request: bytes, cut: bool) -> bool:
    """What asks for "stuck"; of "slow" what changes it, and everything once the wire is cut."""
    return b"/stuck" in request or (b"/slow" in request and (cut or request.startswith(b"POST")))


def _fill(server: ArgocdServer) -> None:
    for name in ("hello", "shop", "slow", "large"):
        server.app(name)
    server.app("stuck", health="Progressing", message="at last")
    server.app("odd", message="a\u202e\x1b[31m")
    server.apps["large"]["manifests"] = {"manifests": [json.dumps({"data": "x" * 1_000_000})] * 10}


def _adapter(port: int) -> ArgocdAdapter:
    return ArgocdAdapter(ArgocdOptions(url=f"http://127.0.0.1:{port}"))
