"""Which mode holds at this moment, whatever was chosen: more care than was asked for can be ordered at any time."""

from __future__ import annotations

from collections.abc import Callable

from cockpit.errors import PolicyRefusal
from cockpit.safety.permit import Mode
from cockpit.safety.verdict import Judgement
from cockpit.session.record.state import SessionState
from cockpit.words import _


class Modes:
    """What may be done in a session.

    Args:
        kept_read_only: why nothing may be changed now, whatever the session's own mode; "" when that decides. Asked
            before every step: an administrator may lock the machine while a session runs.
    """

    def __init__(self, kept_read_only: Callable[[], str] = lambda: "") -> None:
        self.kept_read_only = kept_read_only

    def now(self, state: SessionState) -> Mode:
        """The mode of this moment."""
        return Mode.READ_ONLY if self.kept_read_only() else Mode(state.mode)

    def changed(self, state: SessionState, wanted: str) -> Mode:
        """The mode to change to.

        Raises:
            PolicyRefusal: something keeps the session read-only; or what is real would be called a rehearsal, or the
                reverse.
        """
        mode = Mode(wanted)
        kept = self.kept_read_only()
        if kept and mode is not Mode.READ_ONLY:
            raise PolicyRefusal(kept)
        if mode is (Mode.LIVE if state.rehearsal else Mode.REHEARSAL):
            raise PolicyRefusal(_("a rehearsal stays a rehearsal, and nothing else becomes one"))
        return mode

    def refusal(self, judgement: Judgement) -> PolicyRefusal:
        """Read-only mode's word on an action that is not proven to read only."""
        why = "; ".join(judgement.reasons) or judgement.verdict.value
        mend = self.kept_read_only() or _("run it in a live session")
        return PolicyRefusal(_("not provably read-only: {why}").format(why=why), mend=mend)
