"""The step under the cursor: the exact command, what safety says of it, what must come back, and what came."""

from __future__ import annotations

from cockpit.runbook.model import Expectation, ExpectationKind, StepKind
from cockpit.session.event import Status
from cockpit.session.proposal import Proposal
from cockpit.words import _
from screens.clock import clock_text, moment
from screens.marks import STATUS_MARKS, status_word, verdict_word
from screens.paint import BLANK, Line, cropped, fit_path, line, plain_rows, spread, wrapped
from screens.pane import Pane
from screens.rows import Row, without_heading


class Card(Pane):
    """What the next Enter is about."""

    DEFAULT_CSS = """
    Card { height: 7; }
    """
    most_rows = 5
    _rows: tuple[Line, ...] = ()

    def title_text(self) -> str:
        """Which step, and where in the document."""
        row = self.view.row
        if row is None:
            return _("This document asks nothing; it is shown as it is")
        section = row.section.title if row.section else ""
        return " ".join(filter(None, (f"[{row.number}/{self.view.progress()[1]}]", section, "-", row.label)))

    def _title_row(self) -> Line:
        row = self.view.row
        told = self._status_of(row) if row else BLANK
        title = line(f" {self.title_text()}", row="bar-active" if self.active else "bar")
        return spread(title, told, self.size.width)

    def allow(self, rows: int) -> None:
        """Stand so high for every step: a card that grew and shrank would move all that is below it."""
        self.most_rows = rows
        self.stand(1 + rows)

    def gather(self) -> None:
        """Take the current step."""
        self._rows = tuple(self._fresh_rows(self.size.width - 1))

    def count(self) -> int:
        """Rows needed."""
        return len(self._rows)

    def row_at(self, index: int) -> Line:
        """One of them, cut with a hint when there are more than fit."""
        if index == self.most_rows - 1 and len(self._rows) > self.most_rows and self.top == 0:
            more = len(self._rows) - self.most_rows + 1
            return line((_(" … {count} more rows: Enter or e shows all").format(count=more), "dim"))
        return self._rows[index]

    # -- the parts -------------------------------------------------------------------------------------------------

    def _status_of(self, row: Row) -> Line:
        status = row.status(self.view.state)
        if status is Status.TODO:
            return BLANK
        mark, style = STATUS_MARKS[status]
        run = row.last_run(self.view.state)
        spent = ""
        if run and (started := moment(run.started_t or run.intent_t)):
            end = moment(run.finished_t) or self.view.clock.now()
            spent = clock_text((end - started).total_seconds(), fine=self.view.clock_fine or bool(run.finished_t))
        return line((f"{mark} ", style), (f"{status_word(status)} ", style), f"{spent} ")

    def _fresh_rows(self, width: int) -> list[Line]:
        row = self.view.row
        if row is None:
            return []
        proposal = self.view.proposal if self.view.proposal_row == row.id else None
        rows = self._warning(row, width)
        rows += _command(row, proposal, width) if row.code is not None else _words(row, width)
        rows += _facts(proposal, width) if proposal else []
        rows += self._results(row, width) or _expected(row, width)
        return rows

    def _warning(self, row: Row, width: int) -> list[Line]:
        told = [row.step.warning] if row.step.warning else []
        run = row.last_run(self.view.state)
        if run and run.status is Status.RUNNING and run.silence_s:
            told.append(_("no output for {seconds:.0f} s; it still runs").format(seconds=run.silence_s))
        return [cropped(line((f" ! {text}", "warn")), width) for text in told]

    def _results(self, row: Row, width: int) -> list[Line]:
        """What came back, expectation by expectation; nothing before the first run."""
        run = row.last_run(self.view.state)
        if run is None or not run.result:
            reason = self.view.state.step(row.step.id).reason
            return [cropped(line((f" {reason}", "dim")), width)] if reason else []
        rows = []
        for finding in run.result.get("expectations", ()):
            held = finding.get("held")
            mark, style = ("OK", "ok") if held else ("??", "warn") if held is None else (" x", "bad")
            seen = finding.get("seen") or ""
            told = line((f" {mark} ", style), str(finding.get("text", "")), (f"   {seen}" if seen else "", "dim"))
            rows.append(cropped(told, width))
        if run.result.get("reason"):
            rows.append(cropped(line((f" {run.result['reason']}", "dim")), width))
        survivors = run.result.get("survivors")
        if survivors:
            rows.append(line((_(" still alive: {pids}").format(pids=", ".join(map(str, survivors))), "bad")))
        return rows


def _command(row: Row, proposal: Proposal | None, width: int) -> list[Line]:
    """The command as it would run, values in place, once the host has said; else as written."""
    if row.is_block:
        told = _("{count} commands: Enter goes to the first that is not done").format(count=len(row.step.parts))
        return [line((f" {told}", "dim"))]
    code = without_heading((proposal.command if proposal else row.code) or "")
    rows = [each for each in plain_rows(code.strip("\n"), width - 3, "code") if each.text.strip()]
    return [Line(((" $ " if n == 0 else "   ", "key"), *each.spans)) for n, each in enumerate(rows)]


def _facts(proposal: Proposal, width: int) -> list[Line]:
    word, style = verdict_word(proposal.verdict)
    facts = [(f" {word}", style), (_("  on {target}").format(target=proposal.target), "strong")]
    if proposal.cwd:
        facts.append((_("  in {folder}").format(folder=fit_path(proposal.cwd, max(16, width // 3))), "dim"))
    facts += [(f"  {'; '.join(proposal.reasons)}", "dim")] if proposal.reasons else []
    rows = [cropped(line(*facts), width)]
    if proposal.missing:
        told = _(" to fill first: {names}  (i)").format(names=", ".join(proposal.missing))
        rows = [cropped(line((told, "warn")), width)]
    if proposal.refusal:
        rows.append(cropped(line((f" {proposal.refusal}", "bad"), (f"  {proposal.mend}", "dim")), width))
    elif manner := _manner(proposal):
        rows.append(cropped(line((manner, "info")), width))
    if proposal.inside:
        told = _(" meant for inside: {session}").format(session=proposal.inside)
        rows.append(cropped(line((told, "warn")), width))
    return rows


def _manner(proposal: Proposal) -> str:
    """What Enter leads to where that is not a result soon."""
    if proposal.interactive:
        return _(" Enter: it takes the terminal; Ctrl-] leaves it running")
    return _(" Enter: it runs until stopped: Ctrl-C twice") if proposal.endless else ""


def _words(row: Row, width: int) -> list[Line]:
    """A step that is no command: its text, and what Enter does about it."""
    hint = {
        StepKind.CHECK: _("Enter: it holds   v: it does not   Enter again takes it back"),
        StepKind.DECISION: _("Enter: go through the items and choose where to go"),
        StepKind.MESSAGE: _("Enter: fill, preview and copy the message"),
        StepKind.GATE: _("Enter: say whether it holds"),
    }.get(row.step.kind, "")
    text = row.step.text or row.label
    rows = wrapped([(text, "")], width - 1, first=" ", rest=" ")
    return [*rows[:4], line((f" {hint}", "dim"))]


def _expected(row: Row, width: int) -> list[Line]:
    return [
        cropped(line((_(" expect: "), "dim"), expectation_text(each)), width)
        for each in row.expectations
        if each.kind is not ExpectationKind.EXIT or each.value != 0
    ]


def expectation_text(expectation: Expectation) -> str:
    """The author's sentence, else the rule."""
    told = expectation.text or f"{expectation.kind} {expectation.value}"
    return f"{told} (x{expectation.times})" if expectation.times > 1 else told
