"""One line in which a text to look for, or to sieve by, is typed."""

from __future__ import annotations

from enum import StrEnum

from cockpit.words import _
from screens.dialogs.typed import Typed


class Purpose(StrEnum):
    """What the text is for."""

    SEARCH = "search"
    SIEVE = "sieve"


class LogPrompt(Typed):
    """Hidden until it is asked for."""

    DEFAULT_CSS = """
    LogPrompt { display: none; height: 1; border: none; padding: 0 1; }
    LogPrompt:focus { border: none; }
    """

    def __init__(self) -> None:
        super().__init__(select_on_focus=True, compact=True)
        self.cursor_blink = False
        self.purpose = Purpose.SEARCH

    def ask(self, purpose: Purpose, value: str) -> None:
        """Show it, with what it was last time."""
        self.purpose = purpose
        searching = purpose is Purpose.SEARCH
        self.placeholder = _("search, older lines first") if searching else _("show only lines with this text")
        self.value = value
        self.display = True
        # At once: keys typed ahead belong to the prompt.
        self.screen.set_focus(self)
