"""The panel of a real cluster: what it shows follows what happens, over cut links and a forgetful server."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from cockpit.adapters.kubernetes.cluster import Cluster
from cockpit.adapters.kubernetes.probe import KubernetesProbe, KubernetesProbeOptions
from cockpit.adapters.probing import Finding
from cockpit.errors import AccessDenied, AdapterError
from cockpit.safety.permit import Mode, grant
from tests.servers.kubernetes import ADMIN, NOBODY, READER, KubernetesServer, deployment, kubernetes_server
from tests.servers.proxy import proxied
from tests.waiting import until

pytestmark = pytest.mark.real
_DEPLOYMENTS = "/apis/apps/v1/namespaces/shop/deployments"
_MERGE = "application/merge-patch+json"


@pytest.fixture(scope="module")
def server() -> Iterator[KubernetesServer]:
    with kubernetes_server(alive=True) as made:
        yield made


@asynccontextmanager
async def watching(
    server: KubernetesServer, token: str = ADMIN, *, port: int | None = None, **options: Any
) -> AsyncIterator[Callable[[], Awaitable[Finding]]]:
    probe = KubernetesProbe(
        KubernetesProbeOptions(kubeconfig_file=str(server.kubeconfig(token, port=port)), **options), 8
    )
    permit = grant(probe.action, probe.judgement, Mode.READ_ONLY, by="test")
    try:
        yield lambda: probe.look(permit)
    finally:
        await probe.close()


async def seen(look: Callable[[], Awaitable[Finding]], expected: Callable[[Finding], bool]) -> Finding:
    """Look until it shows what is expected, with a deadline."""
    found: list[Finding] = []

    async def holds() -> bool:
        found.append(await look())
        return expected(found[-1])

    await until(holds)
    return found[-1]


def row(found: Finding, name: str) -> dict[str, Any]:
    return next((dict(it) for it in found.rows if it["name"] == name), {})


def value(found: Finding, name: str) -> Any:
    return next(it.value for it in found.values if it.name == name)


async def test_a_rollout_is_followed_from_its_start_to_its_end(server: KubernetesServer) -> None:
    async with watching(server, deployments=("web",)) as look:
        assert row(await look(), "web")["status"] == "missing"
        server.apply(_DEPLOYMENTS, deployment("web", replicas=3))
        found = await seen(look, lambda found: row(found, "web")["level"] == "green")
        assert (row(found, "web")["ready"], value(found, "deployments_unready")) == ("3/3", 0)
        assert value(found, "nodes") == 1

        server.ask("PATCH", f"{_DEPLOYMENTS}/web", {"spec": {"paused": True}}, content_type=_MERGE)
        await seen(look, lambda found: row(found, "web")["status"] == "paused")
        server.ask("DELETE", f"{_DEPLOYMENTS}/web", {"propagationPolicy": "Background"})
        await seen(look, lambda found: row(found, "web")["status"] == "missing" and value(found, "pods") == 0)


async def test_a_pod_that_crashes_stands_first_with_its_reason(server: KubernetesServer) -> None:
    pods = "/api/v1/namespaces/shop/pods"
    spec = deployment("x")["spec"]["template"]["spec"] | {"nodeName": None}
    server.apply(pods, {"metadata": {"name": "crashing"}, "spec": spec})
    waiting = {"name": "app", "ready": False, "restartCount": 7, "image": "x", "imageID": "",
               "state": {"waiting": {"reason": "CrashLoopBackOff"}},
               "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}  # fmt: skip
    status = {"status": {"phase": "Running", "containerStatuses": [waiting]}}
    server.ask("PATCH", f"{pods}/crashing/status", status, content_type=_MERGE)
    try:
        async with watching(server) as look:
            found = await seen(look, lambda found: value(found, "restarts") == 7)
        told = {key: found.rows[0][key] for key in ("what", "name", "ready", "status", "restarts", "level")}
        assert told == {
            "what": "pod", "name": "crashing", "ready": "0/1", "status": "CrashLoopBackOff (OOMKilled)",
            "restarts": 7, "level": "red",
        }  # fmt: skip
        assert "crashing CrashLoopBackOff" in found.text
    finally:
        server.ask("DELETE", f"{pods}/crashing", {"gracePeriodSeconds": 0})


async def test_a_cut_link_is_said_and_mends_itself(server: KubernetesServer) -> None:
    server.apply(_DEPLOYMENTS, deployment("cut", replicas=1))
    with proxied(server.port) as proxy:
        async with watching(server, port=proxy.port) as look:
            await seen(look, lambda found: row(found, "cut").get("level") == "green")
            proxy.cut()
            server.ask("PATCH", f"{_DEPLOYMENTS}/cut", {"spec": {"replicas": 2}}, content_type=_MERGE)

            async def mended() -> Finding:
                with contextlib.suppress(AdapterError):
                    return await look()
                return Finding("")

            found = await seen(mended, lambda found: row(found, "cut").get("ready") == "2/2")
            assert row(found, "cut")["level"] == "green"
    server.ask("DELETE", f"{_DEPLOYMENTS}/cut", {"propagationPolicy": "Background"})


async def test_a_server_that_has_forgotten_what_was_missed_is_asked_anew(
    server: KubernetesServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def forgetful(cluster: Cluster, path: str, query: Any, **rest: Any) -> Iterator[bytes]:
        asked.append(path)
        return lines(cluster, path, {**query, "resourceVersion": "1"} if len(asked) < 8 else query, **rest)

    lines = Cluster.lines
    monkeypatch.setattr(Cluster, "lines", forgetful)
    async with watching(server) as look:
        await look()
        server.apply(_DEPLOYMENTS, deployment("late", replicas=1))
        await seen(look, lambda found: row(found, "late").get("level") == "green")
        await until(lambda: len(asked) > 7, "further watches")
    server.ask("DELETE", f"{_DEPLOYMENTS}/late", {"propagationPolicy": "Background"})


async def test_who_may_not_look_at_nodes_sees_the_rest_and_who_may_nothing_is_told(server: KubernetesServer) -> None:
    role = "/apis/rbac.authorization.k8s.io/v1/clusterroles/reading"
    rules = server.ask("GET", role)["rules"]
    fewer = [{**rule, "resources": [it for it in rule["resources"] if it != "nodes"]} for rule in rules]
    server.ask("PATCH", role, {"rules": fewer}, content_type=_MERGE)
    try:
        async with watching(server, READER) as look:
            found = await look()
            assert value(found, "nodes") == 0 if found.values else found.none
        async with watching(server, NOBODY) as look:
            with pytest.raises(AccessDenied, match="cannot list"):
                await look()
    finally:
        server.ask("PATCH", role, {"rules": rules}, content_type=_MERGE)
