"""The runbook as it is written, with every step's tick beside it and the current step highlighted."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from cockpit.runbook.model import Passage, Section
from cockpit.words import _
from screens.alerts import with_alert_word
from screens.clock import clock_text
from screens.marks import MARK_WIDTH, STATUS_MARKS
from screens.paint import BLANK, Line, line, plain_rows, spread, wrapped
from screens.panes.pane import Pane
from screens.rows import Row

if TYPE_CHECKING:
    from screens.view import View

GUTTER = MARK_WIDTH + 2
_SLICE_S = 0.006


class Placed(NamedTuple):
    """A row of the document: its text, the file's line it comes from, its passage, and whether that line begins."""

    body: Line
    file_line: int
    passage: int
    starts: bool


class Guide(Pane):
    """One widget for the whole document. Passages are folded to the width as far as they are needed, the rest later."""

    DEFAULT_CSS = """
    Guide { min-height: 4; }
    """

    def __init__(self, view: View, pane_id: str) -> None:
        super().__init__(view, pane_id)
        self._rows: list[Placed] = []
        self._next = 0
        self._marked: Mapping[int, Row] = {}
        self._items: Mapping[int, tuple[str, str]] = {}
        self._sections: Mapping[int, Section] = {}
        self._found = -1

    def take_document(self) -> None:
        """The view holds another document: fold it anew."""
        self._marked = {row.line: row for row in self.view.rows}
        steps = [row.step for row in self.view.rows if row.step.items]
        self._items = {item.line: (step.id, item.text) for step in steps for item in step.items}
        self._sections = {section.line: section for section in self.view.runbook.sections}
        self._folded_for = 0
        self.sync()

    def laid_out(self) -> None:
        """Forget every folded row."""
        self._rows, self._next, self._found = [], 0, -1
        self._lay_out(lambda: len(self._rows) > self.top + self.size.height)
        self.follow_cursor()
        self.call_later(self._lay_out_rest)

    def title_text(self) -> str:
        """What the pane is."""
        return _("Runbook")

    def count(self) -> int:
        """Rows folded so far."""
        return len(self._rows)

    def row_at(self, index: int) -> Line:
        """A row with its tick in the gutter."""
        placed = self._rows[index]
        current = self.view.row
        here = current is not None and current.line <= placed.file_line <= _last_line(current)
        marked = self._mark_of(placed)
        mark, style = self._gutter(marked, placed)
        pointer = ">" if here and marked is current else " "
        body = self._with_budget(placed)
        row_style = "bar" if index == self._found else "cursor" if here else ""
        return Line(((mark, style), (f"{pointer} ", "key"), *body.spans), row_style)

    def follow_cursor(self) -> None:
        """Scroll so that the current step shows."""
        row = self.view.row
        if row is None or not self.size.height:
            return
        self._lay_out(lambda: bool(self._rows) and self._rows[-1].file_line > row.line + self.size.height)
        first = bisect_left(self._rows, row.line, key=_file_line)
        after = bisect_right(self._rows, _last_line(row), key=_file_line)
        if first < after:
            self.reveal(max(0, first - 2), after)

    def show_line(self, file_line: int) -> None:
        """Scroll a line of the file to the top."""
        self._lay_out(lambda: bool(self._rows) and self._rows[-1].file_line > file_line)
        self.top = bisect_left(self._rows, file_line, key=_file_line)
        self._lay_out(lambda: len(self._rows) > self.top + self.size.height)
        self.sync()

    def search(self, term: str, step: int) -> int | None:
        """Go to the next (1) or previous (-1) row that holds the term, around the ends; the file's line, or None."""
        self._lay_out(lambda: False)
        wanted, total = term.casefold(), len(self._rows)
        start = self._found if self._found >= 0 else self.top - step
        for distance in range(1, total + 1):
            index = (start + step * distance) % total
            if wanted in self._rows[index].body.text.casefold():
                self._found = index
                self.reveal(max(0, index - 2), index + 2)
                self.sync()
                return self._rows[index].file_line
        return None

    # -- rows ------------------------------------------------------------------------------------------------------

    def _mark_of(self, placed: Placed) -> Row | None:
        """The step or part that begins on this row."""
        return self._marked.get(placed.file_line) if placed.starts else None

    def _gutter(self, marked: Row | None, placed: Placed) -> tuple[str, str]:
        if marked is not None:
            return STATUS_MARKS[marked.status(self.view.state)]
        return self._item_mark(placed) or (" " * MARK_WIDTH, "")

    def _item_mark(self, placed: Placed) -> tuple[str, str] | None:
        """The answer to a decision's item, beside it."""
        step, text = self._items.get(placed.file_line, ("", "")) if placed.starts else ("", "")
        held = self.view.state.step(step).answers.get(text) if step else None
        return None if held is None else ((_(" yes") if held else _("  no"))[:MARK_WIDTH], "info")

    def _with_budget(self, placed: Placed) -> Line:
        section = self._sections.get(placed.file_line) if placed.starts else None
        spent = self.view.budget(section) if section and self.view.section_over(section) else None
        if spent is None:
            return placed.body
        late = spent[0] > spent[1]
        told = _("{spent} of {budget}").format(spent=clock_text(spent[0]), budget=clock_text(spent[1]))
        return spread(placed.body, line((told + " ", "bad" if late else "dim")), self.size.width - GUTTER)

    # -- folding ---------------------------------------------------------------------------------------------------

    def _lay_out(self, enough: Callable[[], bool]) -> None:
        passages = self.view.runbook.passages
        while self._next < len(passages) and not enough():
            self._place(self._next, passages[self._next])
            self._next += 1

    def _lay_out_rest(self) -> None:
        """The rest of the document, in slices short enough for no key to wait."""
        deadline = perf_counter() + _SLICE_S
        self._lay_out(lambda: perf_counter() > deadline)
        if self._next < len(self.view.runbook.passages):
            self.call_later(self._lay_out_rest)
        else:
            self.sync()

    def _place(self, number: int, passage: Passage) -> None:
        before = self.view.runbook.passages[number - 1] if number else None
        if before is not None and passage.line > before.end_line + 1:
            self._rows.append(Placed(BLANK, passage.line - 1, number, False))
        width = max(10, self.size.width - GUTTER)
        if passage.kind in ("code", "output", "table", "html", "front-matter"):
            self._place_plain(number, passage, width)
            return
        for n, body in enumerate(_FOLDS.get(passage.kind, _paragraph)(passage, width)):
            self._rows.append(Placed(body, passage.line, number, n == 0))

    def _place_plain(self, number: int, passage: Passage, width: int) -> None:
        style, indent = _PLAIN[passage.kind]
        written = "".join(text for text, _style in passage.spans).rstrip("\n").split("\n")
        fenced = passage.end_line - passage.line + 1 > len(written)
        step = self._marked.get(passage.line)
        if step is not None and step.is_block:
            told = _("{count} commands, run one by one").format(count=len(step.step.parts))
            self._rows.append(Placed(line((f"{indent}{told}", "dim")), passage.line, number, True))
        for n, each in enumerate(written):
            file_line = passage.line + n + (1 if fenced else 0)
            if n == 0 and step is not None and not step.is_block:
                file_line = passage.line
            for folded, body in enumerate(plain_rows(each, width - len(indent), style)):
                self._rows.append(Placed(Line(((indent, "dim"), *body.spans)), file_line, number, folded == 0))


