"""The one screen: panes around the step under the cursor. What keys lead to is in `work` and `saying`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import BindingType
from textual.containers import Horizontal, Vertical

from cockpit.session.record.event import Event, Status
from screens import keys
from screens.layout import PANES, Layout, layout_of
from screens.looking import Looking
from screens.panels.stack import FoldedPanels, PanelStack
from screens.panes.aside import Contacts, Timeline
from screens.panes.bars import Advice, Bar, Brief, KeyBar, Notice
from screens.panes.card import Card
from screens.panes.frame import Edge, frame_of
from screens.panes.guide import Guide
from screens.panes.header import TopBar
from screens.panes.pane import Pane
from screens.panes.steps import StepList
from screens.panes.targets import Targets
from screens.view import View

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult
    from textual.widget import Widget

    from cockpit.runbook.model import Runbook
    from screens.feed import Feed
    from screens.terminal_relay import Foreground

_LIVELY_S = 60.0
# What follows the cursor.
_FOLLOWING = ("top", "steps", "guide", "card", "targets", "keys")


class MainScreen(Looking):
    """Holds the view, the feed and the panes, and keeps what is shown up to date."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings()]
    DEFAULT_CSS = """
    MainScreen { layers: base over; overflow: hidden; background: $background; color: $foreground; }
    MainScreen.-framed Edge { display: block; }
    MainScreen.-framed Dialog { margin: 0 1; }
    MainScreen #body { height: 1fr; }
    MainScreen .beside #left { margin-right: 1; }
    MainScreen .beside #right { margin-left: 1; }
    """

    def __init__(self, view: View, feed: Feed, foreground: Foreground | None = None) -> None:
        super().__init__(view, feed, foreground)
        self._touched_s = view.clock.monotonic_s()
        self._pressed_s = 0.0
        self._layout: Layout | None = None
        self._painted_now = False

    def compose(self) -> ComposeResult:
        """Few widgets, each painting rows itself."""
        view = self.view
        yield TopBar(view, "top")
        yield FoldedPanels(view, "folded")
        yield Brief(view, "brief")
        yield Advice(view, "advice")
        with Horizontal(id="body"):
            with Vertical(id="left"):
                yield PanelStack(view, "panels")
                yield StepList(view, "steps")
            with Vertical(id="centre"):
                yield Guide(view, "guide")
                yield Card(view, "card")
                yield Targets(view, "targets")
            with Vertical(id="right"):
                yield Timeline(view, "timeline")
                yield Contacts(view, "contacts")
        yield Notice(view, "notice")
        yield KeyBar(view, "keys")
        yield Edge(view, "left-edge")
        yield Edge(view, "right-edge")

    def on_mount(self) -> None:
        """Know the panes by name, and lay them out."""
        self.panes = {str(pane.id): pane for pane in self.query(Pane)}
        self.lay_out()
        self.take_document()

    # -- layout ----------------------------------------------------------------------------------------------------

    def on_resize(self, _event: events.Resize) -> None:
        """Another size may mean other columns."""
        self.lay_out()

    def lay_out(self, *, everything: bool = False) -> None:
        """Show the panes that fit, and in them where the cursor is, or everything anew."""
        if not self.panes:
            return
        self.set_class(bool(frame_of(self.view)), "-framed")
        size = self.app.size
        self.logs.show_output(self.view)
        layout = layout_of(
            size.width, size.height, self.view.active, full=self.view.full, has_output=self.logs.has_output,
            has_targets=self.view.fan_out() is not None,
        )  # fmt: skip
        # Setting a style makes Textual lay out and paint everything anew, even when it is the same style.
        changed = layout != self._layout
        if changed:
            self._layout = layout
            self._apply(layout)
        self.logs.display(layout.shown)
        for pane in self.panes.values():
            changed = changed or pane.active != (pane.id == self.view.active)
            pane.active = pane.id == self.view.active
        self.sync(None if changed or everything else _FOLLOWING)

    def _apply(self, layout: Layout) -> None:
        for name in (*PANES, "card"):
            if name in self.panes:
                self.panes[name].display = name in layout.shown
        self.panes["folded"].display = layout.folded_panels and not self.view.full
        cast(Card, self.panes["card"]).allow(layout.card_rows)
        self._place_columns(layout)

    def _place_columns(self, layout: Layout) -> None:
        body, stacked = self.query_one("#body"), layout.columns == 1
        body.styles.layout = "vertical" if stacked else "horizontal"
        body.set_class(not stacked, "beside")
        cells = {"left": layout.left_cells, "centre": 0, "right": layout.right_cells}
        for column, held in (
            ("left", ("panels", "steps")),
            ("centre", ("guide", "card", "targets", "output", "logs")),
            ("right", ("timeline", "contacts")),
        ):
            widget: Widget = self.query_one(f"#{column}")
            widget.display = any(name in layout.shown for name in held)
            widget.styles.width = cells[column] if cells[column] else "1fr"
            only_card = stacked and column == "centre" and not {"guide", "targets", "output", "logs"} & layout.shown
            widget.styles.height = "auto" if only_card else "1fr"

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """A click put the keys into the output."""
        # News of a focus that has gone on since is no click.
        if event.widget is not self.focused or self.dialog is not None or not self.logs.holds(event.widget):
            return
        if self.view.active not in ("output", "logs"):
            self.view.active = "output"
            self.lay_out()

    # -- what changed ----------------------------------------------------------------------------------------------

    def take_document(self) -> None:
        """The view holds another document."""
        cast(Guide, self.panes["guide"]).take_document()
        cast(StepList, self.panes["steps"]).take_document()
        self.sync()

    def read_document(self, runbook: Runbook) -> None:
        """The document as the reader understood it replaces the first glance at it."""
        self.view.read(runbook)
        self.take_document()
        self.cursor_moved()

    def sync(self, names: Iterable[str] | None = None) -> None:
        """Those panes (None: every one) show the view as it is."""
        for name in names or self.panes:
            # A bar that takes no room is not displayed, and only its own sync brings it back.
            if self.panes[name].display or isinstance(self.panes[name], Bar):
                self.panes[name].sync()

    def session_changed(self, events: list[Event]) -> None:
        """The session went on; a step that passed hands the cursor to the next one."""
        row, passed = self.view.row, (Status.PASSED, Status.SKIPPED)
        ends = [event.data for event in events if event.kind == "step.finished" and event.data["status"] in passed]
        if row is not None and any((end.get("part") or end["step"]) == row.id for end in ends):
            self.advance()
        over = ("step.exited", "step.repeated", "step.finished", "target.finished")
        self.outlive([event.data.get("run") for event in events if event.kind in over])
        self.lay_out(everything=True)
        self._painted_now = True
        self.preview_soon()

    def sync_panels(self) -> None:
        """New samples."""
        self.sync(("panels", "folded"))

    def link_changed(self) -> None:
        """The line to the host is up or down."""
        self.panes["top"].sync()
        self.preview_soon()

    def tick(self) -> None:
        """Time passed: clocks, and whatever runs."""
        view, now_s = self.view, self.view.clock.monotonic_s()
        self.outlive(())
        lively = bool(view.state.running) or now_s - self._touched_s < _LIVELY_S
        view.clock_fine = lively or view.clock.recorded
        if not self.panes or self._painted_now:
            self._painted_now = False
            return
        holding = any(gate["phase"] == "holding" for gate in view.state.gates.values())
        self.sync(("top", "steps", "card", "guide", "targets") if view.state.running or holding else ("top", "steps"))

    def takes(self, press: events.Key) -> bool:
        """A key came: somebody is here. Whether it counts, a dialog may judge by how quickly keys follow each other."""
        self._touched_s = self.view.clock.monotonic_s()
        # By when the terminal sent it: a screen that is behind must not take a held key for several presses.
        sent_s = self.view.clock.sent_s(press.time)
        gap_s, self._pressed_s = sent_s - self._pressed_s, sent_s
        self.pace.keyed(press, press.key, gap_s)
        return self.dialog is None or self.dialog.takes(press.key, gap_s)
