"""`cockpit show`: what the reader made of a document."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from cockpit.runbook.model import Runbook, Step
from cockpit.safety.telling import shown
from cockpit.words import _


def run(options: argparse.Namespace) -> int:
    """Print the runbook's outline, or all of it as JSON."""
    from cockpit.runbook.reading import read
    from cockpit.runbook.shown import as_json
    from cockpit.safety.judge import judge

    runbook = read(Path(options.runbook))
    if options.json:
        document = as_json(runbook, lambda language, code: judge(language, code).verdict.value)
        print(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        print("\n".join(outline(runbook)))
    return 0


def outline(runbook: Runbook) -> list[str]:
    """The runbook in lines a person reads: sections, with their steps below them, and the inputs."""
    lines = [shown(runbook.title), ""]
    steps: dict[str, list[Step]] = {}
    for step in runbook.steps:
        steps.setdefault(step.section, []).append(step)
    lines += [_step_line(step) for step in steps.pop("", [])]
    for section in runbook.sections:
        marks = [f"{section.budget_s // 60} min"] if section.budget_s else []
        marks += [section.severity] if section.severity else []
        told = [f"{'#' * section.level} {shown(section.title)}", *([f"[{', '.join(marks)}]"] if marks else ())]
        lines.append("  ".join([*told, f"(#{shown(section.id)})"]))
        lines += [_step_line(step) for step in steps.get(section.id, [])]
    if runbook.inputs:
        lines += ["", _("inputs: {names}").format(names=", ".join(shown(i.written) for i in runbook.inputs))]
    lines += [f"{p.line}: {p.code}: {shown(p.message)}" for p in runbook.problems]
    return lines


def _step_line(step: Step) -> str:
    return f"  {step.id:<28} {step.kind:<8} {shown(step.label)}"
