"""What adapters that use a client library have in common: each step is a program of its own, under the runner.

So a query, like a script, outlives the host, streams its output, has a deadline, is cancelled, redacted and adopted. A
new backend is a subclass with `perform`, which runs in that program; `start` and the rest run in the host, which never
imports the library.
"""

from __future__ import annotations

import json
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import Any, ClassVar, Generic, TypeVar

import msgspec
from msgspec import Struct

from cockpit.adapters.base import Enforcement, Outcome, RunRequest
from cockpit.adapters.checking import Check
from cockpit.adapters.followed import FollowedRun, adopt, launch
from cockpit.adapters.step_program.enquiry import enquire
from cockpit.adapters.step_program.page import Page
from cockpit.errors import CockpitError, PolicyRefusal, ToolMissing
from cockpit.runs.files import RECALLED
from cockpit.runs.spec import program_document
from cockpit.safety.environment import child_environment
from cockpit.safety.permit import Action, Mode, Permit, became_read_only
from cockpit.safety.verdict import Verdict
from cockpit.words import _, chosen

Settings = TypeVar("Settings", bound=Struct)

_PROGRAM = ("-I", "-X", "utf8", "-m", "cockpit.adapters.step_program")

REFUSED_EXIT = 3
"""A step program's exit status for PolicyRefusal: nothing was done."""
LOST_EXIT = 4
"""A step program's exit status for OutcomeUnknown."""


class Task(Struct, frozen=True, kw_only=True):
    """One permitted action, as the step program gets it.

    `read_only`: nothing may change, whatever `body` says; the backend itself has to see to that. `mode` is the
    session's. `sha256` is the identity of what was permitted. `values` are inputs to hand over as parameters.
    `credentials` are those of `StepProgram.credentials`.
    """

    language: str = ""
    body: str = ""
    target: str = ""
    sha256: str = ""
    values: dict[str, str] = {}
    read_only: bool = True
    mode: Mode = Mode.READ_ONLY
    timeout_s: float | None = None
    credentials: dict[str, str] = {}

    def require_still_permitted(self) -> None:
        """To be called once the backend answers, before the first thing that may change anything.

        Raises:
            PolicyRefusal: the session became read-only while the program was getting there.
        """
        folder = os.environ.get("COCKPIT_RUN")
        if not self.read_only and folder and os.path.lexists(f"{folder}/{RECALLED}"):
            raise became_read_only()


def only_reads(what: str) -> PolicyRefusal:
    """What a task that only reads is refused with, for something that may do more."""
    return PolicyRefusal(
        _("{verb} may change something, and this session only reads").format(verb=what),
        mend=_("run it in a live session, or run a read-only command"),
    )


