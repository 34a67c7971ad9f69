"""Logs of pods on a real API server: no line lost and none twice, over cuts, restarts, rotation and new pods."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from cockpit.adapters.probing import Finding
from cockpit.errors import AdapterError, ConfigError
from cockpit.monitor.logs.kubernetes import KubernetesLogsOptions, KubernetesLogsProbe
from cockpit.safety.permit import Mode, grant
from tests.servers.kubernetes import READER, KubernetesServer, kubernetes_server
from tests.servers.proxy import Proxy, proxied
from tests.waiting import until, wait_until

pytestmark = [
    pytest.mark.real,
    # A connection that a killed server left half open is nobody's to close.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
_PODS = "/api/v1/namespaces/shop/pods"
_MERGE = "application/merge-patch+json"
_NAMES = ("cut", "rotated", "restarted", "lost", "old", "new", "gone", "first", "second", "counted")


@pytest.fixture(scope="module")
def server() -> Iterator[KubernetesServer]:
    with kubernetes_server(alive=True, logs=_NAMES) as made:
        yield made


class Writer:
    """Writes a pod's log as a container runtime does."""

    def __init__(self, server: KubernetesServer, pod: str) -> None:
        self._path = server.log_of(pod)
        self.written: list[str] = []
        self._path.touch()

    def write(self, count: int, text: str = "line", *, at: str = "") -> None:
        """So many further lines; `at`: all at that one time."""
        with self._path.open("a") as file:
            for _line in range(count):
                stamp = at or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
                self.written.append(f"{text} {len(self.written)}")
                file.write(f"{stamp} stdout F {self.written[-1]}\n")

    def rotate(self, onto: str) -> None:
        """Begin a new file."""
        self._path.rename(self._path.with_name(f"{self._path.name}.{onto}"))
        self._path.touch()


class Reader:
    """Looks at a log again and again, as a monitor does."""

    def __init__(self, look: Callable[[], Awaitable[Finding]]) -> None:
        self._look = look
        self.lines: list[str] = []
        self.told: list[str] = []
        self.last = Finding("")
        self.failed = ""

    async def look(self) -> None:
        try:
            self.last = await self._look()
            self.failed = ""
        except AdapterError as error:
            self.failed = error.what
            return
        self.lines += [line.split(" ", 2)[2] for line in self.last.brought.lines]
        self.told += [text for _before, text in self.last.brought.told]

    async def until(self, holds: Callable[[], object], what: str = "") -> None:
        async def looked() -> bool:
            await self.look()
            return bool(holds())

        await until(looked, what)


@asynccontextmanager
async def reading(server: KubernetesServer, *, port: int | None = None, **options: Any) -> AsyncIterator[Reader]:
    kubeconfig = str(server.kubeconfig(READER, port=port))
    probe = KubernetesLogsProbe(KubernetesLogsOptions(kubeconfig_file=kubeconfig, **options), 8)
    permit = grant(probe.action, probe.judgement, Mode.READ_ONLY, by="test")
    try:
        yield Reader(lambda: probe.look(permit))
    finally:
        await probe.close()


def value(reader: Reader, name: str) -> Any:
    return next((it.value for it in reader.last.values if it.name == name), None)


def run_pod(server: KubernetesServer, name: str, **labels: str) -> Writer:
    writer = Writer(server, name)
    spec = {"nodeName": "node-1", "containers": [{"name": "app", "image": "x"}]}
    server.apply(_PODS, {"metadata": {"name": name, "labels": labels}, "spec": spec})
    wait_until(lambda: server.ask("GET", f"{_PODS}/{name}").get("status", {}).get("phase") == "Running")
    return writer


def restart(server: KubernetesServer, name: str, restarts: int) -> None:
    running = {"name": "app", "image": "x", "imageID": "", "ready": True, "restartCount": restarts,
               "containerID": f"test://{restarts}", "state": {"running": {}}, "lastState": {}}  # fmt: skip
    change = {"status": {"containerStatuses": [running]}}
    server.ask("PATCH", f"{_PODS}/{name}/status", change, content_type=_MERGE)


