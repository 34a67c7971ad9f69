"""What a session kept of the logs it followed: looked at once it is over, or in a recording of it."""

from __future__ import annotations

from cockpit.words import _
from screens.logs.pane import LogPane


class KeptPane(LogPane):
    """Lines of the whole session: the record does not hold when each of them came."""

    def at_end(self) -> str:
        """Nothing more will come."""
        return _("kept in the record, of the whole session")
