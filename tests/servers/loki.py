"""A stand-in for Loki: the documented shapes of its query API over lines that the tests push. No Loki can be had here.

It knows a stream selector with equal matchers, line filters `|=` and `!=`, `count_over_time`, limits, directions,
tenants, and the texts of Loki's own refusals.
"""

from __future__ import annotations

import base64
import json
import re
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.servers.pages import Page, page_server

_LOG = re.compile(r'\s*(\{[^{}]*\})((?:\s*(?:\|=|!=)\s*(?:"(?:[^"\\]|\\.)*"|`[^`]*`))*)\s*')
_MATCHER = re.compile(r'(\w+)\s*=\s*("(?:[^"\\]|\\.)*")')
_FILTER = re.compile(r'(\|=|!=)\s*("(?:[^"\\]|\\.)*"|`[^`]*`)')
_COUNT = re.compile(r"count_over_time\((.*)\[\w+\]\)")
_NS = 1_000_000_000


@dataclass
class LokiServer:
    """`lines` are (ns, labels, text); `asked` every path and values that came; `authorization` lets in."""

    port: int = 0
    lines: list[tuple[int, dict[str, str], str]] = field(default_factory=list)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    tenants: list[str] = field(default_factory=list)
    password: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def push(self, text: str, *, age_s: float = 0.0, **labels: str) -> None:
        """A line as its writer pushed it so long ago."""
        self.lines.append((time.time_ns() - int(age_s * _NS), labels, text))

    def answer(self, path: str, values: dict[str, str]) -> tuple[int, str]:
        """Status and body for a question."""
        query = values.get("query", "")
        if path == "/loki/api/v1/query" and query == "vector(1)":
            return 200, _data("vector", [{"metric": {}, "value": [time.time(), "1"]}])
        counted = _COUNT.fullmatch(query)
        found = _LOG.fullmatch(counted[1] if counted else query)
        if found is None:
            column = len(query) + 1
            return 400, f"parse error at line 1, col {column}: syntax error: unexpected $end"
        begin, end = int(values["start"]), int(values["end"])
        lines = [line for line in self.lines if begin <= line[0] < end and _holds(found, line)]
        if counted:
            return 200, _data("matrix", [{"metric": {}, "values": [[end / _NS, str(len(lines))]]}])
        lines.sort(key=lambda line: line[0], reverse=values.get("direction", "backward") == "backward")
        return 200, _data("streams", list(_streams(lines[: int(values.get("limit", "100"))])))


def _data(kind: str, result: list[Any]) -> str:
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": result, "stats": {}}})


def _holds(found: re.Match[str], line: tuple[int, dict[str, str], str]) -> bool:
    _at, labels, text = line
    if any(labels.get(name) != json.loads(value) for name, value in _MATCHER.findall(found[1])):
        return False
    filters = [(sign, raw[1:-1] if raw[0] == "`" else json.loads(raw)) for sign, raw in _FILTER.findall(found[2])]
    return all((word in text) is (sign == "|=") for sign, word in filters)


def _streams(lines: list[tuple[int, dict[str, str], str]]) -> Iterator[dict[str, Any]]:
    for labels in {json.dumps(line[1]): line[1] for line in lines}.values():
        yield {"stream": labels, "values": [[str(line[0]), line[2]] for line in lines if line[1] == labels]}


@contextmanager
def loki_server(*, password: str = "") -> Iterator[LokiServer]:
    held = LokiServer(password=password)

    class Questions(Page):
        def answer(self) -> None:
            path, _mark, query = self.path.partition("?")
            values = dict(urllib.parse.parse_qsl(query))
            held.asked.append((self.command, path, values))
            held.tenants.append(self.headers.get("X-Scope-OrgID", ""))
            status, said = held.answer(path, values) if self._let_in() else (401, "no org id")
            self.says(status, said.encode(), "application/json" if status == 200 else "text/plain; charset=utf-8")

        def _let_in(self) -> bool:
            wanted = "Basic " + base64.b64encode(f"oncall:{held.password}".encode()).decode()
            return not held.password or self.headers.get("Authorization") == wanted

    with page_server(Questions) as held.port:
        yield held
