"""One of several: a short list, or a long one narrowed by typing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from textual.widget import Widget

from cockpit.words import _
from screens.dialogs.dialog import Dialog, too_fast, typed_field
from screens.paint import BLANK, Line, line, spread
from screens.panes.pane import Pane
from screens.view import View

if TYPE_CHECKING:
    from textual import events
    from textual.widgets import Input


class Option(NamedTuple):
    """Something to pick: its id, its label, and a hint at the right."""

    id: str
    label: str
    hint: str = ""


class Menu(Pane):
    """Options, one a row; the mark is a shape."""

    DEFAULT_CSS = """
    Menu { height: auto; }
    """
    titled = False
    can_focus = True

    def __init__(self, view: View, options: Sequence[Option]) -> None:
        super().__init__(view, "menu")
        self.options = list(options)
        self.at = 0

    def count(self) -> int:
        """Options."""
        return len(self.options)

    def row_at(self, index: int) -> Line:
        """> label        hint"""
        option, here = self.options[index], index == self.at
        left = line((" > " if here else "   ", "key"), option.label, row="cursor" if here else "")
        hint = line((f"{option.hint} ", "dim"))
        # What it is called is worth more than what is said of it.
        return spread(left, hint if hint.width <= self.size.width // 2 else BLANK, self.size.width)

    def move(self, by: int) -> None:
        """Move the mark; it stops at both ends."""
        self.at = max(0, min(self.at + by, len(self.options) - 1))
        self.reveal(self.at, self.at)
        self.sync()

    def show(self, options: Sequence[Option], most: int) -> None:
        """Other options."""
        self.options, self.at, self.top = list(options), 0, 0
        self.stand(max(1, min(len(self.options), most)))
        self.sync()

    @property
    def marked(self) -> Option | None:
        """The option under the mark."""
        return self.options[self.at] if self.options else None


class Pick(Dialog[str]):
    """Answers with the id of what was picked."""

    choosing = "↑ ↓"

    def __init__(
        self, view: View, title: str, options: Sequence[Option], *, narrowed: bool = False, says: Sequence[Line] = ()
    ) -> None:
        self._says = list(says)
        super().__init__(view, title, _chooses())
        self._options = tuple(options)
        self.menu = Menu(view, options)
        self.menu.can_focus = not narrowed
        self._search: Input | None = typed_field() if narrowed else None

    def rows(self, _width: int) -> list[Line]:
        """What is said above the list."""
        return self._says

    def fields(self) -> Sequence[Widget]:
        """The narrowing text, if any, and the list."""
        return (*([self._search] if self._search else []), self.menu, self.hint)

    def on_mount(self) -> None:
        """Room for the list."""
        self.menu.show(self._options, self._most())
        super().on_mount()

    def action_next_field(self) -> None:
        """Down."""
        self.menu.move(1)

    def action_previous_field(self) -> None:
        """Up."""
        self.menu.move(-1)

    def action_scroll_sheet(self, by: int) -> None:
        """A page of options."""
        self.menu.move(by * max(1, self.menu.size.height - 1))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Fewer options: those that hold every word typed."""
        words = event.value.casefold().split()
        kept = [o for o in self._options if all(word in f"{o.label} {o.hint}".casefold() for word in words)]
        self.menu.show(kept, self._most())
        self.say(_chooses() if kept else _("nothing matches"), "dim")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the marked one."""
        event.stop()
        self._take()

    def on_key(self, event: events.Key) -> None:
        """Enter takes."""
        if event.key == "enter":
            event.stop()
            self._take()

    def _take(self) -> None:
        if self.hurried:
            self.say(too_fast(), "warn")
        elif self.menu.marked:
            self.taken(self.menu.marked)

    def taken(self, option: Option) -> None:
        """Enter on an option."""
        self.answer(option.id)

    def rows_of(self, field: Widget) -> int:
        """The list has as many as it stands on."""
        return self.menu.standing if field is self.menu else 1

    def _most(self) -> int:
        """As many options as fit; where little fits, rather them than what is said above."""
        return max(1, min(3, self.app.size.height - 4), self.app.size.height - 7 - len(self._says))


def _chooses() -> str:
    return _("up and down choose   Enter takes   Esc leaves")
