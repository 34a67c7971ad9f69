"""pytest: the line at its end."""

from __future__ import annotations

import re

from cockpit.runbook.figures.figure import Figure, Figures, Tool, calls
from cockpit.words import _

_NAMES = {
    "failed": ("failed tests", "failed", "failures", "실패한 테스트", "실패"),
    "errors": ("errors", "오류", "에러"),
    "passed": ("passed tests", "passed", "통과한 테스트", "통과"),
    "skipped": ("skipped tests", "skipped"),
}
_SUMMARY = re.compile(
    r"^(?:=+ )?((?:\d+ [a-z]+, )*\d+ [a-z]+|no tests ran) in \d[\d.]*s(?: \([\d:]+\))?(?: =+)?$", re.MULTILINE
)
_PLURALS = {"error": "errors"}


def read(output: str) -> Figures:
    """How many tests passed, failed, were skipped or could not be run."""
    found: dict[str, list[Figure]] = {}
    for match in _SUMMARY.finditer(output):
        counts = {_PLURALS.get(word, word): float(count) for count, word in re.findall(r"(\d+) ([a-z]+)", match[1])}
        ran = any(name in counts for name in _NAMES)
        for name in _NAMES:
            doubt = "" if ran else _("no tests ran")
            found.setdefault(name, []).append(Figure(counts.get(name, 0.0), seen=match[1], doubt=doubt))
    return found


PYTEST = Tool("pytest", calls(r"(?:pytest|py\.test)"), _NAMES, read)
