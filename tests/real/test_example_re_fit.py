"""The example configuration of a service under PM2 on one server: it is read, its figures are the runbook's, its
probes and logs are looked at over a real sshd, with a real PM2, and it opens with a runbook in that form."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cockpit.config import Config, load
from cockpit.monitor.watch import Watch
from cockpit.runbook.model import Runbook
from cockpit.runbook.reading import parse
from cockpit.session.record.folder import SessionFolder
from cockpit.session.steps.targets import targets_of
from tests.servers.pages import Page, page_server
from tests.servers.pm2 import Pm2, pm2_daemon
from tests.servers.ssh import SshServer
from tests.waiting import until

EXAMPLE = Path(__file__).parents[2] / "runbooks" / "examples" / "re-fit.toml"
RUNBOOK = """# 채팅 서비스 수동 롤백

## 🔄 P0 롤백 프로세스 (전체 서비스 중단)

```bash
ls -lht /opt/ai_app/releases/
```

## 🔧 P1 롤백 프로세스 (AI 응답 품질 저하)

```bash
tail -n 20 /var/log/app/ai-responses.log
```

## 🐌 P2 롤백 프로세스 (AI 응답 속도 저하)

```bash
free -m
```
"""


@pytest.fixture(scope="module")
def config() -> Config:
    return load(EXAMPLE)


def test_the_figures_are_those_of_the_runbook_with_their_operators(config: Config) -> None:
    written = {probe.name: {bound.text for bound in probe.thresholds} for probe in config.probes}
    rules = {rule.name: rule.written for rule in config.rules}

    assert config.problems == ()
    assert {"ratio 5xx > 50 % over 40 red", "mean latency_ms > 30 s over 12 red"} <= written["health"]
    assert {"ratio healthy < 50 % over 12 red", "status != UP red", "latency_ms >= 30 s red"} <= written["health"]
    assert "health ratio 5xx > 50 %" in rules["p0-roll-back"]
    assert "health ratio 5xx >= 10 %" in rules["p1-quality"]
    assert "health ratio 5xx >= 3 %" in rules["p2-slow"]


def test_every_rule_leads_to_a_section_of_such_a_runbook_and_names_a_probe(config: Config) -> None:
    sections = {section.id for section in parse(RUNBOOK).sections}
    probes = {probe.name for probe in config.probes}

    assert {rule.section for rule in config.rules} <= sections
    assert {one.probe for rule in config.rules for one in rule.conditions} <= probes


class Backend(Page):
    """Health as Spring Boot tells it, of the whole and of its database."""

    def answer(self) -> None:
        self.says(200, b'{"status": "UP"}', "application/json")


class Server:
    """The server of the example: what stands there, and the configuration led to it."""

    def __init__(self, server: SshServer, pm2: Pm2, folder: Path, port: int) -> None:
        self.logs = folder / "logs"
        self.logs.mkdir()
        for name in ("application.log", "ai-responses.log"):
            (self.logs / name).write_text("10:00:00 INFO it began\n")
        text = EXAMPLE.read_text(encoding="utf-8")
        for there, here in (
            ('host = "re-fit-prod"', f'host = "far"\nssh_config = {json.dumps(str(server.config))}'),
            ("localhost:8080", f"127.0.0.1:{port}"),
            ('folders = ["/", "/opt/ai_app", "/var/log"]', 'folders = ["/"]'),
            ('processes = ["backend"]', f'processes = ["backend"]\nhome = {json.dumps(str(pm2.home))}'),
            ("/var/log/app/", f"{self.logs}/"),
            ("deadline_s = 8", "deadline_s = 30"),
            ("interval_s = 5\n", "interval_s = 1\ndeadline_s = 30\n"),
        ):
            assert there in text, there
            text = text.replace(there, here)
        self.config = folder / "cockpit.toml"
        self.config.write_text(text.replace("deadline_s = 30\ndeadline_s = 40", "deadline_s = 40"), encoding="utf-8")


@pytest.fixture
def there(server: SshServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("DISCORD_WEBHOOK_URL", "https://127.0.0.1:1/api/webhooks/1/unused")
    with pm2_daemon() as daemon, page_server(Backend) as port:
        daemon.start("backend", "setInterval(() => {}, 1000)")
        yield Server(server, daemon, tmp_path, port)


def watched(there: Server, folder: SessionFolder, runbook: Runbook) -> Watch:
    config = load(there.config)
    return Watch(config, runbook, folder, adapters=targets_of(config.targets, config.origin))


@pytest.mark.real
async def test_each_probe_and_log_is_looked_at_on_the_real_server(there: Server, folder: SessionFolder) -> None:
    watch = watched(there, folder, parse(RUNBOOK))
    await watch.start()
    seen: dict[str, dict[str, Any]] = {}

    def all_told() -> bool:
        for line in folder.samples.read_text().splitlines() if folder.samples.exists() else ():
            sample = json.loads(line)
            if sample.get("outcome") == "data":
                seen[sample["probe"]] = sample
        return set(seen) == {"health", "database", "pm2", "server", "application", "ai-responses", "pm2-errors"}

    await until(all_told)
    with (there.logs / "application.log").open("a") as log:
        log.write("10:00:01 ERROR java.lang.OutOfMemoryError: Java heap space\n")
    await until(lambda: "OutOfMemoryError" in (folder.logs / "application.lines").read_text())
    await watch.stop()

    told = {name: {reading["name"]: reading["value"] for reading in one["readings"]} for name, one in seen.items()}
    assert (told["health"]["status"], told["database"]["status"]) == ("UP", "UP")
    assert (told["pm2"]["online"], told["pm2"]["broken"]) == (1.0, 0.0)
    assert 0 < told["server"]["memory_percent"] < 100
