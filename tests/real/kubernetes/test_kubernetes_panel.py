"""What the panel of a real cluster tells of what is not well: why, since when, how often; and of what it can't see."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cockpit.adapters.probing import Finding
from tests.real.kubernetes.test_kubernetes_probe import row, seen, value, watching
from tests.servers.kubernetes import READER, KubernetesServer, deployment, kubernetes_server

pytestmark = pytest.mark.real
_PODS = "/api/v1/namespaces/shop/pods"
_DEPLOYMENTS = "/apis/apps/v1/namespaces/shop/deployments"
_AUTOSCALERS = "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers"
_EVENTS = "/api/v1/namespaces/shop/events"
_MERGE = "application/merge-patch+json"


@pytest.fixture(scope="module")
def server() -> Iterator[KubernetesServer]:
    """Without controllers: everything stands as a test put it."""
    with kubernetes_server() as made:
        made.apply(_DEPLOYMENTS, deployment("api", replicas=3))
        yield made


def ago(minutes: float) -> str:
    return (datetime.now(UTC) - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def patch(server: KubernetesServer, path: str, status: dict[str, Any]) -> None:
    server.ask("PATCH", f"{path}/status", {"status": status}, content_type=_MERGE)


def container(**told: Any) -> dict[str, Any]:
    return {"name": "app", "image": "x", "imageID": "", "ready": False, "restartCount": 0, "state": {}} | told


def pod(server: KubernetesServer, name: str, **status: Any) -> None:
    containers = [{"name": "app", "image": "x"}]
    server.apply(_PODS, {"metadata": {"name": name}, "spec": {"containers": containers}})
    patch(server, f"{_PODS}/{name}", status)


def roll(server: KubernetesServer, condition: dict[str, Any] | None = None, **status: Any) -> None:
    patch(server, f"{_DEPLOYMENTS}/api", status | {"conditions": [condition] if condition else []})


async def test_a_rollout_says_how_far_it_is_and_is_red_when_it_is_stuck(server: KubernetesServer) -> None:
    async with watching(server) as look:
        assert row(await look(), "api")["note"] == "the controller has not seen it yet"
        roll(server, observedGeneration=1, replicas=4, updatedReplicas=1, availableReplicas=3, readyReplicas=3)
        found = await seen(look, lambda found: row(found, "api")["note"] == "1 of 3 new, 3 old")
        assert (row(found, "api")["status"], row(found, "api")["level"]) == ("rolling out", "yellow")
        assert value(found, "rollouts") == 1
        stuck = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
                 "lastTransitionTime": ago(12)}  # fmt: skip
        roll(server, stuck)
        found = await seen(look, lambda found: row(found, "api")["level"] == "red")
        assert row(found, "api")["status"] == "stuck"
        assert row(found, "api")["since_s"] >= 700
        roll(server, observedGeneration=1, replicas=3, updatedReplicas=3, availableReplicas=3, readyReplicas=3)
        await seen(look, lambda found: row(found, "api")["level"] == "green" and not value(found, "rollouts"))


async def test_each_sick_pod_says_why_and_since_when_and_the_worst_come_first(server: KubernetesServer) -> None:
    unready = [{"type": "Ready", "status": "False", "lastTransitionTime": ago(8)}]
    image = {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}
    pod(server, "pulls", phase="Pending", conditions=unready, containerStatuses=[container(state=image)])
    placed = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "lastTransitionTime": ago(30)}
    pod(server, "waits", phase="Pending", conditions=[placed | {"message": "0/3 nodes are available"}])
    ended = {"terminated": {"exitCode": 137, "reason": "OOMKilled", "finishedAt": ago(2)}}
    again = container(ready=True, restartCount=4, lastState=ended, state={"running": {"startedAt": ago(2)}})
    pod(server, "eats", phase="Running", containerStatuses=[again])
    try:
        async with watching(server) as look:
            found = await seen(look, lambda found: value(found, "pods_unready") == 3)
            assert next(it["name"] for it in found.rows if it["what"] == "pod") == "pulls"
            assert row(found, "pulls")["status"] == "ImagePullBackOff"
            assert row(found, "pulls")["note"] == "Back-off pulling image"
            assert row(found, "pulls")["since_s"] >= 470
            assert row(found, "waits")["status"] == "Pending: Unschedulable"
            assert row(found, "waits")["note"] == "0/3 nodes are available"
            assert row(found, "waits")["since_s"] >= 1790
            assert (row(found, "eats")["status"], row(found, "eats")["level"]) == ("restarted: OOMKilled", "yellow")
            assert row(found, "eats")["restarts"] == 4
            assert "restarts_change" not in row(found, "waits") or not row(found, "waits")["restarts_change"]

            later = container(**again | {"restartCount": 6})
            patch(server, f"{_PODS}/eats", {"containerStatuses": [later]})
            found = await seen(look, lambda found: value(found, "restarts") == 6)
            assert row(found, "eats")["restarts_change"] == 2
            assert (value(found, "restarts_change"), value(found, "restarts_last_min")) == (2, 2)
    finally:
        for name in ("pulls", "waits", "eats"):
            server.ask("DELETE", f"{_PODS}/{name}", {"gracePeriodSeconds": 0})


async def test_an_autoscaler_at_its_maximum_is_yellow_and_tells_its_metrics(server: KubernetesServer) -> None:
    target = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}
    spec = {"minReplicas": 2, "maxReplicas": 5, "metrics": [{"type": "Resource", "resource": target}]}
    spec["scaleTargetRef"] = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"}
    server.apply(_AUTOSCALERS, {"metadata": {"name": "api-scaler"}, "spec": spec})

    def scaled(current: int, share: int) -> None:
        now = {"name": "cpu", "current": {"averageUtilization": share, "averageValue": "1"}}
        metrics = [{"type": "Resource", "resource": now}]
        patch(server, f"{_AUTOSCALERS}/api-scaler",
              {"currentReplicas": current, "desiredReplicas": current, "currentMetrics": metrics})  # fmt: skip

    scaled(3, 55)
    async with watching(server) as look:
        found = await seen(look, lambda found: row(found, "api-scaler").get("ready") == "3/3")
        assert row(found, "api-scaler")["level"] == "green"
        assert row(found, "api-scaler")["note"] == "2 to 5, cpu 55 % of 60 %"
        scaled(5, 95)
        found = await seen(look, lambda found: row(found, "api-scaler").get("ready") == "5/5")
        assert (row(found, "api-scaler")["status"], row(found, "api-scaler")["level"]) == ("maxed out", "yellow")
        assert value(found, "autoscalers_maxed") == 1
    server.ask("DELETE", f"{_AUTOSCALERS}/api-scaler")


def warn(server: KubernetesServer, name: str, message: str, *, count: int, minutes: float, **rest: Any) -> None:
    about = {"kind": "Pod", "name": "api-0", "namespace": "shop"}
    server.apply(_EVENTS, {"metadata": {"name": name}, "involvedObject": about, "reason": "BackOff", "type": "Warning",
                           "message": message, "count": count, "lastTimestamp": ago(minutes)} | rest)  # fmt: skip


async def test_warnings_come_newest_first_and_the_same_ones_as_one(server: KubernetesServer) -> None:
    warn(server, "a", "back-off 10s", count=3, minutes=4)
    warn(server, "b", "back-off 20s", count=2, minutes=1)
    warn(server, "c", "no space", count=1, minutes=0, reason="Evicted")
    warn(server, "old", "long ago", count=1, minutes=50, reason="Forgotten")
    warn(server, "fine", "it started", count=1, minutes=0, reason="Started", type="Normal")
    async with watching(server) as look:
        found = await seen(look, lambda found: value(found, "warnings") == 6)
        warned = [it for it in found.rows if it["what"] == "warning"]
        assert [(it["status"], it["count"], it["note"]) for it in warned] == [
            ("Evicted", 1, "no space"),
            ("BackOff", 5, "back-off 20s"),
        ]
        assert warned[1]["name"] == "pod/api-0"


async def test_a_node_under_pressure_is_red_and_says_why(server: KubernetesServer) -> None:
    server.apply("/api/v1/nodes", {"metadata": {"name": "node-7"}})
    ready = {"type": "Ready", "status": "True"}
    pressed = {"type": "MemoryPressure", "status": "True", "message": "low on memory", "lastTransitionTime": ago(3)}
    patch(server, "/api/v1/nodes/node-7", {"conditions": [ready, pressed]})
    async with watching(server) as look:
        found = await seen(look, lambda found: row(found, "node-7").get("level") == "red")
        assert (row(found, "node-7")["status"], row(found, "node-7")["note"]) == ("MemoryPressure", "low on memory")
        assert row(found, "node-7")["since_s"] >= 170
    server.ask("DELETE", "/api/v1/nodes/node-7")


async def test_what_these_credentials_may_not_see_is_said_once_and_costs_nothing_else(server: KubernetesServer) -> None:
    async with watching(server, READER) as look:
        found = await seen(look, lambda found: "CPU" in told(found))
        assert told(found) == "can't be had here: statefulsets, daemonsets, jobs, autoscalers, CPU and memory"
        assert value(found, "deployments") == 1
        assert json.dumps(found.text).count("autoscalers") == 0


def told(found: Finding) -> str:
    return next((str(it["name"]) for it in found.rows if it["what"] == "note"), "")


async def test_cpu_and_memory_are_shown_where_the_cluster_measures_them(server: KubernetesServer) -> None:
    server.serve_metrics()
    metrics = "/apis/metrics.k8s.io/v1beta1"
    usage = {"cpu": "1500m", "memory": "3Gi"}
    server.apply("/api/v1/nodes", {"metadata": {"name": "node-8"}})
    ready = {"conditions": [{"type": "Ready", "status": "True"}], "allocatable": {"cpu": "2", "memory": "4Gi"}}
    patch(server, "/api/v1/nodes/node-8", ready)
    server.apply(f"{metrics}/nodes", {"apiVersion": "metrics.k8s.io/v1beta1", "kind": "NodeMetrics",
                                      "metadata": {"name": "node-8"}, "usage": usage})  # fmt: skip
    pod(server, "busy", phase="Running", containerStatuses=[container(ready=True)])
    parts = [{"name": "app", "usage": {"cpu": "250m", "memory": "100Mi"}},
             {"name": "side", "usage": {"cpu": "123456789n", "memory": "28Mi"}}]  # fmt: skip
    server.apply(f"{metrics}/namespaces/shop/pods", {"apiVersion": "metrics.k8s.io/v1beta1", "kind": "PodMetrics",
                                                     "metadata": {"name": "busy"}, "containers": parts})  # fmt: skip
    async with watching(server) as look:
        found = await seen(look, lambda found: "cpu_cores" in row(found, "busy"))
        assert row(found, "busy")["cpu_cores"] == pytest.approx(0.373)
        assert row(found, "busy")["memory_bytes"] == 128 << 20
        assert (row(found, "node-8")["cpu_percent"], row(found, "node-8")["memory_percent"]) == (75.0, 75.0)
        assert value(found, "node_memory_percent") == 75.0
        assert told(found) == ""
