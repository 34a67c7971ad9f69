"""Reading a health document: Spring Boot's actuator, and the habits of others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cockpit.adapters.probing import TEXT_CHARACTERS
from cockpit.words import shortened

_MOST_ROWS = 50
_LARGEST = 10**300
_GOOD = frozenset({"UP", "OK", "HEALTHY", "PASS", "PASSING", "SERVING", "AVAILABLE", "READY", "GREEN", "ALIVE"})
_DOUBTFUL = frozenset({"WARN", "WARNING", "DEGRADED", "YELLOW", "STARTING"})
_BAD = frozenset(
    {"DOWN", "OUT_OF_SERVICE", "FAIL", "FAILED", "ERROR", "UNHEALTHY", "CRITICAL", "NOT_SERVING", "UNAVAILABLE", "RED"}
)


def status_of(document: Any) -> str:
    """The word for the whole service: the top level's "status", as written; "" when there is none."""
    status = document.get("status") if isinstance(document, Mapping) else None
    if isinstance(status, Mapping):
        status = status.get("code") or status.get("status")
    return shortened(status, TEXT_CHARACTERS) if isinstance(status, str) else ""


def status_level(status: str) -> str:
    """What a status word means: "green", "yellow", "red", or "" for a word nobody knows."""
    word = status.upper().replace(" ", "_").replace("-", "_")
    if word in _GOOD:
        return "green"
    if word in _DOUBTFUL:
        return "yellow"
    return "red" if word in _BAD else ""


def components(document: Any) -> tuple[Mapping[str, Any], ...]:
    """One row a component: {"component": "db", "status": "UP", "level": "green", "detail": "…"}, at most 50."""
    rows = [
        {
            "component": shortened(name, TEXT_CHARACTERS),
            "status": status_of(part),
            "level": status_level(status_of(part)),
            "detail": _detail(part),
        }
        for name, part in _parts(document, "", 0)
    ]
    return tuple(rows[:_MOST_ROWS])


def value_at(document: Any, path: str) -> float | str | bool | None:
    """The scalar at "$.a.b[0].c" (or "a.b.0.c"); None when there is none."""
    for key in path.removeprefix("$").replace("[", ".").replace("]", "").split("."):
        if not key:
            continue
        if isinstance(document, Mapping):
            document = document.get(key)
        elif isinstance(document, list) and key.lstrip("-").isdigit() and -len(document) <= int(key) < len(document):
            document = document[int(key)]
        else:
            return None
    if isinstance(document, int) and not isinstance(document, bool):
        return float(document) if abs(document) < _LARGEST else None
    if isinstance(document, str):
        return shortened(document, TEXT_CHARACTERS)
    return document if isinstance(document, bool | float) else None


def _parts(document: Any, prefix: str, depth: int) -> Iterator[tuple[str, Any]]:
    # Boot 2.2 and later say "components", earlier ones "details"; a composite holds components of its own.
    if not isinstance(document, Mapping) or depth > 3:
        return
    parts = document.get("components") or document.get("details")
    if not isinstance(parts, Mapping):
        return
    for name, part in list(parts.items())[:_MOST_ROWS]:
        if isinstance(part, Mapping) and status_of(part):
            yield f"{prefix}{name}", part
            if "components" in part:
                yield from _parts(part, f"{prefix}{name}.", depth + 1)


def _detail(part: Any) -> str:
    details = part.get("details") if isinstance(part, Mapping) else None
    if not isinstance(details, Mapping):
        return ""
    shown = (f"{k}={v}" for k, v in details.items() if isinstance(v, str | int | float | bool))
    return shortened(", ".join(shown), TEXT_CHARACTERS)
