"""`pip-audit` 2: its one line on stderr, or with `-f json` its document. What it skipped it did not audit."""

from __future__ import annotations

import re
from typing import Any

from cockpit.runbook.figures.audits import names
from cockpit.runbook.figures.documents import documents
from cockpit.runbook.figures.figure import Figure, Figures, Tool, calls
from cockpit.words import _

_NONE = re.compile(r"^No known vulnerabilities found.*$", re.MULTILINE)
_FOUND = re.compile(r"^Found (\d+) known vulnerabilit(?:y|ies)\b.*$", re.MULTILINE)
_SKIPPED = re.compile(r"^Name\s+Skip Reason$", re.MULTILINE)


def read(output: str) -> Figures:
    """How many known vulnerabilities there are."""
    doubt = _("some packages were not audited") if _SKIPPED.search(output) else ""
    told = [Figure(0.0, seen=match[0], doubt=doubt) for match in _NONE.finditer(output)]
    told += [Figure(float(match[1]), seen=match[0], doubt=doubt) for match in _FOUND.finditer(output)]
    if not told and '"dependencies"' in output:
        told = [figure for document in documents(output) if (figure := _reported(document))]
    return {"vulnerabilities": told} if told else {}


def _reported(document: Any) -> Figure | None:
    try:
        count = sum(len(each.get("vulns", ())) for each in document["dependencies"])
        skipped = any("skip_reason" in each for each in document["dependencies"])
    except (KeyError, TypeError, AttributeError):
        return None
    return Figure(
        float(count), seen=f"dependencies: {count} vulns", doubt=_("some packages were not audited") * skipped
    )


PIP_AUDIT = Tool("pip-audit", calls(r"pip[-_]audit"), names(), read)
