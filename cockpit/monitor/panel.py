"""How panels stand: a pure fold over samples, the same live, replayed and rehearsed."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from msgspec.structs import replace

from cockpit.monitor.sample import Outcome, PanelState, Sample

HISTORY = 120
"""Points kept for a sparkline: ten minutes at five seconds."""

STALE_INTERVALS = 3


def fold_sample(panel: PanelState | None, sample: Sample) -> PanelState:
    """The panel after one more sample.

    `history` has (monotonic seconds, value) of the first reading that is a number. `extra` has "histories", the same
    for every numeric reading by name; "since_t", when the present outcome and level began; "answered_t" and
    "answered_m", when the probe last answered at all; "first_t" and "first_m".
    """
    panel = panel or PanelState(sample.probe, sample.kind, sample.probe)
    answered = sample.outcome is not Outcome.FAILED
    same = panel.last is not None and (panel.last.outcome, panel.last.level) == (sample.outcome, sample.level)
    histories = _histories(panel.extra.get("histories", {}), sample)
    lead = _lead(sample) or panel.extra.get("lead")
    extra: dict[str, Any] = {
        "first_t": panel.extra.get("first_t", sample.t),
        "first_m": panel.extra.get("first_m", sample.m),
        "answered_t": sample.t if answered else panel.extra.get("answered_t"),
        "answered_m": sample.m if answered else panel.extra.get("answered_m"),
        "since_t": panel.extra["since_t"] if same else sample.t,
        "histories": MappingProxyType(histories),
        "lead": lead,
    }
    return replace(
        panel,
        last=sample,
        last_data=sample if sample.outcome is Outcome.DATA else panel.last_data,
        history=histories.get(lead or "", ()),
        extra=MappingProxyType(extra),
    )


def aged(panel: PanelState, now_m: int) -> PanelState:
    """The panel as it stands at that time: stale since its last answer, if that is three intervals ago.

    An answer from after that time was given before the machine was started anew, or on another one: it is old.
    """
    if panel.last is None:
        return panel
    answered_m = panel.extra.get("answered_m")
    since_m = panel.extra["first_m"] if answered_m is None else answered_m
    since_t = panel.extra.get("answered_t") or panel.extra["first_t"]
    stale = not 0 <= (now_m - since_m) / 1e9 <= STALE_INTERVALS * panel.last.interval_s
    return replace(panel, stale_since_t=since_t if stale else None)


def age_s(panel: PanelState, now_m: int) -> float | None:
    """Seconds since the probe last answered; None when it never has."""
    answered_m = panel.extra.get("answered_m")
    return None if answered_m is None else max(0.0, (now_m - answered_m) / 1e9)


def _lead(sample: Sample) -> str | None:
    return next((r.name for r in sample.readings if _number(r.value) is not None), None)


def _histories(
    before: Mapping[str, tuple[tuple[float, float], ...]], sample: Sample
) -> dict[str, tuple[tuple[float, float], ...]]:
    after = dict(before)
    for reading in sample.readings if sample.outcome is Outcome.DATA else ():
        value = _number(reading.value)
        if value is not None:
            after[reading.name] = (*after.get(reading.name, ())[-HISTORY + 1 :], (sample.m / 1e9, value))
    return after


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
