"""A decision: its items answered one by one, then where to go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len

from cockpit.runbook.model import Runbook, Step
from cockpit.words import _
from screens.dialogs.pick import Option, Pick
from screens.paint import line, pad
from screens.view import View

if TYPE_CHECKING:
    from textual import events

GO_ON = "go-on"


class Decide(Pick):
    """Answers with the section to go to, or GO_ON when the decision does not apply."""

    def __init__(self, view: View, step: Step, answers: Mapping[str, bool], say: Callable[[str, bool], None]) -> None:
        self._step = step
        self._answers = dict(answers)
        self._say = say
        needed = len(step.items) if step.any_of == 0 else step.any_of
        rule = _("{needed} of {count} must hold").format(needed=needed, count=len(step.items))
        super().__init__(view, step.label, self._made(view.runbook), says=[line((f" {rule}", "dim"))])
        self.say(_("Space: holds or not   Enter: takes the way under the mark   Esc: later"), "dim")

    def _made(self, runbook: Runbook) -> Sequence[Option]:
        items = [Option(f"item:{n}", f"{self._mark(item.text)} {item.text}") for n, item in enumerate(self._step.items)]
        jumps = [
            Option(f"go:{link.section}", _("-> go to {title}").format(title=section.title), self._advice())
            for link in self._step.links
            if link.section and (section := runbook.section(link.section))
        ]
        return (*items, *jumps, Option(GO_ON, _("-> go on here")))

    def _mark(self, item: str) -> str:
        words = {None: "", True: _("yes"), False: _("no")}
        return f"[{pad(words[self._answers.get(item)], max(map(cell_len, words.values())))}]"

    def _advice(self) -> str:
        held = sum(self._answers.get(item.text, False) for item in self._step.items)
        needed = len(self._step.items) if self._step.any_of == 0 else self._step.any_of
        return _("the runbook says so: {held} hold").format(held=held) if held >= needed > 0 else ""

    def on_key(self, event: events.Key) -> None:
        """Space answers an item; Enter takes a way, or answers too."""
        if event.key == "space":
            event.stop()
            self._toggle()
        else:
            super().on_key(event)

    def taken(self, option: Option) -> None:
        """An item is answered, a way is gone."""
        if option.id.startswith("item:"):
            self._toggle()
        else:
            self.answer(option.id.removeprefix("go:"))

    def _toggle(self) -> None:
        marked = self.menu.marked
        if marked is None or not marked.id.startswith("item:"):
            return
        text = self._step.items[int(marked.id[5:])].text
        self._answers[text] = not self._answers.get(text, False)
        self._say(text, self._answers[text])
        at = self.menu.at
        self.menu.show(self._made(self.view.runbook), self._most())
        self.menu.move(at)