def _file_line(placed: Placed) -> int:
    return placed.file_line


def _last_line(row: Row) -> int:
    """Where a row's highlight ends. A block has its heading alone: its commands have the cursor one by one."""
    if row.is_block:
        return row.line
    return row.part.end_line if row.part else row.step.end_line


def _heading(passage: Passage, width: int) -> list[Line]:
    marks = "#" * passage.level + " "
    return wrapped(((text, "heading") for text, _style in passage.spans), width, first=marks, rest=" " * len(marks))


def _paragraph(passage: Passage, width: int) -> list[Line]:
    indent = "  " * passage.depth
    return wrapped(passage.spans, width, first=indent, rest=indent)


def _item(passage: Passage, width: int) -> list[Line]:
    indent = "  " * max(0, passage.depth - 1)
    marker = f"{passage.marker or '-'} "
    return wrapped(passage.spans, width, first=indent + marker, rest=indent + " " * len(marker))


def _quote(passage: Passage, width: int) -> list[Line]:
    bars = "| " * max(1, passage.depth)
    rows = wrapped(with_alert_word(passage.spans), width - len(bars))
    return [Line(((bars, "dim"), *row.spans)) for row in rows]


def _rule(_passage: Passage, width: int) -> list[Line]:
    return [line(("-" * min(width, 60), "dim"))]


_FOLDS: Mapping[str, Callable[[Passage, int], list[Line]]] = {
    "heading": _heading,
    "paragraph": _paragraph,
    "item": _item,
    "quote": _quote,
    "rule": _rule,
}
_PLAIN: Mapping[str, tuple[str, str]] = {
    "code": ("code", "  "),
    "output": ("dim", "| "),
    "table": ("", ""),
    "html": ("dim", ""),
    "front-matter": ("dim", ""),
}
