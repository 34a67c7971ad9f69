"""What following a large cluster costs the host: 5,000 pods on a real API server, of which 10 a second change; 50 logs.

Bars: 15 % of one core over the time it follows them, and 250 MB. The pods are objects without nodes; each has the
status of one that runs, and a change is one more restart or an end to being ready. The logs are those of 50 pods of
kwok's, 10 lines a second each.
"""

from __future__ import annotations

import http.client
import json
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import psutil
import pytest

from tests.benchmarks.sandbox import COCKPIT, Sandbox
from tests.benchmarks.table import Figure
from tests.benchmarks.terminal import Terminal
from tests.servers.kubernetes import ADMIN, KubernetesServer, kubernetes_server
from tests.waiting import eventually

PODS, CHANGES_PER_S = 5000, 10
LOGS, LINES_PER_S = 50, 10
WATCHED_S = 40.0
_PATH = "/api/v1/namespaces/shop/pods"
_AT_ONCE = 8
_PATIENCE_S = 600.0


def cluster(box: Sandbox) -> list[Figure]:
    """CPU, memory and threads of the host."""
    try:
        with kubernetes_server(alive=True) as server:
            logs = _tailed(box, server)
        with kubernetes_server() as server:
            return [*_measured(box, server), *logs]
    except pytest.skip.Exception as skipped:
        return [Figure(f"following {PODS} pods", None, "%", note=str(skipped))]


def _measured(box: Sandbox, server: KubernetesServer) -> list[Figure]:
    _fill(server)
    box.configuration.write_text(
        f'[[probe]]\nname = "cluster"\nkind = "kubernetes"\nkubeconfig_file = "{server.kubeconfig(ADMIN)}"\n'
        "deadline_s = 60\n"
    )
    with Terminal([*COCKPIT, "watch"], environment=box.environment, cwd=box.folder) as terminal:
        if not eventually(lambda: _followed(box), _PATIENCE_S):
            raise AssertionError("the pods were never all there")
        host = psutil.Process(_host(box))
        with _changing(server) as changes:
            terminal.watch(5.0)
            before, begun, changed = host.cpu_times(), time.monotonic(), changes[0]
            terminal.watch(WATCHED_S)
            after, passed_s = host.cpu_times(), time.monotonic() - begun
            rate = (changes[0] - changed) / passed_s
        share = (after.user + after.system - before.user - before.system) / passed_s * 100
        memory = host.memory_info().rss / (1 << 20)
        threads = host.num_threads()
        seen = _reading(box, "restarts_change")
    box.end_hosts()
    note = f"{rate:.1f} changes/s, {threads} threads, {seen:.0f} restarts seen"
    return [
        Figure(f"host's CPU, following {PODS} pods", share, "%", bar=15.0, note=note),
        Figure(f"host's memory, following {PODS} pods", memory, "MB", bar=250.0),
    ]


def _tailed(box: Sandbox, server: KubernetesServer) -> list[Figure]:
    _write_lines(server)
    ask = _link(server)
    for n in range(LOGS):
        spec = {"nodeName": "node-1", "containers": [{"name": "app", "image": "service"}]}
        ask("POST", _PATH, {"metadata": {"name": f"logs-{n}"}, "spec": spec})
    box.configuration.write_text(
        f'[[probe]]\nname = "logs"\nkind = "kubernetes-logs"\nkubeconfig_file = "{server.kubeconfig(ADMIN)}"\n'
        f"most = {LOGS}\ndeadline_s = 60\n"
    )
    ended = threading.Event()
    writer = threading.Thread(target=lambda: _keep_writing(server, ended), daemon=True)
    with Terminal([*COCKPIT, "watch"], environment=box.environment, cwd=box.folder) as terminal:
        writer.start()
        try:
            if not eventually(lambda: _reading(box, "lines_per_min") > LOGS * LINES_PER_S * 50, _PATIENCE_S):
                raise AssertionError("the logs were never all followed")
            host = psutil.Process(_host(box))
            before, begun = host.cpu_times(), time.monotonic()
            terminal.watch(WATCHED_S)
            after, passed_s = host.cpu_times(), time.monotonic() - begun
        finally:
            ended.set()
            writer.join()
        share = (after.user + after.system - before.user - before.system) / passed_s * 100
        note = f"{_reading(box, 'lines_per_min') / 60:.0f} lines/s, {host.num_threads()} threads, "
        note += f"{len(host.net_connections())} connections, {host.memory_info().rss >> 20} MB"
    box.end_hosts()
    for told in box.folder.glob("state/*"):
        shutil.rmtree(told)
    return [Figure(f"host's CPU, following {LOGS} logs", share, "%", note=note)]


