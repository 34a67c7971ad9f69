"""Loki: LogQL as steps; log queries give lines, metric queries numbers and charts.

[target.logs]
kind = "loki"
url = "http://loki:3100"
tenant = "shop"                    # X-Scope-OrgID
token_env = "LOGS_TOKEN"           # and the other keys of a target of kind "prometheus"

A query looks back on the last hour, or on what `# range: 15m` above it says; it gives the newest 1,000 lines, or
`# limit: 200`. Only /loki/api/v1/query_range and /loki/api/v1/query are ever asked.
"""

from __future__ import annotations

import asyncio
from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace

from cockpit.adapters.base import Enforcement
from cockpit.adapters.http.api import Api, ApiOptions, check_options, credentials_of
from cockpit.adapters.loki.lines import LONGEST_S, ask, lines_of
from cockpit.adapters.prometheus.adapter import point_at
from cockpit.adapters.prometheus.answer import Answer
from cockpit.adapters.prometheus.pages import show
from cockpit.adapters.prometheus.question import Question, questions_of
from cockpit.adapters.step_program.adapter import StepProgram, Task
from cockpit.adapters.step_program.page import Page
from cockpit.errors import Declined
from cockpit.words import _, plural

_MOST_LINES = 1000


class LokiOptions(ApiOptions, frozen=True, kw_only=True):
    """Keys of a target of kind "loki"."""


class LokiAdapter(StepProgram[LokiOptions]):
    """Asks one server each query of a block, in order."""

    name = "loki"
    languages = frozenset({"logql"})
    Options: ClassVar[type[Struct]] = LokiOptions

    def __init__(self, options: LokiOptions, *, trusted: bool = True) -> None:
        super().__init__(options, trusted=trusted)
        check_options(options)

    def credentials(self) -> dict[str, str]:
        """The token or password. See `StepProgram.credentials`."""
        return credentials_of(self.options)

    def perform(self, task: Task, page: Page) -> None:
        """Ask, and print what comes; the first query that fails ends the step. See `StepProgram.perform`."""
        asyncio.run(self._ask_all(questions_of(task.body, task.language, task.values), task, page))

    def enforced(self, task: Task) -> Enforcement:
        """Nobody needs to hold a query back. See `StepProgram.enforced`."""
        asyncio.run(self._reach(task))
        return Enforcement("server", _("it is only ever asked queries, which can't change anything"))

    async def _reach(self, task: Task) -> None:
        api = Api(self.options, task.credentials, self.options.timeout_s)
        try:
            await api.ask("/loki/api/v1/query", {"query": "vector(1)"}, Answer)
        finally:
            await api.close()

    async def _ask_all(self, questions: tuple[Question, ...], task: Task, page: Page) -> None:
        api = Api(self.options, task.credentials, self.options.timeout_s)
        try:
            for number, question in enumerate(questions):
                if len(questions) > 1:
                    page.line(f"{'' if not number else chr(10)}> {' '.join(question.text.split())}")
                try:
                    await self._show(api, replace(question, range_s=question.range_s or LONGEST_S), page)
                except Declined as error:
                    point_at(error, question, page)
                    raise
        finally:
            await api.close()

    async def _show(self, api: Api, question: Question, page: Page) -> None:
        most = min(question.limit or _MOST_LINES, _MOST_LINES)
        answer = await ask(api, question, most)
        if answer.data.kind != "streams":
            show(answer, page)
            return
        lines = lines_of(answer.data)
        for line in lines:
            page.line(line.shown())
        if not lines:
            page.line(_("no line matches"))
        elif len(lines) >= most:
            page.line(plural("the newest {n} line", "the newest {n} lines", most).format(n=most))
