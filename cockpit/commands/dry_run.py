"""`cockpit run --dry-run`: what would run and what it would take. Nothing runs, nothing is recorded."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from cockpit.adapters.base import RunsSteps
from cockpit.commands.telling import beside, command_lines
from cockpit.config import GroupConfig
from cockpit.errors import PolicyRefusal, UsageError
from cockpit.runbook.model import Runbook, Step, StepKind
from cockpit.safety.environment import child_environment
from cockpit.safety.permit import Mode
from cockpit.safety.text import one_line, sanitise
from cockpit.session.headless import without_inputs
from cockpit.session.record.fanout import manner_of
from cockpit.session.record.inputs import InputBook
from cockpit.session.record.secrets import SecretBook, redacted
from cockpit.session.record.state import SessionState
from cockpit.session.steps.drafting import draft, filled_text, require_whole
from cockpit.session.steps.targets import NO_GROUPS, adapter_for, target_for
from cockpit.words import _


def dry_run(
    runbook: Runbook,
    steps: Sequence[Step],
    given: Mapping[str, str],
    adapters: Mapping[str, RunsSteps],
    *,
    target: str,
    read_only: bool,
    as_json: bool,
    groups: Mapping[str, GroupConfig] = NO_GROUPS,
    unasked: Mapping[str, str] = MappingProxyType({}),
) -> int:
    """Print each step: the exact command, its verdict, its rung, and what it still needs.

    Args:
        unasked: why steps are skipped, by their ids.

    Returns 3, as the run itself would, when a command can't run as it stands: an input is missing, or something is left
    out. What a flag allows (`--yes`) is told and refuses nothing here.
    """
    environment = child_environment(os.environ)
    secrets = SecretBook(os.environ)
    values = {**InputBook(runbook.inputs, secrets).values(SessionState(), environment), **given}
    secrets.learn(values[blank.name] for blank in runbook.inputs if blank.secret and blank.name in values)
    mode = Mode.READ_ONLY if read_only else Mode.LIVE
    incomplete = False
    for step in steps:
        row: dict[str, Any] = {"step": step.id, "line": step.line, "kind": step.kind.value}
        row["text"] = step.code or step.text or ""
        row |= {"skipped": unasked[step.id]} if step.id in unasked else {}
        if step.kind is StepKind.COMMAND:
            named, text = step.attributes.get("target"), filled_text(runbook, step.id, None, None, values)
            where = target_for(step.language or "bash", adapters, named, (target,), text, groups) or target
            row |= _command(runbook, step, where, mode, values, environment)
            names = groups[where].targets if where in groups else (where,)
            refusals = (_nowhere(step, name, adapters, text) for name in names)
            row["refused"] = row["refused"] or next(filter(None, refusals), "")
            if group := groups.get(where):
                row |= {"targets": list(names), "manner": manner_of(group.width, group.stops, len(names))}
        incomplete = incomplete or bool(row.get("refused") and not row.get("skipped"))
        row = redacted(row, secrets.redact)
        print(json.dumps(row, ensure_ascii=False) if as_json else _told(row))
    return PolicyRefusal.exit_code if incomplete else 0


def _command(
    runbook: Runbook, step: Step, target: str, mode: Mode, values: Mapping[str, str], environment: Mapping[str, str]
) -> dict[str, Any]:
    try:
        made = draft(runbook, step.id, target=target, mode=mode, values=values, environment=environment)
    except UsageError as error:
        return {
            "target": target,
            "verdict": "unknown",
            "reasons": [],
            "needs": "refused",
            "missing": [],
            "refused": str(error),
        }
    refused = without_inputs(made.missing)
    try:
        require_whole(made)
    except UsageError as error:
        refused = refused or str(error)
    return {
        "text": made.action.body,
        "target": target,
        "verdict": made.judgement.verdict.value,
        "reasons": list(made.judgement.reasons),
        "needs": made.rung.value,
        "missing": list(made.missing),
        "refused": refused,
    }


def _nowhere(step: Step, target: str, adapters: Mapping[str, RunsSteps], text: str) -> str:
    """Why that target can't run the step; "" when it can."""
    try:
        adapter_for(step.language or "bash", adapters, target, text)
    except UsageError as error:
        return str(error)
    return ""


def _told(row: Mapping[str, Any]) -> str:
    needs = f"  [{row['verdict']}, {row['needs']}]" if "verdict" in row else ""
    text = str(row["text"])
    told = command_lines(text) if "verdict" in row else beside(sanitise(text).split("\n"))
    lines = [one_line(f"== {row['step']} ({row['kind']}){needs}"), *told]
    if row.get("skipped"):
        lines.append(_("   - skipped: {why}").format(why=row["skipped"]))
    if row.get("targets"):
        lines.append(one_line(f"   {row['target']}: {', '.join(row['targets'])}; {row['manner']}"))
    if row.get("refused"):
        lines.append(_("   ! can't run: {why}").format(why=one_line(str(row["refused"]))))
    return "\n".join(lines) + "\n"
