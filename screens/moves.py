"""Moving about: cursor, panes, scrolling, search. Nothing here asks the host for anything but a preview."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from cockpit.errors import CockpitError
from cockpit.monitor.alert_runbook import place_of
from cockpit.runbook.model import StepKind
from cockpit.words import _
from screens.desk import Desk
from screens.layout import PANES
from screens.panels import alerting
from screens.rows import first_row_of

if TYPE_CHECKING:
    from screens.panes.guide import Guide
    from screens.panes.steps import StepList

_PREVIEW_S = 0.2


class Moves(Desk):
    """The part of the main screen that moves."""

    _preview: asyncio.TimerHandle | None = None

    # -- the cursor ------------------------------------------------------------------------------------------------

    def cursor_moved(self) -> None:
        """Follow the cursor everywhere, and soon ask what its command would do."""
        self._follow_cursor()
        self.lay_out()
        self.preview_soon()

    def _follow_cursor(self) -> None:
        cast("Guide", self.panes["guide"]).follow_cursor()
        cast("StepList", self.panes["steps"]).follow_cursor()
        self.panes["card"].top = 0

    def advance(self) -> None:
        """On to the next row, over the heading of a block to its first command; whoever calls paints that."""
        self.pace.moved_on()
        self.view.move(1)
        if self.view.row is not None and self.view.row.is_block:
            self.view.move(1)
        self._follow_cursor()

    def move_to(self, index: int) -> None:
        """Put the cursor on a row."""
        self.view.cursor = max(0, min(index, len(self.view.rows) - 1))
        self.cursor_moved()

    def preview_soon(self) -> None:
        """Ask for a judged proposal once the cursor rests."""
        if self._preview:
            self._preview.cancel()
        self._preview = asyncio.get_running_loop().call_later(_PREVIEW_S, self._ask_preview)

    def _ask_preview(self) -> None:
        row, view = self.view.row, self.view
        if row is None or row.is_block or row.step.kind is not StepKind.COMMAND or view.spectator or self.starting:
            return
        if self.feed.connected and not (view.proposal and view.proposal_row == row.id):
            task = asyncio.ensure_future(self._take_preview(row.step.id, row.part.id if row.part else None, row.id))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def _take_preview(self, step: str, part: str | None, row_id: str) -> None:
        try:
            with self.feed.busy():
                proposal = await self.feed.client.propose(step, part=part)
        except CockpitError as error:
            self.tell(str(error), "warn")
            return
        self.view.proposal, self.view.proposal_row = proposal, row_id
        self.sync(("card", "keys"))

    # -- actions ---------------------------------------------------------------------------------------------------

    def action_down(self) -> None:
        """Next step, or down a row in other panes."""
        self._step(1)

    def action_up(self) -> None:
        """Previous step, or up a row in other panes."""
        self._step(-1)

    def _step(self, by: int) -> None:
        if self.view.active in ("guide", "steps") and not self.view.full and self.view.rows:
            self.view.move(by)
            self.pace.moved_by_hand()
            self.cursor_moved()
        else:
            self._scroll(by)

    def action_first(self) -> None:
        """The first step, or the top."""
        self._jump(0, -(1 << 30))

    def action_last(self) -> None:
        """The last step, or the end."""
        self._jump(len(self.view.rows) - 1, 1 << 30)

    def _jump(self, index: int, rows: int) -> None:
        if self.view.active in ("guide", "steps") and not self.view.full and self.view.rows:
            self.pace.moved_by_hand()
            self.move_to(index)
        else:
            self._scroll(rows)

    def action_page_down(self) -> None:
        """A page down."""
        self._page(1)

    def action_page_up(self) -> None:
        """A page up."""
        self._page(-1)

    def _page(self, by: int) -> None:
        pane = self.panes.get(self.view.full or self.view.active)
        if pane is not None:
            pane.scroll_rows(by * max(1, pane.room - 1))

    def _scroll(self, rows: int) -> None:
        # Logs and output have the focus, and scroll themselves, when they are the active pane.
        pane = self.panes.get(self.view.full or self.view.active)
        if pane is not None:
            pane.scroll_rows(rows)

    def action_next_pane(self) -> None:
        """The next pane; in one column it takes the others' place."""
        self._turn(1)

    def action_previous_pane(self) -> None:
        """The pane before."""
        self._turn(-1)

    def _turn(self, by: int) -> None:
        absent = {"output"} if not self.logs.has_output else set()
        absent |= {"targets"} if self.view.fan_out() is None else set()
        order = [name for name in PANES if name not in absent]
        here = order.index(self.view.active) if self.view.active in order else 0
        self.activate(order[(here + by) % len(order)])

    def activate(self, name: str) -> None:
        """Give a pane the keys."""
        self.view.active, self.view.full = name, ""
        self.lay_out(everything=True)
        self.logs.focus(name)

    def action_panel(self, digit: int) -> None:
        """Open one panel by its number; 0 shows all of them."""
        names = list(self.view.panels)
        if digit == 0 or digit > len(names):
            self.view.opened_panel = ""
        else:
            self.view.opened_panel = names[digit - 1]
        self.activate("panels")

    def action_output(self) -> None:
        """The output on the whole screen, and back."""
        if self.logs.output is None:
            self.tell(_("nothing has run yet"))
            return
        there = self.view.fan_out() is not None
        self._full_screen("targets" if there and not self._at_targets() else "output")

    def _at_targets(self) -> bool:
        """Whether the mark among a group's targets has the keys."""
        return self.view.active == "targets"

    async def action_logs(self) -> None:
        """The followed logs on the whole screen, and back."""
        if self.view.state.ended_t and self.logs.followed is None:
            await self.action_kept_logs()
        elif await self.logs.open(self.feed.tails):
            self._full_screen("logs")
        else:
            self.tell(_("no logs are followed"))

    async def action_kept_logs(self) -> None:
        """What the record holds of the logs, and back: what they hold today is of another time."""
        if await self.logs.open_kept(self.feed.tails):
            self._full_screen("logs")
        else:
            self.tell(_("the record holds no log lines"))

    def _full_screen(self, name: str) -> None:
        self.view.full = "" if self.view.full == name else name
        self.view.active = name if self.view.full else "guide"
        self.lay_out()
        self.logs.focus(self.view.active)

    def action_back(self) -> None:
        """Out of whatever is open. Confirms nothing."""
        self.view.opened_panel = ""
        self.tell("")
        if self.view.full == "output" and self.view.fan_out() is not None:
            self._full_screen("targets")
            return
        self.activate("guide")

    def action_advice(self) -> None:
        """Go to the section that was recommended last."""
        raised = sorted(self.view.state.recommendations.values(), key=lambda each: str(each.get("t", "")))
        sections = [str(each["section"]) for each in raised if each.get("section")]
        if sections:
            self.go_to_section(sections[-1])
        elif urls := alerting.runbooks_of(self.view.panels.values()):
            self._open_runbook(urls)
        else:
            self.tell(_("nothing is recommended"))

    def _open_runbook(self, urls: Sequence[str]) -> None:
        """Go to the runbook of the gravest alert that names one which is known here."""
        written = Path(str(self.view.state.runbook.get("path", "")))
        found = (place_of(url, self.view.runbook, written) for url in urls)
        place = next((place for place in found if place is not None), None)
        if place is None:
            self.tell(_("the alert's runbook is not here: {url}").format(url=urls[0]), "warn")
        elif place.file is None:
            self.go_to_section(place.section)
        else:
            command = f"cockpit {shlex.quote(str(place.file))}"
            self.app.copy_to_clipboard(command)
            self.tell(_("the alert's runbook, copied: {command}").format(command=command))

    def go_to_section(self, section_id: str) -> None:
        """The cursor to the section's first step, the document to its heading."""
        section = self.view.runbook.section(section_id)
        if section is None:
            self.tell(_("no section {name}").format(name=section_id), "warn")
            return
        self.activate("guide")
        index = first_row_of(self.view.rows, section_id, self.view.runbook.sections)
        if index is not None:
            self.move_to(index)
        cast("Guide", self.panes["guide"]).show_line(section.line)

    def find(self, term: str, by: int = 1) -> None:
        """Go to the next place in the document that holds the term, and to the step there."""
        self.view.search = term
        line = cast("Guide", self.panes["guide"]).search(term, by)
        if line is None:
            self.tell(_("{term} is not in the runbook").format(term=term), "warn")
            return
        self.tell(_("found in line {line}; F3 for the next").format(line=line))
        here = [n for n, row in enumerate(self.view.rows) if row.line <= line <= row.step.end_line]
        if here:
            self.view.cursor = here[-1]
            self.lay_out()

    def action_search_next(self) -> None:
        """The next match of the last search."""
        if self.view.search:
            self.find(self.view.search)
