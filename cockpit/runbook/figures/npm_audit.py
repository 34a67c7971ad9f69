"""`npm audit`, of npm 7 and later: its last line, or with --json its metadata."""

from __future__ import annotations

import re
from typing import Any

from cockpit.runbook.figures.audits import names
from cockpit.runbook.figures.documents import documents
from cockpit.runbook.figures.figure import Figure, Figures, Tool, calls

_SEVERITIES = ("critical", "high", "moderate", "low", "info")
_NONE = re.compile(r"^found 0 vulnerabilities$", re.MULTILINE)
_SEVERAL = re.compile(
    r"^(\d+) vulnerabilities \(((?:\d+ (?:info|low|moderate|high|critical)(?:, )?)+)\)$", re.MULTILINE
)
_ALIKE = re.compile(r"^(\d+) (info|low|moderate|high|critical) severity vulnerabilit(?:y|ies)$", re.MULTILINE)


def read(output: str) -> Figures:
    """All vulnerabilities and those of each severity, as often as an audit tells them."""
    audits = [_counted({}, match[0]) for match in _NONE.finditer(output)]
    audits += [_counted({match[2]: int(match[1])}, match[0]) for match in _ALIKE.finditer(output)]
    for match in _SEVERAL.finditer(output):
        parts = re.findall(r"(\d+) (\w+)", match[2])
        audits.append(_counted({severity: int(count) for count, severity in parts}, match[0]))
    if '"vulnerabilities"' in output:
        audits += [told for document in documents(output) if (told := _reported(document))]
    return {name: [audit[name] for audit in audits] for name in ("vulnerabilities", *_SEVERITIES) if audits}


def _counted(by_severity: dict[str, int], seen: str) -> dict[str, Figure]:
    counts = {name: float(by_severity.get(name, 0)) for name in _SEVERITIES}
    return {
        name: Figure(value, seen=seen) for name, value in {**counts, "vulnerabilities": sum(counts.values())}.items()
    }


def _reported(document: Any) -> dict[str, Figure]:
    try:
        told = document["metadata"]["vulnerabilities"]
        counts = {name: int(told[name]) for name in _SEVERITIES}
    except (KeyError, TypeError, ValueError):
        return {}
    return _counted(counts, ", ".join(f"{name} {count}" for name, count in counts.items()))


NPM_AUDIT = Tool("npm audit", calls(r"npm\s(?:[^;|&\n]*\s)?audit"), names(*_SEVERITIES), read)
