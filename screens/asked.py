"""What a system asks before it lets anybody in: asked of whoever looks at the screen, in fields that show nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cockpit.words import _
from screens.dialogs.form import Field, Form
from screens.paint import clean

if TYPE_CHECKING:
    from screens.desk import Desk


async def answer_question(main: Desk) -> None:
    """Ask, if there is something to ask, and hand the answers on. Leaving the dialog is an answer too: nobody will."""
    while main.dialog is not None:
        await asyncio.wait([main.dialog.answered])
        await asyncio.sleep(0)
    asked = await main.feed.call("question")
    if not asked or main.dialog is not None:
        return
    fields = [
        Field(str(number), clean(text) or _("answer"), secret=not seen, required=False)
        for number, (text, seen) in enumerate(asked["fields"])
    ]
    title = _("{host} asks").format(host=clean(asked["about"]))
    form = Form(main.view, title, fields, intro=_("What is typed here goes there, and is not kept."))
    given = await main.ask(form)
    answers = [given[str(number)] for number in range(len(fields))] if given is not None else []
    await main.feed.call("reply", number=asked["number"], answers=answers)
