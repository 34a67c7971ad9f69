"""The list of steps: glyph, label and word, under their sections with their time budgets."""

from __future__ import annotations

from cockpit.runbook.model import Section, StepKind
from cockpit.session.record.clock import moment
from cockpit.session.record.event import Status
from cockpit.words import _
from screens.clock import clock_text
from screens.marks import STATUS_MARKS, standing_word, status_word
from screens.paint import BLANK, Line, line, spread
from screens.panes.pane import Pane
from screens.rows import Row


class StepList(Pane):
    """Sections and their steps. The cursor's row is always in sight."""

    _entries: tuple[Section | Row, ...] = ()

    def take_document(self) -> None:
        """The view holds another document."""
        entries: list[Section | Row] = []
        section = None
        for row in self.view.rows:
            if row.section is not None and row.section is not section:
                entries.append(row.section)
                section = row.section
            entries.append(row)
        self._entries = tuple(entries)
        self.follow_cursor()
        self.sync()

    def title_text(self) -> str:
        """The pane and how far one is."""
        done, total = self.view.progress()
        return _("Steps  {done}/{total}").format(done=done, total=total)

    def count(self) -> int:
        """Sections and rows."""
        return len(self._entries)

    def row_at(self, index: int) -> Line:
        """A section's heading, or a step."""
        entry = self._entries[index]
        return self._section(entry) if isinstance(entry, Section) else self._step(entry)

    def follow_cursor(self) -> None:
        """Scroll so that the current step and its section show."""
        current = self.view.row
        for index, entry in enumerate(self._entries):
            if entry is current:
                self.reveal(max(0, index - 2), min(index + 2, len(self._entries) - 1))

    def _section(self, section: Section) -> Line:
        spent = self.view.budget(section)
        if spent is not None:
            text = (
                f"{clock_text(spent[0], fine=self.view.clock_fine)}/{clock_text(spent[1], fine=self.view.clock_fine)} "
            )
            right = line((text, "bad" if spent[0] > spent[1] else "dim"))
        elif section.budget_s is not None:
            right = line((clock_text(section.budget_s) + " ", "dim"))
        else:
            right = BLANK
        return spread(line((f" {section.title}", "heading")), right, self.size.width)

    def _step(self, row: Row) -> Line:
        state = self.view.state
        status = row.status(state)
        mark, style = STATUS_MARKS[status]
        here = row is self.view.row
        label = _("{count} commands").format(count=len(row.step.parts)) if row.is_block else row.label
        indent = "   " if row.part else " "
        left = line((">" if here else " ", "key"), (mark, style), f"{indent}{_kind_mark(row)}{label}")
        right = line((f"{self._told(row, status)} ", style))
        return spread(left._replace(row="cursor" if here else ""), right, self.size.width)

    def _told(self, row: Row, status: Status) -> str:
        run = row.last_run(self.view.state)
        if status is Status.RUNNING and run and (started := moment(run.intent_t)):
            fan_out, runs = row.fan_out(self.view.state), self.view.state.runs
            started = (moment(fan_out.began_t) if fan_out else None) or started
            spent = (self.view.clock.now() - started).total_seconds()
            lines = fan_out.lines(runs) if fan_out else ()
            return f"{standing_word(status, run, lines)} {clock_text(spent, fine=self.view.clock_fine)}"
        return status_word(status)


def _kind_mark(row: Row) -> str:
    """What kind of step it is, where it isn't a command."""
    marks = {StepKind.DECISION: "? ", StepKind.MESSAGE: "@ ", StepKind.GATE: "= "}
    return marks.get(row.step.kind, "")
