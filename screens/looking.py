"""Finding one's way: search, palette, help, copying, themes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from cockpit.safety.text import sanitise, visible
from cockpit.words import _
from screens.acting import Acting
from screens.keys import about, offered
from screens.masked import shown_code
from screens.paint import plain_rows
from screens.themes import THEMES

if TYPE_CHECKING:
    from textual import events


class Looking(Acting):
    """The part of the main screen that helps."""

    def on_key(self, event: events.Key) -> None:
        """A key that means nothing; composed Hangul would, letter by letter."""
        if self.dialog is None and event.character and "가" <= event.character <= "힣":
            self.tell(_("letters are composed to Hangul: switch the keyboard to Latin"), "warn")

    def action_search(self) -> None:
        """Ask for a text and go to it."""
        self.flow(self._search())

    async def _search(self) -> None:
        from screens.dialogs.form import Field, Form

        form = Form(self.view, _("Search"), [Field("term", _("text"), self.view.search)], done=_("Find"))
        given = await self.ask(form)
        if given:
            self.find(given["term"])

    def action_palette(self) -> None:
        """Every action and every section."""
        self.flow(self._palette())

    async def _palette(self) -> None:
        from screens.dialogs.pick import Option, Pick

        actions = [
            Option(f"do:{key.action}", about(key.action), key.shown) for key in offered(self.view) if key.palette
        ]
        sections = [
            Option(f"go:{section.id}", "  " * (section.level - 1) + section.title, _("section"))
            for section in self.view.runbook.sections
        ]
        taken = await self.ask(Pick(self.view, _("Commands and sections"), [*actions, *sections], narrowed=True))
        if taken and taken.startswith("go:"):
            self.go_to_section(taken[3:])
        elif taken:
            await self.run_action(taken[3:])

    def action_help(self) -> None:
        """Every key."""
        self.flow(self._help())

    async def _help(self) -> None:
        from screens.dialogs.sheet import Read
        from screens.saying import rows_of_help

        hint = _("up and down scroll   Esc closes")
        await self.ask(Read(self.view, _("Keys"), partial(rows_of_help, self.view), [("close", _("Close"))], hint=hint))

    def action_copy(self) -> None:
        """The command alone, with its values where they are known."""
        row, view = self.view.row, self.view
        if row is None or row.code is None:
            self.tell(_("there is no command to copy"))
            return
        known = view.proposal if view.proposal_row == row.id else None
        self.app.copy_to_clipboard(sanitise(known.command if known else shown_code(row.code)))
        self.tell(_("copied"))

    def action_reveal(self) -> None:
        """Show a secret input that was typed in. The record says so; no record and no output holds the value."""
        if not self._refused():
            self.flow(self._reveal())

    async def _reveal(self) -> None:
        from screens.dialogs.pick import Option, Pick
        from screens.dialogs.sheet import Read

        names = sorted(self.view.state.secret_inputs)
        if not names:
            self.tell(_("no secret was typed into this session"))
            return
        name = await self.ask(Pick(self.view, _("Show which secret?"), [Option(each, each) for each in names]))
        if name is None:
            return
        shown = visible((await self.feed.call("reveal", name=name))["value"])
        hint = _("the record says that you were shown this; the value itself is in no file")
        await self.ask(
            Read(self.view, name, lambda width: plain_rows(shown, width - 1), [("close", _("Close"))], hint=hint)
        )

    def action_theme(self) -> None:
        """The next theme."""
        now = self.app.theme
        self.app.theme = THEMES[(THEMES.index(now) + 1) % len(THEMES)] if now in THEMES else THEMES[0]
        for pane in self.panes.values():
            pane.repaint()
        self.tell(_("theme: {name}").format(name=self.app.theme))
