"""The step under the cursor: the exact command, what safety says of it, what must come back, and what came."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple

from cockpit.runbook.model import Expectation, ExpectationKind, StepKind
from cockpit.session.record.clock import moment
from cockpit.session.record.event import Status
from cockpit.session.record.fanout import not_passed, some_of
from cockpit.session.steps.proposal import Proposal
from cockpit.words import _, plural
from screens.alerts import with_alert_word
from screens.clock import clock_text
from screens.gates import gate_rows
from screens.marks import STATUS_MARKS, standing_word, verdict_word
from screens.masked import shown_code
from screens.paint import BLANK, Line, cropped, fit_path, line, plain_rows, spread, wrapped
from screens.panes.header import meter
from screens.panes.pane import Pane
from screens.panes.targets import failing_rows
from screens.rows import Row, bare

# How soon a row is needed; where rows are few, the greater numbers fold first, and the command gives way to the first.
_JUDGED, _TO_FILL, _URGENT, _WITH, _CAME_BACK, _WARNED, _EXPECTED = range(7)
_GIVES_WAY_TO = _URGENT
_MOST_WRAPPED = 3
_MOST_CRITERIA = 8
# On narrower screens the step's number is worth more than the word beside its mark.
_WORDY_CELLS = 40


class Told(NamedTuple):
    """A row below the command, and how soon it is needed."""

    rank: int
    row: Line


class Card(Pane):
    """What the next Enter is about."""

    DEFAULT_CSS = """
    Card { height: 7; }
    """
    _all: tuple[Line, ...] = ()
    _folded: tuple[Line, ...] = ()

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
        self.stand(1 + rows)

    def gather(self) -> None:
        """Take the current step."""
        width = self.size.width - 1
        first, told = self._first_rows(width), sorted(self._told(width), key=lambda each: each.rank)
        self._all = (*first, *(each.row for each in told))
        self._folded = tuple(folded(first, told, max(1, self.room), width))

    def count(self) -> int:
        """Rows there are."""
        return len(self._all)

    def row_at(self, index: int) -> Line:
        """One of them: those that matter most while nobody has scrolled."""
        return self._folded[index] if self.top == 0 and index < len(self._folded) else self._all[index]

    # -- the parts -------------------------------------------------------------------------------------------------

    def _status_of(self, row: Row) -> Line:
        status = row.status(self.view.state)
        if status is Status.TODO:
            return BLANK
        mark, style = STATUS_MARKS[status]
        run, fan_out = row.last_run(self.view.state), row.fan_out(self.view.state)
        spent = ""
        began_t = fan_out.began_t if fan_out else (run.started_t or run.intent_t) if run else None
        ended_t = fan_out.ended_t if fan_out else run.finished_t if run else None
        if started := moment(began_t):
            end = moment(ended_t) or self.view.clock.now()
            spent = clock_text((end - started).total_seconds(), fine=self.view.clock_fine or bool(ended_t))
        lines = fan_out.lines(self.view.state.runs) if fan_out else ()
        word = f"{standing_word(status, run, lines)} " if self.size.width >= _WORDY_CELLS else ""
        return line((f"{mark} ", style), (word, style), f"{spent} ")

    def _proposal(self, row: Row) -> Proposal | None:
        return self.view.proposal if self.view.proposal_row == row.id else None

    def _first_rows(self, width: int) -> list[Line]:
        """What the step asks: its command, else its words."""
        row = self.view.row
        if row is None:
            return []
        return _command(row, self._proposal(row), width) if row.step.kind is StepKind.COMMAND else _words(row, width)

    def _told(self, width: int) -> Iterable[Told]:
        row = self.view.row
        if row is None:
            return
        gate = self.view.state.gates.get(row.step.id)
        if row.step.kind is not StepKind.COMMAND:
            told = _("Enter: say whether it holds") if gate else _hint(row)
            yield Told(_JUDGED, line((f" {told}", "dim")))
        if proposal := self._proposal(row):
            yield from _judged(proposal, width)
            manner = self._again(row, proposal) or _manner(proposal)
            if manner and row.status(self.view.state) is not Status.RUNNING:
                yield Told(_URGENT, cropped(line((manner, "info")), width))
        if gate:
            rows = islice(gate_rows(gate, self.view.clock.since_s(gate.get("since_t"))), _MOST_CRITERIA)
            yield from (Told(_URGENT, cropped(each, width)) for each in rows)
        yield from self._silence(row)
        yield from self._time(row)
        came = list(self._came_back(row, width))
        yield from came or (() if gate else _expected(row, width))
        yield from _warning(row, width)

    def _again(self, row: Row, proposal: Proposal) -> str:
        """What Enter asks of a step that has passed on some targets of the group, and not on all."""
        rest = not_passed(self.view.state, row.step.id, proposal.part, proposal.group)
        if proposal.refusal or not 0 < len(rest) < len(proposal.group):
            return ""
        told = _(" Enter: only where it has not passed ({count} of {total}), or on all again")
        return told.format(count=len(rest), total=len(proposal.group))

    def _silence(self, row: Row) -> Iterable[Told]:
        run = row.last_run(self.view.state)
        if run and run.status is Status.RUNNING and run.silence_s:
            told = _("no output for {seconds:.0f} s; it still runs").format(seconds=run.silence_s)
            yield Told(_URGENT, line((f" ! {told}", "warn")))

    def _time(self, row: Row) -> Iterable[Told]:
        """Of what never ends by itself: how much of the author's time for it has passed."""
        run = row.last_run(self.view.state)
        lasts_s = run.intent.get("lasts_s") if run and run.status is Status.RUNNING else None
        if run is None or not lasts_s or not (started := moment(run.started_t or run.intent_t)):
            return
        spent_s = (self.view.clock.now() - started).total_seconds()
        told = _(" {meter} {spent} of {budget}").format(
            meter=meter(spent_s / lasts_s), spent=clock_text(spent_s), budget=clock_text(lasts_s)
        )
        over = _("  the time is over: Ctrl-C twice, and it is done") if spent_s >= lasts_s else ""
        yield Told(_URGENT, line((told, "info"), (over, "ok")))

    def _came_back(self, row: Row, width: int) -> Iterable[Told]:
        """What came back, expectation by expectation; nothing before the first run. Of a group, who did not pass."""
        fan_out = row.fan_out(self.view.state)
        if fan_out is not None:
            yield from (Told(_URGENT, each) for each in failing_rows(fan_out.lines(self.view.state.runs), width))
            if fan_out.reason:
                yield Told(_CAME_BACK, cropped(line((f" {fan_out.reason}", "dim")), width))
            return
        run = row.last_run(self.view.state)
        if run is None or not run.result:
            if reason := row.reason(self.view.state):
                yield Told(_CAME_BACK, cropped(line((f" {reason}", "dim")), width))
            return
        if survivors := run.result.get("survivors"):
            told = _(" still alive: {pids}").format(pids=", ".join(map(str, survivors)))
            yield Told(_URGENT, line((told, "bad")))
        for finding in run.result.get("expectations", ()):
            held = finding.get("held")
            mark, style = ("OK", "ok") if held else ("??", "warn") if held is None else (" x", "bad")
            seen = _("   came: {seen}").format(seen=finding["seen"]) if finding.get("seen") else ""
            told_row = line((f" {mark} ", style), str(finding.get("text", "")), (seen, "dim"))
            yield Told(_CAME_BACK if held else _URGENT, cropped(told_row, width))
        if run.result.get("reason"):
            yield Told(_CAME_BACK, cropped(line((f" {run.result['reason']}", "dim")), width))


