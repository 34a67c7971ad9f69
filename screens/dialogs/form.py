"""A few values to type: inputs of a step, a note, a reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.widget import Widget

from cockpit.words import _
from screens.dialogs.dialog import Choices, Dialog, Label, too_fast, typed_field
from screens.paint import Line, wrapped
from screens.view import View

if TYPE_CHECKING:
    from textual.widgets import Input


@dataclass(frozen=True, slots=True)
class Field:
    """A value to ask for. `help` stands beside the label; a secret is not shown while typed."""

    name: str
    label: str
    value: str = ""
    help: str = ""
    secret: bool = False
    required: bool = True


class Form(Dialog[dict[str, str]]):
    """Asks for values; the answer holds them by name."""

    def __init__(self, view: View, title: str, fields: Sequence[Field], *, intro: str = "", done: str = "") -> None:
        self._intro = intro
        super().__init__(view, title, _("Enter: next, then done   Esc: leave it"))
        self._fields = tuple(fields)
        self._inputs = [typed_field(field.value, secret=field.secret) for field in self._fields]
        self._choices = Choices(view, [("done", done or _("Done")), ("cancel", _("Cancel"))])

    @property
    def typed(self) -> bool:
        """Whether something stands in its fields that was not there at first."""
        return any(each.value != field.value for field, each in zip(self._fields, self._inputs, strict=True))

    def rows(self, width: int) -> list[Line]:
        """The introduction."""
        return wrapped([(self._intro, "")], width - 2, first=" ", rest=" ") if self._intro else []

    def fields(self) -> Sequence[Widget]:
        """A label and an input each."""
        made: list[Widget] = []
        for field, each in zip(self._fields, self._inputs, strict=True):
            made += [Label(self.view, f"{field.label}   {field.help}".rstrip(), "strong"), each]
        return (*made, self.hint, self._choices)

    def first_focus(self) -> Widget | None:
        """The first field that still wants a value: what is typed at once must not replace one that has it."""
        wanting = (each for field, each in zip(self._fields, self._inputs, strict=True) if field.required)
        return next((each for each in wanting if not each.value.strip()), super().first_focus())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter goes to the next field; from the last one it is done."""
        event.stop()
        if self.hurried:
            self.say(too_fast(), "warn")
        elif event.input is self._inputs[-1]:
            self.chosen("done")
        else:
            self.action_next_field()

    def chosen(self, choice: str) -> None:
        """Done, when nothing is missing."""
        if choice != "done":
            self.answer(None)
            return
        for field, each in zip(self._fields, self._inputs, strict=True):
            if field.required and not each.value.strip():
                self.say(_("{label} is missing").format(label=field.label), "warn")
                self.give_keys(each)
                return
        self.answer({field.name: each.value for field, each in zip(self._fields, self._inputs, strict=True)})
