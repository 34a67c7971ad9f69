"""A real Kubernetes API server with etcd, its controllers, and kwok for nodes and pods; `.ci/cluster` builds them."""

from __future__ import annotations

import base64
import http.client
import json
import os
import pwd
import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.servers.server import free_port, running, server_folder
from tests.waiting import PATIENCE_S, wait_until

ADMIN, READER, NOBODY = "admin-token-Zq81", "reader-token-Zq82", "stranger-token-Zq83"
_BUILT = ("kube-apiserver", "kube-controller-manager", "kwok")
# What the server's own housekeeping rewrites without being asked.
_OWN = {"leases", "masterleases"}


# Every pod logs the same file, and a program that is run in one runs on this machine.
_POD_DOORS = """\
apiVersion: kwok.x-k8s.io/v1alpha1
kind: ClusterLogs
metadata: {{name: logs}}
spec: {{logs: [{{logsFile: {log}, follow: true}}]}}
---
apiVersion: kwok.x-k8s.io/v1alpha1
kind: ClusterExec
metadata: {{name: exec}}
spec: {{execs: [{{local: {{}}}}]}}
"""
_OWN_LOG = """\
---
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Logs
metadata: {{name: {pod}, namespace: shop}}
spec: {{logs: [{{containers: [app], logsFile: {log}, previousLogsFile: {log}.before, follow: true}}]}}
"""


@dataclass
class KubernetesServer:
    """One API server, three users: an admin, a reader whom RBAC lets only read, and one who may do nothing."""

    port: int
    store_port: int
    folder: Path
    start: Callable[[], subprocess.Popen[bytes]]
    process: subprocess.Popen[bytes] | None = None

    def stop(self) -> None:
        """End the API server at once; what it held stays in its store."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(PATIENCE_S)

    def start_again(self) -> None:
        """Have it answer on the same port again."""
        self.process = self.start()

    def ask(self, method: str, path: str, body: Any = None, *, content_type: str = "application/json") -> Any:
        """What the server answers an admin, as plain values. A refusal is an error of the test."""
        status, answer = self.raw(method, path, body, content_type=content_type)
        assert status < 300, (method, path, status, answer)
        return answer

    def raw(
        self, method: str, path: str, body: Any = None, *, token: str = ADMIN, content_type: str = "application/json"
    ) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": content_type}
        with closing(http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20, context=self.trust())) as link:
            link.request(method, path, None if body is None else json.dumps(body), headers)
            response = link.getresponse()
            read = response.read()
        try:
            return response.status, json.loads(read)
        except ValueError:
            return response.status, read.decode()

    @property
    def log(self) -> Path:
        """The log of every pod."""
        return self.folder / "pods.log"

    def tls(self) -> tuple[ssl.SSLContext, ssl.SSLContext]:
        """For a wire in between: what shows its certificate, and what knows it."""
        shows = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        shows.load_cert_chain(self.folder / "certs" / "apiserver.crt", self.folder / "certs" / "apiserver.key")
        return shows, self.trust()

    def log_of(self, pod: str) -> Path:
        """The log of a pod that has one of its own; what its container before wrote is beside it, `.before`."""
        return self.folder / f"{pod}.log"

    def trust(self) -> ssl.SSLContext:
        """What a client needs to know to trust it."""
        return ssl.create_default_context(cafile=str(self.folder / "certs" / "apiserver.crt"))

    def kubeconfig(self, token: str, *, port: int | None = None, namespace: str = "shop", name: str = "") -> Path:
        """A file that signs in with the token, through another port if one is given."""
        path = self.folder / f"{name or token}-{port or self.port}.kubeconfig"
        cluster = {
            "server": f"https://127.0.0.1:{port or self.port}",
            "certificate-authority": str(self.folder / "certs" / "apiserver.crt"),
        }
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "it",
            "clusters": [{"name": "it", "cluster": cluster}],
            "users": [{"name": "it", "user": {"token": token}}],
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it", "namespace": namespace}}],
        }
        path.write_text(json.dumps(config))
        path.chmod(0o600)
        return path

    def fingerprint(self) -> dict[str, str]:
        """When each object there is was last written, as the store itself tells it."""
        everything = {"key": _base64("/registry/"), "range_end": _base64("/registry0"), "keys_only": True}
        with closing(http.client.HTTPConnection("127.0.0.1", self.store_port, timeout=20)) as link:
            link.request("POST", "/v3/kv/range", json.dumps(everything))
            held = json.loads(link.getresponse().read())["kvs"]
        versions = {base64.b64decode(it["key"]).decode(): str(it["mod_revision"]) for it in held}
        return {key: version for key, version in versions.items() if key.split("/")[2] not in _OWN}

    def apply(self, path: str, item: dict[str, Any]) -> Any:
        """Create an object in a list's address."""
        return self.ask("POST", path, item)

    def serve_metrics(self) -> None:
        """Have it serve metrics.k8s.io: as objects that tests write, where a metrics server would measure."""
        for plural, name, scope in (("pods", "PodMetrics", "Namespaced"), ("nodes", "NodeMetrics", "Cluster")):
            anything = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
            version = {"name": "v1beta1", "served": True, "storage": True, "schema": anything}
            spec: dict[str, Any] = {"group": "metrics.k8s.io", "scope": scope, "versions": [version]}
            spec["names"] = {"plural": plural, "kind": name, "singular": name.lower()}
            notes = {"api-approved.kubernetes.io": "unapproved, for tests"}
            metadata = {"name": f"{plural}.metrics.k8s.io", "annotations": notes}
            self.apply("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {"metadata": metadata, "spec": spec})
            wait_until(partial(self._serves, f"/apis/metrics.k8s.io/v1beta1/{plural}"))

    def _serves(self, path: str) -> bool:
        return bool(self.raw("GET", path)[0] == 200)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def deployment(name: str, image: str = "shop:1", replicas: int = 2, **spec: Any) -> dict[str, Any]:
    labels = {"app": name}
    containers = [{"name": "app", "image": image, "env": [{"name": "MODEL", "value": "large"}]}]
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers, "nodeName": "node-1"}}
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template, **spec},
    }


