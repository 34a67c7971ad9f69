"""A cluster's panel when signing in or the API server fails: said, within a time, and mended by itself."""

from __future__ import annotations

import json
import os
import signal
import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest

from cockpit.adapters.kubernetes.cluster import Cluster
from cockpit.adapters.kubernetes.probe import KubernetesProbe, KubernetesProbeOptions
from cockpit.adapters.probing import Finding
from cockpit.errors import AccessDenied, AdapterError, CockpitError, ConfigError, TimedOut, ToolMissing
from cockpit.safety.permit import Mode, grant
from tests.real.kubernetes.test_kubernetes_probe import row, seen, watching
from tests.servers.kubernetes import ADMIN, READER, KubernetesServer, deployment, kubernetes_server
from tests.servers.proxy import proxied
from tests.waiting import until, wait_until

pytestmark = [
    pytest.mark.real,
    # A connection that a killed or stopped server left half open is nobody's to close.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
_DEPLOYMENTS = "/apis/apps/v1/namespaces/shop/deployments"
_MERGE = "application/merge-patch+json"


@pytest.fixture(scope="module")
def server() -> Iterator[KubernetesServer]:
    with kubernetes_server() as made:
        made.apply(_DEPLOYMENTS, deployment("api"))
        yield made


class Panel:
    """A probe that is looked at whatever comes of it."""

    def __init__(self, kubeconfig: Path, *, deadline_s: float = 8, **options: Any) -> None:
        self.probe = KubernetesProbe(KubernetesProbeOptions(kubeconfig_file=str(kubeconfig), **options), deadline_s)
        self._permit = grant(self.probe.action, self.probe.judgement, Mode.READ_ONLY, by="test")
        self.error: CockpitError | None = None

    async def look(self) -> Finding | None:
        self.error = None
        try:
            return await self.probe.look(self._permit)
        except (AdapterError, ConfigError) as error:
            self.error = error
            return None

    async def until_it_fails_with(self, kind: type[CockpitError], said: str) -> None:
        async def failed() -> bool:
            await self.look()
            return isinstance(self.error, kind) and said in str(self.error)

        await until(failed, f"{said}, not {self.error}")

    async def until_it_is_well(self) -> None:
        async def well() -> bool:
            return await self.look() is not None

        await until(well, f"it mends itself: {self.error}")


def changed(server: KubernetesServer, name: str, user: dict[str, Any] | None = None, **config: Any) -> Path:
    """A kubeconfig of the admin with something else in it."""
    written = json.loads(server.kubeconfig(ADMIN).read_text()) | config
    if user is not None:
        written["users"][0]["user"] = user
    path = server.folder / f"{name}.kubeconfig"
    path.write_text(json.dumps(written))
    return path


def plugin(folder: Path, script: str) -> dict[str, Any]:
    path = folder / "plugin"
    path.write_text(f"#!/bin/sh\necho $$ > {folder}/pid\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(path), "interactiveMode": "Never"}}


async def test_credentials_that_expired_are_said_and_taken_up_again_once_they_are_renewed(
    server: KubernetesServer,
) -> None:
    config = changed(server, "expired", {"token": "expired-token-Zq99"})
    panel = Panel(config)
    await panel.until_it_fails_with(AccessDenied, "does not accept these credentials")
    assert panel.error is not None
    assert panel.error.mend
    changed(server, "expired", {"token": ADMIN})
    await panel.until_it_is_well()
    await panel.probe.close()


async def test_a_credential_plugin_that_hangs_is_ended_and_costs_no_other_panel(
    server: KubernetesServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cockpit.adapters.kubernetes.sign_in._PLUGIN_S", 2.0)
    hung, other = Panel(changed(server, "hangs", plugin(tmp_path, "sleep 1000"))), Panel(server.kubeconfig(READER))
    await other.until_it_is_well()
    await hung.until_it_fails_with(TimedOut, "gave nothing within 2 s")
    pid = int((tmp_path / "pid").read_text())
    await other.until_it_is_well()
    await hung.probe.close()
    await other.probe.close()
    wait_until(lambda: not psutil.pid_exists(pid) or int((tmp_path / "pid").read_text()) != pid)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("read -r word </dev/tty || { echo 'no terminal to ask at' >&2; exit 1; }", "no terminal to ask at"),
        ("read -r word || { echo 'nobody answers' >&2; exit 3; }", "nobody answers"),
        ("echo not json", "can't be understood"),
        ("exit 7", "exit status 7"),
    ],
)
async def test_a_credential_plugin_that_asks_or_fails_is_said(
    server: KubernetesServer, tmp_path: Path, script: str, said: str
) -> None:
    panel = Panel(changed(server, "asks", plugin(tmp_path, script)))
    await panel.until_it_fails_with(AccessDenied, said)
    await panel.probe.close()


async def test_a_plugin_a_context_and_a_file_that_are_not_there_are_each_said(
    server: KubernetesServer, tmp_path: Path
) -> None:
    absent = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(tmp_path / "nosuch")}}
    for panel, kind, said in (
        (Panel(changed(server, "absent", absent)), ToolMissing, "nosuch"),
        (Panel(server.kubeconfig(ADMIN), context="elsewhere"), ConfigError, "elsewhere"),
        (Panel(tmp_path / "deleted"), ConfigError, "deleted"),
    ):
        await panel.until_it_fails_with(kind, said)
        await panel.probe.close()


