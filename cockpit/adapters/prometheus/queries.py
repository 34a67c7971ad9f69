"""Steps that ask Prometheus's API, or one made after it, the queries of a block."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar

from msgspec import Struct

from cockpit.adapters.base import Enforcement
from cockpit.adapters.http.api import Api, ApiOptions, check_options, credentials_of
from cockpit.adapters.prometheus.answer import Answer
from cockpit.adapters.prometheus.question import Question, position_of, questions_of
from cockpit.adapters.step_program.adapter import StepProgram, Task
from cockpit.adapters.step_program.page import Page
from cockpit.errors import Declined
from cockpit.words import _


class QueryProgram(StepProgram[ApiOptions]):
    """Asks one server each query of a block, in order. `instant_path` is where its API answers for one moment."""

    Options: ClassVar[type[Struct]] = ApiOptions
    instant_path: ClassVar[str]

    def __init__(self, options: ApiOptions, *, trusted: bool = True) -> None:
        super().__init__(options, trusted=trusted)
        check_options(options)

    @abstractmethod
    async def show(self, api: Api, question: Question, page: Page) -> None:
        """Ask one query and print its answer. Raises as `Api.ask`."""

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
        async with self._connected(task) as api:
            await api.ask(self.instant_path, {"query": "vector(1)"}, Answer)

    async def _ask_all(self, questions: tuple[Question, ...], task: Task, page: Page) -> None:
        async with self._connected(task) as api:
            for number, question in enumerate(questions):
                if len(questions) > 1:
                    page.line(f"{'' if not number else chr(10)}> {' '.join(question.text.split())}")
                try:
                    await self.show(api, question, page)
                except Declined as error:
                    _point_at(error, question, page)
                    raise

    @asynccontextmanager
    async def _connected(self, task: Task) -> AsyncIterator[Api]:
        api = Api(self.options, task.credentials, self.options.timeout_s)
        try:
            yield api
        finally:
            await api.close()


def _point_at(error: Declined, question: Question, page: Page) -> None:
    """Print the line that the server could not read, with a mark under the place."""
    position = position_of(error.what)
    lines = question.text.split("\n")
    if position is None or not 1 <= position[0] <= len(lines):
        return
    line, column = position
    page.line(lines[line - 1].replace("\t", " "))
    page.line(" " * (column - 1) + "^")
