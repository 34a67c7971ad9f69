"""The first frame: the head of the document as it stands, painted before anything that is slow to load is loaded."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from textual.app import ComposeResult

from cockpit.errors import RunbookError
from cockpit.words import _
from screens.once import OnceScreen
from screens.paint import BLANK, Line, cropped, line
from screens.panes.pane import Canvas

_GLANCE_BYTES = 16 * 1024
_SIGN = re.compile(
    r"token|secret|pass|key|auth|bearer|cookie|credential|pwd|://[^\s/]*@|AKIA|ASIA|eyJ|gh[a-z]_|xox|BEGIN ",
    re.IGNORECASE,
)


class Glance(NamedTuple):
    """A document at first glance: its title, and the lines of its head."""

    title: str
    lines: tuple[str, ...]


def glance(path: Path) -> Glance:
    """Look at a document's head.

    Raises:
        RunbookError: it can't be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_GLANCE_BYTES)
    except OSError as error:
        raise RunbookError(
            _("the runbook can't be read: {error}").format(error=error.strerror or error), where=str(path)
        ) from error
    lines = tuple(head.decode("utf-8-sig", "replace").replace("\r\n", "\n").split("\n"))
    title = next((text.lstrip("# ") for text in lines if text.startswith("# ")), path.name)
    return Glance(_masked((title,))[0], _masked(lines))


def _masked(lines: tuple[str, ...]) -> tuple[str, ...]:
    """Without secrets. The search is loaded only where there is a sign of one: a first frame is not to wait."""
    text = "\n".join(lines)
    if not _SIGN.search(text):
        return lines
    from cockpit.safety.redaction.redactor import Redactor

    return tuple(Redactor().redact(text).split("\n"))


class FirstPage(Canvas):
    """Two rows where the header will be, then the document."""

    titled = False

    def __init__(self, seen: Glance, mode: str) -> None:
        super().__init__("first")
        badge = {"rehearsal": _("[TRAINING]"), "read-only": _("[READ-ONLY]")}.get(mode, "")
        self._rows = [
            line((f" {badge} ", f"header-{mode}") if badge else "", (_(" opening…"), "dim"), row="header"),
            line((f" {seen.title}", "dim"), row="header"),
            BLANK,
            *(line(("      ", ""), (text, "heading" if text.startswith("#") else "")) for text in seen.lines),
        ]

    def count(self) -> int:
        """As many as there are."""
        return len(self._rows)

    def row_at(self, index: int) -> Line:
        """One of them."""
        return cropped(self._rows[index], self.size.width)


class FirstFrame(OnceScreen):
    """Shown for the moment it takes to load the rest."""

    def __init__(self, seen: Glance, mode: str) -> None:
        super().__init__()
        self._seen, self._mode = seen, mode

    def compose(self) -> ComposeResult:
        """One widget."""
        yield FirstPage(self._seen, self._mode)
