"""The screen over a recording: the same panes, and keys to hold it, go about in it, and tell it faster."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType

from cockpit.session.record.clock import moment
from cockpit.session.record.event import Event
from cockpit.words import _
from screens import keys
from screens.main import MainScreen
from screens.panes.aside import event_line

if TYPE_CHECKING:
    from screens.feed import Feed
    from screens.replay import Replay
    from screens.view import View

_STEP_S = 10.0
_FASTEST, _SLOWEST = 1024.0, 1 / 8
# Who has just looked about is left where they are.
_LEFT_ALONE_S = 5.0
_AGAIN_S = 1.0
_TIME = re.compile(r"(?:(\d+):)?(\d+):(\d\d)")


class ReplayScreen(MainScreen):
    """Nothing here reaches a host: there is none."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.replay_bindings()]

    def __init__(self, view: View, feed: Feed, replay: Replay) -> None:
        super().__init__(view, feed)
        self._replay = replay
        self._at_end = False
        self._tell_state()

    def session_changed(self, events: list[Event]) -> None:
        """The cursor goes with what was run, unless somebody is looking about."""
        begun = [event.data for event in events if event.kind == "step.intent"]
        if begun and self.view.clock.monotonic_s() - self._touched_s > _LEFT_ALONE_S:
            self._go_to_row(str(begun[-1].get("part") or begun[-1]["step"]))
        super().session_changed(events)

    def tick(self) -> None:
        """Say when it has come to its end."""
        super().tick()
        at_end = self._replay.clock.now() >= self._replay.clock.last
        if at_end and not self._at_end and self.panes:
            self.tell(_("the recording ends here: <- and [ go back, q leaves"))
        self._at_end = at_end

    def action_pause(self) -> None:
        """Hold it, or let it go on."""
        self._replay.clock.hold(not self._replay.clock.paused)
        self._tell_state()

    def action_faster(self) -> None:
        """Twice as fast."""
        self._set_speed(self._replay.clock.speed * 2)

    def action_slower(self) -> None:
        """Half as fast."""
        self._set_speed(self._replay.clock.speed / 2)

    def action_earlier(self) -> None:
        """Ten seconds back."""
        self._seek(self._replay.clock.now() - timedelta(seconds=_STEP_S))

    def action_later(self) -> None:
        """Ten seconds on."""
        self._seek(self._replay.clock.now() + timedelta(seconds=_STEP_S))

    def action_event_before(self) -> None:
        """To what happened before, among what the timeline tells."""
        # Pressed again soon, it goes on to the one before that.
        before = self._replay.clock.now() - timedelta(seconds=_AGAIN_S * max(1.0, self._replay.clock.speed))
        times = [at for event in self.view.events if event_line(event) and (at := moment(event.t)) and at < before]
        self._seek(times[-1] if times else self._replay.clock.first)

    def action_event_after(self) -> None:
        """To what happens next."""
        self._seek(self._replay.next_told(event_line) or self._replay.clock.last)

    def action_jump(self) -> None:
        """Ask for a time and go there."""
        self.flow(self._ask_time())

    async def _ask_time(self) -> None:
        from screens.dialogs.form import Field, Form

        label = _("minutes and seconds since the session began, as in 12:30 or 1:02:03")
        given = await self.ask(Form(self.view, _("Go to a time"), [Field("time", label)], done=_("Go")))
        if given is None:
            return
        match = _TIME.fullmatch(given["time"].strip())
        if match is None:
            self.tell(_("not a time such as 12:30: {text}").format(text=given["time"]), "warn")
            return
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        self._seek(self._replay.clock.first + timedelta(hours=hours, minutes=minutes, seconds=seconds))

    def _set_speed(self, speed: float) -> None:
        self._replay.clock.speed = max(_SLOWEST, min(speed, _FASTEST))
        self._tell_state()

    def _seek(self, at: datetime) -> None:
        if self.view.active in ("output", "logs"):
            self.activate("guide")
        self._replay.seek(at)
        self.feed.start_over()
        touched = max(self.view.state.steps.items(), key=lambda each: each[1].at, default=None)
        if touched is not None:
            self._go_to_row(touched[0])

    def _go_to_row(self, row_id: str) -> None:
        index = next((n for n, row in enumerate(self.view.rows) if row_id in (row.id, row.step.id)), None)
        if index is not None:
            self.move_to(index)

    def _tell_state(self) -> None:
        clock = self._replay.clock
        word = _(" REPLAY held ") if clock.paused else _(" REPLAY x{speed:g} ").format(speed=clock.speed)
        self.view.told_as = word
        if self.panes:
            self.panes["top"].sync()
