"""Before anything changes: the exact command, where it runs, and a deliberate yes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from textual.widget import Widget

from cockpit.safety.permit import Rung
from cockpit.safety.text import visible
from cockpit.session.proposal import Proposal
from cockpit.words import _
from screens.alerts import with_alert_word
from screens.dialogs.dialog import Choices, Dialog, Label, typed_field
from screens.marks import verdict_word
from screens.paint import BLANK, Line, fit_path, line, pad, plain_rows, wrapped
from screens.view import View

QUIET_S = 0.4
_MACHINE_S = 0.05
_LABEL_CELLS = 10


class Confirmed(NamedTuple):
    """How it was confirmed."""

    rung: Rung
    typed: str = ""
    reason: str = ""


class ConfirmDialog(Dialog[Confirmed]):
    """Shows a proposal, with the author's warning, and takes yes or no.

    Yes takes moving to it, or typing the target's name where the command can't be undone. It is armed only once the
    keyboard has been quiet, so that a held Enter or a pasted line end never says it.
    """

    def __init__(self, view: View, proposal: Proposal, warning: str = "") -> None:
        self.proposal = proposal
        self._warning = warning
        super().__init__(view, _("Run this? Nothing has run yet"))
        self._armed = False
        self._last_gap_s = 0.0
        self._opened_s = view.clock.monotonic_s()
        self._choices = Choices(view, [("no", _("No")), ("run", _("Run"))])
        self._hint = Label(view, _("Right and Enter: run   Enter or Esc: no"), "dim")

    def rows(self, width: int) -> list[Line]:
        """Command, place, values, verdict."""
        proposal = self.proposal
        shown = plain_rows(visible(proposal.command.rstrip("\n")), width - 4, "code")
        rows = [Line(((" $ " if n == 0 else "   ", "key"), *each.spans)) for n, each in enumerate(shown)]
        word, style = verdict_word(proposal.verdict)
        where = " ".join(filter(None, (proposal.environment, proposal.target)))
        rows += [BLANK, line((_label(_("where")), "dim"), (where, "strong"))]
        if proposal.cwd:
            rows.append(line((_label(_("folder")), "dim"), fit_path(proposal.cwd, width - _LABEL_CELLS - 1)))
        rows.append(line((_label(_("effect")), "dim"), (word, style)))
        blank = _label("")
        for reason in proposal.reasons:
            rows += wrapped([(reason, "")], width - 1, first=blank, rest=blank)
        for name, value in proposal.values.items():
            told = f"{name} = {visible(value)}"
            rows += wrapped([(told, "")], width - 1, first=_label(_("input")), rest=blank)
        if self._warning:
            rows += wrapped(with_alert_word([(self._warning, "warn")]), width - 1, first=" ! ", rest="   ")
        if proposal.inside:
            rows.append(line((_(" meant inside "), "dim"), (proposal.inside, "warn")))
        if proposal.undo:
            rows.append(line((_label(_("way back")), "dim"), (visible(proposal.undo), "code")))
        if proposal.edited:
            rows.append(line((_(" edited: the difference goes into the record"), "warn")))
        return rows

    def fields(self) -> Sequence[Widget]:
        """No comes first, and has the keys."""
        return self._hint, self._choices

    def keyed(self, gap_s: float) -> None:
        """Quiet since the dialog opened or since the last key arms it."""
        self._last_gap_s = gap_s
        if min(gap_s, self.view.clock.monotonic_s() - self._opened_s) >= QUIET_S:
            self._armed = True

    def chosen(self, choice: str) -> None:
        """No closes; Run is weighed."""
        if choice != "run":
            self.answer(None)
        elif not self._armed or self._last_gap_s < _MACHINE_S:
            self._hint.say(_("keys came too fast to be meant: press Enter once more"), "warn")
        else:
            self.confirmed()

    def confirmed(self) -> None:
        """A plain yes."""
        self.answer(Confirmed(Rung.CONFIRM))


def _label(word: str) -> str:
    """What a row is about, all of one width."""
    return pad(f" {word}", _LABEL_CELLS)


class TypeTargetDialog(ConfirmDialog):
    """For what can't be undone: the target's name, typed, and a reason."""

    def __init__(self, view: View, proposal: Proposal, warning: str = "") -> None:
        super().__init__(view, proposal, warning)
        self._typed, self._reason = typed_field(), typed_field()
        self._hint.say(_("this can't be undone"), "bad")

    def fields(self) -> Sequence[Widget]:
        """Name, reason, choice."""
        asked = _("type {target} to run it there").format(target=self.proposal.target)
        view = self.view
        return (
            Label(view, asked, "strong"),
            self._typed,
            Label(view, _("why")),
            self._reason,
            self._hint,
            self._choices,
        )

    def confirmed(self) -> None:
        """Only with the very name and a reason."""
        if self._typed.value != self.proposal.target:
            self._hint.say(_("what was typed is not the target's name"), "bad")
        elif not self._reason.value.strip():
            self._hint.say(_("a reason is missing"), "bad")
        else:
            self.answer(Confirmed(Rung.TYPE_TARGET, self._typed.value, self._reason.value.strip()))
