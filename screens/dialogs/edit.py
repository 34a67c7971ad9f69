"""A command, edited before it runs. What changed goes into the record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import TextArea

from cockpit.words import _
from screens.dialogs.dialog import Choices, Dialog, Label
from screens.view import View


class Edit(Dialog[str]):
    """Answers with the edited text."""

    DEFAULT_CSS = """
    Edit TextArea { height: 10; border: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "done", show=False),
        Binding("escape", "leave", show=False, priority=True),
    ]

    def __init__(self, view: View, code: str) -> None:
        super().__init__(view, _("Edit the command; the difference goes into the record"))
        self._area = TextArea(code, show_line_numbers=False, compact=True)
        self._area.cursor_blink = False
        self._hint = Label(view, _("Ctrl-S: done, judged again   Tab: to the choices   Esc: leave it"), "dim")
        self._choices = Choices(view, [("done", _("Done")), ("cancel", _("Cancel"))])

    def fields(self) -> Sequence[Widget]:
        """The text, and the choices."""
        return self._area, self._hint, self._choices

    def on_mount(self) -> None:
        """Begin at the end."""
        super().on_mount()
        self._area.move_cursor(self._area.document.end)

    def action_done(self) -> None:
        """Take the text."""
        self.answer(self._area.text)

    def chosen(self, choice: str) -> None:
        """Done or not."""
        self.answer(self._area.text if choice == "done" else None)
