"""A LogQL query as a probe: how many of its lines are errors a minute; the lines themselves are for the log panel.

[[probe]]
name = "app log"
kind = "loki"
url = "http://loki:3100"            # and the other keys of a target of kind "loki"
query = '{app="chat"}'
thresholds = ["errors_per_min > 10 red"]
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from msgspec import Struct

from cockpit.adapters.http.api import Api, ApiOptions, check_options, credentials_of
from cockpit.adapters.loki.lines import LogLine, ask, lines_of
from cockpit.adapters.probing import TEXT_CHARACTERS, Brought, Finding
from cockpit.adapters.prometheus.question import Question
from cockpit.errors import ConfigError, Malformed
from cockpit.monitor.logs.rates import none_told, rates, told
from cockpit.monitor.logs.severity import Severity, severity_of
from cockpit.safety.judge import judge
from cockpit.safety.permit import Action, Permit
from cockpit.safety.verdict import Judgement
from cockpit.words import _

_SHARE_OF_DEADLINE = 0.95
_LOOKS_BACK_S = 60.0
_MOST_LINES = 2000
_SHOWN_LINES = 5


class LokiProbeOptions(ApiOptions, frozen=True, kw_only=True):
    """Keys of a probe of kind "loki"."""

    query: str


class LokiProbe:
    """One query over the last minute."""

    Options: ClassVar[type[Struct]] = LokiProbeOptions

    def __init__(self, options: LokiProbeOptions, deadline_s: float) -> None:
        check_options(options)
        if not options.query.strip():
            raise ConfigError(_("there is no query"))
        self._options = options
        self._deadline_s = deadline_s * _SHARE_OF_DEADLINE
        self._api: Api | None = None
        self._seen: frozenset[LogLine] | None = None
        """The lines of the last look: a late line may be older than the newest of those."""

    @property
    def action(self) -> Action:
        """The query; the target is the server's address."""
        return Action("logql", self._options.query, self._options.url)

    @property
    def judgement(self) -> Judgement:
        """What safety says of it."""
        return judge("logql", self._options.query)

    async def look(self, permit: Permit) -> Finding:
        """The lines of the last minute. See `Watchable`."""
        permit.covers(self.action)
        self._api = self._api or Api(self._options, credentials_of(self._options), self._deadline_s)
        question = Question(self._options.query, range_s=_LOOKS_BACK_S, at=time.time())
        answer = await ask(self._api, question, _MOST_LINES)
        if answer.data.kind != "streams":
            raise Malformed(_("the query gives numbers and no lines"), mend=_("give a query without rate or count"))
        lines = lines_of(answer.data)
        whole = len(lines) < _MOST_LINES
        return replace(_finding(lines, whole=whole), brought=self._brought(lines, whole))

    def _brought(self, lines: list[LogLine], whole: bool) -> Brought:
        """What the last look did not see; where nothing of that is left in a full answer, lines lie in between."""
        before, self._seen = self._seen, frozenset(lines)
        new = [line for line in lines if not before or line not in before]
        gap = not whole and bool(before) and len(new) == len(lines)
        return Brought(tuple(f"{line.shown()[:24]} {line.text}" for line in new), gap)

    async def close(self) -> None:
        """Let go of connections."""
        api, self._api = self._api, None
        if api is not None:
            await api.close()


def _finding(lines: list[LogLine], *, whole: bool) -> Finding:
    """Rates over the last minute; where there are more lines than were fetched, over the time that those cover."""
    span_s = _LOOKS_BACK_S if whole else max(1e-3, (lines[-1].at_ns - lines[0].at_ns) / 1e9)
    errors = sum(severity_of(line.text) >= Severity.ERROR for line in lines)
    values = rates(errors, len(lines), span_s)
    if not lines:
        return Finding(none_told(), values)
    return Finding(told(*values), values, tuple(map(_row, lines[-_SHOWN_LINES:])))


def _row(line: LogLine) -> Mapping[str, Any]:
    return {"at": line.shown()[:24], "text": line.text[:TEXT_CHARACTERS], "labels": line.labels[:TEXT_CHARACTERS]}
