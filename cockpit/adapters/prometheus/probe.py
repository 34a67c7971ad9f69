"""Metrics of a Prometheus as a probe: each named query gives one number, held against thresholds and drawn.

[[probe]]
name = "canary"
kind = "prometheus"
url = "http://prometheus:9090"      # and the other keys of a target of kind "prometheus"
thresholds = ["error_percent > 1 % red", "error_percent > 0.5 % yellow", "p95_ms > 500 ms red"]
[probe.queries]
error_percent = '100 * sum(rate(http_requests_total{code=~"5.."}[1m])) / sum(rate(http_requests_total[1m]))'
p95_ms = '1000 * histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket[1m])))'
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from typing import ClassVar

from msgspec import Struct

from cockpit.adapters.http.api import Api, ApiOptions, check_options, credentials_of
from cockpit.adapters.probing import Finding, Value
from cockpit.adapters.prometheus.adapter import ask
from cockpit.adapters.prometheus.answer import Answer, number_text
from cockpit.adapters.prometheus.question import Question, unit_of
from cockpit.errors import ConfigError, Declined
from cockpit.safety.judge import judge
from cockpit.safety.permit import Action, Permit
from cockpit.safety.verdict import Judgement, Verdict
from cockpit.words import _, plural

_SHARE_OF_DEADLINE = 0.95
_UNITS = {"_percent": "%", "_ms": "ms", "_s": "s", "_seconds": "s", "_bytes": "bytes"}
_MOST_QUERIES = 50


class PrometheusProbeOptions(ApiOptions, frozen=True, kw_only=True):
    """Keys of a probe of kind "prometheus". A query's name is its metric's; an ending `_ms`, `_percent` … its unit."""

    queries: dict[str, str]


class Queries:
    """A few queries, asked together.

    Args:
        url: the server's, to be told.
        connect: a client of it, for answers within so many seconds.
    """

    def __init__(
        self, queries: Mapping[str, str], url: str, deadline_s: float, connect: Callable[[float], Api]
    ) -> None:
        if not 0 < len(queries) <= _MOST_QUERIES or not all(map(str.strip, queries.values())):
            raise ConfigError(_("there is no query, or more than {most}").format(most=_MOST_QUERIES))
        self._queries = queries
        self._url = url
        self._deadline_s = deadline_s * _SHARE_OF_DEADLINE
        self._connect = connect
        self._api: Api | None = None

    @property
    def action(self) -> Action:
        """The queries; the target is the server's address."""
        return Action("promql", "\n".join(self._queries.values()), self._url)

    @property
    def judgement(self) -> Judgement:
        """The worst that safety says of one of them."""
        found = [judge("promql", query) for query in self._queries.values()]
        return next((each for each in found if each.verdict is not Verdict.READ_ONLY), found[0])

    async def look(self, permit: Permit) -> Finding:
        """Ask all queries. One that the server refuses costs its own value. See `Watchable`."""
        permit.covers(self.action)
        api = self._api = self._api or self._connect(self._deadline_s)
        asked = [self._value(api, name, query) for name, query in self._queries.items()]
        values = tuple(await asyncio.gather(*asked))
        told = [f"{value.name} {_told(value)}" for value in values]
        if all(value.value == no_data() for value in values):
            return Finding(_("no data: no query matches a series"), values, none=True, mend=_("check the queries"))
        return Finding(" · ".join(told), values)

    async def close(self) -> None:
        """Let go of connections."""
        api, self._api = self._api, None
        if api is not None:
            await api.close()

    async def _value(self, api: Api, name: str, query: str) -> Value:
        unit = next((unit for ending, unit in _UNITS.items() if name.endswith(ending)), "") or unit_of(query)
        try:
            answer = await ask(api, Question(query), self._deadline_s)
        except Declined as error:
            return Value(name, _("refused: {why}").format(why=error.what), "", "yellow")
        return value_of(name, answer, unit)


class PrometheusProbe(Queries):
    """The queries of one Prometheus, or of what has its API."""

    Options: ClassVar[type[Struct]] = PrometheusProbeOptions

    def __init__(self, options: PrometheusProbeOptions, deadline_s: float) -> None:
        check_options(options)

        def connect(within_s: float) -> Api:
            return Api(options, credentials_of(options), within_s)

        super().__init__(options.queries, options.url, deadline_s, connect)


def no_data() -> str:
    """What stands for a value where no series matches."""
    return _("no data")


def value_of(name: str, answer: Answer, unit: str) -> Value:
    """The one number of an answer. What is none is told in words: no data, NaN, several series are not zero."""
    count = answer.data.count()
    if not count:
        return Value(name, no_data(), "", "yellow")
    if count > 1:
        told = plural("{n} series, one is wanted", "{n} series, one is wanted", count).format(n=count)
        return Value(name, told, "", "yellow")
    number = answer.data.series()[0].newest
    if number is None or not math.isfinite(number):
        return Value(name, no_data() if number is None else number_text(number), "", "yellow")
    return Value(name, number, unit)


def _told(value: Value) -> str:
    return f"{value.value:.4g}{value.unit}" if isinstance(value.value, float) else str(value.value)
