"""Prometheus, and Thanos, Mimir or VictoriaMetrics behind the same API: PromQL as steps, with numbers and charts.

[target.metrics]
kind = "prometheus"
url = "http://prometheus:9090"     # with the path that its API stands behind, if any
token_env = "METRICS_TOKEN"        # a bearer token; or token_file; or user with password_env or password_file
ca_file = "/etc/ssl/our-ca.pem"
tenant = "shop"                    # X-Scope-OrgID
timeout_s = 30

Only /api/v1/query and /api/v1/query_range are ever asked, whatever a block says: a query can't change anything.
"""

from __future__ import annotations

import time

from cockpit.adapters.http.api import Api
from cockpit.adapters.prometheus.answer import Answer
from cockpit.adapters.prometheus.pages import POINTS, show
from cockpit.adapters.prometheus.queries import QueryProgram
from cockpit.adapters.prometheus.question import Question
from cockpit.adapters.step_program.page import Page

QUERY = "/api/v1/query"
QUERY_RANGE = "/api/v1/query_range"


class PrometheusAdapter(QueryProgram):
    """Asks one server each query of a block, in order."""

    name = "prometheus"
    languages = frozenset({"promql"})
    instant_path = QUERY

    async def show(self, api: Api, question: Question, page: Page) -> None:
        """Print numbers, and charts of what has a range. See `QueryProgram.show`."""
        show(await ask(api, question, self.options.timeout_s), page)


async def ask(api: Api, question: Question, timeout_s: float) -> Answer:
    """The answer to one query, now or over its range. Raises as `Api.ask`."""
    values = {"query": question.text, "timeout": f"{timeout_s:.3f}"}
    now_s = question.at or time.time()
    if question.range_s is None:
        if question.at is not None:
            values["time"] = f"{question.at:.3f}"
        return await api.ask(QUERY, values, Answer, post=True)
    step_s = question.every_s(POINTS)
    values |= {"start": f"{now_s - question.range_s:.3f}", "end": f"{now_s:.3f}", "step": f"{step_s:.3f}"}
    return await api.ask(QUERY_RANGE, values, Answer, post=True)