def folded(first: Sequence[Line], told: Sequence[Told], room: int, width: int) -> list[Line]:
    """As many rows as there is room for.

    Args:
        first: the command; one row of it always stays, more as far as what is urgent leaves room.
        told: the rest, in the order of need.
    """
    urgent = sum(each.rank <= _GIVES_WAY_TO for each in told)
    kept = list(first[: max(1, room - urgent)])
    if len(kept) < len(first):
        kept[-1] = _going_on(kept[-1], len(first) - len(kept), width)
    rest = [each.row for each in told[: room - len(kept)]]
    if rest and len(rest) < len(told):
        rest[-1] = _going_on(rest[-1], len(told) - len(rest), width)
    return [*kept, *rest]


def _going_on(row: Line, hidden: int, width: int) -> Line:
    """A row that says how many like it do not show."""
    return spread(row, line((_(" … {count} more").format(count=hidden), "info")), width)


def _command(row: Row, proposal: Proposal | None, width: int) -> list[Line]:
    """The command as it would run, values in place, once the host has said; else as written."""
    if row.is_block:
        told = _("{count} commands: Enter goes to the first that is not done").format(count=len(row.step.parts))
        return [line((f" {told}", "dim"))]
    code = bare(proposal.command if proposal else shown_code(row.code or ""))
    rows = [each for each in plain_rows(code.strip("\n"), width - 3, "code") if each.text.strip()]
    return [Line(((" $ " if n == 0 else "   ", "key"), *each.spans)) for n, each in enumerate(rows)]


