"""A command, edited before it runs. What changed goes into the record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from cockpit.words import _
from screens.dialogs.dialog import Choices, Dialog
from screens.dialogs.typed import TypedLines
from screens.view import View

if TYPE_CHECKING:
    from textual import events

_MOST_ROWS = 10


class Edit(Dialog[str]):
    """Answers with the edited text."""

    DEFAULT_CSS = """
    Edit TextArea { border: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "done", show=False),
        Binding("escape", "leave", show=False, priority=True),
    ]

    def __init__(self, view: View, code: str) -> None:
        super().__init__(
            view,
            _("Edit the command; the difference goes into the record"),
            _("Ctrl-S: done, judged again   Tab: to the choices   Esc: leave it"),
        )
        self._area = TypedLines(code)
        self._choices = Choices(view, [("done", _("Done")), ("cancel", _("Cancel"))])

    def rows_of(self, field: Widget) -> int:
        """The text has ten at most."""
        return min(_MOST_ROWS, self.app.size.height - 6) if field is self._area else 1

    def on_resize(self, event: events.Resize) -> None:
        """The choices stay in sight."""
        self._area.styles.height = max(1, self.rows_of(self._area))
        super().on_resize(event)

    def fields(self) -> Sequence[Widget]:
        """The text, and the choices."""
        return self._area, self.hint, self._choices

    def on_mount(self) -> None:
        """Begin at the end."""
        self._area.styles.height = max(1, self.rows_of(self._area))
        super().on_mount()
        self._area.move_cursor(self._area.document.end)

    def action_done(self) -> None:
        """Take the text."""
        self.answer(self._area.text)

    def chosen(self, choice: str) -> None:
        """Done or not."""
        self.answer(self._area.text if choice == "done" else None)
