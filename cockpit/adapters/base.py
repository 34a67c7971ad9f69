"""Small protocols, one per capability. An adapter implements those it can, and the registry asks it which.

Nothing here acts without a permit. Outcomes are evidence, never booleans.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from msgspec import Struct

from cockpit.safety.permit import Permit

if TYPE_CHECKING:
    from cockpit.adapters.runners import Runners


@dataclass(frozen=True, slots=True)
class RunRequest:
    """How to run a permitted action.

    `folder` is the run's folder in the session (`runs/0007`), created 0700 by the engine; the adapter, or the runner
    it starts, writes `output` and `exit.json` there. `timeout_s` None means no deadline; `terminal` asks for a real
    terminal of (rows, columns). `umask` is the operator's; None is that of this process.
    `printed` is what of the output is secret by the step's purpose (see `printed_secrets`). `runners` has the processes
    that look after runs of this machine; None for a new one.
    """

    folder: Path
    timeout_s: float | None = None
    terminal: tuple[int, int] | None = None
    secrets: Sequence[str] = ()
    shell_state: Mapping[str, str] = field(default_factory=dict)
    cwd: str | None = None
    umask: int | None = None
    printed: str = ""
    runners: Runners | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended. `exit_code` and `signal` are never both set; both None means the status is lost.

    `ending`: exited, signalled, timed-out, cancelled, lost, or refused (by the backend itself: nothing was done).
    `pipe_status` are the exit codes of the last pipeline.
    `survivors` are pids of the process group that outlived the kill. `shell_state` and `cwd` are what the next step on
    the target starts with; `lost_variables` names what of it is not handed on.
    """

    ending: str
    exit_code: int | None
    signal: int | None
    duration_s: float
    output_bytes: int
    output_sha256: str
    dropped_bytes: int = 0
    pipe_status: tuple[int, ...] = ()
    survivors: tuple[int, ...] = ()
    shell_state: Mapping[str, str] = field(default_factory=dict)
    cwd: str | None = None
    lost_variables: tuple[str, ...] = ()
    detail: str = ""


@runtime_checkable
class Running(Protocol):
    """A run under way. It outlives the object: dropping it stops nothing."""

    @property
    def pid(self) -> int | None:
        """The process that leads the run's group, where there is one on this machine."""

    async def wait(self) -> Outcome:
        """Wait for the end. May be called by several waiters."""

    async def cancel(self) -> None:
        """Ask the whole process group to end (TERM, then KILL after a grace); `wait` then tells the outcome."""


@runtime_checkable
class LosesTouch(Running, Protocol):
    """A run over a link that may break: whether it goes on is then open until the link is back."""

    @property
    def out_of_touch_s(self) -> float:
        """For how long nothing is known of it; 0 while it is followed."""

    def give_up(self) -> None:
        """Follow it no further: `wait` then tells that its end is lost. What runs over there is left alone."""


@runtime_checkable
class Adapter(Protocol):
    """What every adapter says of itself."""

    name: str


@runtime_checkable
class RunsSteps(Adapter, Protocol):
    """Can run command steps of some languages on some targets."""

    languages: frozenset[str]

    async def start(self, permit: Permit, request: RunRequest) -> Running:
        """Start the permitted action; returns once it is under way.

        Raises:
            PolicyRefusal: the permit does not cover what would run.
            AdapterError: it could not be started; nothing ran.
        """

    async def adopt(self, folder: Path, secrets: Sequence[str] = ()) -> Running:
        """Take over a run that another host started, from its folder alone.

        Args:
            secrets: exact values to mask, where what it printed is still to be collected.
        """


@runtime_checkable
class ServesAddresses(RunsSteps, Protocol):
    """Its steps may say themselves where they go; then the target has to be the one they name."""

    def serves(self, body: str) -> bool:
        """Whether all of a step goes to this target, as far as the step says."""


@runtime_checkable
class RunsElsewhere(RunsSteps, Protocol):
    """Its scripts see the environment of another machine, which is not known here: they are judged without it."""

    elsewhere: Literal[True]


@runtime_checkable
class KnowsSecrets(Protocol):
    """Holds values that must be masked in everything the session writes or shows."""

    def secrets(self) -> Sequence[str]:
        """The values as far as they are known now. Never raises."""


Ask = Callable[[str, Sequence[tuple[str, bool]]], Sequence[str]]
"""Asks a person, in any thread: who asks, then (question, whether the answer may be seen) each. The answers in that
order; none when nobody answers."""


@runtime_checkable
class AsksPerson(Protocol):
    """Its system may ask what only a person can answer, such as a passphrase or a code."""

    def ask_through(self, ask: Ask, here: Callable[[], bool]) -> None:
        """Ask in this way from now on; `here` tells whether somebody is there to be asked."""


class Enforcement(Struct, frozen=True):
    """Who keeps a target from being changed while the session is read-only.

    `by` "server": the credentials themselves can't change anything. "tool": they could, and only this program holds
    them back. `detail` says why, in one sentence ("the role app owns 3 tables").
    """

    by: Literal["server", "tool"]
    detail: str = ""


@runtime_checkable
class TellsEnforcement(Protocol):
    """Can ask its system what these credentials may do."""

    async def enforcement(self) -> Enforcement:
        """Ask; changes nothing. It has a deadline of its own.

        Raises:
            CockpitError: it can't be asked, and why.
        """
