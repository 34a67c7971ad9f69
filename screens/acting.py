"""From keys to what they do: each action starts one flow, when the host can take it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from cockpit.runbook.model import StepKind
from cockpit.session.record.event import Status
from cockpit.words import _
from screens.moves import Moves
from screens.rows import Row
from screens.saying import Saying
from screens.work import Work

if TYPE_CHECKING:
    from screens.feed import Feed
    from screens.terminal_relay import Foreground
    from screens.view import View


class Acting(Moves):
    """The part of the main screen that acts."""

    def __init__(self, view: View, feed: Feed, foreground: Foreground | None = None) -> None:
        super().__init__(view, feed, foreground)
        self.work = Work(self)
        self.saying = Saying(self, self.work)

    def _on_row(self) -> Row | None:
        """The row to act on; None, having said why, when nothing can be done now."""
        why = self.waits()
        if why:
            self.tell(why, "warn")
            return None
        return self.view.row

    # -- actions ---------------------------------------------------------------------------------------------------

    def action_enter(self) -> None:
        """Do what the step under the cursor is for."""
        if self._at_targets():
            self.action_output()
            return
        if self.view.full:
            self.action_back()
            return
        row = self._on_row()
        if row is None or not self._meant():
            return
        if row.is_block:
            self._enter_block(row)
        elif row.step.kind is StepKind.COMMAND:
            self._enter_command(row)
        elif row.step.kind is StepKind.DECISION:
            self.flow(self.saying.decide(row))
        elif row.step.kind is StepKind.MESSAGE:
            self.flow(self.saying.message(row))
        elif row.step.kind is StepKind.CHECK:
            self.flow(self.saying.tick(row))
        else:
            self.flow(self.saying.gate(row))

    def _meant(self) -> bool:
        """Whether this Enter or Space is for the step that the cursor is on now; says so when it is not."""
        if self.pace.too_fast:
            self.tell(_("keys came too fast to be meant: press Enter once more"), "warn")
        elif self.pace.just_moved_on:
            self.tell(_("the cursor has just moved on to this step: press Enter once more"), "warn")
        else:
            return True
        return False

    def _enter_block(self, row: Row) -> None:
        index = self.work.first_undone(row)
        if index is None:
            self.tell(_("every command of this block has passed; b runs it as a whole"))
        else:
            self.move_to(index)

    def _enter_command(self, row: Row) -> None:
        run = row.last_run(self.view.state)
        if run is None or row.status(self.view.state) is not Status.RUNNING:
            self.flow(self.work.run(row))
        elif (row.part or row.step).interactive:
            self.work.enter_terminal(run.run)
        else:
            self.tell(_("it is running; Ctrl-C twice stops it"), run=run.run)

    def action_tick(self) -> None:
        """Tick a check or take the tick back; elsewhere, a page of the document."""
        row = self.view.row
        if row is not None and row.step.kind in (StepKind.CHECK, StepKind.DECISION):
            self.action_enter()
        else:
            self.action_page_down()

    def action_answer(self) -> None:
        """Say whether it holds."""
        self._with_row(self.saying.answer)

    def action_edit(self) -> None:
        """Edit the command first."""
        self._with_row(self.work.edit)

    def action_inputs(self) -> None:
        """Fill in the step's inputs."""
        row = self._on_row()
        if row is not None:
            self.flow(self._fill(row))

    async def _fill(self, row: Row) -> None:
        await self.work.fill(row)

    def action_block(self) -> None:
        """Run the whole block."""
        row = self._on_row()
        if row is not None and row.step.kind is StepKind.COMMAND:
            self.flow(self.work.run(row, whole=True))

    def action_skip(self) -> None:
        """Skip it, with a reason."""
        self._with_row(self.saying.skip)

    def action_reopen(self) -> None:
        """Take a tick back."""
        self._with_row(self.saying.reopen)

    def action_message(self) -> None:
        """Preview and copy the message."""
        self._with_row(self.saying.message)

    def action_note(self) -> None:
        """Write a note."""
        if not self._refused():
            self.flow(self.saying.note(self.view.row))

    def action_target(self) -> None:
        """Choose where steps run."""
        if not self._refused():
            self.flow(self.saying.target())

    def action_severity(self) -> None:
        """Set the severity."""
        if not self._refused():
            self.flow(self.saying.severity())

    def action_mode(self) -> None:
        """Change the mode."""
        if not self._refused():
            self.flow(self.saying.mode())

    def action_end(self) -> None:
        """End the session."""
        if not self._refused():
            self.flow(self.saying.end())

    def action_fresh_shell(self) -> None:
        """Forget the folder and the variables that steps left behind."""
        if not self._refused():
            self.flow(self.work.fresh_shell(self.view.state.target))

    def action_leave(self) -> None:
        """Leave the screen."""
        self.flow(self.saying.leave())

    def action_stop(self) -> None:
        """Stop what runs."""
        self.work.stop()

    def action_probe(self) -> None:
        """Look at the opened panel's service now."""
        probe = self.view.opened_panel or next(iter(self.view.panels), "")
        if probe and self.feed.connected:
            self.flow(self._probe(probe))

    async def _probe(self, probe: str) -> None:
        await self.feed.call("probe_now", probe=probe)
        self.tell(_("asked {probe}").format(probe=probe))

    def action_revive(self) -> None:
        """Start the host again."""
        if self.feed.connected or not self.feed.can_revive:
            self.tell(_("the host is there") if self.feed.connected else _("this viewer can't start the host"))
        else:
            self.tell(_("starting the host…"))
            self.flow(self.feed.revive())

    def _with_row(self, act: Callable[[Row], Coroutine[Any, Any, None]]) -> None:
        row = self._on_row()
        if row is not None:
            self.flow(act(row))

    def _refused(self) -> bool:
        why = self.waits()
        if why:
            self.tell(why, "warn")
        return bool(why)
