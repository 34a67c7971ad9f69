"""Every kind of probe is put through the same suite, under its own name: looks, permits, texts, failures, imports."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gzip
import json
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest

from cockpit.adapters.probing import Finding, Watchable
from cockpit.config import ProbeConfig
from cockpit.errors import ConfigError, PolicyRefusal
from cockpit.monitor.probe import WatchedProbe
from cockpit.monitor.record import sample_of
from cockpit.monitor.registry import KINDS, build
from cockpit.monitor.sample import Level, Outcome
from cockpit.safety.permit import Action, Mode, grant
from cockpit.safety.verdict import Judgement, Verdict
from tests.contract.aws_benches import AWS_BENCHES
from tests.contract.google_bench import cloud_logging_bench, cloud_monitoring_bench, cloud_run_bench
from tests.contract.probe_bench import HOSTILE, Bench, answering, api_bench
from tests.servers.postgresql import postgresql_server
from tests.waiting import PATIENCE_S


async def serve_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    body = json.dumps({"status": "UP", "components": {HOSTILE: {"status": HOSTILE}}}).encode()
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    await writer.drain()
    writer.close()


async def serve_pm2(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(asyncio.IncompleteReadError):
        await reader.readexactly(1)
        await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big"))
    process = {"name": HOSTILE, "pm_id": 0, "pid": 1, "monit": {"cpu": 1, "memory": 2}, "pm2_env": {"status": HOSTILE}}
    reply = b"j:" + json.dumps({"args": [None, [process]]}).encode()
    writer.write(b"\x11" + len(reply).to_bytes(4, "big") + reply)
    await writer.drain()
    writer.close()


@contextlib.asynccontextmanager
async def http_bench(_folder: Path) -> AsyncIterator[Bench]:
    async with await asyncio.start_server(serve_http, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield Bench({"url": f"http://127.0.0.1:{port}/h"}, {"url": "http://127.0.0.1:1/h"})


@contextlib.asynccontextmanager
async def pm2_bench(folder: Path) -> AsyncIterator[Bench]:
    (folder / "broken").mkdir()
    (folder / "broken" / "rpc.sock").symlink_to(folder)
    async with await asyncio.start_unix_server(serve_pm2, folder / "rpc.sock"):
        yield Bench({"home": str(folder)}, {"home": str(folder / "broken")})


@contextlib.asynccontextmanager
async def machine_bench(_folder: Path) -> AsyncIterator[Bench]:
    yield Bench({}, {"folders": ["/nowhere/at/all"]})


@contextlib.asynccontextmanager
async def command_bench(folder: Path) -> AsyncIterator[Bench]:
    (folder / "said").write_text(HOSTILE)
    yield Bench({"command": f"cat {folder}/said"}, {"command": f"touch {folder}/made"})


def kubernetes_object() -> dict[str, Any]:
    containers = [{"ready": False, "restartCount": 2, "state": {"waiting": {"reason": HOSTILE}}}]
    status = {"phase": HOSTILE, "containerStatuses": containers, "conditions": [{"type": HOSTILE, "status": "True"}]}
    return {"metadata": {"name": HOSTILE, "resourceVersion": "7"}, "spec": {"replicas": 1}, "status": status}


async def serve_kubernetes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            asked = await reader.readuntil(b"\r\n\r\n")
            if b"watch=true" in asked:
                writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                await reader.read()  # a watch in which nothing happens, until the other side hangs up
                break
            body = json.dumps({"metadata": {"resourceVersion": "7"}, "items": [kubernetes_object()]}).encode()
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
            writer.write(head + body)
            await writer.drain()
    writer.close()


def kubeconfig(folder: Path, port: int) -> str:
    path = folder / f"{port}.kubeconfig"
    context = {"cluster": "it", "user": "it", "namespace": "shop"}
    config = {"current-context": "it", "contexts": [{"name": "it", "context": context}]}
    config |= {"clusters": [{"name": "it", "cluster": {"server": f"http://127.0.0.1:{port}"}}]}
    path.write_text(json.dumps(config | {"users": [{"name": "it", "user": {}}]}))
    return str(path)


@contextlib.asynccontextmanager
async def kubernetes_bench(folder: Path) -> AsyncIterator[Bench]:
    serving: list[asyncio.Task[None]] = []

    def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(asyncio.create_task(serve_kubernetes(reader, writer)))

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        good = kubeconfig(folder, server.sockets[0].getsockname()[1])
        yield Bench({"kubeconfig_file": good}, {"kubeconfig_file": kubeconfig(folder, 1)})
    await within(asyncio.gather(*serving))


def release_secret() -> dict[str, Any]:
    chart = {"metadata": {"name": HOSTILE, "version": HOSTILE, "appVersion": HOSTILE}}
    made = {"name": "shop", "version": 2, "chart": chart, "info": {"last_deployed": HOSTILE}, "config": {HOSTILE: 1}}
    packed = base64.b64encode(base64.b64encode(gzip.compress(json.dumps(made).encode()))).decode()
    labels = {"owner": "helm", "name": "shop", "version": "2", "status": HOSTILE}
    metadata = {"name": "sh.helm.release.v1.shop.v2", "namespace": "shop", "labels": labels}
    return {"metadata": metadata, "type": "helm.sh/release.v1", "data": {"release": packed}}


@contextlib.asynccontextmanager
async def helm_bench(folder: Path) -> AsyncIterator[Bench]:
    secrets = "/api/v1/namespaces/shop/secrets"
    answers = {secrets: {"items": [release_secret()]}, f"{secrets}/sh.helm.release.v1.shop.v2": release_secret()}
    async with await asyncio.start_server(answering(answers), "127.0.0.1", 0) as server:
        good = kubeconfig(folder, server.sockets[0].getsockname()[1])
        yield Bench({"kubeconfig_file": good}, {"kubeconfig_file": kubeconfig(folder, 1)})


def serving_logs() -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    """An API server with one pod, whose log has one line."""
    running = {"containerStatuses": [{"name": "app", "state": {"running": {}}}]}
    pod = {"metadata": {"name": "api-0", "namespace": "shop", "uid": "1"}, "status": running}
    pod["spec"] = {"containers": [{"name": "app"}]}
    listed = {"metadata": {"resourceVersion": "7"}, "items": [pod]}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1]
                if b"watch=true" in path or b"/log?" in path:
                    line = f"2026-11-21T00:00:00Z {HOSTILE}\n".encode() if b"/log?" in path else b""
                    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                    writer.write(b"%x\r\n%s\r\n" % (len(line), line) if line else b"")
                    await reader.read()
                    break
                body = json.dumps(pod if path.endswith(b"/api-0") else listed).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                await writer.drain()
        writer.close()

    return serve


@contextlib.asynccontextmanager
async def kubernetes_logs_bench(folder: Path) -> AsyncIterator[Bench]:
    serving: list[asyncio.Task[None]] = []

    def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(asyncio.ensure_future(serving_logs()(reader, writer)))

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        good = kubeconfig(folder, server.sockets[0].getsockname()[1])
        yield Bench({"kubeconfig_file": good}, {"kubeconfig_file": kubeconfig(folder, 1)})
    await within(asyncio.gather(*serving))


def prometheus_bench(_folder: Path) -> contextlib.AbstractAsyncContextManager[Bench]:
    data = {"resultType": "vector", "result": [{"metric": {"job": HOSTILE}, "value": [1, "0.5"]}]}
    answers = {"/api/v1/query": {"status": "success", "data": data, "warnings": [HOSTILE]}}
    return api_bench(answers, queries={"한글": "up", "share_percent": "100 * up"})


def alertmanager_bench(_folder: Path) -> contextlib.AbstractAsyncContextManager[Bench]:
    labels = {"alertname": HOSTILE, "severity": HOSTILE, HOSTILE: HOSTILE}
    alert = {"labels": labels, "annotations": {"summary": HOSTILE, "runbook_url": HOSTILE}, "startsAt": HOSTILE}
    return api_bench({"/api/v2/alerts": [alert]})


def grafana_bench(_folder: Path) -> contextlib.AbstractAsyncContextManager[Bench]:
    return api_bench({"/api/health": {"commit": HOSTILE, "database": HOSTILE, "version": HOSTILE}})


def loki_bench(_folder: Path) -> contextlib.AbstractAsyncContextManager[Bench]:
    stream = {"stream": {"app": HOSTILE}, "values": [["1700000000000000000", HOSTILE]]}
    data = {"resultType": "streams", "result": [stream]}
    return api_bench({"/loki/api/v1/query_range": {"status": "success", "data": data}}, query='{app="x"}')


def github_bench(_folder: Path) -> contextlib.AbstractAsyncContextManager[Bench]:
    run = {"id": 1, "name": HOSTILE, "display_title": HOSTILE, "status": "completed", "conclusion": HOSTILE}
    run |= {"head_branch": HOSTILE, "triggering_actor": {"login": HOSTILE}, "html_url": HOSTILE, "created_at": HOSTILE}
    answers = {
        "/repos/acme/shop": {"default_branch": HOSTILE},
        "/repos/acme/shop/actions/runs": {"workflow_runs": [run]},
    }
    return api_bench(answers, repo="acme/shop")


@contextlib.asynccontextmanager
async def postgresql_bench(_folder: Path) -> AsyncIterator[Bench]:
    import psycopg

    with postgresql_server() as server:
        place = {"host": "127.0.0.1", "port": server.port, "database": "shop", "user": "postgres"}
        with psycopg.connect(f"host={server.folder} port={server.port} dbname=shop user=postgres") as session:
            session.execute(f"select '{HOSTILE}' as 한글".encode())  # left idle in its transaction
            yield Bench(place, {**place, "port": 1})


async def serve_redis(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    told = f"role:slave\r\nmaster_host:{HOSTILE}\r\nmaster_link_status:{HOSTILE}\r\ndb0:keys={HOSTILE}\r\n"
    told += f"slave0:ip={HOSTILE},state={HOSTILE}\r\nconnected_clients:{HOSTILE}\r\n"
    info = told.encode()
    while asked := await reader.read(1 << 16):
        writer.write(b"$%d\r\n%b\r\n" % (len(info), info) if b"INFO" in asked else b"+OK\r\n")
        await writer.drain()
    writer.close()


@contextlib.asynccontextmanager
async def redis_bench(_folder: Path) -> AsyncIterator[Bench]:
    async with await asyncio.start_server(serve_redis, "127.0.0.1", 0) as server:
        place = {"host": "127.0.0.1", "port": server.sockets[0].getsockname()[1]}
        yield Bench(place, {**place, "port": 1})


def argocd_bench(_folder: Path) -> contextlib.AbstractAsyncContextManager[Bench]:
    status = {"health": {"status": HOSTILE, "message": HOSTILE}, "sync": {"status": HOSTILE, "revision": HOSTILE}}
    app = {"metadata": {"name": HOSTILE}, "spec": {"project": HOSTILE}, "status": status}
    return api_bench({"/api/v1/applications": {"items": [app]}})


BENCHES: dict[str, Callable[[Path], contextlib.AbstractAsyncContextManager[Bench]]] = {
    "helm": helm_bench,
    "argocd": argocd_bench,
    "http": http_bench,
    "pm2": pm2_bench,
    "machine": machine_bench,
    "command": command_bench,
    "kubernetes": kubernetes_bench,
    "kubernetes-logs": kubernetes_logs_bench,
    "prometheus": prometheus_bench,
    "alertmanager": alertmanager_bench,
    "grafana": grafana_bench,
    "loki": loki_bench,
    **AWS_BENCHES,
    "github": github_bench,
    "postgresql": postgresql_bench,
    "redis": redis_bench,
    "cloud-run": cloud_run_bench,
    "cloud-logging": cloud_logging_bench,
    "cloud-monitoring": cloud_monitoring_bench,
}

Result = TypeVar("Result")


@pytest.fixture(params=sorted(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def bench(kind: str) -> AsyncIterator[Bench]:
    assert kind in BENCHES, f"give the kind {kind} a bench here"
    with tempfile.TemporaryDirectory(dir="/tmp") as short:  # a socket's path has a limit
        async with BENCHES[kind](Path(short)) as made:
            yield made


def made(kind: str, options: dict[str, Any], **changes: Any) -> WatchedProbe:
    from cockpit.safety.redaction.redactor import Redactor

    return build(ProbeConfig(name="it", kind=kind, options=options, **changes), Redactor().redact)


def watchable(probe: WatchedProbe) -> Watchable:
    return probe.watchable


async def within(awaitable: Awaitable[Result]) -> Result:
    async with asyncio.timeout(PATIENCE_S):
        return await awaitable


async def test_it_looks_again_and_again_with_a_read_permit(kind: str, bench: Bench) -> None:
    it = watchable(made(kind, bench.good))
    assert isinstance(it, Watchable)
    permit = grant(it.action, it.judgement, Mode.READ_ONLY, by="test")
    for _look in range(2):
        found = await within(it.look(permit))
        assert isinstance(found, Finding)
        assert found.text
        assert len({value.name for value in found.values}) == len(found.values) > 0
    await it.close()
    await it.close()


async def test_it_does_nothing_on_a_permit_for_something_else(kind: str, bench: Bench) -> None:
    it = watchable(made(kind, bench.good))
    other = grant(Action("bash", "ls", "local"), Judgement(Verdict.READ_ONLY), Mode.READ_ONLY, by="test")
    with pytest.raises(PolicyRefusal):
        await within(it.look(other))


async def test_its_samples_hold_nothing_that_a_screen_must_not_show(kind: str, bench: Bench) -> None:
    probe = made(kind, bench.good)
    sample = await within(probe.sample())
    await probe.close()
    assert sample.outcome is Outcome.DATA
    line = msgspec.json.encode(sample).decode()
    assert "\\u001b" not in line
    assert "\x9b" not in line
    assert "\u202e" not in line
    assert "hunter2" not in line
    assert "\n" not in sample.text
    again = sample_of(msgspec.json.decode(line))
    assert again is not None
    assert (again.probe, again.text, again.readings) == (sample.probe, sample.text, sample.readings)
    if kind != "machine":
        assert "한글" in line


async def test_a_system_that_is_not_there_is_told_in_a_sample(kind: str, bench: Bench) -> None:
    probe = made(kind, bench.broken)
    sample = await within(probe.sample())
    await probe.close()
    if kind == "machine":
        assert next(r.value for r in sample.readings if r.name == "disk_percent") is None
        return
    assert sample.outcome in (Outcome.FAILED, Outcome.NONE)
    assert sample.mend
    assert sample.level is not Level.GREEN


def test_a_key_it_does_not_have_is_refused(kind: str) -> None:
    options = {"url": "http://x/", "command": "true", "queries": {"a": "up"}, "query": '{app="x"}', "repo": "a/b"}
    options |= {"project": "my-project", "region": "us-central1", "service": "api", "filter": "severity>=ERROR"}
    options |= {"group": "g", "functions": ["f"], "alarms": ["*"]}
    with pytest.raises(ConfigError) as caught:
        made(kind, {**{k: v for k, v in options.items() if k in watch_keys(kind)}, "no_such_key": 1})
    assert "no_such_key" in str(caught.value)


def watch_keys(kind: str) -> tuple[str, ...]:
    from importlib import import_module

    module, _colon, name = KINDS[kind].partition(":")
    options: type[msgspec.Struct] = getattr(import_module(module), name).Options
    return tuple(field.name for field in msgspec.structs.fields(options))


def test_it_is_made_without_its_library(kind: str) -> None:
    """What is slow to import waits for the first look: a monitor is made while the screen comes up."""
    script = (
        "import sys, importlib, cockpit.monitor.watch\n"
        f"module, _, name = {KINDS[kind]!r}.partition(':')\n"
        "importlib.import_module(module)\n"
        "heavy = ('httpx', 'psutil', 'tree_sitter', 'kubernetes', 'boto3', 'psycopg', 'redis')\n"
        "print([m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


async def test_a_command_that_is_not_proven_to_read_is_never_run(tmp_path: Path) -> None:
    probe = made("command", {"command": f"touch {tmp_path}/made"})
    sample = await within(probe.sample())
    assert (sample.outcome, sample.level) == (Outcome.FAILED, Level.YELLOW)
    assert "read-only" in sample.error
    assert not (tmp_path / "made").exists()


async def test_a_commands_exit_text_and_number_are_its_values() -> None:
    probe = made("command", {"command": "printf 'used 91.5 of 100'", "contains": "used", "unit": "%"})
    sample = await within(probe.sample())
    assert {r.name: r.value for r in sample.readings} == {"value": 91.5, "exit_code": 0.0, "healthy": True}
    silent = await within(made("command", {"command": "printf ok", "contains": "fine"}).sample())
    assert silent.level is Level.RED
