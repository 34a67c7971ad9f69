"""The watch as a host runs it: what it finds by itself, what it records, what it recommends, what it keeps."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from cockpit.config import Config, ProbeConfig, TailConfig, administrator, load
from cockpit.config.condition import parse_condition
from cockpit.config.model import Rule
from cockpit.errors import ConfigError, JournalError
from cockpit.monitor import discover as discovery
from cockpit.monitor import listening
from cockpit.monitor.discover import discover, emergency_section, health_urls
from cockpit.monitor.filling import known_inputs
from cockpit.monitor.record import sample_of
from cockpit.monitor.sample import Sample
from cockpit.monitor.watch import Watch
from cockpit.runbook.model import Input, Phase, Runbook, Section, StatedThreshold, Step, StepKind
from tests.waiting import PATIENCE_S


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration, PM2 or proxy of this machine's own."""
    for name in ("COCKPIT_CONFIG", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    monkeypatch.setenv("PM2_HOME", str(tmp_path / "no-pm2"))
    monkeypatch.setattr(administrator, "ADMINISTRATORS_FILE", tmp_path / "none" / "none.toml")


@pytest.fixture
def service() -> Iterator[Any]:
    """A health endpoint; `service.code` is what it answers."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"status": "UP" if server.code == 200 else "DOWN"}).encode()
            self.send_response(server.code)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        code = 200

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(5)


def runbook(code: str = "", *, front_matter: dict[str, Any] | None = None, stated: tuple[Any, ...] = ()) -> Runbook:
    sections = (
        Section("severity", "P0 (critical): roll back at once", 2, 1, severity="P0", phase=Phase.ROLLBACK),
        Section("p0", "P0 rollback", 2, 5, severity="P0", phase=Phase.ROLLBACK),
        Section("step-1", "Look", 3, 7, parent="p0"),
        Section("p1", "P1 rollback", 2, 20, severity="P1", phase=Phase.ROLLBACK),
    )
    steps = (
        Step("a", "step-1", 9, 11, StepKind.COMMAND, "look", language="bash", code=code),
        Step("b", "p1", 22, 23, StepKind.COMMAND, "look", language="bash", code="true"),
    )
    return Runbook("t", "t.md", "en", "", "", front_matter or {}, sections, steps, (), thresholds=stated)


@dataclass
class Session:
    """A folder as a session has it, and everything that a host would hear."""

    path: Path
    changes: list[Mapping[str, Any]] = field(default_factory=list)
    recommendations: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.logs.mkdir(parents=True)

    @property
    def samples(self) -> Path:
        return self.path / "samples.jsonl"

    @property
    def panel(self) -> Path:
        return self.path / "panel.json"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    def watch(self, config: Config, document: Runbook, **changes: Any) -> Watch:
        return Watch(
            config,
            document,
            self,
            on_sample=self.heard.set,
            on_change=self.changes.append,
            on_recommendation=lambda kind, data: self.recommendations.append((kind, data)),
            **changes,
        )

    def recorded(self, probe: str) -> list[Sample]:
        found = [sample_of(json.loads(line)) for line in self.samples.read_text().splitlines()]
        return [sample for sample in found if sample is not None and sample.probe == probe]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self.heard.clear()
                await self.heard.wait()


@pytest.fixture
async def session(tmp_path: Path) -> Session:
    return Session(tmp_path / "session")


async def test_without_configuration_it_watches_what_the_runbook_names(
    session: Session, service: Any, tmp_path: Path
) -> None:
    log = tmp_path / "application.log"
    log.write_text("")
    address = f"http://localhost:{service.server_port}/actuator/health"
    document = runbook(
        f"curl -s {address} | jq .status\ntail -n 50 {log} | grep ERROR\ntail /var/log/nowhere-at-all.log",
        stated=(StatedThreshold("CPU", ">", 90, "%", "red", "CPU > 90 %", "p0", 3),),
    )
    watch = session.watch(load(None, document), document)
    await watch.start()
    await session.until(lambda: len({change["probe"] for change in session.changes}) == 3)
    await watch.stop()
    panel = json.loads(session.panel.read_text())
    assert [(probe["name"], probe["kind"]) for probe in panel["probes"]] == [("health", "http"), ("machine", "machine")]
    assert [tail["path"] for tail in panel["tails"]] == [str(log)]
    assert "cpu_percent > 90 % red" in panel["probes"][1]["thresholds"]
    assert [(rule["section"], rule["when"]) for rule in panel["rules"]] == [
        ("p0", "health failed or healthy == false 3 in a row")
    ]
    assert session.recorded("health")[0].text.startswith("UP 200")
    assert session.panel.stat().st_mode & 0o777 == 0o600


async def test_three_bad_looks_recommend_the_rollback_and_a_good_one_takes_it_back(
    session: Session, service: Any
) -> None:
    document = runbook()
    config = Config(
        probes=(
            ProbeConfig(
                name="health",
                kind="http",
                interval_s=0.1,
                options={"url": f"http://127.0.0.1:{service.server_port}/actuator/health"},
            ),
        )
    )
    service.code = 503
    watch = session.watch(config, document)
    await watch.start()
    await session.until(lambda: bool(session.recommendations))
    kind, data = session.recommendations[0]
    assert (kind, data["section"], len(data["samples"])) == ("recommendation.raised", "p0", 3)
    assert all("DOWN 503" in one["text"] for one in data["samples"])
    service.code = 200
    await session.until(lambda: len(session.recommendations) == 2)
    await watch.stop()
    assert session.recommendations[1][0] == "recommendation.cleared"
    assert [(change["was"], change["level"]) for change in session.changes] == [("", "red"), ("red", "green")]


async def test_a_rule_raised_before_this_host_is_taken_back_by_it(session: Session, service: Any) -> None:
    url = f"http://127.0.0.1:{service.server_port}/"
    probe = ProbeConfig(name="health", kind="http", options={"url": url})
    watch = session.watch(Config(probes=(probe,)), runbook(), raised=["service-down"])
    await watch.start()
    await session.until(lambda: bool(session.recommendations))
    await watch.stop()
    assert session.recommendations[0][0] == "recommendation.cleared"


async def test_one_can_have_a_probe_looked_at_now(session: Session, service: Any) -> None:
    url = f"http://127.0.0.1:{service.server_port}/"
    probe = ProbeConfig(name="health", kind="http", interval_s=3600, options={"url": url})
    watch = session.watch(Config(probes=(probe,)), runbook())
    await watch.start()
    await session.until(lambda: session.samples.exists() and len(session.recorded("health")) == 1)
    assert watch.request_now("health")
    await session.until(lambda: len(session.recorded("health")) == 2)
    await watch.stop()


def written(probe: dict[str, Any]) -> Path:
    lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in probe.items())
    Path("cockpit.toml").write_text(f"[[probe]]\n{lines}")
    return Path("cockpit.toml")


async def test_a_mistake_in_a_file_is_refused_and_one_in_a_document_is_told(session: Session) -> None:
    table = {"name": "a", "kind": "http", "url": "http://x/", "verfy": False}
    rules = [{"name": "r", "when": "a failed"}]
    with pytest.raises(ConfigError, match="verfy"):
        session.watch(load(written(table)), runbook())
    Path("cockpit.toml").unlink()
    with pytest.raises(ConfigError, match=r"cockpit\.toml: probe a\.kind: no probe is of the kind htpp .*http"):
        session.watch(
            Config(probes=(ProbeConfig(name="a", kind="htpp", options=table),), origin="cockpit.toml"), runbook()
        )
    document = runbook(front_matter={"probes": [table, {"name": "here", "kind": "machine"}], "rules": rules})
    watch = session.watch(load(None, document), document)
    await watch.start()
    await watch.stop()
    panel = json.loads(session.panel.read_text())
    assert [probe["name"] for probe in panel["probes"]] == ["here"]
    assert panel["rules"] == []
    assert "verfy" in panel["problems"][0]


async def test_no_secret_of_the_session_is_recorded(session: Session, tmp_path: Path) -> None:
    probe = ProbeConfig(name="c", kind="command", options={"command": "printf 'token is opensesame'"})
    tail = TailConfig(name="app", path=str(tmp_path / "app.log"), interval_s=0.1)
    Path(tail.path).write_text("")
    watch = session.watch(
        Config(probes=(probe,), tails=(tail,)), runbook(), redact=lambda text: text.replace("opensesame", "***")
    )
    await watch.start()
    await session.until(lambda: len(session.changes) == 2)
    with Path(tail.path).open("a") as log:
        log.write("ERROR bad key opensesame\n")
    await session.until((session.logs / "app.log").exists)
    await watch.stop()
    assert session.recorded("c")[0].text == "token is ***"
    assert (session.logs / "app.log").read_text() == "ERROR bad key ***\n"


async def test_what_a_failing_journal_did_not_take_is_told_again(session: Session, service: Any) -> None:
    url = f"http://127.0.0.1:{service.server_port}/"
    probe = ProbeConfig(name="health", kind="http", interval_s=0.1, options={"url": url})
    service.code = 503
    refusals = {"change": 2, "recommendation": 2}

    def record(what: str, data: Mapping[str, Any]) -> None:
        if refusals[what]:
            refusals[what] -= 1
            raise JournalError("the disk is full")
        told.append((what, data))

    told: list[tuple[str, Mapping[str, Any]]] = []
    watch = Watch(
        Config(probes=(probe,)),
        runbook(),
        session,
        on_sample=session.heard.set,
        on_change=lambda data: record("change", data),
        on_recommendation=lambda _kind, data: record("recommendation", data),
    )
    await watch.start()
    await session.until(lambda: len(told) == 2)
    await watch.stop()
    assert sorted(what for what, _data in told) == ["change", "recommendation"]


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("curl http://localhost:8080/actuator/health", ["http://localhost:8080/actuator/health"]),
        ("curl -s localhost:8080/health | jq '.status'", ["http://localhost:8080/health"]),
        ("for i in {1..5}; do\n  curl -fsS \\\n    'http://127.0.0.1:9/healthz'\ndone", ["http://127.0.0.1:9/healthz"]),
        ("curl http://[::1]:8080/ready", ["http://[::1]:8080/ready"]),
        ("curl -X POST http://localhost:8080/health", []),
        ("curl -d '{}' http://localhost:8080/health", []),
        ("curl --data-binary @x http://localhost:8080/health", []),
        ("curl -XDELETE http://localhost:8080/health", []),
        ("curl http://localhost:8080/api/v1/model/info", []),
        ("curl http://10.0.0.5:8080/health", []),
        ("curl http://localhost.evil.example/health", []),
        ("curl http://$HOST:8080/health", []),
        ("curl http://localhost:8080/health/${NAME}", []),
        ("curl http://localhost:<port>/health", []),
        ("wget http://localhost:8080/health", []),
        ("echo 'curl http://localhost:8080/health", []),
        ("# curl http://localhost:8080/health", []),
    ],
)
def test_health_addresses_are_taken_from_plain_reads_on_this_machine(code: str, found: list[str]) -> None:
    assert list(health_urls(code)) == found


def test_a_service_that_nobody_names_is_found_by_its_port(service: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # Whatever else listens on this machine, and however busy it is.
    ports = listening._listening()
    monkeypatch.setattr(listening, "_listening", lambda: [port for port in ports if port == service.server_port])
    monkeypatch.setattr(listening, "_PATIENCE_S", PATIENCE_S)
    found = discover(runbook("ls"), {})
    assert f"http://localhost:{service.server_port}/actuator/health" in {p.options.get("url") for p in found.probes}
    monkeypatch.setattr(discovery, "health_addresses", lambda: pytest.fail("no port is tried when one is named"))
    assert discover(runbook("curl localhost:1/health"), {}).probes[0].options == {"url": "http://localhost:1/health"}


def test_addresses_and_paths_may_name_inputs(session: Session, tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text("")
    base = runbook('curl -s "$SERVICE_URL/health"\ntail -n 50 "${APP_LOG}"\ncurl http://<host>/ready')
    inputs = (
        Input("SERVICE_URL", "$SERVICE_URL", "dollar", default="http://localhost:1"),
        Input("APP_LOG", "$APP_LOG", "dollar"),
        Input("host", "<host>", "angle", default="localhost:3"),
        Input("TOKEN", "$TOKEN", "dollar", secret=True),
    )
    document = replace(base, inputs=inputs)
    given = {"APP_LOG": str(tmp_path / "app.log"), "TOKEN": "s3cret"}
    found = discover(document, known_inputs(document, given))
    assert [probe.options["url"] for probe in found.probes if probe.kind == "http"] == [
        "http://localhost:1/health",
        "http://localhost:3/ready",
    ]
    assert [tail.path for tail in found.tails] == [given["APP_LOG"]]
    probe = ProbeConfig(name="a", kind="http", options={"url": "$SERVICE_URL/x?t=$TOKEN&o=$OTHER"})
    command = ProbeConfig(name="b", kind="command", options={"command": "cat $APP_LOG"})
    watch = session.watch(Config(probes=(probe, command)), document, inputs=given)
    assert watch.config.probes[0].options["url"] == "http://localhost:1/x?t=$TOKEN&o=$OTHER"
    assert watch.config.probes[1].options["command"] == "cat $APP_LOG"


def test_the_emergency_section_is_one_with_steps() -> None:
    found = emergency_section(runbook("ls"))
    assert found is not None
    assert found.id == "p0"
    assert emergency_section(Runbook("t", "t.md", "en", "", "", {}, (), (), ())) is None


def test_a_section_is_recommended_rather_than_the_whole_document() -> None:
    one = Section("all", "P0 rollback", 1, 1, severity="P0", phase=Phase.ROLLBACK)
    two = Section("roll", "Roll back", 2, 3, severity="P0", phase=Phase.ROLLBACK, parent="all")
    step = Step("s", "roll", 4, 4, StepKind.COMMAND, "ls", language="bash", code="ls")
    document = Runbook("t", "t.md", "en", "", "", {}, (one, two), (step,), ())
    assert emergency_section(document) == two


def test_own_rules_stand_back_for_those_that_are_written() -> None:
    own = Rule(name="mine", conditions=(parse_condition("health failed", "test"),))
    probe = ProbeConfig(name="health", kind="http", options={"url": "http://x/"})
    assert discovery.with_own_rules(Config(probes=(probe,), rules=(own,)), runbook()).rules == (own,)
