"""How a watched gate stands, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cockpit.words import _
from screens.clock import clock_text
from screens.paint import Line, line
from screens.rows import Row
from screens.view import View

_MARKS = {True: ("OK", "ok"), False: (" x", "bad"), None: ("??", "warn")}
_STYLES = {"held": "ok", "broken": "bad", "failing": "warn", "blind": "warn"}


def phase_word(phase: str) -> str:
    """How it stands, in a few words."""
    return {
        "waiting": _("waits for the first values"),
        "holding": _("holds so far"),
        "failing": _("a criterion does not hold"),
        "blind": _("a criterion can't be told"),
        "held": _("proposed: it holds"),
        "broken": _("proposed: it does not hold"),
    }.get(phase, phase)


def gate_rows(gate: Mapping[str, Any], since_s: float | None) -> Iterator[Line]:
    """How it stands and for how long, then each criterion with its last value.

    Args:
        since_s: how long all its criteria have held.
    """
    phase, needed_s = str(gate["phase"]), float(gate["needed_s"])
    told = phase_word(phase)
    if phase == "holding" and since_s is not None:
        spent = min(since_s, needed_s) if needed_s else since_s
        told = _("{word}, {spent} of {needed}").format(
            word=told, spent=clock_text(spent), needed=clock_text(needed_s) if needed_s else _("3 values")
        )
    yield line((f" {told}", _STYLES.get(phase, "info")))
    for one in gate["criteria"]:
        mark, style = _MARKS[one["held"]]
        count = _(", {n} in a row").format(n=one["in_a_row"]) if one["held"] is False else ""
        yield line((f" {mark} ", style), str(one["text"]), (f"   {one['seen']}{count}  ({one['probe']})", "dim"))
    for text in gate["unmatched"]:
        yield line((" ?? ", "warn"), str(text), (_("   no metric of that name: judge it by hand"), "dim"))


def proposal_of(view: View, row: Row) -> str:
    """What watching proposes for a step, with what decided it; "" where nothing is proposed."""
    gate = view.state.gates.get(row.step.id)
    if gate is None or gate["phase"] not in ("held", "broken"):
        return ""
    said = "; ".join(f"{one['text']}: {one['seen']}" for one in gate["criteria"])
    return f"{phase_word(gate['phase'])} ({said})"