@contextmanager
def kubernetes_server(*, alive: bool = False, logs: Sequence[str] = ()) -> Iterator[KubernetesServer]:
    """An API server; `alive`: with controllers, and nodes and pods that go through their states.

    Args:
        logs: names of pods that have a log of their own.
    """
    found = {name: shutil.which(name, path=built_path()) for name in ("etcd", *_BUILT)}
    missing = [name for name, place in found.items() if place is None]
    if missing:
        pytest.skip(f"there is no {', '.join(missing)} on this machine; .ci/cluster/build builds it where Go is")
    with ExitStack() as stack, server_folder() as folder:
        server = _api_server(stack, folder, {name: str(place) for name, place in found.items()})
        _settle(server)
        if alive:
            _controllers(stack, server, {name: str(place) for name, place in found.items()}, logs)
        yield server


def built_path() -> str:
    """$PATH, and behind it what .ci/cluster/build has built."""
    # Not $HOME, which is nobody's in a test.
    home = pwd.getpwuid(os.getuid()).pw_dir
    cache = Path(os.environ.get("XDG_CACHE_HOME") or f"{home}/.cache") / "incident-cockpit-ci"
    built = [str(folder / "bin") for folder in sorted(cache.glob("cluster-*"))]
    return os.pathsep.join([os.environ.get("PATH", ""), *built])


def _api_server(stack: ExitStack, folder: Path, programs: dict[str, str]) -> KubernetesServer:
    store, peers, port = free_port(), free_port(), free_port()
    key, tokens = folder / "sa.key", folder / "tokens.csv"
    subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
    tokens.write_text(f'{ADMIN},admin,1,"system:masters"\n{READER},reader,2,"readers"\n{NOBODY},stranger,3\n')
    (folder / "etcd").mkdir(mode=0o700)
    (folder / "api").mkdir(mode=0o700)
    here = f"http://127.0.0.1:{store}"
    etcd = [programs["etcd"], "--data-dir", str(folder / "etcd" / "data"), "--listen-client-urls", here]
    etcd += ["--advertise-client-urls", here, "--listen-peer-urls", f"http://127.0.0.1:{peers}"]
    etcd += ["--initial-advertise-peer-urls", f"http://127.0.0.1:{peers}", "--unsafe-no-fsync"]
    etcd += ["--initial-cluster", f"default=http://127.0.0.1:{peers}"]
    stack.enter_context(running(etcd, lambda: _healthy(store), folder / "etcd"))
    api = [programs["kube-apiserver"], f"--etcd-servers={here}", "--bind-address=127.0.0.1", f"--secure-port={port}"]
    api += [f"--cert-dir={folder / 'certs'}", f"--token-auth-file={tokens}", "--authorization-mode=RBAC"]
    api += ["--service-account-issuer=https://cluster.test", f"--service-account-signing-key-file={key}"]
    api += [f"--service-account-key-file={key}", "--service-cluster-ip-range=10.0.0.0/24", "--profiling=false"]
    api += ["--disable-admission-plugins=ServiceAccount", "--endpoint-reconciler-type=none"]

    def start() -> subprocess.Popen[bytes]:
        return stack.enter_context(running(api, lambda: _ready(server), folder / "api"))

    server = KubernetesServer(port, store, folder, start)
    server.start_again()
    return server