def let_in(server: KubernetesServer, token: str, *, also: bool) -> None:
    """Start the server again with an administrator of that token, or without."""
    file = server.folder / "tokens.csv"
    others = [line for line in file.read_text().splitlines() if not line.startswith(token)]
    file.write_text("\n".join([*others, *([f'{token},leaver,9,"system:masters"'] if also else [])]) + "\n")
    server.stop()
    server.start_again()


async def test_a_kubeconfig_that_is_deleted_while_it_is_used_is_said_once_it_is_needed_again(
    server: KubernetesServer,
) -> None:
    user = {"token": "leaver-token-Zq84"}
    let_in(server, user["token"], also=True)
    with proxied(server.port) as proxy:
        place = {"server": f"https://127.0.0.1:{proxy.port}"}
        clusters = json.loads(server.kubeconfig(ADMIN).read_text())["clusters"]
        clusters[0]["cluster"] |= place
        config = changed(server, "deleted", user, clusters=clusters)
        panel = Panel(config)
        await panel.until_it_is_well()
        config.unlink()
        proxy.cut()
        await panel.until_it_is_well()  # what it signed in with is still good: nobody needs the file

        let_in(server, user["token"], also=False)
        await panel.until_it_fails_with(ConfigError, "there is no kubeconfig")
        assert panel.error is not None
        assert panel.error.where == str(config)
        assert "kubeconfig_file" in panel.error.mend
        changed(server, "deleted", {"token": ADMIN}, clusters=clusters)
        await panel.until_it_is_well()
        await panel.probe.close()


def credential(expires: str) -> str:
    """What a plugin prints: a token of the admin's, good until then."""
    status = {"token": ADMIN, "expirationTimestamp": expires}
    told = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status}
    return f"echo '{json.dumps(told)}'"


