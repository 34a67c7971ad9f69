"""A document at first glance: its lines as they stand, for the frame painted before the reader is even imported."""

from __future__ import annotations

from pathlib import Path

from cockpit.errors import RunbookError
from cockpit.runbook.model import Passage, Runbook
from cockpit.words import _

_GLANCE_BYTES = 16 * 1024


def first_glance(path: Path) -> Runbook:
    """The head of the document, line by line, with no steps yet.

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
    lines = head.decode("utf-8-sig", "replace").replace("\r\n", "\n").split("\n")
    passages = tuple(_passage(number, text) for number, text in enumerate(lines, 1) if text.strip())
    title = next((text.lstrip("# ") for text in lines if text.startswith("# ")), path.name)
    return Runbook(title, str(path), "", "", "", {}, (), (), (), passages=passages)


def _passage(number: int, text: str) -> Passage:
    marks = len(text) - len(text.lstrip("#"))
    if 0 < marks <= 6 and text[marks : marks + 1] == " ":
        return Passage("heading", number, number, ((text[marks + 1 :], ""),), level=marks)
    return Passage("paragraph", number, number, ((text, ""),))
