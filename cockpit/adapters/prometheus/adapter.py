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

import asyncio
import time
from typing import ClassVar

from msgspec import Struct

from cockpit.adapters.base import Enforcement
from cockpit.adapters.http.api import Api, ApiOptions, check_options, credentials_of
from cockpit.adapters.prometheus.answer import Answer
from cockpit.adapters.prometheus.pages import POINTS, show
from cockpit.adapters.prometheus.question import Question, position_of, questions_of
from cockpit.adapters.step_program.adapter import StepProgram, Task
from cockpit.adapters.step_program.page import Page
from cockpit.errors import Declined
from cockpit.words import _

QUERY = "/api/v1/query"
QUERY_RANGE = "/api/v1/query_range"


class PrometheusOptions(ApiOptions, frozen=True, kw_only=True):
    """Keys of a target of kind "prometheus"."""


class PrometheusAdapter(StepProgram[PrometheusOptions]):
    """Asks one server each query of a block, in order."""

    name = "prometheus"
    languages = frozenset({"promql"})
    Options: ClassVar[type[Struct]] = PrometheusOptions

    def __init__(self, options: PrometheusOptions, *, trusted: bool = True) -> None:
        super().__init__(options, trusted=trusted)
        check_options(options)

    def credentials(self) -> dict[str, str]:
        """The token or password. See `StepProgram.credentials`."""
        return credentials_of(self.options)

    def perform(self, task: Task, page: Page) -> None:
        """Ask, and print what comes; the first query that fails ends the step. See `StepProgram.perform`."""
        questions = questions_of(task.body, task.language, task.values)
        asyncio.run(self._ask_all(questions, task, page))

    def enforced(self, task: Task) -> Enforcement:
        """Nobody needs to hold a query back. See `StepProgram.enforced`."""
        asyncio.run(self._reach(task))
        return Enforcement("server", _("it is only ever asked queries, which can't change anything"))

    async def _reach(self, task: Task) -> None:
        api = Api(self.options, task.credentials, self.options.timeout_s)
        try:
            await api.ask(QUERY, {"query": "vector(1)"}, Answer)
        finally:
            await api.close()

    async def _ask_all(self, questions: tuple[Question, ...], task: Task, page: Page) -> None:
        api = Api(self.options, task.credentials, self.options.timeout_s)
        try:
            for number, question in enumerate(questions):
                if len(questions) > 1:
                    page.line(f"{'' if not number else chr(10)}> {' '.join(question.text.split())}")
                try:
                    show(await ask(api, question, self.options.timeout_s), page)
                except Declined as error:
                    point_at(error, question, page)
                    raise
        finally:
            await api.close()


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


def point_at(error: Declined, question: Question, page: Page) -> None:
    """Print the line that the server could not read, with a mark under the place."""
    position = position_of(error.what)
    lines = question.text.split("\n")
    if position is None or not 1 <= position[0] <= len(lines):
        return
    line, column = position
    page.line(lines[line - 1].replace("\t", " "))
    page.line(" " * (column - 1) + "^")
