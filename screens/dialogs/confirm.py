"""Before anything changes: the exact command, where it runs, and a deliberate yes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from textual.widget import Widget
from textual.widgets import Input

from cockpit.safety.permit import Rung
from cockpit.session.steps.proposal import Proposal
from cockpit.words import _
from screens.dialogs.dialog import Choices, Dialog, Label, typed_field
from screens.dialogs.told import proposal_rows
from screens.paint import Line
from screens.view import View

if TYPE_CHECKING:
    from textual import events

QUIET_S = 0.4
READ_S = 3.0
_LONGEST_REASON = 500


class Confirmed(NamedTuple):
    """How it was confirmed."""

    rung: Rung
    typed: str = ""
    reason: str = ""


class ConfirmDialog(Dialog[Confirmed]):
    """Shows a proposal, with the author's warning, and takes yes or no.

    No is chosen at first, and Escape is No. Keys count only once the dialog has been seen: what was typed ahead, what
    is held down and what is pasted says nothing. Run takes moving to it, with the last row of the text once shown.
    """

    read_s = 0.0

    def __init__(self, view: View, proposal: Proposal, warning: str = "") -> None:
        self.proposal = proposal
        self._warning = warning
        super().__init__(view, _("Run this? Nothing has run yet"), _("Right and Enter: run   Enter or Esc: no"))
        self._seen_s: float | None = None
        self._awake = False
        self._choices = Choices(view, [("no", _("No")), ("run", _("Run"))])

    def rows(self, width: int) -> list[Line]:
        """Place, effect, command, values, the way back."""
        return proposal_rows(self.proposal, self._warning, width)

    def fields(self) -> Sequence[Widget]:
        """No comes first, and has the keys."""
        return self.hint, self._choices

    def on_mount(self) -> None:
        """From when it is painted, it can be read."""
        super().on_mount()
        self.call_after_refresh(self._painted)

    def _painted(self) -> None:
        self._seen_s = self.view.clock.monotonic_s()

    def takes(self, key: str, gap_s: float) -> bool:
        """Whether a key counts: Escape always, others once the dialog stood there and the keyboard was quiet."""
        super().takes(key, gap_s)
        if not self._awake:
            self._awake = self._seen_s is not None and min(gap_s, self._shown_s()) >= QUIET_S
        if self._awake or key == "escape":
            return True
        self.say(_("keys typed before this could be read do not count"), "warn")
        return False

    def _shown_s(self) -> float:
        return 0.0 if self._seen_s is None else self.view.clock.monotonic_s() - self._seen_s

    def entered(self, choice: str) -> None:
        """How quickly keys came is weighed with the rest."""
        self.chosen(choice)

    def chosen(self, choice: str) -> None:
        """No closes; Run is weighed."""
        if choice != "run":
            self.answer(None)
            return
        why = self._not_yet()
        if why:
            self._choices.choose(0)
            self.say(why, "warn")
        else:
            self.confirmed()

    def _not_yet(self) -> str:
        """Why a yes does not count yet; "" when it does."""
        if self.hurried:
            return _("keys came too fast to be meant: choose once more")
        if not self.sheet.seen_to_end:
            return _("read it to its end first: PgDn")
        if self._shown_s() < self.read_s:
            return _("it has only just been shown: read it first, then choose once more")
        return ""

    def confirmed(self) -> None:
        """A plain yes."""
        self.answer(Confirmed(Rung.CONFIRM))


class TypedName(Input):
    """The target's name, by the operator's own fingers: what is pasted does not count."""

    def on_paste(self, event: events.Paste) -> None:
        """Not this way."""
        event.prevent_default()
        event.stop()

    def action_paste(self) -> None:
        """Not that way either."""


class TypeTargetDialog(ConfirmDialog):
    """For what can't be undone: the target's name, typed, and a reason."""

    read_s = READ_S

    def __init__(self, view: View, proposal: Proposal, warning: str = "") -> None:
        super().__init__(view, proposal, warning)
        self._typed, self._reason = typed_field(made=TypedName), typed_field(longest=_LONGEST_REASON)
        self.say(_("this can't be undone"), "bad")

    def fields(self) -> Sequence[Widget]:
        """Name, reason, choice."""
        asked = _("type {target} to run it there").format(target=self.proposal.target)
        view = self.view
        return (
            Label(view, asked, "strong"),
            self._typed,
            Label(view, _("why")),
            self._reason,
            self.hint,
            self._choices,
        )

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter goes on to the next field, and confirms nothing."""
        event.stop()
        self.action_next_field()

    def confirmed(self) -> None:
        """Only with the very name and a reason."""
        if self._typed.value != self.proposal.target:
            self.say(_("what was typed is not the target's name"), "bad")
        elif not self._reason.value.strip():
            self.say(_("a reason is missing"), "bad")
        else:
            self.answer(Confirmed(Rung.TYPE_TARGET, self._typed.value, self._reason.value.strip()))
