"""Steps that call kubectl, as runbooks spell them: the real one, against a real API server."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cockpit.cli import main
from tests.servers.kubernetes import ADMIN, KubernetesServer, built_path, deployment, kubernetes_server
from tests.waiting import wait_until

_KUBECTL = shutil.which("kubectl", path=built_path())
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(_KUBECTL is None, reason="there is no kubectl on this machine"),
]
_DEPLOYMENTS = "/apis/apps/v1/namespaces/shop/deployments"
RUNBOOK = """# The judgment service is down

```bash {name=pods}
kubectl get pods -n shop -l app=judgment
# expected: Running
```

```bash {name=describe}
kubectl describe deployment judgment -n shop
# expected: judgment
```

```bash {name=rollout}
kubectl rollout status deployment/judgment -n shop --timeout=60s
# expected: "successfully rolled out"
```

```bash {name=hpa}
kubectl get hpa -n shop
```

```bash {name=may}
kubectl auth can-i delete pods -n shop
# expected: yes
```

```bash {name=model}
kubectl set env deployment/judgment -n shop DEFAULT_LLM_MODEL=gpt-4o-mini
# undo: kubectl rollout undo deployment/judgment -n shop
```

```bash {name=more}
kubectl scale deployment/judgment --replicas=3 -n shop
```

```bash {name=restart}
kubectl delete pod -l app=judgment -n shop --wait=false
```

```bash {name=back}
kubectl rollout undo deployment/judgment -n shop
```

```bash {name=missing}
kubectl get deployment no-such -n shop
```
"""
MODEL = {"name": "DEFAULT_LLM_MODEL", "value": "gpt-4o-mini"}
READING = ("pods", "describe", "rollout", "hpa", "may")


@pytest.fixture(scope="module")
def server() -> Iterator[KubernetesServer]:
    with kubernetes_server(alive=True) as made:
        made.apply(_DEPLOYMENTS, deployment("judgment"))
        wait_until(lambda: item(made)["status"].get("availableReplicas") == 2)
        yield made


@pytest.fixture
def runbook(server: KubernetesServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COCKPIT_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig(ADMIN)))
    monkeypatch.setenv("PATH", built_path())
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "judgment.md"
    path.write_text(RUNBOOK)
    return path


def item(server: KubernetesServer) -> dict[str, Any]:
    found: dict[str, Any] = server.ask("GET", f"{_DEPLOYMENTS}/judgment")
    return found


def environment(server: KubernetesServer) -> list[dict[str, str]]:
    found: list[dict[str, str]] = item(server)["spec"]["template"]["spec"]["containers"][0].get("env", [])
    return found


def finished(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return {each["data"]["step"]: each["data"]["status"] for each in events if each["kind"] == "step.finished"}


def test_what_reads_runs_in_read_only_mode_and_what_changes_is_refused(
    server: KubernetesServer, runbook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = item(server)["metadata"]["generation"]

    main(["run", str(runbook), "--read-only", "--keep-going", "--json"])

    done = finished(capsys)
    assert {name: done[name] for name in READING} == dict.fromkeys(READING, "passed")
    assert {name: done[name] for name in ("model", "more", "restart", "back")} == dict.fromkeys(
        ("model", "more", "restart", "back"), "refused"
    )
    assert done["missing"] == "failed"
    assert item(server)["metadata"]["generation"] == before


def test_what_was_confirmed_changes_the_cluster(
    server: KubernetesServer, runbook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(runbook), "--step", "model", "--step", "more", "--yes", "--json"]) == 0
    assert set(finished(capsys).values()) == {"passed"}
    assert item(server)["spec"]["replicas"] == 3
    assert MODEL in environment(server)

    assert main(["run", str(runbook), "--step", "back", "--yes", "--json"]) == 0

    assert finished(capsys) == {"back": "passed"}
    assert MODEL not in environment(server)