def _write_lines(server: KubernetesServer) -> None:
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
    with server.log.open("a") as file:
        file.write(f"{stamp} stdout F INFO request served in 12 ms path=/orders/123 user=alice\n" * LINES_PER_S)


def _keep_writing(server: KubernetesServer, ended: threading.Event) -> None:
    while not ended.wait(1.0):
        _write_lines(server)


def _fill(server: KubernetesServer) -> None:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(lambda part: _make(server, range(part, PODS, _AT_ONCE)), range(_AT_ONCE)))


def _make(server: KubernetesServer, numbers: range) -> None:
    ask = _link(server)
    for n in numbers:
        ask("POST", _PATH, _pod(n))
        ask("PATCH", f"{_PATH}/{_name(n)}/status", {"status": _status(n, 0)})


def _name(n: int) -> str:
    return f"service-{n % 50}-7b7d658678-{n:05d}"


def _pod(n: int) -> dict[str, Any]:
    env = [{"name": f"SETTING_{one}", "value": "x" * 40} for one in range(20)]
    container: dict[str, Any] = {"name": "app", "image": "registry.internal/shop/service:1.2.3", "env": env}
    container |= {"resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}}}
    labels = {"app": f"service-{n % 50}", "pod-template-hash": "7b7d658678", "team": "shop"}
    return {"metadata": {"name": _name(n), "labels": labels}, "spec": {"containers": [container]}}


def _status(n: int, restarts: int) -> dict[str, Any]:
    ready = restarts % 5 != 1
    kinds = ("Initialized", "Ready", "ContainersReady", "PodScheduled")
    conditions = [{"type": kind, "status": str(ready), "lastTransitionTime": "2026-11-21T00:00:00Z"} for kind in kinds]
    container = {"name": "app", "image": "service", "imageID": f"sha256:{n:064d}", "restartCount": restarts}
    container |= {"ready": ready, "started": True, "state": {"running": {"startedAt": "2026-11-21T00:00:00Z"}}}
    status: dict[str, Any] = {"phase": "Running", "podIP": "10.0.0.1", "conditions": conditions}
    return status | {"containerStatuses": [container]}


def _link(server: KubernetesServer) -> Any:
    """Asks over one connection."""
    link = http.client.HTTPSConnection("127.0.0.1", server.port, timeout=60, context=server.trust())

    def ask(method: str, path: str, body: dict[str, Any]) -> None:
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        link.request(method, path, json.dumps(body), {"Authorization": f"Bearer {ADMIN}", "Content-Type": kind})
        answer = link.getresponse()
        told = answer.read()
        assert answer.status < 300, told

    return ask


def _followed(box: Sandbox) -> bool:
    return any(f"{PODS} pods" in told.read_text(errors="replace") for told in box.folder.glob("state/*/samples.jsonl"))


def _reading(box: Sandbox, name: str) -> float:
    """What the last sample says of it; 0 when there is none."""
    for told in box.folder.glob("state/*/samples.jsonl"):
        readings = json.loads(told.read_text().splitlines()[-1])["readings"]
        return float(next((one["value"] for one in readings if one["name"] == name), 0))
    return 0.0


def _host(box: Sandbox) -> int:
    told = next(iter(box.folder.glob("state/*/host.json")))
    return int(json.loads(told.read_bytes())["pid"])


@contextmanager
def _changing(server: KubernetesServer) -> Iterator[list[int]]:
    """Pods change while this is open; gives how many have, so far."""
    ended, changes = threading.Event(), [0]

    def change() -> None:
        ask, begun = _link(server), time.monotonic()
        while not ended.wait(max(0.0, begun + changes[0] / CHANGES_PER_S - time.monotonic())):
            n = changes[0] * 37 % PODS
            ask("PATCH", f"{_PATH}/{_name(n)}/status", {"status": _status(n, 1 + changes[0] // 20)})
            changes[0] += 1

    changer = threading.Thread(target=change, daemon=True)
    changer.start()
    try:
        yield changes
    finally:
        ended.set()
        changer.join()
