"""What the main screen stands on: its panes, one dialog at a time, flows that may take long, the notice row."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from cockpit.errors import CockpitError
from cockpit.words import _
from screens.logs.panes import Logs
from screens.once import OnceScreen
from screens.over import OverCompositor
from screens.pace import Pace
from screens.panes.seen import Seen
from screens.view import View

if TYPE_CHECKING:
    from textual.widget import Widget

    from screens.dialogs.dialog import Dialog
    from screens.feed import Feed
    from screens.panes.pane import Pane
    from screens.terminal_relay import Foreground

T = TypeVar("T")
_NOTICE_S = 10.0


class Desk(OnceScreen):
    """Knows the view and the feed. `foreground` lends the terminal to a step; None means the real one.

    `starting` is true from the wish to run a command until it runs or was given up.
    """

    def __init__(self, view: View, feed: Feed, foreground: Foreground | None = None) -> None:
        super().__init__()
        self._compositor = OverCompositor()
        self.view = view
        self.feed = feed
        self.foreground = foreground
        self.panes: dict[str, Pane] = {}
        self.dialog: Dialog[Any] | None = None
        self.logs = Logs(self, feed.folder, feed.source)
        self.starting = False
        self.pace = Pace(view.clock)
        self._told_s: float | None = None
        self._told_of: int | None = None

    def lay_out(self, *, everything: bool = False) -> None:
        """Show the panes that fit, and in them where the cursor is, or everything anew."""
        raise NotImplementedError

    def sync(self, names: Iterable[str] | None = None) -> None:
        """Those panes (None: every one) show the view as it is."""
        raise NotImplementedError

    async def ask(self, dialog: Dialog[T]) -> T | None:
        """Show a dialog below the header and wait for its answer; None when it was left, or another one is open."""
        if self.dialog is not None:
            return None
        self.dialog, self.view.asking, self.view.choosing = dialog, True, dialog.choosing
        self.panes["keys"].sync()
        try:
            await self.mount(dialog)
            return await dialog.answered
        finally:
            # The keys leave the dialog before it goes: else they would fall to whatever else can have them.
            super().set_focus(None)
            self.dialog, self.view.asking = None, False
            await dialog.remove()
            for beneath in self.query(Seen):
                beneath.uncovered()
            self.logs.focus(self.view.active)
            self.panes["keys"].sync()

    def flow(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that takes time or asks. What can go wrong is told; a fault of ours ends the viewer loudly."""
        self.run_worker(self._told(work), group="flow")

    async def _told(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except CockpitError as error:
            over = self.waits() if self.view.state.ended_t else ""
            self.tell(over or str(error), "bad")

    def tell(self, text: str, style: str = "", *, run: int | None = None) -> None:
        """Say something in the notice row; "" takes it away. It goes by itself, and with the run it is about."""
        self._told_s, self._told_of = self.view.clock.monotonic_s(), run
        if (text, style) != self.view.notice:
            self.view.notice = (text, style)
            self.panes["notice"].sync()

    def outlive(self, ended: Iterable[int | None]) -> None:
        """Take away a notice that has stood for long, or is about a run that has ended."""
        old = self._told_s is not None and self.view.clock.monotonic_s() - self._told_s > _NOTICE_S
        if old or (self._told_of is not None and self._told_of in ended):
            self.tell("")
            self._told_s = None

    def waits(self) -> str:
        """Why the screen can't act just now; "" when it can."""
        if self.view.clock.recorded:
            return _("this is a recording: nothing can be done in it")
        if self.view.state.ended_t:
            return _("the session is over: nothing can be done in it any more")
        if self.view.spectator:
            return _("a spectator only reads")
        return "" if self.feed.connected else _("no line to the host")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a dialog is open only it has the keys, apart from stopping a step."""
        return self.dialog is None or action == "stop"

    def set_focus(self, widget: Widget | None, scroll_visible: bool = True, from_app_focus: bool = False) -> None:
        """Focus stays inside an open dialog."""
        if self.dialog is not None and (widget is None or self.dialog not in widget.ancestors):
            return
        super().set_focus(widget, scroll_visible, from_app_focus)
