"""What a system asks before it lets anybody in: asked of whoever looks at the screen, in fields that show nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cockpit.words import _
from screens.dialogs.form import Field, Form
from screens.paint import clean
from screens.view import View

if TYPE_CHECKING:
    from screens.desk import Desk


class Question(Form):
    """One question of the host, which another viewer may answer first."""

    def __init__(self, view: View, asked: Mapping[str, Any]) -> None:
        fields = [
            Field(str(number), clean(text) or _("answer"), secret=not seen, required=False)
            for number, (text, seen) in enumerate(asked["fields"])
        ]
        title = _("{host} asks").format(host=clean(asked["about"]))
        super().__init__(view, title, fields, intro=_("What is typed here goes there, and is not kept."))
        self.number = asked["number"]
        self.over = False
        """It is not asked any more."""

    def withdraw(self) -> None:
        """Go; but not from under the hands of whoever is typing: what follows would reach what lies beneath."""
        self.over = True
        if self.typed:
            self.say(_("somebody else has answered; Esc closes this"), "warn")
        else:
            self.answer(None)


async def answer_question(main: Desk) -> None:
    """Ask, if there is something to ask, and hand the answers on. Leaving the dialog is an answer too: nobody will."""
    if isinstance(main.dialog, Question):
        await _still_asked(main, main.dialog)
    while main.dialog is not None:
        await asyncio.wait([main.dialog.answered])
        await asyncio.sleep(0)
    asked = await main.feed.call("question")
    if not asked or main.dialog is not None:
        return
    form = Question(main.view, asked)
    given = await main.ask(form)
    if form.over:
        return
    answers = [given[str(number)] for number in range(len(asked["fields"]))] if given is not None else []
    await main.feed.call("reply", number=form.number, answers=answers)


async def _still_asked(main: Desk, form: Question) -> None:
    asked = await main.feed.call("question")
    if (not asked or asked["number"] != form.number) and not form.answered.done():
        form.withdraw()
