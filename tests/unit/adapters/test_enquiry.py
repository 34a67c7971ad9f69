"""Asking servers who keeps read-only mode: one program for all that are asked at once."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import psutil
import pytest

from cockpit.adapters.http.adapter import HttpAdapter, HttpTargetOptions
from cockpit.adapters.postgresql.adapter import PostgresqlAdapter, PostgresqlOptions
from cockpit.errors import AdapterError
from tests.servers.pages import Page, page_server
from tests.servers.server import free_port
from tests.waiting import until


class _Fine(Page):
    def answer(self) -> None:
        self.says(200, json.dumps({"status": "UP"}).encode(), "application/json")


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield int(listener.getsockname()[1])


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cockpit.adapters.step_program.enquiry.PATIENCE_S", 600.0)


def http(port: int) -> HttpAdapter:
    return HttpAdapter(HttpTargetOptions(base_url=f"http://127.0.0.1:{port}", timeout_s=600.0))


def programs() -> list[psutil.Process]:
    """Those that ask, among whatever else this process has started."""
    return [each for each in psutil.Process().children() if _asks(each)]


def _asks(process: psutil.Process) -> bool:
    try:
        return "cockpit.adapters.step_program.answering" in process.cmdline()
    except psutil.Error:
        return False


@asynccontextmanager
async def hanging(port: int, number: int) -> AsyncIterator[list[asyncio.Task[object]]]:
    """Targets that are asked and do not answer, with the program that asks them at it."""
    tasks: list[asyncio.Task[object]] = [asyncio.create_task(http(port).enforcement()) for _ in range(number)]
    try:
        await until(lambda: any(each.num_threads() > number for each in programs()))
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def test_many_targets_are_asked_by_one_program_which_ends_with_the_last(silent: int) -> None:
    async with hanging(silent, 6) as tasks:
        assert len(programs()) == 1
        for task in tasks[1:]:
            task.cancel()
        await asyncio.wait(tasks[1:])
        assert len(programs()) == 1

    assert programs() == []


async def test_a_target_that_hangs_or_is_gone_keeps_no_other_from_answering(silent: int) -> None:
    async with hanging(silent, 3):
        with page_server(_Fine) as port:
            gone = PostgresqlAdapter(PostgresqlOptions(host="127.0.0.1", port=free_port(), database="x", user="x"))
            found, missing = await asyncio.gather(http(port).enforcement(), gone.enforcement(), return_exceptions=True)

    assert not isinstance(found, BaseException)
    assert found.by == "tool"
    assert isinstance(missing, AdapterError)
    assert "127.0.0.1" in str(missing)


async def test_a_program_that_dies_is_told_to_all_who_wait_and_the_next_to_ask_has_a_new_one(silent: int) -> None:
    async with hanging(silent, 2) as tasks:
        (program,) = programs()
        program.kill()
        await asyncio.wait(tasks)
        for task in tasks:
            with pytest.raises(AdapterError, match="ended"):
                task.result()

    with page_server(_Fine) as port:
        assert (await http(port).enforcement()).by == "tool"