def _healthy(port: int) -> bool:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        link.request("GET", "/health")
        return link.getresponse().status == 200
    except OSError:
        return False
    finally:
        link.close()


def _ready(server: KubernetesServer) -> bool:
    try:
        return server.raw("GET", "/readyz")[0] == 200
    except (OSError, ssl.SSLError):
        return False


def _settle(server: KubernetesServer) -> None:
    """The namespace of the tests, and what the reader may do: `get`, `list` and `watch`, but no secrets."""
    server.apply("/api/v1/namespaces", {"metadata": {"name": "shop"}})
    rules = [
        {"apiGroups": ["", "apps", "events.k8s.io"], "resources": ["pods", "pods/log", "deployments", "replicasets",
         "configmaps", "events", "nodes", "services"], "verbs": ["get", "list", "watch"]},
    ]  # fmt: skip
    rbac = "/apis/rbac.authorization.k8s.io/v1"
    server.apply(f"{rbac}/clusterroles", {"metadata": {"name": "reading"}, "rules": rules})
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "reading"}
    subjects = [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "readers"}]
    server.apply(
        f"{rbac}/clusterrolebindings", {"metadata": {"name": "reading"}, "roleRef": role, "subjects": subjects}
    )


def _controllers(stack: ExitStack, server: KubernetesServer, programs: dict[str, str], logs: Sequence[str]) -> None:
    config = server.kubeconfig(ADMIN, name="controllers")
    for name in ("manager", "kwok"):
        (server.folder / name).mkdir(mode=0o700)
    port = free_port()
    server.log.write_text("")
    own = [_OWN_LOG.format(pod=pod, log=server.log_of(pod)) for pod in logs]
    (server.folder / "kwok.yaml").write_text("".join([_POD_DOORS.format(log=server.log), *own]))
    manager = [programs["kube-controller-manager"], f"--kubeconfig={config}", "--leader-elect=false"]
    manager += [
        "--controllers=deployment,replicaset,statefulset,daemonset,garbagecollector",
        "--bind-address=127.0.0.1",
    ]
    manager += [f"--secure-port={free_port()}", f"--cert-dir={server.folder / 'manager'}"]
    stack.enter_context(running(manager, lambda: True, server.folder / "manager"))
    kwok = [programs["kwok"], f"--kubeconfig={config}", "--manage-all-nodes=true", "--cidr=10.1.0.0/24"]
    kwok += ["--node-lease-duration-seconds=0", f"--server-address=127.0.0.1:{port}", "--node-ip=127.0.0.1"]
    kwok += [f"--node-port={port}", f"--config={server.folder / 'kwok.yaml'}"]
    kwok += [f"--tls-cert-file={server.folder / 'certs' / 'apiserver.crt'}"]
    kwok += [f"--tls-private-key-file={server.folder / 'certs' / 'apiserver.key'}"]
    server.apply("/api/v1/nodes", {"metadata": {"name": "node-1"}})
    stack.enter_context(running(kwok, lambda: _node_ready(server), server.folder / "kwok"))


def _node_ready(server: KubernetesServer) -> bool:
    conditions = server.ask("GET", "/api/v1/nodes/node-1").get("status", {}).get("conditions") or []
    return any(it["type"] == "Ready" and it["status"] == "True" for it in conditions)
