"""Typed Kubernetes actions on a real cluster: an API server with its controllers, nodes and pods by kwok."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from cockpit.adapters.kubernetes.adapter import KubernetesAdapter
from cockpit.adapters.kubernetes.cluster import JSON, Cluster
from cockpit.adapters.kubernetes.sign_in import KubernetesOptions
from cockpit.adapters.step_program.adapter import Task
from cockpit.adapters.step_program.page import Page
from cockpit.errors import (
    AccessDenied,
    CockpitError,
    ConfigError,
    Declined,
    TargetUnreachable,
    TimedOut,
    UsageError,
)
from cockpit.safety.permit import Mode
from tests.servers.kubernetes import ADMIN, NOBODY, READER, KubernetesServer, deployment, kubernetes_server
from tests.waiting import wait_until

pytestmark = pytest.mark.real
_DEPLOYMENTS = "/apis/apps/v1/namespaces/shop/deployments"


@pytest.fixture(scope="module")
def server() -> Iterator[KubernetesServer]:
    with kubernetes_server(alive=True) as made:
        yield made


@pytest.fixture
def api(server: KubernetesServer, request: pytest.FixtureRequest) -> str:
    """A deployment of its own for each test, rolled out."""
    name = request.node.name.replace("_", "-")[5:45].strip("-")
    server.apply(_DEPLOYMENTS, deployment(name))
    wait_until(lambda: state(server, name).get("availableReplicas") == 2)
    return str(name)


def item(server: KubernetesServer, name: str) -> dict[str, Any]:
    found: dict[str, Any] = server.ask("GET", f"{_DEPLOYMENTS}/{name}")
    return found


def state(server: KubernetesServer, name: str) -> dict[str, Any]:
    found: dict[str, Any] = item(server, name).get("status", {})
    return found


def image(server: KubernetesServer, name: str) -> str:
    return str(item(server, name)["spec"]["template"]["spec"]["containers"][0]["image"])


def pods(server: KubernetesServer, name: str) -> list[str]:
    found = server.ask("GET", f"/api/v1/namespaces/shop/pods?labelSelector=app%3D{name}")["items"]
    return sorted(pod["metadata"]["name"] for pod in found if not pod["metadata"].get("deletionTimestamp"))


def adapter_of(server: KubernetesServer, token: str = ADMIN, **options: str) -> KubernetesAdapter:
    return KubernetesAdapter(KubernetesOptions(kubeconfig_file=str(server.kubeconfig(token)), **options))


def run(server: KubernetesServer, body: str, *, token: str = ADMIN, read_only: bool = False, **values: str) -> str:
    page = BytesIO()
    task = Task(language="kubernetes", body=body, mode=Mode.LIVE, read_only=read_only, values=values)
    adapter_of(server, token).perform(task, Page(page))
    return page.getvalue().decode()


def test_a_bad_release_is_taken_back(server: KubernetesServer, api: str) -> None:
    forward = run(server, f"set image deployment/{api} app=shop:2\nrollout status deployment/{api} --timeout=30s")
    assert "shop:1 -> shop:2" in forward
    assert "2 of 2 ready" in forward
    assert image(server, api) == "shop:2"

    back = run(server, f"rollout undo deployment/$NAME\nrollout status deployment/{api} --timeout=30s", NAME=api)

    assert "revision 2 -> 1, shop:2 -> shop:1" in back
    assert "2 of 2 ready" in back
    assert (image(server, api), len(pods(server, api))) == ("shop:1", 2)
    history = run(server, f"rollout history deployment {api}", read_only=True)
    assert [line.split()[0] for line in history.splitlines()[2:]] == ["2", "3"]


def test_going_back_to_a_revision_that_is_not_there_names_those_that_are(server: KubernetesServer, api: str) -> None:
    with pytest.raises(Declined, match=r"no revision 9 \(there are 1\)"):
        run(server, f"rollout undo deployment/{api} --to-revision=9")
    with pytest.raises(Declined, match="no revision before"):
        run(server, f"rollout undo deployment/{api}")


def test_a_paused_rollout_says_so_and_goes_on_when_resumed(server: KubernetesServer, api: str) -> None:
    run(server, f"rollout pause deployment/{api}")
    for verb in ("undo", "restart"):
        with pytest.raises(Declined, match="paused"):
            run(server, f"rollout {verb} deployment/{api}")
    run(server, f"rollout resume deployment/{api}")
    assert "paused" not in item(server, api)["spec"]


def test_a_restart_makes_every_pod_anew(server: KubernetesServer, api: str) -> None:
    before = pods(server, api)
    run(server, f"rollout restart deployment/{api}\nrollout status deployment/{api} --timeout=30s")
    assert not set(before) & set(pods(server, api))


def test_scaling_says_from_what_to_what(server: KubernetesServer, api: str) -> None:
    assert "2 -> 3" in run(server, f"scale deployment/{api} --replicas=3 --current-replicas=2")
    wait_until(lambda: state(server, api).get("availableReplicas") == 3)
    with pytest.raises(Declined, match="has 3 replicas, not 2"):
        run(server, f"scale deployment/{api} --replicas=4 --current-replicas=2")


def test_variables_are_set_and_dropped(server: KubernetesServer, api: str) -> None:
    run(server, f"set env deployment/{api} MODEL=$MODEL 'NOTE=a b, c=d'", MODEL="gpt-4o-mini; rm -rf /")
    env = item(server, api)["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {it["name"]: it["value"] for it in env} == {"MODEL": "gpt-4o-mini; rm -rf /", "NOTE": "a b, c=d"}
    run(server, f"set env deployment/{api} MODEL- -c app")
    env = item(server, api)["spec"]["template"]["spec"]["containers"][0]["env"]
    assert [it["name"] for it in env] == ["NOTE"]


def test_a_deleted_pod_comes_again(server: KubernetesServer, api: str) -> None:
    first, second = pods(server, api)
    assert f"pod/{first} deleted" in run(server, f"delete pod/{first}")
    wait_until(lambda: len(pods(server, api)) == 2 and first not in pods(server, api))
    assert second in pods(server, api)


def test_logs_come_from_every_pod_of_a_workload(server: KubernetesServer, api: str) -> None:
    server.log.write_text("2026-11-21T13:00:00.000000000Z stdout F one\n2026-11-21T13:00:01.000000000Z stderr F 둘\n")
    lines = run(server, f"logs deployment/{api}", read_only=True, token=READER).splitlines()
    assert lines == [f"[{pod}] {text}" for pod in pods(server, api) for text in ("one", "둘")]
    assert run(server, f"logs {pods(server, api)[0]} --tail=1", read_only=True) == "둘\n"


def test_what_a_program_in_a_pod_prints_comes_back_with_its_failure(server: KubernetesServer, api: str) -> None:
    pod, page = pods(server, api)[0], BytesIO()
    task = Task(
        language="kubernetes",
        body=f"exec {pod} -- sh -c 'echo out $0; echo err >&2; exit 7' $WORD",
        read_only=False,
        values={"WORD": "$(id) 한글"},
    )
    with pytest.raises(Declined, match="exit status 7"):
        adapter_of(server).perform(task, Page(page))
    assert sorted(page.getvalue().decode().splitlines()) == ["err", "out $(id) 한글"]


def test_objects_are_shown_as_tables_names_yaml_and_json(server: KubernetesServer, api: str) -> None:
    table = run(server, f"get deployments,pods -l app={api}", read_only=True)
    assert "READY" in table
    assert "2/2" in table
    assert "Running" in table
    assert run(server, f"get deploy -l app={api} -o name", read_only=True) == f"deployment.apps/{api}\n"
    assert json.loads(run(server, f"get deployment/{api} -o json", read_only=True))["spec"]["replicas"] == 2
    described = run(server, f"describe deployment {api}", read_only=True)
    assert "replicas: 2" in described
    assert "ScalingReplicaSet" in described
    assert "ScalingReplicaSet" in run(server, f"events --for deployment/{api}", read_only=True)
    assert "node-1" in run(server, "get nodes", read_only=True)


def test_a_rollout_that_does_not_get_through_in_time_says_how_far_it_is(server: KubernetesServer) -> None:
    server.apply(_DEPLOYMENTS, deployment("nowhere", replicas=1, minReadySeconds=500))
    page = BytesIO()
    with pytest.raises(Declined, match="not through after 1 s"):
        adapter_of(server).perform(
            Task(language="kubernetes", body="rollout status deployment/nowhere --timeout=1s"), Page(page)
        )
    assert "1 of 1 new, 0 ready" in page.getvalue().decode()


@pytest.mark.parametrize(
    ("body", "error", "said"),
    [
        ("scale deployment/nosuch --replicas=1", Declined, "not found"),
        ("get nosuchkind", Declined, "no kind"),
        ("top pods", Declined, "no metrics server"),
        ("set image deployment/x y", UsageError, "CONTAINER=IMAGE"),
        ("set env deployment/x", UsageError, "NAME=value"),
        ("scale deployment/x", UsageError, "--replicas"),
        ("scale deployment/x --replicas=many", UsageError, "number"),
        ("rollout undo configmap/x", UsageError, "deployments"),
        ("rollout status deployment/x --timeout=soon", UsageError, "time"),
        ("delete pods", UsageError, "names"),
        ("apply deployments", UsageError, "no typed action"),
        ("get pods -n ../kube-system", UsageError, "name"),
    ],
)
def test_each_mistake_is_said(server: KubernetesServer, body: str, error: type[CockpitError], said: str) -> None:
    with pytest.raises(error, match=said):
        run(server, body)


def test_what_these_credentials_may_not_do_is_the_servers_word(server: KubernetesServer, api: str) -> None:
    with pytest.raises(AccessDenied, match="cannot patch"):
        run(server, f"rollout restart deployment/{api}", token=READER)
    with pytest.raises(AccessDenied, match="cannot list"):
        run(server, "get pods", token=NOBODY, read_only=True)
    with pytest.raises(AccessDenied, match="credentials"):
        run(server, "get pods", token="no-such-token", read_only=True)
    with pytest.raises(Declined, match="may not delete"):
        run(server, "auth can-i delete pods", token=READER, read_only=True)
    assert run(server, "auth can-i get pods/log", token=READER, read_only=True) == "yes\n"


def _broken(server: KubernetesServer, change: Callable[[dict[str, Any]], None]) -> KubernetesAdapter:
    config = json.loads(server.kubeconfig(ADMIN).read_text())
    change(config)
    path = server.folder / "broken.kubeconfig"
    path.write_text(json.dumps(config))
    return KubernetesAdapter(KubernetesOptions(kubeconfig_file=str(path)))


def _plugin(folder: Path, script: str) -> Callable[[dict[str, Any]], None]:
    path = folder / "plugin"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": str(path), "interactiveMode": "Never"}
    return lambda config: config["users"][0].__setitem__("user", {"exec": plugin})


def test_a_kubeconfig_that_does_not_work_is_said(
    server: KubernetesServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cockpit.adapters.kubernetes.sign_in._PLUGIN_S", 0.5)
    look = Task(language="kubernetes", body="get pods")
    absent = KubernetesAdapter(KubernetesOptions(kubeconfig_file=str(tmp_path / "absent")))
    other = adapter_of(server, context="elsewhere")
    hangs = _broken(server, _plugin(tmp_path, "sleep 1000"))
    for adapter, error, said in (
        (absent, ConfigError, "absent"),
        (other, ConfigError, "elsewhere"),
        (hangs, TimedOut, "gave nothing within"),
    ):
        with pytest.raises(error, match=said):
            adapter.perform(look, Page(BytesIO()))
    fails = _broken(server, _plugin(tmp_path, "echo 'token has expired' >&2; exit 1"))
    with pytest.raises(AccessDenied, match="token has expired"):
        fails.perform(look, Page(BytesIO()))
    untrusted = _broken(server, lambda config: config["clusters"][0]["cluster"].pop("certificate-authority"))
    with pytest.raises(TargetUnreachable, match="certificate"):
        untrusted.perform(look, Page(BytesIO()))


class ForgetfulCluster(Cluster):
    """Remembers objects as of a time the server has forgotten."""

    def get(self, path: str, query: Mapping[str, Any] | None = None, accept: str = JSON) -> Any:
        found = super().get(path, query, accept)
        if found.get("kind") == "Deployment":
            found["metadata"]["resourceVersion"] = "1"
        return found


def test_a_watch_whose_past_is_gone_looks_again(
    server: KubernetesServer, api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = server.raw("GET", f"{_DEPLOYMENTS}?watch=true&resourceVersion=1&timeoutSeconds=1")[1]
    assert gone["object"]["code"] == 410
    monkeypatch.setattr("cockpit.adapters.kubernetes.adapter.Cluster", ForgetfulCluster)

    shown = run(server, f"scale deployment/{api} --replicas=4\nrollout status deployment/{api} --timeout=30s")

    assert "4 of 4 ready" in shown
