"""Helm for the contract suite: the real one on a real API server, over a wire that holds back what is about "stuck"."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cockpit.adapters.helm.adapter import HelmAdapter
from cockpit.adapters.kubernetes.sign_in import KubernetesOptions
from tests.contract.specimens.specimen import Specimen
from tests.servers.helm import Releases, require_helm
from tests.servers.holding import holding_where
from tests.servers.kubernetes import ADMIN, KubernetesServer, kubernetes_server
from tests.servers.server import free_port


@contextmanager
def specimen() -> Iterator[Specimen]:
    folder = require_helm()
    with (
        kubernetes_server() as server,
        holding_where(server.port, _waits, server.tls()) as wire,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("PATH", folder, prepend=":")
        _fill(Releases(server, server.folder))
        yield Specimen(
            adapter=_adapter(server, wire.port),
            language="helm",
            cut=wire.cut,
            hello="status hello",
            streams=("history hello\nhistory stuck", b"the 1", wire.let_go, b"at last"),
            endless="history stuck",
            at_it=wire.holds,
            large="get values large",
            no_text="get values odd -o json",
            as_shown=b"a<U+202E>",
            echo=lambda value: f"history '{value}'",
            with_input='list --filter="$WORD"',
            mistake="rollback absent 1",
            complaint=b"no release is called absent",
            changes="rollback api 1",
            changes_slowly="rollback slow 1",
            fingerprint=server.fingerprint,
            absent=_adapter(server, free_port()),
            library="kubernetes",
            wrong_credentials=None,
        )


def _waits(request: bytes, cut: bool) -> bool:
    """What asks for the release "stuck"; of "slow" what changes it, and everything once the wire is cut."""
    return b"name%3Dstuck" in request or (b"slow" in request and (cut or request.startswith((b"POST", b"PUT"))))


def _adapter(server: KubernetesServer, port: int) -> HelmAdapter:
    config = server.kubeconfig(ADMIN, port=port)
    return HelmAdapter(KubernetesOptions(kubeconfig_file=str(config)))


def _fill(releases: Releases) -> None:
    for name in ("hello", "api", "slow"):
        releases.install(name, 2)
    releases.install("stuck")
    releases.helm("upgrade", "stuck", str(releases.chart()), "--description", "at last")
    releases.install("odd", text="a\u202e\x1b[31m")
    values: Path = releases.folder / "large.json"
    values.write_text(json.dumps({f"n{number}": "x" * 1_000_000 for number in range(10)}))
    releases.helm("upgrade", "--install", "large", str(releases.chart()), "--values", str(values))
