"""What all dialogs share: a place below the header, an answer to wait for, and a way out that confirms nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget

from cockpit.words import _
from screens.paint import Line, line, spread
from screens.panes.pane import Pane
from screens.view import View

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult
    from textual.widgets import Input

LONGEST_TYPED = 16 * 1024
T = TypeVar("T")
# The header's two, and the line below.
_AROUND_ROWS = 3
# A title, a row of text, the hint and the choices.
_ALWAYS_ROWS = 4
_MACHINE_S = 0.05
Rows = Callable[[int], list[Line]]


class Dialog(Vertical, Generic[T]):
    """A question. `answered` is its answer, None when it was left; `choosing` are the keys from choice to choice."""

    choosing = "<- ->"
    DEFAULT_CSS = """
    Dialog {
        layer: over; dock: top; offset-y: 2; height: auto; max-height: 100%; width: 100%;
        background: $surface; border-bottom: solid $primary;
    }
    Dialog Sheet { height: auto; }
    Dialog Input { padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab,down", "next_field", show=False),
        Binding("shift+tab,up", "previous_field", show=False),
        Binding("escape", "leave", show=False),
        Binding("pagedown", "scroll_sheet(1)", show=False),
        Binding("pageup", "scroll_sheet(-1)", show=False),
    ]

    def __init__(self, view: View, title: str, hint: str) -> None:
        super().__init__(id="dialog")
        self.view = view
        self.hint = Label(view, hint, "dim")
        self.answered: asyncio.Future[T | None] = asyncio.get_running_loop().create_future()
        self.sheet = Sheet(view, title, self.rows)
        self._last_gap_s = 1.0
        self._keys_at: Widget | None = None

    def compose(self) -> ComposeResult:
        """The sheet, then what can be filled or chosen."""
        yield self.sheet
        yield from self.fields()

    def rows(self, _width: int) -> list[Line]:
        """What the sheet says."""
        return []

    def fields(self) -> Sequence[Widget]:
        """Labels, inputs and choices, made once."""
        return ()

    def first_focus(self) -> Widget | None:
        """Where the keys go at first: the first field."""
        return next(iter(self._focusable()), None)

    def on_mount(self) -> None:
        """Room for the sheet, and the keys to the first field."""
        self.resize_sheet()
        focus = self.first_focus()
        if focus:
            self.give_keys(focus)

    def on_resize(self, _event: events.Resize) -> None:
        """Another size, another fold."""
        self.resize_sheet()

    def resize_sheet(self) -> None:
        """As high as its text, as far as the screen and the fields leave room."""
        size = self.app.size
        self._show_fields_that_fit(size.height - _AROUND_ROWS - _ALWAYS_ROWS)
        others = sum(self.rows_of(child) for child in self.children if child is not self.sheet and child.display)
        self.sheet.fold(size.width - self.styles.margin.width, max(1, size.height - _AROUND_ROWS - others))

    def _show_fields_that_fit(self, rows: int) -> None:
        """Of the fields with a label, those around the one that has the keys: the choices have to stay in sight."""
        children = list(self.children)
        pairs = [(label, field) for label, field in pairwise(children) if isinstance(label, Label) and is_input(field)]
        if not pairs:
            return
        shown = max(1, min(len(pairs), rows // 2))
        at = next((n for n, (_label, field) in enumerate(pairs) if field is self._keys_at), 0)
        first = max(0, min(at - shown // 2, len(pairs) - shown))
        for number, (label, field) in enumerate(pairs):
            field.display = first <= number < first + shown
            label.display = field.display and rows > 1
            label.beside = f"{number + 1}/{len(pairs)} " if shown < len(pairs) else ""

    def give_keys(self, field: Widget) -> None:
        """Keys to this field, brought into sight."""
        if is_input(field):
            self._keys_at = field
            self.resize_sheet()
        self.screen.set_focus(field)

    def rows_of(self, _field: Widget) -> int:
        """How many rows a field takes."""
        return 1

    def answer(self, value: T | None) -> None:
        """Close with an answer."""
        if not self.answered.done():
            self.answered.set_result(value)

    def chosen(self, choice: str) -> None:
        """A choice was taken by Enter."""
        raise NotImplementedError

    def entered(self, choice: str) -> None:
        """Enter on a choice: it is taken, unless keys came as quickly as a paste."""
        if self.hurried:
            self.say(too_fast(), "warn")
        else:
            self.chosen(choice)

    def say(self, text: str, style: str) -> None:
        """Put this in the place of the hint."""
        self.hint.say(text, style)

    def takes(self, _key: str, gap_s: float) -> bool:
        """Whether a key counts that came so many seconds after the one before; else nobody gets it."""
        self._last_gap_s = gap_s
        return True

    @property
    def hurried(self) -> bool:
        """Whether the last key came as quickly as only a pasted one does: nothing is taken by it."""
        return self._last_gap_s < _MACHINE_S

    def action_leave(self) -> None:
        """Out, without an answer."""
        self.answer(None)

    def action_next_field(self) -> None:
        """Keys to the next field."""
        self._turn(1)

    def action_previous_field(self) -> None:
        """Keys to the field before."""
        self._turn(-1)

    def action_scroll_sheet(self, by: int) -> None:
        """A page of the sheet."""
        self.sheet.scroll_rows(by * max(1, self.sheet.room - 1))

    def _focusable(self) -> list[Widget]:
        return [child for child in self.children if child.can_focus]

    def _turn(self, by: int) -> None:
        order = self._focusable()
        focused = self.screen.focused
        if order:
            here = order.index(focused) if focused in order else -by
            self.give_keys(order[(here + by) % len(order)])

    def on_unmount(self) -> None:
        """Gone is left."""
        self.answer(None)


def is_input(widget: Widget) -> bool:
    """Whether it is a line to type in."""
    from textual.widgets import Input

    return isinstance(widget, Input)


def too_fast() -> str:
    """What is said to who is hurried."""
    return _("keys came too fast to be meant: press Enter once more")


def typed_field(
    value: str = "", *, secret: bool = False, longest: int = LONGEST_TYPED, made: type[Input] | None = None
) -> Input:
    """A field to type in, whose cursor does not blink: each blink would be sent down the line.

    Args:
        longest: characters it takes; a paste of more is not taken at all.
        made: its class, if not Typed.
    """
    from screens.dialogs.typed import Typed

    kind = made or Typed
    field = kind(value, placeholder=_("type here"), password=secret, compact=True, max_length=longest)
    field.cursor_blink = False
    return field


class Sheet(Pane):
    """The text of a dialog, under its title."""

    def __init__(self, view: View, title: str, rows: Rows) -> None:
        super().__init__(view, "sheet")
        self.active = True
        self._title = title
        self._given = rows
        self._rows: list[Line] = []
        self.seen_to_end = False

    def fold(self, width: int, most: int) -> None:
        """Take the text anew, for a width, on at most so many rows."""
        self._rows = self._given(width)
        self.stand(1 + min(len(self._rows), most - 1))
        self.sync()

    def sync(self) -> None:
        """Bring it up to date, and notice when its last row has been shown."""
        super().sync()
        if self.size and self.is_attached:
            self.seen_to_end = self.seen_to_end or self.top + self.room >= len(self._rows)

    def title_text(self) -> str:
        """What is asked."""
        return self._title

    def count(self) -> int:
        """Rows of text."""
        return len(self._rows)

    def row_at(self, index: int) -> Line:
        """One of them."""
        return self._rows[index]


class Label(Pane):
    """One row above a field."""

    DEFAULT_CSS = """
    Label { height: 1; }
    """
    titled = False

    def __init__(self, view: View, text: str, style: str = "") -> None:
        super().__init__(view, None)
        self._text, self._style = text, style
        self.beside = ""
        """Said at the right end."""

    def count(self) -> int:
        """One."""
        return 1

    def row_at(self, _index: int) -> Line:
        """The text."""
        return spread(line((f" {self._text}", self._style)), line((self.beside, "dim")), self.size.width)

    def say(self, text: str, style: str = "") -> None:
        """Other words."""
        self._text, self._style = text, style
        self.sync()


class Choices(Pane):
    """A row of choices. The chosen one is marked by shape; Enter takes it, and nothing else does."""

    DEFAULT_CSS = """
    Choices { height: 1; }
    """
    titled = False
    can_focus = True

    def __init__(self, view: View, options: Sequence[tuple[str, str]], at: int = 0) -> None:
        super().__init__(view, "choices")
        self.options = tuple(options)
        self.at = at

    def count(self) -> int:
        """One row."""
        return 1

    def row_at(self, _index: int) -> Line:
        """[> No <]   Run"""
        spans = []
        for number, (_id, text) in enumerate(self.options):
            chosen = number == self.at
            shown = f"[> {text} <]" if chosen else f"   {text}   "
            spans += [("  ", ""), (shown, "alarm-choice" if chosen and self.has_focus else "strong" if chosen else "")]
        return line(*spans)

    def on_focus(self) -> None:
        """Show it."""
        self.sync()

    def on_blur(self) -> None:
        """Show it."""
        self.sync()

    def on_key(self, event: events.Key) -> None:
        """Left and right choose, Enter takes."""
        if event.key in ("left", "right"):
            self.at = (self.at + (1 if event.key == "right" else -1)) % len(self.options)
            self.sync()
            event.stop()
        elif event.key == "enter":
            event.stop()
            event.prevent_default()
            self._dialog().entered(self.options[self.at][0])

    def choose(self, at: int) -> None:
        """Put the mark there."""
        self.at = at
        self.sync()

    def on_click(self, event: events.Click) -> None:
        """A click puts the mark there; taking it is Enter's."""
        cells = 0
        for number, (_id, text) in enumerate(self.options):
            cells += line(f"  [> {text} <]").width
            if event.x < cells:
                self.at = number
                break
        self.sync()

    def _dialog(self) -> Dialog[object]:
        return next(node for node in self.ancestors if isinstance(node, Dialog))
