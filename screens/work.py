"""Running steps: proposed, filled, confirmed, run; and stopping them. Each method is one thing a responder does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from cockpit.errors import CockpitError, FolderGone, UsageError
from cockpit.runbook.model import StepKind
from cockpit.safety.permit import Rung
from cockpit.session.record.event import Status
from cockpit.session.record.fanout import not_passed, some_of
from cockpit.words import _
from screens.marks import mode_word
from screens.paint import wrapped
from screens.rows import Row, first_command

if TYPE_CHECKING:
    from cockpit.session.steps.proposal import Proposal
    from screens.moves import Moves

_TWICE_S = 3.0


class Work:
    """What Enter, edit, inputs, block and Ctrl-C do to commands."""

    def __init__(self, main: Moves) -> None:
        self._main = main
        self._stop_asked_s = -_TWICE_S

    async def run(self, row: Row, *, code: str | None = None, whole: bool = False, target: str | None = None) -> None:
        """Propose a command, fill what is missing, confirm what must be, and run it."""
        if self._main.starting:
            return
        self._main.starting = True
        try:
            await self._run(row, code, None if whole or row.part is None else row.part.id, target)
        finally:
            self._main.starting = False

    async def _run(self, row: Row, code: str | None, part: str | None, target: str | None) -> None:
        main = self._main
        attempts = self._attempts(row)
        proposal = await self._propose(row, code, part, target)
        while proposal.missing:
            if not await self.fill(row, proposal.missing):
                main.tell(_("not run: inputs are missing"))
                return
            proposal = await self._propose(row, code, part, target)
        if proposal.folder_gone:
            await self._offer_fresh_shell(proposal.target, proposal.refusal)
            return
        if proposal.refusal:
            main.tell(f"{proposal.refusal}  {proposal.mend}".strip(), "bad")
            return
        rest = await self._only_the_rest(row, proposal)
        if rest is None:
            main.tell(_("not run"))
            return
        if rest:
            proposal = await self._propose(row, code, part, target, rest=True)
        rung, typed, reason = Rung.NONE, "", ""
        if proposal.rung is not Rung.NONE:
            confirmed = await self._confirm(proposal, row.step.warning or "")
            if confirmed is None:
                main.tell(_("not run"))
                return
            rung, typed, reason = confirmed
        try:
            await self._start(proposal, rung, typed, reason)
        except UsageError:
            # Something was filled in, or another step ended: what was shown may still be what would run.
            again = await self._same_again(proposal, attempts, row, code, target, rest=rest)
            await self._start(again, rung, typed, reason)
        except FolderGone as error:
            await self._offer_fresh_shell(proposal.target, str(error))

    async def _only_the_rest(self, row: Row, proposal: Proposal) -> bool | None:
        """Whether what passed on some targets of the group before goes only to the others; None to leave it."""
        from screens.dialogs.pick import Option, Pick

        state = self._main.view.state
        rest = not_passed(state, row.step.id, proposal.part, proposal.group)
        if not rest or len(rest) == len(proposal.group):
            return False
        told = _("Only where it has not passed ({count} of {total})").format(count=len(rest), total=len(proposal.group))
        options = [
            Option("rest", told, some_of(rest)),
            Option("all", _("On all {total} again").format(total=len(proposal.group))),
        ]
        taken = await self._main.ask(Pick(self._main.view, _("It has passed on some of them before"), options))
        return None if taken is None else taken == "rest"

    async def _offer_fresh_shell(self, target: str, error: str) -> None:
        """The folder that earlier steps led to is gone, and no step can start there any more."""
        from screens.dialogs.pick import Option, Pick

        says = wrapped([(error, "bad")], self._main.app.size.width - 2, first=" ", rest=" ")
        options = [
            Option("stay", _("Leave it as it is")),
            Option("fresh", _("Fresh shell"), _("forgets the folder and the variables of earlier steps")),
        ]
        view = self._main.view
        if await self._main.ask(Pick(view, _("Not run: its folder is gone"), options, says=says)) == "fresh":
            await self.fresh_shell(target)

    async def fresh_shell(self, target: str) -> None:
        """Let the target's next step begin where the session began, with what was exported since forgotten."""
        main = self._main
        await main.feed.call("fresh-shell", target=target)
        main.view.proposal = None
        main.tell(_("a fresh shell on {target}: look at the step again, then run it").format(target=target))
        main.preview_soon()

    def _attempts(self, row: Row) -> tuple[int, ...]:
        self._main.feed.read()
        return self._main.view.state.step(row.step.id).runs

    async def _same_again(
        self,
        shown: Proposal,
        attempts: tuple[int, ...],
        row: Row,
        code: str | None,
        target: str | None,
        *,
        rest: bool,
    ) -> Proposal:
        """The same command proposed anew.

        Args:
            attempts: runs of the step that there were when it was shown.
            rest: only where it had not passed.

        Raises:
            UsageError: anything about it is no longer as it was shown.
        """
        if self._attempts(row) != attempts:
            raise UsageError(_("not run: somebody else just ran this step"), mend=_("see what came of it first"))
        again = await self._propose(row, code, shown.part, target, rest=rest)
        if replace(again, proposal=shown.proposal) != shown:
            raise UsageError(_("not run: the command changed after it was shown"), mend=_("look at it again"))
        return again

    async def _propose(
        self, row: Row, code: str | None, part: str | None, target: str | None, *, rest: bool = False
    ) -> Proposal:
        main = self._main
        with main.feed.busy():
            proposal = await main.feed.client.propose(row.step.id, part=part, code=code, target=target, rest=rest)
        if code is None:
            main.view.proposal, main.view.proposal_row = proposal, row.id
            main.sync(("card", "keys"))
        return proposal

    async def _confirm(self, proposal: Proposal, warning: str) -> tuple[Rung, str, str] | None:
        from screens.dialogs.confirm import ConfirmDialog, TypeTargetDialog

        dialog = TypeTargetDialog if proposal.rung is Rung.TYPE_TARGET else ConfirmDialog
        return await self._main.ask(dialog(self._main.view, proposal, warning))

    async def _start(self, proposal: Proposal, rung: Rung, typed: str, reason: str) -> None:
        main, size = self._main, self._main.app.size
        terminal = (size.height, size.width) if proposal.interactive else None
        with main.feed.busy():
            run = await main.feed.client.run(proposal, rung=rung, typed=typed, reason=reason, terminal=terminal)
            main.feed.read()
        main.tell("")
        if proposal.interactive:
            self.enter_terminal(run)

    def enter_terminal(self, run: int) -> None:
        """Give the terminal to a run until it ends or its operator leaves it."""
        from screens.terminal_relay import RelayEnd, foreground_of

        main = self._main
        view = main.view
        where = " ".join(filter(None, (view.environment, view.state.target, mode_word(view.mode)[0])))
        give = main.foreground or foreground_of(main.app, where)
        try:
            end = give(main.feed.folder.run(run), 0)
        except CockpitError as error:
            main.tell(str(error), "warn")
            return
        main.feed.read()
        main.tell(_("left the terminal; it still runs: Enter goes back") if end is RelayEnd.LEFT else "", run=run)

    async def fill(self, row: Row, names: tuple[str, ...] = ()) -> bool:
        """Ask for inputs (those named, else all the row uses) and send them; False when the form was left."""
        from screens.dialogs.form import Field, Form

        main, view = self._main, self._main.view
        blanks = [b for b in view.inputs_of(row) if not names or b.name in names]
        blanks = blanks or [b for b in view.runbook.inputs if b.name in names]
        if not blanks:
            main.tell(_("this step has no inputs"))
            return False
        fields = [
            Field(
                blank.name,
                blank.written,
                "" if blank.secret else view.state.inputs.get(blank.name) or blank.default or "",
                help=blank.help,
                secret=blank.secret,
            )
            for blank in blanks
        ]
        given = await main.ask(Form(view, _("Inputs, asked once a session"), fields))
        for name, value in (given or {}).items():
            await main.feed.call("set_input", name=name, value=value)
        return given is not None

    async def edit(self, row: Row) -> None:
        """Edit the command, then go on as with any other."""
        from screens.dialogs.edit import Edit

        if row.code is None or row.step.kind is not StepKind.COMMAND:
            self._main.tell(_("only commands can be edited"))
            return
        code = await self._main.ask(Edit(self._main.view, row.code))
        if code is not None and code.strip():
            await self.run(row, code=code if code.strip() != row.code.strip() else None)

    def stop(self) -> None:
        """Ctrl-C: told once, done twice. The screen itself never goes."""
        main, now_s = self._main, self._main.view.clock.monotonic_s()
        running = main.view.state.running
        if not running:
            main.tell(_("nothing is running; q leaves the screen"))
            return
        chosen = next((run for run in running if run.run == main.view.shown_run()), running[-1])
        if now_s - self._stop_asked_s > _TWICE_S:
            self._stop_asked_s = now_s
            command = first_command(chosen.intent.get("command", ""))
            main.tell(_("Ctrl-C again stops: {command}").format(command=command), "warn", run=chosen.run)
            return
        self._stop_asked_s = -_TWICE_S
        main.tell(_("stopping…"), "warn", run=chosen.run)
        main.flow(self._cancel(chosen.run))

    async def _cancel(self, run: int) -> None:
        await self._main.feed.call("cancel", run=run)
        self._main.tell("")

    def first_undone(self, row: Row) -> int | None:
        """The first command of a block that has not passed."""
        view = self._main.view
        for index, each in enumerate(view.rows):
            if each.part and each.step is row.step and each.status(view.state) not in (Status.PASSED, Status.SKIPPED):
                return index
        return None
