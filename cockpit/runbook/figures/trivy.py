"""Trivy: the totals of its table, a line for each thing it scanned, or the report of `--format json`.

A severity that was filtered out (`--severity HIGH,CRITICAL`) is not told, and so it is not known. A table without any
finding has no totals at all.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from cockpit.runbook.figures.audits import names
from cockpit.runbook.figures.documents import documents
from cockpit.runbook.figures.figure import Figure, Figures, Tool, calls

_SEVERITIES = ("critical", "high", "medium", "low", "unknown")
_TOTAL = re.compile(r"^Total: (\d+) \(([A-Z]+: \d+(?:, [A-Z]+: \d+)*)\)\s*$", re.MULTILINE)


def read(output: str) -> Figures:
    """The sum of all totals, and of each severity that every one of them tells."""
    totals = list(_TOTAL.finditer(output))
    if not totals:
        return _reported(output)
    seen = "; ".join(match[0].strip() for match in totals)
    rows = [{word.lower(): int(count) for word, count in re.findall(r"([A-Z]+): (\d+)", match[2])} for match in totals]
    told = {name: sum(row[name] for row in rows) for name in _SEVERITIES if all(name in row for row in rows)}
    if all(name in told for name in _SEVERITIES):
        told["vulnerabilities"] = sum(int(match[1]) for match in totals)
    return {name: [Figure(float(count), seen=seen)] for name, count in told.items()}


def _reported(output: str) -> Figures:
    if '"SchemaVersion"' not in output:
        return {}
    counts = [count for document in documents(output) if (count := _counted(document)) is not None]
    return {
        name: [Figure(float(each.total() if name == "vulnerabilities" else each[name]), seen=str(dict(each)))
               for each in counts]
        for name in ("vulnerabilities", *_SEVERITIES) if counts
    }  # fmt: skip


def _counted(document: Any) -> Counter[str] | None:
    try:
        results = document.get("Results") or ()
        return Counter(row["Severity"].lower() for each in results for row in each.get("Vulnerabilities") or ())
    except (KeyError, TypeError, AttributeError):
        return None


TRIVY = Tool("trivy", calls("trivy"), names(*_SEVERITIES), read)
