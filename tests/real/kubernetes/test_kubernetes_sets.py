"""Databases, agents and Jobs of a real cluster on its panel: what lacks pods, what is updated, what has failed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.real.kubernetes.test_kubernetes_panel import ago, patch, told
from tests.real.kubernetes.test_kubernetes_probe import row, seen, value, watching
from tests.servers.kubernetes import READER, KubernetesServer, deployment, kubernetes_server

pytestmark = pytest.mark.real
_SETS = "/apis/apps/v1/namespaces/shop/statefulsets"
_DAEMONS = "/apis/apps/v1/namespaces/shop/daemonsets"
_JOBS = "/apis/batch/v1/namespaces/shop/jobs"
_PODS = {"containers": [{"name": "app", "image": "x:1"}], "restartPolicy": "Never"}


@pytest.fixture(scope="module")
def server() -> Iterator[KubernetesServer]:
    """Without controllers: everything stands as a test put it."""
    with kubernetes_server() as made:
        yield made


def workload(name: str, **spec: Any) -> dict[str, Any]:
    made = deployment(name)
    del made["spec"]["replicas"]
    made["spec"] |= spec
    return made


async def test_a_database_without_its_pod_is_red_and_one_that_lacks_a_replica_is_yellow(
    server: KubernetesServer,
) -> None:
    server.apply(_SETS, workload("postgres", serviceName="postgres", replicas=2))
    whole: dict[str, Any] = {"observedGeneration": 1, "replicas": 2, "readyReplicas": 2, "updatedReplicas": 2}
    whole |= {"currentRevision": "postgres-a", "updateRevision": "postgres-a"}
    async with watching(server) as look:
        found = await look()
        assert row(found, "postgres")["note"] == "the controller has not seen it yet"
        patch(server, f"{_SETS}/postgres", whole)
        found = await seen(look, lambda found: row(found, "postgres")["level"] == "green")
        assert (row(found, "postgres")["what"], row(found, "postgres")["ready"]) == ("statefulset", "2/2")
        assert "1 of 1 statefulsets ready" in found.text

        patch(server, f"{_SETS}/postgres", {"readyReplicas": 1})
        found = await seen(look, lambda found: row(found, "postgres")["level"] == "yellow")
        assert (row(found, "postgres")["status"], row(found, "postgres")["ready"]) == ("not ready", "1/2")
        assert value(found, "statefulsets_unready") == 1
        patch(server, f"{_SETS}/postgres", {"readyReplicas": 0})
        found = await seen(look, lambda found: row(found, "postgres")["level"] == "red")
        assert found.text.startswith("postgres not ready · ")
        assert "since_s" in row(found, "postgres")

        patch(server, f"{_SETS}/postgres", {"readyReplicas": 2, "updatedReplicas": 1, "updateRevision": "postgres-b"})
        found = await seen(look, lambda found: row(found, "postgres")["status"] == "rolling out")
        assert row(found, "postgres")["note"] == "1 of 2 new, 1 old"
    server.ask("DELETE", f"{_SETS}/postgres")


async def test_a_partition_that_holds_pods_back_is_no_rollout_under_way(server: KubernetesServer) -> None:
    held = {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}
    server.apply(_SETS, workload("redis", serviceName="redis", replicas=3, updateStrategy=held))
    status = {"observedGeneration": 1, "replicas": 3, "readyReplicas": 3, "updatedReplicas": 1}
    patch(server, f"{_SETS}/redis", status | {"currentRevision": "redis-a", "updateRevision": "redis-b"})
    async with watching(server) as look:
        found = await seen(look, lambda found: bool(row(found, "redis")))
        assert (row(found, "redis")["status"], row(found, "redis")["level"]) == ("ready", "green")
    server.ask("DELETE", f"{_SETS}/redis")


async def test_an_agent_that_is_missing_on_a_node_is_yellow_and_none_at_all_red(server: KubernetesServer) -> None:
    server.apply(_DAEMONS, workload("promtail"))
    status = {
        "observedGeneration": 1,
        "desiredNumberScheduled": 3,
        "currentNumberScheduled": 3,
        "numberMisscheduled": 0,
    }
    patch(server, f"{_DAEMONS}/promtail", status | {"numberReady": 2, "updatedNumberScheduled": 3})
    async with watching(server) as look:
        found = await seen(look, lambda found: bool(row(found, "promtail")))
        assert [row(found, "promtail")[key] for key in ("what", "ready", "status", "level")] == [
            "daemonset", "2/3", "not ready", "yellow",
        ]  # fmt: skip
        patch(server, f"{_DAEMONS}/promtail", {"numberReady": 0})
        found = await seen(look, lambda found: row(found, "promtail")["level"] == "red")
        assert value(found, "daemonsets_unready") == 1
        patch(server, f"{_DAEMONS}/promtail", {"numberReady": 3, "updatedNumberScheduled": 1})
        found = await seen(look, lambda found: row(found, "promtail")["status"] == "rolling out")
        assert row(found, "promtail")["note"] == "1 of 3 new, 2 old"
    server.ask("DELETE", f"{_DAEMONS}/promtail")


def job(server: KubernetesServer, name: str, condition: str, minutes: float, schedule: str = "") -> None:
    """A Job that ended so long ago, of a CronJob of that uid."""
    owner = {"apiVersion": "batch/v1", "kind": "CronJob", "name": "nightly", "uid": schedule, "controller": True}
    metadata = {"name": name} | ({"ownerReferences": [owner]} if schedule else {})
    server.apply(_JOBS, {"metadata": metadata, "spec": {"backoffLimit": 0, "template": {"spec": _PODS}}})
    told = {"reason": "BackoffLimitExceeded", "message": "it has failed too often"} if condition == "Failed" else {}
    first = {"Failed": "FailureTarget", "Complete": "SuccessCriteriaMet"}[condition]
    at = {"status": "True", "lastTransitionTime": ago(minutes), "lastProbeTime": ago(minutes)}
    status: dict[str, Any] = {"startTime": ago(minutes + 1)}
    status["conditions"] = [{"type": first, **at, **told}, {"type": condition, **at, **told}]
    if condition == "Complete":
        status |= {"completionTime": ago(minutes), "succeeded": 1, "uncountedTerminatedPods": {}}
    patch(server, f"{_JOBS}/{name}", status)


async def test_a_job_that_failed_lately_says_why_and_one_that_was_made_good_since_says_nothing(
    server: KubernetesServer,
) -> None:
    job(server, "migrate", "Failed", 4)
    job(server, "migrate-before", "Failed", 600)
    job(server, "nightly-1", "Failed", 9, schedule="5f1c")
    job(server, "hourly-1", "Failed", 9, schedule="77aa")
    async with watching(server) as look:
        found = await seen(look, lambda found: value(found, "jobs_failed") == 3)
        assert [row(found, "migrate")[key] for key in ("what", "status", "level")] == ["job", "failed", "red"]
        assert row(found, "migrate")["note"] == "BackoffLimitExceeded: it has failed too often"
        assert row(found, "migrate")["since_s"] >= 240
        assert row(found, "nightly-1")["level"] == "yellow"
        assert row(found, "migrate-before") == {}

        job(server, "hourly-2", "Complete", 0, schedule="77aa")
        found = await seen(look, lambda found: value(found, "jobs_failed") == 2)
        assert row(found, "hourly-1") == {}


async def test_whoever_may_not_see_them_is_told_so_and_sees_the_rest(server: KubernetesServer) -> None:
    server.apply("/apis/apps/v1/namespaces/shop/deployments", deployment("web"))
    async with watching(server, READER) as look:
        found = await seen(look, lambda found: "CPU" in told(found))
        assert told(found) == "can't be had here: statefulsets, daemonsets, jobs, autoscalers, CPU and memory"
        assert value(found, "deployments") == 1
