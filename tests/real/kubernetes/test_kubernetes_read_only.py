"""Read-only Kubernetes: every way to change something, tried on a real API server as an administrator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from cockpit.adapters.kubernetes.adapter import KubernetesAdapter
from cockpit.adapters.kubernetes.cluster import JSON, Cluster
from cockpit.adapters.kubernetes.sign_in import KubernetesOptions
from cockpit.adapters.step_program.adapter import Task
from cockpit.adapters.step_program.page import Page
from cockpit.errors import CockpitError, PolicyRefusal
from cockpit.safety.judge import judge
from cockpit.safety.permit import Mode
from cockpit.safety.verdict import Verdict
from tests.servers.kubernetes import ADMIN, READER, KubernetesServer, deployment, kubernetes_server
from tests.waiting import wait_until

pytestmark = pytest.mark.real

CHANGES = r"""
rollout undo deployment/api
rollout undo deployment/api --to-revision=1
rollout restart deployment/api
rollout restart deploy api
rollout pause deployment/api
rollout resume deployment/api
scale deployment/api --replicas=0
scale deployment/api --replicas=5 --current-replicas=2
scale replicasets/api --replicas=1
set env deployment/api MODEL=small
set env deployment/api MODEL-
set image deployment/api app=evil:1
delete pod api-0
delete pod/api-0
delete deployment api
delete configmap hello
delete namespace shop
delete $KIND $NAME
exec api-0 -- touch /tmp/evil
exec api-0 -- ls
exec pod/api-0 -c app -- sh -c 'rm -rf /'
exec api-0
get pods\ndelete configmap hello
get pods\nrollout restart deployment/api
$VERB deployment/api
create pods/eviction
create pods/binding
create serviceaccounts/token
create deployments
patch deployments/scale
patch deployments/status
update certificatesigningrequests/approval
deletecollection pods
get pods/exec
get pods/attach
get pods/portforward
get pods/proxy
get nodes/proxy
get services/proxy
proxy services/api
attach api-0
port-forward api-0
debug api-0
cp api-0
drain node-1
cordon node-1
apply deployments
replace deployments
label deployments
annotate deployments
get pods --as system:admin
get pods --as-group system:masters
get pods --context other
get pods --server https://evil
get pods --token x
get pods --kubeconfig /tmp/x
get --raw /api/v1/namespaces/shop/pods/api-0/proxy/
get pods; delete configmap hello
get pods && delete configmap hello
get pods | xargs delete
get pods $(delete configmap hello)
get `delete configmap hello`
get pods > /tmp/evil
kubectl delete configmap hello
"""
# What is asked for with values that the author never saw.
AWKWARD = [
    "api-0/exec",
    "../../configmaps/hello",
    "hello?x=y",
    "-A",
    "--as=admin",
    "api-0/../api-0/exec",
    "%2e%2e",
    "a b",
    "",
]
READS = r"""
get pods
get deployments,configmaps -A
get deployment/api -o yaml
get secrets
describe configmap hello
rollout status deployment/done
rollout history deployment/api
events -A
auth can-i delete pods
get nodes
"""


def _each(texts: str) -> list[str]:
    return [line.replace("\\n", "\n") for line in texts.split("\n")[1:-1]]


@pytest.fixture(scope="module")
def server() -> Iterator[KubernetesServer]:
    with kubernetes_server() as made:
        _fill(made)
        yield made


def _fill(server: KubernetesServer) -> None:
    apps, core = "/apis/apps/v1/namespaces/shop", "/api/v1/namespaces/shop"
    for name in ("api", "done"):
        server.apply(f"{apps}/deployments", deployment(name))
    status: dict[str, Any] = {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2}
    merge = "application/merge-patch+json"
    server.ask(
        "PATCH", f"{apps}/deployments/done/status", {"status": status | {"availableReplicas": 2}}, content_type=merge
    )
    uid = server.ask("GET", f"{apps}/deployments/api")["metadata"]["uid"]
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api", "uid": uid}
    for number, image in ((1, "shop:0"), (2, "shop:1")):
        made = deployment(f"api-{number}", image)
        made["metadata"] |= {
            "ownerReferences": [owner],
            "annotations": {"deployment.kubernetes.io/revision": str(number)},
        }
        server.apply(f"{apps}/replicasets", made)
    pod = deployment("api")["spec"]["template"]["spec"]
    server.apply(f"{core}/pods", {"metadata": {"name": "api-0"}, "spec": pod})
    server.apply(f"{core}/configmaps", {"metadata": {"name": "hello"}, "data": {"greeting": "hello"}})
    server.apply(f"{core}/secrets", {"metadata": {"name": "db"}, "stringData": {"password": "S3cret-of-the-db-77"}})
    server.apply("/api/v1/nodes", {"metadata": {"name": "node-1"}})


def adapter_of(server: KubernetesServer, token: str = ADMIN) -> KubernetesAdapter:
    return KubernetesAdapter(KubernetesOptions(kubeconfig_file=str(server.kubeconfig(token))))


def perform(adapter: KubernetesAdapter, body: str, **values: str) -> str:
    page = BytesIO()
    adapter.perform(Task(language="kubernetes", body=body, mode=Mode.READ_ONLY, values=values), Page(page))
    return page.getvalue().decode()


@pytest.mark.parametrize("body", _each(CHANGES))
def test_nothing_changes_whatever_is_tried(server: KubernetesServer, body: str) -> None:
    before = server.fingerprint()

    with pytest.raises(CockpitError):
        perform(adapter_of(server), body, KIND="configmap", NAME="hello", VERB="delete")

    assert server.fingerprint() == before
    assert judge("kubernetes", body).verdict is not Verdict.READ_ONLY


@pytest.mark.parametrize("value", AWKWARD)
@pytest.mark.parametrize(
    "body", ["get pod $X", "get pods/$X", "logs $X", "describe pod $X", "get pods -n $X", "events --for pod/$X"]
)
def test_no_value_of_an_input_leads_elsewhere(server: KubernetesServer, body: str, value: str) -> None:
    before = server.fingerprint()

    with pytest.raises(CockpitError):
        perform(adapter_of(server), body, X=value)

    assert server.fingerprint() == before


@pytest.mark.parametrize("body", _each(READS))
def test_what_reads_is_answered_and_changes_nothing(server: KubernetesServer, body: str) -> None:
    before = server.fingerprint()

    assert perform(adapter_of(server), body)

    assert judge("kubernetes", body).verdict is Verdict.READ_ONLY
    assert server.fingerprint() == before


@pytest.fixture(scope="module")
def sealed(server: KubernetesServer) -> Iterator[Cluster]:
    made = Cluster(KubernetesOptions(kubeconfig_file=str(server.kubeconfig(ADMIN))), sealed=True)
    yield made
    made.close()


def _doors(server: KubernetesServer) -> Iterator[tuple[str, str, list[str]]]:
    """Every resource and subresource the server has: an address, its name, its verbs."""
    for root in (
        "/api/v1",
        *(f"/apis/{group['preferredVersion']['groupVersion']}" for group in server.ask("GET", "/apis")["groups"]),
    ):
        for resource in server.ask("GET", root)["resources"]:
            plural, slash, door = resource["name"].partition("/")
            where = "/namespaces/shop" if resource["namespaced"] else ""
            name = {"pods": "api-0", "nodes": "node-1", "namespaces": "shop", "secrets": "db"}.get(plural, "api")
            yield f"{root}{where}/{plural}/{name}{slash}{door}", resource["name"], resource["verbs"]


def test_every_door_of_the_server_is_shut_for_everything_but_reading(server: KubernetesServer, sealed: Cluster) -> None:
    before = server.fingerprint()
    doors = [door for door in _doors(server) if door[1] != "selfsubjectaccessreviews"]  # "may I?" creates nothing
    for path, _name, _verbs in doors:
        for address in (path, path.rpartition("/")[0]):
            for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
                with pytest.raises(PolicyRefusal):
                    sealed._open(method, address, None, timeout_s=(5, 5), body={"x": 1}, content_type=JSON)
    assert len(doors) > 60
    assert server.fingerprint() == before


@pytest.mark.parametrize(
    "door", ["exec", "attach", "portforward", "proxy", "proxy/x", "eviction", "binding", "ephemeralcontainers"]
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_no_verb_opens_a_door_that_acts(server: KubernetesServer, sealed: Cluster, door: str, method: str) -> None:
    for root in ("/api/v1/namespaces/shop/pods/api-0", "/api/v1/nodes/node-1", "/api/v1/namespaces/shop/services/api"):
        with pytest.raises(PolicyRefusal):
            sealed._open(method, f"{root}/{door}", {"command": "id"}, timeout_s=(5, 5))


def test_the_clients_own_methods_are_shut_too(server: KubernetesServer, sealed: Cluster) -> None:
    from kubernetes import client
    from kubernetes import stream as streams

    before = server.fingerprint()
    core, apps, scale = client.CoreV1Api(sealed.api), client.AppsV1Api(sealed.api), {"spec": {"replicas": 0}}
    tried: list[Callable[[], Any]] = [
        lambda: core.delete_namespaced_config_map("hello", "shop"),
        lambda: core.delete_collection_namespaced_pod("shop"),
        lambda: core.patch_namespaced_config_map("hello", "shop", {"data": {"x": "y"}}),
        lambda: core.create_namespaced_config_map("shop", {"metadata": {"name": "evil"}}),
        lambda: core.create_namespaced_pod_eviction("api-0", "shop", {"metadata": {"name": "api-0"}}),
        lambda: core.create_namespaced_service_account_token("default", "shop", {"spec": {"audiences": ["x"]}}),
        lambda: core.connect_get_namespaced_pod_proxy("api-0", "shop"),
        lambda: core.connect_get_node_proxy("node-1"),
        lambda: core.connect_get_namespaced_pod_exec("api-0", "shop", command=["id"]),
        lambda: apps.patch_namespaced_deployment_scale("api", "shop", scale),
        lambda: apps.patch_namespaced_deployment_status("api", "shop", {"status": {"replicas": 9}}),
        lambda: streams.stream(core.connect_get_namespaced_pod_exec, "api-0", "shop", command=["id"], stdout=True),
        lambda: streams.portforward(core.connect_get_namespaced_pod_portforward, "api-0", "shop", ports="80"),
    ]
    for attempt in tried:
        # What the client raises for its own sockets is wrapped by it.
        with pytest.raises((PolicyRefusal, client.ApiException), match="only reads"):
            attempt()
    assert server.fingerprint() == before


def test_no_other_user_can_be_put_on(server: KubernetesServer, sealed: Cluster) -> None:
    sealed.api.set_default_header("Impersonate-User", "system:admin")
    try:
        with pytest.raises(PolicyRefusal):
            sealed.get("/api/v1/namespaces/shop/pods")
    finally:
        del sealed.api.default_headers["Impersonate-User"]


def test_secret_values_are_never_shown(server: KubernetesServer) -> None:
    for body in ("get secret db -o yaml", "get secrets -o json", "describe secret db", "get secret/db"):
        shown = perform(adapter_of(server), body)
        assert "db" in shown
        assert "S3cret" not in shown
        assert "UzNjcmV0" not in shown
        assert "sensitive-read" in judge("kubernetes", body).tags


def test_the_tokens_of_a_kubeconfig_are_known_as_secrets(server: KubernetesServer) -> None:
    assert ADMIN in adapter_of(server).secrets()


def test_who_enforces_is_asked_of_the_server(server: KubernetesServer) -> None:
    told = adapter_of(server).enforced(Task())
    assert (told.by, "delete pods" in told.detail) == ("tool", True)
    assert adapter_of(server, READER).enforced(Task()).by == "server"


def test_a_program_in_a_pod_runs_when_confirmed_and_never_else(tmp_path: Path) -> None:
    with kubernetes_server(alive=True) as server:
        pods, mark = "/api/v1/namespaces/shop/pods", tmp_path / "mark"
        spec = deployment("api")["spec"]["template"]["spec"]
        server.apply(pods, {"metadata": {"name": "api-0"}, "spec": spec})
        wait_until(lambda: server.ask("GET", f"{pods}/api-0")["status"]["phase"] == "Running")
        adapter, body = adapter_of(server), f"exec api-0 -- touch {mark}"

        with pytest.raises(PolicyRefusal):
            perform(adapter, body)
        assert not mark.exists()
        adapter.perform(Task(language="kubernetes", body=body, read_only=False, mode=Mode.LIVE), Page(BytesIO()))
        assert mark.exists()