async def test_no_line_is_lost_or_doubled_while_the_link_is_cut_again_and_again(server: KubernetesServer) -> None:
    writer = run_pod(server, "cut")
    with proxied(server.port) as proxy:
        async with reading(server, port=proxy.port, pod="cut") as reader:
            for _cut in range(6):
                writer.write(40)
                writer.write(3, "at once", at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z"))
                await reader.until(lambda: len(reader.lines) >= len(writer.written) // 2)
                cut_while_writing(proxy, writer)
            await reader.until(lambda: len(reader.lines) >= len(writer.written), "every line")
            await reader.look()
    assert reader.lines == writer.written
    assert reader.told == []


def cut_while_writing(proxy: Proxy, writer: Writer) -> None:
    writing = threading.Thread(target=writer.write, args=(40,))
    writing.start()
    proxy.cut()
    writing.join()


async def test_a_rotation_that_is_followed_costs_nothing_and_one_behind_a_cut_link_is_announced(
    server: KubernetesServer,
) -> None:
    writer = run_pod(server, "rotated")
    with proxied(server.port) as proxy:
        async with reading(server, port=proxy.port, pod="rotated") as reader:
            writer.write(20)
            await reader.until(lambda: reader.lines == writer.written)
            writer.rotate("1")
            writer.write(20)
            await reader.until(lambda: reader.lines == writer.written, "lines of the new file")
            assert reader.told == []

            proxy.bar()
            writer.write(5, "may be missing")
            writer.rotate("2")
            writer.write(20, "after")
            proxy.open_again()
            await reader.until(lambda: reader.lines[-1:] == writer.written[-1:], "the last line")
    assert any("rotated" in told for told in reader.told)
    assert len(reader.lines) == len(set(reader.lines))
    assert set(writer.written) - set(reader.lines) <= {line for line in writer.written if "missing" in line}


async def test_what_a_container_wrote_before_its_restart_is_read_to_its_end(server: KubernetesServer) -> None:
    writer = run_pod(server, "restarted")
    with proxied(server.port) as proxy:
        async with reading(server, port=proxy.port, pod="restarted") as reader:
            writer.write(20)
            await reader.until(lambda: reader.lines == writer.written)
            proxy.bar()
            writer.write(10, "last words")
            writer.rotate("before")
            writer.write(10, "again")
            restart(server, "restarted", 1)
            proxy.open_again()
            await reader.until(lambda: len(reader.lines) >= len(writer.written), "every line")
    assert reader.lines == writer.written
    assert reader.told == ["restarted: the container was restarted (1)"]


async def test_restarts_of_which_some_left_no_log_are_announced(server: KubernetesServer) -> None:
    writer = run_pod(server, "lost")
    with proxied(server.port) as proxy:
        async with reading(server, port=proxy.port, pod="lost") as reader:
            writer.write(5)
            await reader.until(lambda: reader.lines == writer.written)
            proxy.bar()
            restart(server, "lost", 3)
            proxy.open_again()
            await reader.until(lambda: reader.told)
    assert "restarted (3); lines before that may be missing" in reader.told[0]


async def test_a_pod_that_is_replaced_is_followed_from_its_first_line(server: KubernetesServer) -> None:
    old = run_pod(server, "old", app="shop")
    async with reading(server, selector="app=shop") as reader:
        old.write(5, "old")
        await reader.until(lambda: len(reader.lines) == 5)
        Writer(server, "new").write(5, "from the beginning", at="2020-01-01T00:00:00Z")
        run_pod(server, "new", app="shop")
        server.ask("DELETE", f"{_PODS}/old", {"gracePeriodSeconds": 0})
        await reader.until(lambda: len(reader.lines) == 10)
        assert reader.lines[5:] == [f"from the beginning {n}" for n in range(5)]
        names = {line.split(" ")[1] for line in reader.last.brought.lines}
        assert names <= {"new"}


async def test_more_logs_than_may_be_followed_are_counted_and_said(server: KubernetesServer) -> None:
    for name in ("first", "second"):
        run_pod(server, name, app="many")
    async with reading(server, selector="app=many", most=1) as reader:
        await reader.look()
        assert "1 log is not followed" in reader.last.text
        assert {it.name: it.value for it in reader.last.values}["logs"] == 1


async def test_errors_of_the_last_minute_are_counted_and_the_newest_lines_shown(server: KubernetesServer) -> None:
    writer = run_pod(server, "counted")
    async with reading(server, pod="counted") as reader:
        writer.write(3, "ERROR broken")
        writer.write(4, "INFO fine")
        await reader.until(lambda: len(reader.lines) == 7)
        values = {it.name: it.value for it in reader.last.values}
        assert (values["errors_per_min"], values["lines_per_min"]) == (3, 7)
        assert reader.last.rows[-1]["text"] == "counted INFO fine 6"
        assert reader.last.text.startswith("3 errors/min of 7 lines/min")


async def test_no_pod_a_deployment_that_is_not_there_and_a_server_that_is_down_are_each_said(
    server: KubernetesServer,
) -> None:
    async with reading(server, selector="app=nothing") as reader:
        await reader.look()
        assert reader.last.none
    async with reading(server, deployment="nosuch") as reader:
        await reader.look()
        assert 'deployments.apps "nosuch" not found' in reader.failed
    async with reading(server, pod="counted") as reader:
        await reader.look()
        server.stop()
        await reader.until(lambda: "can't be reached" in reader.failed)
        server.start_again()
        await reader.until(lambda: not reader.failed)


@pytest.mark.parametrize(
    "options",
    [{"pod": "a", "deployment": "b"}, {"pod": "../x"}, {"selector": "a=b&limit=1"}, {"most": 0}, {"most": 1000}],
)
def test_options_that_can_not_work_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        KubernetesLogsProbe(KubernetesLogsOptions(**options), 8)


def initial(name: str, **state: Any) -> dict[str, Any]:
    return {"name": name, "image": "x", "imageID": "", "ready": False, "restartCount": 0, "state": state}


async def test_sidecars_are_followed_and_what_has_to_end_first_until_it_has_ended_well(
    server: KubernetesServer,
) -> None:
    first = [{"name": "migrate", "image": "x"}, {"name": "proxy", "image": "x", "restartPolicy": "Always"}]
    spec = {"nodeName": "node-1", "containers": [{"name": "app", "image": "x"}], "initContainers": first}
    server.apply(_PODS, {"metadata": {"name": "begins", "labels": {"app": "begins"}}, "spec": spec})
    wait_until(lambda: server.ask("GET", f"{_PODS}/begins").get("status", {}).get("phase") == "Running")
    proxy = initial("proxy", running={})

    def patch(**state: Any) -> None:
        change = {"status": {"initContainerStatuses": [initial("migrate", **state), proxy]}}
        server.ask("PATCH", f"{_PODS}/begins/status", change, content_type=_MERGE)

    def sources(reader: Reader) -> set[str]:
        return {line.split(" ", 2)[1].rstrip(":") for line in reader.last.brought.lines}

    patch(terminated={"exitCode": 1, "containerID": "test://1"})
    async with reading(server, selector="app=begins") as reader:
        await reader.until(lambda: value(reader, "logs") == 3, "all three are followed")
        seen: set[str] = set()

        def all_told() -> bool:
            with server.log.open("a") as file:
                file.write(f"{datetime.now(UTC).strftime('%Y-%m-%dT%H:%M:%S.%f000Z')} stdout F a line\n")
            seen.update(sources(reader))
            return seen >= {"begins", "begins/proxy", "begins/migrate"}

        await reader.until(all_told, f"each has lines: {seen}")
    patch(terminated={"exitCode": 0, "containerID": "test://2"})
    async with reading(server, selector="app=begins") as reader:
        await reader.until(lambda: value(reader, "logs") == 2, "what has ended well is not followed")
    async with reading(server, selector="app=begins", container="migrate") as reader:
        await reader.until(lambda: value(reader, "logs") == 1, "whoever names it sees it")
    server.ask("DELETE", f"{_PODS}/begins", {"gracePeriodSeconds": 0})
