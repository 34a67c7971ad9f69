"""What an adapter that can be watched offers: one look at its system, and what it found.

An adapter says what is there. Times, thresholds, schedules and samples are the monitor's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

import msgspec

from cockpit.config.bound import Bound
from cockpit.safety.permit import Action, Permit
from cockpit.safety.verdict import Judgement

Scalar = float | str | bool | None

TEXT_CHARACTERS = 4096
"""A text of a finding is at most so long. It is shortened for the screen once it was masked, not before."""


@dataclass(frozen=True, slots=True)
class Value:
    """One named value: "latency_ms" 12.0 "ms".

    `level` is what the value says by itself ("DOWN" is red), before any threshold: "green", "yellow", "red", or "".
    """

    name: str
    value: Scalar
    unit: str = ""
    level: str = ""


@dataclass(frozen=True, slots=True)
class Brought:
    """Log lines that are new since the last look, oldest first, as they came; `gap`: some before them are missing.

    `told` is what happened between them: before which line, counted from 0, and what.
    """

    lines: tuple[str, ...] = ()
    gap: bool = False
    told: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look found.

    `text` is one line for a folded status row. `none` says that the system answered and there is nothing. `mend` is
    for a surprise: nothing where something was to be, or something that can't be seen. `rows` hold display strings
    and numbers only, and a "level" where a row has one.
    `brought` are lines for those who follow the log; no sample holds them.
    """

    text: str
    values: tuple[Value, ...] = ()
    rows: tuple[Mapping[str, Any], ...] = ()
    none: bool = False
    mend: str = ""
    brought: Brought = Brought()


@runtime_checkable
class UsuallyBounded(Protocol):
    """Has thresholds of its own, for metrics that the configuration names none for."""

    usual_bounds: ClassVar[Sequence[Bound]]


@runtime_checkable
class Watchable(Protocol):
    """One thing that can be looked at again and again. Looks never overlap.

    Its class is made with (options, deadline_s), where `Options` is the shape of its keys in cockpit.toml. The class
    raises ConfigError for options that can't work; it connects to nothing before the first look.
    """

    Options: ClassVar[type[msgspec.Struct]]

    @property
    def action(self) -> Action:
        """Exactly what a look does."""

    @property
    def judgement(self) -> Judgement:
        """What safety says of it. Anything but read-only gets no permit."""

    async def look(self, permit: Permit) -> Finding:
        """Look once.

        Raises:
            AdapterError: there was no answer, or none that can be understood.
            PolicyRefusal: the permit is for something else.
        """

    async def close(self) -> None:
        """Let go of connections."""
