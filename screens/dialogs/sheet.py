"""Something to read, with choices below: help, a message, a question."""

from __future__ import annotations

from collections.abc import Sequence

from textual.widget import Widget

from screens.dialogs.dialog import Choices, Dialog, Rows
from screens.paint import Line
from screens.view import View


class Read(Dialog[str]):
    """Shows rows; answers with the id of the choice taken."""

    def __init__(
        self, view: View, title: str, rows: Rows, choices: Sequence[tuple[str, str]], *, hint: str = "", at: int = 0
    ) -> None:
        self._given = rows
        super().__init__(view, title, hint)
        self._choices = Choices(view, choices, at)

    def rows(self, width: int) -> list[Line]:
        """What is to be read."""
        return self._given(width)

    def fields(self) -> Sequence[Widget]:
        """The choices."""
        return self.hint, self._choices

    def action_next_field(self) -> None:
        """There is one field: scroll."""
        self.sheet.scroll_rows(1)

    def action_previous_field(self) -> None:
        """There is one field: scroll."""
        self.sheet.scroll_rows(-1)

    def chosen(self, choice: str) -> None:
        """That one."""
        self.answer(choice)
