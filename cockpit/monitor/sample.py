"""What a probe brings back, and how a panel may stand: data, none, failed, and stale since."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from msgspec import Struct, field


class Outcome(StrEnum):
    """DATA: it answered with values. NONE: there is nothing to see (no processes). FAILED: it did not answer."""

    DATA = "data"
    NONE = "none"
    FAILED = "failed"


class Level(StrEnum):
    """Where the worst value of a sample stands against its thresholds; GREY where none is set or nothing is known."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"
    GREY = "grey"


class Reading(Struct, frozen=True):
    """One named value of a sample: "5xx" 62.0 "%", with its level and the bound that decided it ("> 50 %")."""

    name: str
    value: float | str | bool | None
    unit: str = ""
    level: Level = Level.GREY
    bound: str = ""


class Sample(Struct, frozen=True):
    """What one probe found at one time.

    `t` RFC 3339 UTC, `m` monotonic ns; `duration_ms` how long the probe took; `text` one line for a folded status row
    ("UP 200 12 ms"); `rows` for tabular probes (PM2 processes, pods): one mapping a row, display strings or numbers.
    `error` only when FAILED; `mend` when something can be done about it.
    """

    probe: str
    kind: str
    t: str
    m: int
    outcome: Outcome
    level: Level
    text: str
    readings: tuple[Reading, ...] = ()
    rows: tuple[Mapping[str, Any], ...] = ()
    duration_ms: float = 0.0
    error: str = ""
    mend: str = ""
    interval_s: float = 5.0


class PanelState(Struct, frozen=True):
    """What a panel shows: the last sample that held data, the last one at all, and since when it is stale."""

    probe: str
    kind: str
    title: str
    last: Sample | None = None
    last_data: Sample | None = None
    stale_since_t: str | None = None
    history: tuple[tuple[float, float], ...] = field(default_factory=tuple)
    extra: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
