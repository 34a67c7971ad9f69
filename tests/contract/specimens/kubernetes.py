"""Kubernetes for the contract suite: a real API server without controllers, so that nothing moves by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cockpit.adapters.kubernetes.adapter import KubernetesAdapter
from cockpit.adapters.kubernetes.sign_in import KubernetesOptions
from tests.contract.specimens.specimen import Specimen
from tests.servers.kubernetes import ADMIN, KubernetesServer, deployment, kubernetes_server
from tests.servers.proxy import proxied
from tests.servers.server import free_port

_CONFIGMAPS = "/api/v1/namespaces/shop/configmaps"
_DEPLOYMENTS = "/apis/apps/v1/namespaces/shop/deployments"
_WATCHES = re.compile(
    r'^apiserver_longrunning_requests\{[^}]*resource="deployments"[^}]*verb="WATCH"[^}]*\} (\d+)', re.M
)


@contextmanager
def specimen() -> Iterator[Specimen]:
    with kubernetes_server() as server, proxied(server.port) as proxy:
        _fill(server)
        yield Specimen(
            adapter=_adapter(server, proxy.port),
            language="kubernetes",
            cut=proxy.cut,
            hello="get configmap hello",
            streams=(
                "rollout status deployment/streaming",
                b"waiting for",
                lambda: _roll_out(server),
                b"successfully rolled out",
            ),
            endless="rollout status deployment/stuck",
            at_it=lambda: _watched(server),
            large="get configmaps -l size=large -o json",
            no_text="get configmap odd -o yaml",
            as_shown=rb"a\e[31m",
            echo=lambda value: f"get configmap '{value}'",
            with_input='get configmaps --field-selector "metadata.name=$WORD"',
            mistake="scale deployment/absent --replicas=2",
            complaint=b"not found",
            changes="rollout restart deployment/api",
            changes_slowly="rollout restart deployment/stuck\nrollout status deployment/stuck",
            fingerprint=server.fingerprint,
            absent=_adapter(server, free_port()),
            library="kubernetes",
            wrong_credentials=None,
        )


def _adapter(server: KubernetesServer, port: int) -> KubernetesAdapter:
    return KubernetesAdapter(KubernetesOptions(kubeconfig_file=str(server.kubeconfig(ADMIN, port=port))))


def _fill(server: KubernetesServer) -> None:
    for name in ("api", "stuck", "streaming"):
        server.apply(_DEPLOYMENTS, deployment(name))
    server.apply(_CONFIGMAPS, {"metadata": {"name": "hello"}, "data": {"greeting": "hello"}})
    server.apply(_CONFIGMAPS, {"metadata": {"name": "odd"}, "data": {"text": "a\x1b[31m\u202e"}})
    for number in range(10):
        metadata = {"name": f"large-{number}", "labels": {"size": "large"}}
        server.apply(_CONFIGMAPS, {"metadata": metadata, "data": {"x": "x" * 1_000_000}})


def _roll_out(server: KubernetesServer) -> None:
    done: dict[str, Any] = {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2}
    change = {"status": done | {"availableReplicas": 2}}
    path = f"{_DEPLOYMENTS}/streaming/status"
    server.ask("PATCH", path, change, content_type="application/merge-patch+json")


def _watched(server: KubernetesServer) -> bool:
    return any(int(count) for count in _WATCHES.findall(str(server.ask("GET", "/metrics"))))