async def test_a_plugin_that_hangs_once_its_credentials_have_expired_is_said_and_taken_up_again(
    server: KubernetesServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cockpit.adapters.kubernetes.sign_in._PLUGIN_S", 8.0)
    hangs = tmp_path / "hangs"
    script = f"[ -e {hangs} ] && sleep 1000\n{credential('2020-01-01T00:00:00Z')}"
    panel = Panel(changed(server, "expires", plugin(tmp_path, script)), deadline_s=3)
    await panel.until_it_is_well()
    hangs.touch()
    await panel.until_it_fails_with(TimedOut, "credential plugin gave nothing within")
    hangs.unlink()
    await panel.until_it_is_well()
    await panel.probe.close()


async def test_a_plugin_that_hangs_from_the_beginning_is_what_is_said_and_not_the_server(
    server: KubernetesServer, tmp_path: Path
) -> None:
    panel = Panel(changed(server, "asks", plugin(tmp_path, "sleep 1000")), deadline_s=2)
    await panel.until_it_fails_with(TimedOut, "credential plugin may hang")
    assert panel.error is not None
    assert panel.error.mend
    await panel.probe.close()
    os.killpg(int((tmp_path / "pid").read_text()), signal.SIGKILL)


async def test_one_plugin_runs_for_all_who_need_its_credentials_at_once(
    server: KubernetesServer, tmp_path: Path
) -> None:
    config = changed(
        server, "counted", plugin(tmp_path, f"echo x >> {tmp_path}/runs; {credential('2099-01-01T00:00:00Z')}")
    )
    panel = Panel(config)
    await panel.until_it_is_well()
    await panel.until_it_is_well()
    assert (tmp_path / "runs").read_text().split() == ["x"]
    await panel.probe.close()


async def test_what_a_plugin_says_beside_its_credentials_is_no_failure(
    server: KubernetesServer, tmp_path: Path
) -> None:
    noise = "head -c 300000 /dev/zero | tr '\\0' w >&2"
    panel = Panel(changed(server, "noisy", plugin(tmp_path, f"{noise}; {credential('2099-01-01T00:00:00Z')}")))
    await panel.until_it_is_well()
    await panel.probe.close()


async def test_a_plugin_that_is_missing_is_told_with_the_hint_of_the_kubeconfig(
    server: KubernetesServer, tmp_path: Path
) -> None:
    absent = plugin(tmp_path, "")
    absent["exec"] |= {"command": "gke-gcloud-auth-plugin-absent", "installHint": "Install it:\n  gcloud components"}
    panel = Panel(changed(server, "hint", absent))
    await panel.until_it_fails_with(ToolMissing, "gke-gcloud-auth-plugin-absent")
    assert panel.error is not None
    assert panel.error.mend == "Install it: gcloud components"
    await panel.probe.close()


class BusyServer(ThreadingHTTPServer):
    """Answers 429 with Retry-After as an API server under its fairness rules does, until it is no longer busy."""

    daemon_threads = True
    busy = True
    asked = 0


class _Answer(BaseHTTPRequestHandler):
    server: BusyServer

    def do_GET(self) -> None:
        self.server.asked += 1
        status, body = (
            (429, b"{}") if self.server.busy else (200, b'{"metadata": {"resourceVersion": "1"}, "items": []}')
        )
        self.send_response(status)
        self.send_header("Retry-After", "1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_told: object) -> None:
        """Nothing."""


async def test_a_server_that_puts_us_off_is_asked_later(server: KubernetesServer) -> None:
    with BusyServer(("127.0.0.1", 0), _Answer) as busy:
        threading.Thread(target=busy.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{busy.server_address[1]}"
        panel = Panel(changed(server, "busy", {}, clusters=[{"name": "it", "cluster": {"server": address}}]))
        await panel.until_it_fails_with(AdapterError, "too many requests")
        assert busy.asked < 60
        busy.busy = False
        await panel.until_it_is_well()
        await panel.probe.close()
        busy.shutdown()


async def test_links_that_are_cut_are_made_again_without_reading_whole_lists(
    server: KubernetesServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed: list[str] = []
    get_raw = Cluster.get_raw

    def counting(cluster: Cluster, path: str, query: Any, **rest: Any) -> bytes:
        listed.extend([path] if "limit" in query else [])
        return get_raw(cluster, path, query, **rest)

    monkeypatch.setattr(Cluster, "get_raw", counting)
    with proxied(server.port) as proxy:
        async with watching(server, port=proxy.port) as look:
            await seen(look, lambda found: bool(row(found, "api")))
            before = list(listed)
            for replicas in (3, 4, 5):
                proxy.cut()
                change = {"spec": {"replicas": replicas}}
                server.ask("PATCH", f"{_DEPLOYMENTS}/api", change, content_type=_MERGE)
                await seen(look, lambda found, n=replicas: row(found, "api").get("ready") == f"0/{n}")  # type: ignore[misc]
            assert listed == before


async def test_a_server_that_hangs_is_said_though_its_watches_stand(server: KubernetesServer) -> None:
    panel = Panel(server.kubeconfig(ADMIN), deadline_s=3)
    await panel.until_it_is_well()
    assert server.process is not None
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        await panel.until_it_fails_with(TimedOut, "did not answer in time")
    finally:
        os.kill(server.process.pid, signal.SIGCONT)
    await panel.until_it_is_well()
    await panel.probe.close()


async def test_a_server_that_is_started_again_is_followed_again(server: KubernetesServer) -> None:
    panel = Panel(server.kubeconfig(ADMIN))
    await panel.until_it_is_well()
    server.stop()
    await panel.until_it_fails_with(AdapterError, "can't be reached: ")
    assert panel.error is not None
    assert "(host=" not in panel.error.what
    server.start_again()
    server.ask("PATCH", f"{_DEPLOYMENTS}/api", {"spec": {"replicas": 7}}, content_type=_MERGE)

    async def shown() -> bool:
        found = await panel.look()
        return found is not None and row(found, "api")["ready"] == "0/7"

    await until(shown)
    await panel.probe.close()