class StepProgram(ABC, Generic[Settings]):
    """An adapter whose steps are programs that use a client library.

    Args:
        options: the target's.
        trusted: they stand in a file and not in a document, which gets no credentials that it did not bring along.
    """

    name: ClassVar[str]
    languages: ClassVar[frozenset[str]]
    Options: ClassVar[type[Struct]]

    def __init__(self, options: Settings, *, trusted: bool = True) -> None:
        self.options = options
        self.trusted = trusted

    # -- for each backend to say -----------------------------------------------------------------------------------

    @abstractmethod
    def perform(self, task: Task, page: Page) -> None:
        """Do it, in the step program. SIGTERM arrives as KeyboardInterrupt: tell the server, and let it pass.

        Raises:
            CockpitError: what went wrong; see step_program for the exit status each becomes.
        """

    @abstractmethod
    def enforced(self, task: Task) -> Enforcement:
        """Who keeps this target from being changed in read-only mode, asked of the server.

        It runs in a thread of a program that asks for other targets as well.

        Raises:
            CockpitError: it can't be asked.
        """

    def credentials(self) -> dict[str, str]:
        """What the program needs to sign in, by name, as it is at this moment. They are masked wherever they show.

        Raises:
            ConfigError: an environment variable or file that the options name is not there.
        """
        return {}

    def other_secrets(self) -> Sequence[str]:
        """Values to mask that the library finds by itself, such as those of ~/.pgpass."""
        return ()

    # -- in the host -----------------------------------------------------------------------------------------------

    def secrets(self) -> tuple[str, ...]:
        """Every value to mask. See `KnowsSecrets`."""
        try:
            held = self.credentials()
        except CockpitError:
            held = {}  # the step that needs it will say so
        return (*held.values(), *self.other_secrets())

    async def start(self, permit: Permit, request: RunRequest) -> ProgramRun:
        """Start the permitted action; returns once its program is under way.

        Raises:
            PolicyRefusal: no real permit, or not of this action. ToolMissing: not a language of this backend.
            ConfigError: its credentials are not there. AdapterError: it could not be started; nothing ran.
        """
        if not isinstance(permit, Permit):
            raise PolicyRefusal(_("a permit is granted by policy, never constructed"))
        action = permit.action
        permit.covers(Action(action.language, action.body, action.target, action.values))
        if action.language not in self.languages:
            raise ToolMissing(_("{name} does not know {language}").format(name=self.name, language=action.language))
        task = Task(
            language=action.language,
            body=action.body,
            target=action.target,
            sha256=permit.sha256,
            values=dict(action.values),
            read_only=permit.mode is Mode.READ_ONLY or permit.judgement.verdict is Verdict.READ_ONLY,
            mode=permit.mode,
            timeout_s=request.timeout_s,
            credentials=self.credentials(),
        )
        document = program_document(
            request.folder,
            self._written(task),
            (sys.executable, *_PROGRAM),
            child_environment(os.environ) | {"COCKPIT_RUN": str(request.folder)},
            command=action.body,
            secrets=(*request.secrets, *task.credentials.values(), *self.other_secrets()),
        )
        return ProgramRun(
            await launch(
                request.folder,
                document | {"timeout_s": request.timeout_s, "printed": request.printed},
                partial(permit.covers, action),
                request.runners,
            )
        )

    async def adopt(self, folder: Path, secrets: Sequence[str] = ()) -> ProgramRun:
        """Take over a run that another host started.

        Raises:
            AdapterError: there is no such run.
        """
        return ProgramRun(adopt(folder))

    async def enforcement(self) -> Enforcement:
        """Who enforces read-only mode here. See `TellsEnforcement`."""
        return await enquire(self._written(Task(credentials=self.credentials())))

    async def checks(self) -> Sequence[Check]:
        """Whether it can be reached and lets us in. See `ChecksItself`."""
        found = await self.enforcement()
        kept = (
            _("the server keeps read-only mode") if found.by == "server" else _("this tool alone keeps read-only mode")
        )
        return [Check(text=_("it answers; {kept}").format(kept=f"{kept}: {found.detail}" if found.detail else kept))]

    def _written(self, task: Task) -> str:
        program = {
            # The spec holds this text's hash: without salt it would tell who guesses a password that he is right.
            "salt": token_hex(16),
            "class": f"{type(self).__module__}:{type(self).__qualname__}",
            "options": msgspec.to_builtins(self.options),
            "trusted": self.trusted,
            "task": msgspec.to_builtins(task),
            "words": chosen(),
        }
        return json.dumps(program)


class ProgramRun:
    """A step program under way."""

    def __init__(self, followed: FollowedRun) -> None:
        self._followed = followed

    @property
    def pid(self) -> int | None:
        """The program's pid."""
        return self._followed.pid

    async def wait(self) -> Outcome:
        """Wait for the end. Where the link broke in the middle, the status is lost, whatever the program's own is."""
        outcome = await self._followed.wait()
        if outcome.exit_code == REFUSED_EXIT:
            return replace(outcome, ending="refused")
        if outcome.exit_code != LOST_EXIT:
            return outcome
        detail = _("how it ended is not known; its output says why")
        return replace(outcome, ending="lost", exit_code=None, detail=detail)

    async def cancel(self) -> None:
        """Ask it to cancel on the server and end; what does not end is killed after a grace."""
        await self._followed.cancel()


def performed(written: bytes) -> tuple[StepProgram[Any], Task, str]:
    """The other side of `_written`: the adapter, its task, and the interface language."""
    from importlib import import_module

    told: Mapping[str, Any] = json.loads(written)
    module, _colon, name = told["class"].partition(":")
    made: type[StepProgram[Any]] = getattr(import_module(module), name)
    adapter = made(msgspec.convert(told["options"], made.Options), trusted=told["trusted"])
    return adapter, msgspec.convert(told["task"], Task), told["words"]
