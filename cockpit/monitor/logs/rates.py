"""How many lines of a log are errors a minute: the readings and the words of every probe of lines from a server."""

from __future__ import annotations

from cockpit.adapters.probing import Value
from cockpit.words import _

_MINUTE_S = 60.0


def rates(errors: int, lines: int, span_s: float = _MINUTE_S) -> tuple[Value, Value]:
    """errors_per_min and lines_per_min, of so many in `span_s`."""
    return (
        Value("errors_per_min", round(errors * _MINUTE_S / span_s, 1)),
        Value("lines_per_min", round(lines * _MINUTE_S / span_s, 1)),
    )


def told(errors: Value, lines: Value) -> str:
    """The same in words."""
    return _("{errors:g} errors/min of {lines:g} lines/min").format(errors=errors.value, lines=lines.value)


def none_told() -> str:
    """Where there was no line."""
    return _("no line in the last minute")
