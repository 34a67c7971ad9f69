"""What is written down before a step runs: exactly what, where, judged how, and on whose word."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from cockpit.safety.permit import Confirmation
from cockpit.session.steps.drafting import Draft


def shown_to_second(
    made: Draft, values: Mapping[str, str], *, environment: str, place: str, cwd: str | None, by: str, reason: str
) -> dict[str, Any]:
    """What a second person is shown before they say yes; not yet redacted.

    Args:
        values: the inputs as the record may hold them.
        by, reason: who wants it to run, and why.
    """
    return {
        "step": made.step.label,
        "language": made.action.language,
        "command": made.action.body,
        "target": made.action.target,
        "place": place,
        "targets": [one.action.target for one in made.each],
        "environment": environment,
        "cwd": cwd or "",
        "verdict": made.judgement.verdict.value,
        "reasons": list(made.judgement.reasons),
        "inputs": dict(values),
        "undo": made.undo,
        "by": by,
        "reason": reason,
    }


def intent_of(
    made: Draft,
    confirmation: Confirmation | None,
    shown: Mapping[str, str],
    *,
    place: str,
    cwd: str | None,
    timeout_s: float | None,
) -> dict[str, Any]:
    """The data of a `step.intent` event, but for its numbers.

    Args:
        shown: the inputs' values as the record may hold them.
        place: where the target is.
    """
    data: dict[str, Any] = {
        "step": made.step.id,
        "part": made.part.id if made.part else None,
        "language": made.action.language,
        "command": made.action.body,
        "sha256": made.action.sha256,
        "target": made.action.target,
        "place": place,
        "cwd": cwd,
        "timeout_s": timeout_s,
        "lasts_s": made.lasts_s,
        "verdict": made.judgement.verdict.value,
        "reasons": list(made.judgement.reasons),
        "tags": list(made.judgement.tags),
        "inputs": dict(shown),
        "confirmed": confirmation.rung.value if confirmation else "none",
        "typed": confirmation.typed if confirmation else "",
        "reason": confirmation.reason if confirmation else "",
        "undo": made.undo,
    }
    if made.original is not None:
        data["original"] = made.original
        data["difference"] = "\n".join(
            difflib.unified_diff(made.original.split("\n"), made.action.body.split("\n"), lineterm="", n=1)
        )
    return data
