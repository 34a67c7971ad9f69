"""The single rows around the panes: advice, a notice, and the keys that matter now."""

from __future__ import annotations

from cockpit.runbook.model import StepKind
from cockpit.session.record.event import Status
from cockpit.words import _
from screens.keys import log_keys, offered, replay_keys, short, shown
from screens.paint import BLANK, Line, Span, cropped, line, wrapped
from screens.panes.pane import Pane


class Bar(Pane):
    """One row, or none."""

    DEFAULT_CSS = """
    Bar { height: 1; }
    Bar.-empty { display: none; }
    """
    titled = False

    def count(self) -> int:
        """One."""
        return 1

    def told(self) -> Line:
        """The row; BLANK takes no room."""
        raise NotImplementedError

    def row_at(self, index: int) -> Line:
        """The row, cut to the width."""
        return cropped(self.told(), self.size.width) if index == 0 else BLANK

    def sync(self) -> None:
        """Show or hide the row."""
        self.set_class(self.told() == BLANK, "-empty")
        super().sync()


class Advice(Bar):
    """What a rule recommends, or what there is to do once a session is over. It never acts."""

    def told(self) -> Line:
        """The newest recommendation."""
        if self.view.state.ended_t and not self.view.clock.recorded:
            return self._after_the_end()
        raised = tuple(self.view.state.recommendations.values())
        if not raised:
            return BLANK
        newest = max(raised, key=lambda each: str(each.get("t", "")))
        section = self.view.runbook.section(str(newest.get("section") or ""))
        where = f" > {section.title}" if section else ""
        more = f" (+{len(raised) - 1})" if len(raised) > 1 else ""
        opens = _("   r: go there") if section else ""
        text = _(" recommended{where}: {text}{more}").format(where=where, text=newest.get("text", ""), more=more)
        # The key stays however long the words are.
        key = line((opens, "advice"))
        return Line((*cropped(line((text, "advice")), self.size.width - key.width).spans, *key.spans), "advice")

    def _after_the_end(self) -> Line:
        told = _(" next: `cockpit report {session}` writes the report, `cockpit replay {session}` tells it again")
        return Line(line((told.format(session=self.view.session), "info")).spans)


class Brief(Bar):
    """What the trainee of a rehearsal is told, in as many rows as it takes, until a first step was begun."""

    def count(self) -> int:
        """What it takes at this width."""
        return len(self._rows())

    def told(self) -> Line:
        """Its first row."""
        return next(iter(self._rows()), BLANK)

    def row_at(self, index: int) -> Line:
        """One of its rows."""
        return self._rows()[index]

    def sync(self) -> None:
        """Show it, or give its rows back."""
        self.stand(max(1, self.count()))
        super().sync()

    def _rows(self) -> list[Line]:
        state = self.view.state
        if not state.brief or state.steps or state.ended_t:
            return []
        return wrapped([(state.brief, "strong")], (self.size.width or 80) - 1, first=" ", rest=" ")


class Notice(Bar):
    """The last thing the screen had to say."""

    def told(self) -> Line:
        """The notice."""
        text, style = self.view.notice
        return line((f" {text}", style)) if text else BLANK


class KeyBar(Bar):
    """The keys that matter for the step under the cursor."""

    DEFAULT_CSS = """
    KeyBar { dock: bottom; }
    """

    def told(self) -> Line:
        """Keys and their words, as many as fit."""
        spans: list[Span] = []
        room = self.size.width or 80
        for key, word in self._keys():
            piece = ((f" {key}", "key"), (f" {word} ", ""))
            room -= line(*piece).width
            if room < 0:
                break
            spans += piece
        return line(*spans, row="bar")

    def _keys(self) -> list[tuple[str, str]]:
        if self.view.active in ("output", "logs") and not self.view.asking:
            return log_keys()
        if self.view.asking:
            keys = [(shown(action), self._word(action)) for action in ("next_pane", "enter", "back")]
            return [*keys[:1], (self.view.choosing, _("choose")), *keys[1:]]
        if self.view.active == "targets":
            return _keys_of_targets(stops=bool(self.view.state.running) and not self.view.clock.recorded)
        there = {key.action for key in offered(self.view)}
        keys = [(shown(action), self._word(action)) for action in self._actions() if action in there]
        return [*replay_keys(), *keys] if self.view.clock.recorded else keys

    def _word(self, action: str) -> str:
        row = self.view.row
        if self.view.asking:
            return {"next_pane": _("next field"), "enter": _("take")}.get(action, short(action))
        if action == "answer" and row is not None and row.step.kind is StepKind.COMMAND and self.view.refused:
            return _("done by hand")
        if action == "enter" and row is not None and row.is_block:
            return _("first command")
        if action == "enter" and row is not None:
            words = {
                StepKind.CHECK: _("it holds"),
                StepKind.DECISION: _("decide"),
                StepKind.MESSAGE: _("prepare"),
                StepKind.GATE: _("judge"),
            }
            return words.get(row.step.kind, short(action))
        return short(action)

    def _actions(self) -> tuple[str, ...]:
        """What matters for the step under the cursor, whether or not this viewer can do it."""
        row, state = self.view.row, self.view.state
        tail = ("note", "skip", "search", "palette", "help", "leave", "next_pane")
        if self.view.clock.recorded:
            return ("help", "leave", "search", "palette", "next_pane")
        if state.running:
            return ("stop", "output", *tail)
        if row is None:
            return tail[2:]
        if row.status(state) is Status.AWAITING:
            return ("answer", "output", *tail)
        if row.step.kind is StepKind.COMMAND:
            by_hand = ("answer",) if self.view.refused else ()
            return ("enter", *by_hand, "edit", *(("inputs",) if row.inputs else ()), *tail)
        return ("enter", "answer", *tail)


def _keys_of_targets(*, stops: bool) -> list[tuple[str, str]]:
    """The keys that matter among the targets of a group."""
    stop = [(shown("stop"), short("stop"))] if stops else []
    told = [("j k", _("choose")), (shown("output"), _("its output")), (shown("back"), short("back"))]
    return [*stop, *told, *((shown(action), short(action)) for action in ("next_pane", "help", "leave"))]
