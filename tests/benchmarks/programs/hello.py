"""The framework's floor: the least that a Textual program with a frame costs."""

from __future__ import annotations

from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.widgets import Button, Footer, Header, Static


class Hello(App[None]):
    """A header, a footer, a text and two buttons."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [("q", "quit", "Quit"), ("x", "count", "Count")]
    presses = 0

    def compose(self) -> ComposeResult:
        yield Header()
        yield Static("hello world", id="text")
        yield Button("One")
        yield Button("Two")
        yield Footer()

    def action_count(self) -> None:
        self.presses += 1
        self.query_one("#text", Static).update(f"count={self.presses}")


if __name__ == "__main__":
    Hello().run()
