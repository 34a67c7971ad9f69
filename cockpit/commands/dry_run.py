"""`cockpit run --dry-run`: what would run and what it would take. Nothing runs, nothing is recorded."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from cockpit.commands.open import assignments
from cockpit.runbook.model import StepKind
from cockpit.safety.permit import Mode
from cockpit.safety.text import sanitise
from cockpit.session.drafting import draft
from cockpit.session.headless import chosen_steps


def dry_run(path: Path, options: argparse.Namespace, *, read_only: bool) -> int:
    """Print each chosen step: the exact command, its verdict, its rung, and the inputs it still needs."""
    from cockpit.runbook.reading import read

    runbook = read(path)
    mode = Mode.READ_ONLY if read_only else Mode.LIVE
    for step in chosen_steps(runbook, options.section, options.step):
        row = {"step": step.id, "line": step.line, "kind": step.kind.value, "text": step.code or step.text or ""}
        if step.kind is StepKind.COMMAND:
            made = draft(runbook, step.id, target=options.target or "local", mode=mode, values=assignments(options.set))
            row |= {
                "text": made.action.body,
                "verdict": made.judgement.verdict.value,
                "reasons": list(made.judgement.reasons),
                "needs": made.rung.value,
                "missing": list(made.missing),
            }
        if options.json:
            print(json.dumps(row, ensure_ascii=False))
        else:
            needs = f"  [{row['verdict']}, {row['needs']}]" if "verdict" in row else ""
            print(f"== {step.id} ({step.kind}){needs}\n{sanitise(str(row['text']))}\n")
    return 0
