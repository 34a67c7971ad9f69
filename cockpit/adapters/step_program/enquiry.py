"""Asking servers who keeps read-only mode: one program answers for all targets that are asked at about the same time.

Each backend's library is imported once that way. A program for each target would have a machine with dozens of them
do nothing but start Python for seconds, when a session begins and in `cockpit doctor`.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from itertools import count
from weakref import WeakKeyDictionary

import msgspec
from msgspec import Struct

from cockpit.adapters.base import Enforcement
from cockpit.errors import AdapterError, TimedOut
from cockpit.safety.environment import child_environment
from cockpit.words import _

_PROGRAM = ("-I", "-X", "utf8", "-m", "cockpit.adapters.step_program.answering")
PATIENCE_S = 10.0
_LONGEST_ANSWER_BYTES = 1 << 20


class Trouble(Struct, frozen=True):
    """An error, as the program tells it."""

    what: str
    where: str = ""
    mend: str = ""


class Answer(Struct, frozen=True, kw_only=True):
    """A line of the program, to the question of that number."""

    number: int
    found: Enforcement | None = None
    trouble: Trouble = Trouble("")


async def enquire(question: str) -> Enforcement:
    """The answer to what a `StepProgram` wrote down to be asked.

    Raises:
        AdapterError: it can't be asked, or does not answer in time.
    """
    loop = asyncio.get_running_loop()
    program = _programs.get(loop)
    if program is None or program.over:
        program = _programs[loop] = _Program()
    try:
        async with asyncio.timeout(PATIENCE_S), program:
            answer = await program.ask(question)
    except TimeoutError as error:
        what = _("no answer within {seconds:.0f} s").format(seconds=PATIENCE_S)
        raise TimedOut(what, mend=_("is it up, and is the way there open?")) from error
    except OSError as error:
        raise AdapterError(
            _("the program that asks the servers can't be started: {error}").format(error=error)
        ) from error
    if answer.found is not None:
        return answer.found
    trouble = answer.trouble
    raise AdapterError(trouble.what, where=trouble.where, mend=trouble.mend)


class _Program:
    """The program, for as long as anybody waits for an answer of it. What hangs in it ends with it."""

    def __init__(self) -> None:
        self.over = False
        self._asking = 0
        self._numbers = count()
        self._awaited: dict[int, asyncio.Future[Answer]] = {}
        self._starting = asyncio.create_task(self._start())
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        self._asking += 1

    async def __aexit__(self, *_raised: object) -> None:
        self._asking -= 1
        if not self._asking:
            self.over = True
            await self._end()

    async def ask(self, question: str) -> Answer:
        """The answer to one question, of as many as are asked at once."""
        number = next(self._numbers)
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._awaited[number] = answer
        process = await asyncio.shield(self._starting)  # others wait for it too
        assert process.stdin is not None
        process.stdin.write(f"{number} {question}\n".encode())
        return await answer

    async def _start(self) -> Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *_PROGRAM,
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            # Memory is limited by addresses, and each thread would reserve 64 MiB of them.
            env=child_environment(os.environ) | {"MALLOC_ARENA_MAX": "2"},
            start_new_session=True,
            limit=_LONGEST_ANSWER_BYTES,
        )
        self._reading = asyncio.create_task(self._read(process))
        return process

    async def _read(self, process: Process) -> None:
        assert process.stdout is not None
        try:
            async for line in process.stdout:
                answer = msgspec.json.decode(line, type=Answer)
                if (awaited := self._awaited.pop(answer.number, None)) is not None and not awaited.done():
                    awaited.set_result(answer)
        finally:
            self.over = True
            ended = _("the program that asks the servers ended")
            trouble = Trouble(ended, mend=shlex.join((sys.executable, *_PROGRAM)))
            for number, awaited in self._awaited.items():
                if not awaited.done():
                    awaited.set_result(Answer(number=number, trouble=trouble))

    async def _end(self) -> None:
        for task in (self._starting, self._reading):
            if task is not None:
                task.cancel()
        await asyncio.wait([task for task in (self._starting, self._reading) if task is not None])
        if not self._starting.cancelled() and self._starting.exception() is None:
            process = self._starting.result()
            if process.returncode is None:
                process.kill()
            await process.wait()


_programs: WeakKeyDictionary[asyncio.AbstractEventLoop, _Program] = WeakKeyDictionary()
"""The last one started, by the loop that it belongs to."""
