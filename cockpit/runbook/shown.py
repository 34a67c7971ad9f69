"""A runbook as `cockpit show --json` prints it. Its keys are a contract with other programs: add, never rename."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cockpit.runbook.model import Expectation, Part, Runbook, Section, Step, StepKind

Judge = Callable[[str, str], "str | None"]


def as_json(runbook: Runbook, judge: Judge) -> dict[str, Any]:
    """The document as plain JSON values.

    Args:
        runbook: as read.
        judge: (language, command) -> the verdict's word, None when there is none to give.
    """
    return {
        "title": runbook.title,
        "path": runbook.path,
        "language": runbook.language,
        "sha256": runbook.sha256,
        "front_matter": dict(runbook.front_matter),
        "sections": [_section(section) for section in runbook.sections],
        "steps": [_step(step, judge) for step in runbook.steps],
        "inputs": [
            {
                "name": blank.name,
                "written": blank.written,
                "spellings": list(blank.forms),
                "style": blank.style,
                "default": blank.default,
                "secret": blank.secret,
                "steps": list(blank.steps),
                "help": blank.help,
            }
            for blank in runbook.inputs
        ],
        "contacts": [
            {**contact.fields, "role": contact.role, "section": contact.section, "line": contact.line}
            for contact in runbook.contacts
        ],
        "thresholds": [
            {
                "metric": stated.metric,
                "operator": stated.operator,
                "bound": stated.bound,
                "unit": stated.unit,
                "level": stated.level,
                "times_in_a_row": stated.times_in_a_row,
                "text": stated.text,
                "section": stated.section,
                "line": stated.line,
            }
            for stated in runbook.thresholds
        ],
        "symptoms": [
            {"section": symptom.section, "texts": list(symptom.texts), "line": symptom.line}
            for symptom in runbook.symptoms
        ],
        "problems": [
            {"line": problem.line, "code": problem.code, "message": problem.message, "hint": problem.hint}
            for problem in runbook.problems
        ],
    }


def _section(section: Section) -> dict[str, Any]:
    return {
        "id": section.id,
        "title": section.title,
        "level": section.level,
        "line": section.line,
        "budget_s": section.budget_s,
        "severity": section.severity,
        "phase": section.phase.value,
        "parent": section.parent,
    }


def _step(step: Step, judge: Judge) -> dict[str, Any]:
    code = step.code if step.kind is StepKind.COMMAND else None
    return {
        "id": step.id,
        "section": step.section,
        "line": step.line,
        "end_line": step.end_line,
        "kind": step.kind.value,
        "label": step.label,
        "language": step.language,
        "code": step.code,
        "text": step.text,
        "inputs": list(step.inputs),
        "sample_output": step.sample_output,
        "expectations": [_expectation(expectation) for expectation in step.expectations],
        "verdict": judge(step.language or "", code) if code is not None else None,
        "interactive": step.interactive,
        "endless": step.endless,
        "links": [link.section or link.target for link in step.links],
        "items": [{"text": item.text, "line": item.line, "checked": item.checked} for item in step.items],
        "any_of": step.any_of,
        "inside": step.inside,
        "warning": step.warning,
        "timeout_s": step.timeout_s,
        "parts": [_part(part, step.language or "", judge) for part in step.parts],
        "attributes": dict(step.attributes),
        "undo": step.undo,
    }


def _part(part: Part, language: str, judge: Judge) -> dict[str, Any]:
    return {
        "id": part.id,
        "label": part.label,
        "line": part.line,
        "end_line": part.end_line,
        "code": part.code,
        "inputs": list(part.inputs),
        "sample_output": part.sample_output,
        "expectations": [_expectation(expectation) for expectation in part.expectations],
        "verdict": judge(language, part.code),
        "interactive": part.interactive,
        "endless": part.endless,
        "inside": part.inside,
        "alternative": part.alternative,
        "undo": part.undo,
    }


def _expectation(expectation: Expectation) -> dict[str, Any]:
    return {
        "kind": expectation.kind.value,
        "value": expectation.value,
        "times": expectation.times,
        "text": expectation.text,
        "line": expectation.line,
        "absent": expectation.absent,
        "every_s": expectation.every_s,
        "within_s": expectation.within_s,
        "in_a_row": expectation.in_a_row,
    }
