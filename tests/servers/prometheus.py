"""A real Prometheus that scrapes a page of ours, and a real Alertmanager."""

from __future__ import annotations

import http.client
import json
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers.pages import Page, page_server
from tests.servers.server import free_port, require, running, server_folder

USER, PASSWORD = "oncall", "Qz7-metrics-password-31"


def asked(url: str, values: dict[str, str] | None = None, *, body: Any = None) -> Any:
    """The JSON at an address."""
    query = f"?{urllib.parse.urlencode(values)}" if values else ""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + query, data, {"Content-Type": "application/json"} if data else {})
    with urllib.request.urlopen(request, timeout=10) as answer:
        said = answer.read()
    return json.loads(said) if said else None


def is_ready(port: int) -> bool:
    """Whether the server on that port says that it is."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/-/ready")
        return connection.getresponse().status in (200, 401)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


@dataclass
class Exporter:
    """What the server scrapes: `text` is the page, to be changed at will."""

    port: int
    text: str = ""


@contextmanager
def exporter(text: str) -> Iterator[Exporter]:
    held = Exporter(0, text)

    class Metrics(Page):
        def answer(self) -> None:
            self.says(200, held.text.encode(), "text/plain; version=0.0.4")

    with page_server(Metrics) as held.port:
        yield held


@dataclass
class PrometheusServer:
    """One server; `page` is what it scrapes as the job "shop"."""

    port: int
    folder: Path
    page: Exporter

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def query(self, text: str) -> list[Any]:
        """The result of a query, asked by the test itself."""
        found: list[Any] = asked(f"{self.url}/api/v1/query", {"query": text})["data"]["result"]
        return found


@contextmanager
def prometheus_server(text: str = "", *, with_password: bool = False, every_s: int = 1) -> Iterator[PrometheusServer]:
    (binary,) = require("prometheus")
    with server_folder() as folder, exporter(text) as page:
        port = free_port()
        config = {
            "global": {"scrape_interval": f"{every_s}s", "scrape_timeout": f"{every_s}s"},
            "scrape_configs": [{"job_name": "shop", "static_configs": [{"targets": [f"127.0.0.1:{page.port}"]}]}],
        }
        (folder / "prometheus.yml").write_text(json.dumps(config))
        argv = [binary, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
        argv += [f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn", "--query.max-samples=20000"]
        if with_password:
            import bcrypt

            hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
            (folder / "web.yml").write_text(json.dumps({"basic_auth_users": {USER: hashed}}))
            argv.append(f"--web.config.file={folder}/web.yml")
        with running(argv, lambda: is_ready(port), folder):
            yield PrometheusServer(port, folder, page)


@dataclass
class AlertmanagerServer:
    """One server without peers."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def post(self, *alerts: dict[str, Any]) -> None:
        """Raise alerts, as Prometheus does."""
        asked(f"{self.url}/api/v2/alerts", body=list(alerts))

    def silence(self, name: str, begins: str, ends: str) -> None:
        """Silence the alerts of that name."""
        matcher = {"name": "alertname", "value": name, "isRegex": False, "isEqual": True}
        told = {"matchers": [matcher], "startsAt": begins, "endsAt": ends, "createdBy": "test", "comment": "test"}
        asked(f"{self.url}/api/v2/silences", body=told)

    def names(self) -> list[str]:
        """The names of what it holds now."""
        return sorted(alert["labels"]["alertname"] for alert in asked(f"{self.url}/api/v2/alerts"))


@contextmanager
def alertmanager_server() -> Iterator[AlertmanagerServer]:
    (binary,) = require("prometheus-alertmanager")
    with server_folder() as folder:
        port = free_port()
        config = {"route": {"receiver": "nobody", "group_wait": "1s"}, "receivers": [{"name": "nobody"}]}
        (folder / "alertmanager.yml").write_text(json.dumps(config))
        argv = [binary, f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/data"]
        argv += [f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=", "--log.level=warn"]
        with running(argv, lambda: is_ready(port), folder):
            yield AlertmanagerServer(port)
