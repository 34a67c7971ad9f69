"""GitHub's alerts: a quotation that begins with [!WARNING] is told as a warning, in the reader's language."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cockpit.words import _
from screens.paint import Span

_MARK = re.compile(r"\s*\[!(note|tip|important|warning|caution)\]\s*", re.IGNORECASE)
_STYLES = {"note": "info", "tip": "info", "important": "strong", "warning": "warn", "caution": "bad"}


def with_alert_word(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Spans of a passage, the marker they may begin with replaced by its word."""
    if not spans:
        return ()
    (text, style), *rest = spans
    mark = _MARK.match(text)
    if mark is None:
        return tuple(spans)
    kind = mark[1].lower()
    return ((f"{_word(kind)} ", _STYLES[kind]), (text[mark.end() :], style), *rest)


def _word(kind: str) -> str:
    return {
        "note": _("Note:"),
        "tip": _("Tip:"),
        "important": _("Important:"),
        "warning": _("Warning:"),
        "caution": _("Caution:"),
    }[kind]
