"""What the auditors of dependencies have in common: vulnerabilities, counted by how severe they are."""

from __future__ import annotations

SEVERITIES = ("critical", "high", "moderate", "medium", "low", "info", "unknown")
VULNERABILITIES = ("known vulnerabilities", "vulnerabilities", "vulnerability", "취약점", "total")


def names(*severities: str) -> dict[str, tuple[str, ...]]:
    """The figures of an auditor that tells these severities."""
    korean = {"critical": "치명적", "high": "높음", "moderate": "중간", "medium": "중간", "low": "낮음"}
    return {
        "vulnerabilities": VULNERABILITIES,
        **{
            each: tuple(
                filter(None, (f"{each} vulnerabilities", f"{each} severity vulnerabilities", each, korean.get(each)))
            )
            for each in severities
        },
    }