def _judged(proposal: Proposal, width: int) -> Iterable[Told]:
    """What safety says, where it would run, and what stands in the way."""
    word, style = verdict_word(proposal.verdict)
    if proposal.refusal:
        spans = [(proposal.refusal, "bad"), (f"  {proposal.mend}", "dim")]
        rows = islice(wrapped(spans, width - 1, first=" ", rest=" "), _MOST_WRAPPED)
        yield from (Told(_JUDGED, row) for row in rows)
    target = _group_told(proposal) if proposal.group else proposal.target
    facts = [(f" {word}", style), (_("  on {target}").format(target=target), "strong")]
    if proposal.cwd:
        facts.append((_("  in {folder}").format(folder=fit_path(proposal.cwd, max(16, width // 3))), "dim"))
    if not proposal.missing:
        facts += [(f"  {'; '.join(proposal.reasons)}", "dim")] if proposal.reasons else []
    yield Told(_JUDGED, cropped(line(*facts), width))
    if proposal.missing:
        told = _(" to fill first: {names}  (i)").format(names=", ".join(proposal.missing))
        yield Told(_TO_FILL, cropped(line((told, "warn")), width))
    with_values = [f"{name} = {value}" for name, value in proposal.values.items() if name in proposal.command]
    if with_values:
        yield Told(_WITH, cropped(line((_(" with "), "dim"), "   ".join(with_values)), width))
    if proposal.inside:
        told = _(" meant for inside: {session}").format(session=proposal.inside)
        yield Told(_URGENT, cropped(line((told, "warn")), width))


def _group_told(proposal: Proposal) -> str:
    told = plural("{group} ({count} target)", "{group} ({count} targets)", len(proposal.group))
    return told.format(group=proposal.target, count=len(proposal.group))


def _manner(proposal: Proposal) -> str:
    """What Enter leads to where that is not a result soon."""
    if proposal.refusal:
        return ""
    if proposal.group:
        return _(" Enter: {manner}: {targets}").format(targets=some_of(proposal.group), manner=proposal.manner)
    if proposal.interactive:
        return _(" Enter: it takes the terminal; Ctrl-] leaves it running")
    if proposal.endless and proposal.lasts_s:
        told = _(" Enter: it runs until stopped, for {span} says the runbook: Ctrl-C twice")
        return told.format(span=clock_text(proposal.lasts_s))
    if proposal.endless:
        return _(" Enter: it runs until stopped: Ctrl-C twice")
    if proposal.within_s is not None:
        told = _(" Enter: it runs again until it holds, for {seconds} s at most")
        return told.format(seconds=f"{proposal.within_s:g}")
    if proposal.times > 1:
        told = _(" Enter: {times} runs, {seconds} s apart; all must hold")
        return told.format(times=proposal.times, seconds=f"{proposal.every_s:g}")
    return f" {proposal.unrepeated}" if proposal.unrepeated else ""


def _words(row: Row, width: int) -> list[Line]:
    """The text of a step that is no command."""
    if row.code is not None:
        rows = plain_rows(shown_code(row.code).strip("\n"), width - 1, "code")
        return [Line(((" ", ""), *each.spans)) for each in rows]
    rows = wrapped([(row.step.text or row.label, "")], width - 1, first=" ", rest=" ")
    return [each for each in rows if each.text.strip()]


def _hint(row: Row) -> str:
    """What Enter does about a step that is no command."""
    return {
        StepKind.CHECK: _("Enter: it holds   v: it does not   Enter again takes it back"),
        StepKind.DECISION: _("Enter: go through the items and choose where to go"),
        StepKind.MESSAGE: _("Enter: fill, preview and copy the message"),
        StepKind.GATE: _("Enter: watch its criteria, or say whether they hold   v: say it"),
    }.get(row.step.kind, "")


def _warning(row: Row, width: int) -> Iterable[Told]:
    """What the author warns of: prose, and the first to fold."""
    if row.step.warning:
        spans = with_alert_word([(row.step.warning, "warn")])
        rows = wrapped(spans, width - 3, first=" ! ", rest="   ")
        yield from (Told(_WARNED, each) for each in rows[:_MOST_WRAPPED])


def _expected(row: Row, width: int) -> Iterable[Told]:
    for each in row.expectations:
        if each.kind is not ExpectationKind.EXIT or each.value != 0:
            told = line((_(" expect: "), "dim"), expectation_text(each))
            yield Told(_EXPECTED, cropped(told, width))


def expectation_text(expectation: Expectation) -> str:
    """The author's sentence, else the rule."""
    told = expectation.text
    if not told and expectation.kind is ExpectationKind.EXIT:
        told = _("exit code {code}").format(code=expectation.value)
    told = told or f"{expectation.kind} {expectation.value}"
    return f"{told} (x{expectation.times})" if expectation.times > 1 else told
