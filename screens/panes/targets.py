"""A step on a group of targets: a line for each, and the one whose output is shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len

from cockpit.session.record.clock import moment
from cockpit.session.record.event import Status
from cockpit.session.record.fanout import FanOut, TargetLine
from cockpit.words import _
from screens.clock import clock_text
from screens.marks import STATUS_MARKS, status_word
from screens.paint import Line, cropped, fit, line, pad
from screens.panes.pane import Pane

_CLOCK_FROM_S = 60.0
_MANY = 12
"""More lines than a person takes in at a glance."""
_MOST_NAME_CELLS, _STATUS_CELLS, _SPENT_CELLS = 24, 11, 7


class Targets(Pane):
    """How each target of the shown step stands. The mark chooses whose output goes with it."""

    DEFAULT_CSS = """
    Targets { min-height: 4; }
    """
    _lines: Sequence[TargetLine] = ()
    _fan_out: FanOut | None = None
    _at = _names_cells = 0

    def title_text(self) -> str:
        """The group, and how many stand how."""
        if self._fan_out is None:
            return ""
        row, whose = self.view.row, ""
        if row is None or row.step.id != self._fan_out.step:  # of the step that ran last, and not of this one
            whose = fit(self.view.step_label(self._fan_out.first), _MOST_NAME_CELLS)
        name = fit(self._fan_out.name, _MOST_NAME_CELLS)
        return "  ".join(filter(None, (name, whose, *counted(self._lines))))

    def gather(self) -> None:
        """Take the fan-out that is shown."""
        fan_out = self.view.fan_out()
        if fan_out is not None and (self._fan_out is None or fan_out.first != self._fan_out.first):
            self.top = 0
        self._fan_out = fan_out
        self._lines = in_sight(fan_out.lines(self.view.state.runs)) if fan_out else ()
        self._names_cells = min(_MOST_NAME_CELLS, max((cell_len(each.target) for each in self._lines), default=0))
        chosen = self.view.chosen_target()
        at = next((n for n, each in enumerate(self._lines) if chosen and each.target == chosen.target), 0)
        if at != self._at:
            self._at = at
            self.reveal(max(0, at - 1), min(at + 1, len(self._lines) - 1))

    def count(self) -> int:
        """One row a target."""
        return len(self._lines)

    def row_at(self, index: int) -> Line:
        """A target: its state, how long it took, how it ended, and why it failed."""
        each, here = self._lines[index], index == self._at
        mark, style = STATUS_MARKS[each.status]
        word = status_word(each.status) or (_("waiting") if each.status is Status.TODO else "")
        word = _("not begun") if each.status is Status.SKIPPED else word
        row = line(
            (">" if here else " ", "key"),
            (f"{mark} ", style),
            (pad(each.target, self._names_cells), "strong"),
            "  ",
            (pad(word, _STATUS_CELLS), style),
            f" {self._spent(each):>{_SPENT_CELLS}}",
            f"  {ended(each)}" if ended(each) else "",
            (f"  {each.told}" if each.told and each.status is not Status.PASSED else "", "dim"),
        )
        return cropped(row._replace(row="cursor" if here and self.active else ""), self.size.width)

    def scroll_rows(self, rows: int) -> None:
        """Move the mark; it stops at both ends."""
        self.gather()
        if not self._lines:
            return
        self._at = max(0, min(self._at + rows, len(self._lines) - 1))
        self.view.choose_target(self._lines[self._at].target)
        self.reveal(self._at, self._at)
        self.sync()

    def laid_out(self) -> None:
        """The mark stays in sight."""
        self.gather()
        self.reveal(self._at, self._at)

    def _spent(self, each: TargetLine) -> str:
        record = each.record
        started = moment(record.started_t or record.intent_t) if record else None
        if record is None or started is None:
            return ""
        spent_s = ((moment(record.finished_t) or self.view.clock.now()) - started).total_seconds()
        if record.finished_t and spent_s < _CLOCK_FROM_S:
            return f"{max(0.0, spent_s):.1f} s"
        return clock_text(spent_s, fine=self.view.clock_fine or bool(record.finished_t))


def in_sight(lines: Sequence[TargetLine]) -> Sequence[TargetLine]:
    """Of many targets those that need somebody come first; then those at work, and those that have yet to begin."""
    return sorted(lines, key=_rank) if len(lines) > _MANY else lines


def _rank(each: TargetLine) -> int:
    if each.status.over:
        return 4 if each.status in (Status.PASSED, Status.SKIPPED) else 0
    return (Status.AWAITING, Status.RUNNING, Status.TODO).index(each.status) + 1


def ended(each: TargetLine) -> str:
    """How it exited; "" where it has not, or nobody knows."""
    result = each.record.result if each.record else {}
    if result.get("exit_code") is not None:
        return _("exit {code}").format(code=result["exit_code"])
    return _("signal {number}").format(number=result["signal"]) if result.get("signal") is not None else ""


def counted(lines: Sequence[TargetLine]) -> Iterable[str]:
    """How many targets stand how, the ones that matter first."""
    for status, words in (
        (Status.FAILED, _("{count} failed")),
        (Status.TIMED_OUT, _("{count} timed out")),
        (Status.UNKNOWN, _("{count} unknown")),
        (Status.REFUSED, _("{count} refused")),
        (Status.CANCELLED, _("{count} cancelled")),
        (Status.AWAITING, _("{count} to judge")),
        (Status.RUNNING, _("{count} running")),
    ):
        if count := sum(each.status is status for each in lines):
            yield words.format(count=count)
    passed = sum(each.status is Status.PASSED for each in lines)
    yield _("{count} of {total} passed").format(count=passed, total=len(lines))


def failing_rows(lines: Sequence[TargetLine], width: int) -> Iterable[Line]:
    """A row for every target that did not pass, with what is said of it."""
    for each in lines:
        if each.status.over and each.status not in (Status.PASSED, Status.SKIPPED):
            mark, style = STATUS_MARKS[each.status]
            told = "  ".join(filter(None, (each.target, ended(each), each.told)))
            yield cropped(line((f" {mark.strip('[]')} ", style), told), width)
