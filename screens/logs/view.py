"""What of a log is on the screen: where one stands in it, and the rows to paint. No widget: `LogPane` shows it."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable
from itertools import islice

from rich.cells import cell_len, chop_cells

from cockpit.monitor.logs.cleaning import Cleaning
from cockpit.monitor.logs.line_store import LineStore, Place
from cockpit.monitor.logs.page import Sieve
from cockpit.monitor.logs.severity import Severity, is_continuation, severity_of
from cockpit.words import _
from screens.paint import TAB, Line, Span

WALK_S = 0.02
WRAPPED_CELLS = 100
"""On narrower screens the message of a usual log line would be beyond the edge."""
SHOWN_BYTES = 16 * 1024
"""Of longer lines no more is shown."""
_MARGIN_BYTES = 1024
_REMEMBERED = 2000
_LOOK_BACK = 200
_MARKS = {Severity.FATAL: ("F ", "alarm"), Severity.ERROR: ("E ", "bad"), Severity.WARN: ("W ", "warn")}
_TRACE_MARK = "| "
_TEXT_STYLES = {Severity.FATAL: "bad", Severity.ERROR: "bad", Severity.WARN: "warn"}
_QUIET = frozenset({Severity.DEBUG, Severity.TRACE})


class LogView:
    """A window on a store: follows the end, or stands at a line.

    Args:
        cleaning: what makes lines fit to show.
    """

    def __init__(self, store: LineStore, cleaning: Cleaning) -> None:
        self.store = store
        self.sieve = Sieve()
        self.provisional = b""
        self.following = True
        self.wrap: bool | None = None
        self.left = 0
        self.needle = ""
        self.unfinished = False
        """Whether the last look at the store ended for want of time: paint again."""
        self._cleaning = cleaning
        self._top: Place | None = None
        self._skip = 0
        self._left_at_lines = 0
        self._shown: list[Place] = []
        self._hidden_rows = 0
        # By page number and index, so that nothing here keeps a page alive that its store let go of.
        self._known: OrderedDict[tuple[int, int], tuple[str, Severity | None]] = OrderedDict()

    def learn(self, cleaning: Cleaning) -> None:
        """Clean with this from now on, what was seen before too."""
        self._cleaning = cleaning
        self._known.clear()

    # -- where one stands --------------------------------------------------------------------------------------------

    @property
    def waiting_lines(self) -> int:
        """How many lines came since the end was left."""
        return 0 if self.following else self.store.arrived_lines - self._left_at_lines

    @property
    def bottom(self) -> Place | None:
        """The last line that is shown."""
        return self._shown[-1] if self._shown else self.store.last()

    def follow(self) -> None:
        """Go to the end, and stay there."""
        self.following, self._top, self._skip = True, None, 0

    def pause(self) -> None:
        """Stay where the screen is."""
        if self.following and self._shown:
            self._leave_end(self._shown[0])
            self._skip = self._hidden_rows

    def home(self) -> None:
        """Go to the oldest line that can be reached."""
        first = self.store.first()
        if first:
            self._leave_end(first)

    def move(self, rows: int, width: int, height: int) -> None:
        """Down by so many rows, up when negative. Reaching the end follows it again."""
        self.pause()
        if self._top is None:
            return
        if rows < 0:
            self._up(-rows, width)
        else:
            self._down(rows, width, height)

    def reveal(self, place: Place, width: int, height: int) -> None:
        """Have a line on the screen: in the upper third, lower down where the log ends."""
        self._leave_end(place)
        below = list(islice(self.store.forward(place, self.sieve, _deadline()), height))
        rows_below = sum(self._height_of(each, width) for each in below)
        self._up(max(height // 3, height - rows_below), width)

    def wraps(self, width: int) -> bool:
        """Whether long lines are folded: where nobody said, on narrow screens."""
        return self.wrap if self.wrap is not None else width < WRAPPED_CELLS

    def _leave_end(self, place: Place) -> None:
        if self.following:
            self._left_at_lines = self.store.arrived_lines
        self.following, self._top, self._skip = False, place, 0

    def _up(self, rows: int, width: int) -> None:
        assert self._top
        above = self.store.backward(self._top, self.sieve, _deadline())
        top = next(above, self._top)
        if top != self._top:  # the sieve hides the line on top
            self._top, self._skip = top, 0
        skip = self._skip - rows
        while skip < 0:
            place = next(above, None)
            if place is None:
                skip = 0
                break
            self._top = place
            skip += self._height_of(place, width)
        self._skip = skip

    def _down(self, rows: int, width: int, height: int) -> None:
        assert self._top
        deadline = _deadline()
        places = list(islice(self.store.forward(self._top, self.sieve, deadline), rows + height + 1))
        heights = [self._height_of(place, width) for place in places]
        if sum(heights) - self._skip - rows <= height and time.monotonic() < deadline:
            self.follow()
            return
        skip = self._skip + rows
        for place, its_height in zip(places, heights, strict=True):
            if skip < its_height:
                self._top, self._skip = place, skip
                return
            skip -= its_height

    # -- rows --------------------------------------------------------------------------------------------------------

    def rows(self, width: int, height: int) -> list[Line]:
        """At most so many rows, from the top."""
        deadline = time.monotonic() + WALK_S
        if self.following or self._top is None:
            rows = self._rows_at_end(width, height, deadline)
        else:
            rows = self._rows_from_top(self._top, width, height, deadline)
        self.unfinished = len(rows) < height and time.monotonic() > deadline
        return rows

    def _rows_at_end(self, width: int, height: int, deadline: float) -> list[Line]:
        last = self.store.last()
        wanted = height - (1 if self.provisional else 0)
        places = list(islice(self.store.backward(last, self.sieve, deadline), wanted))[::-1] if last else []
        if self.wraps(width):
            places = self._that_fit(places, width, wanted)
        self._shown = places
        rows = self._painted(places, width)
        if self.provisional:
            text = self.store.partial(self.provisional[: SHOWN_BYTES + _MARGIN_BYTES])
            rows += self._folded("  ", "", text, "dim", width)
        self._hidden_rows = max(0, len(rows) - height)
        return rows[-height:] if height else []

    def _that_fit(self, places: list[Place], width: int, height: int) -> list[Place]:
        """The last of the places, as many as the rows show."""
        self._learn(places)
        room = height
        for count, place in enumerate(reversed(places)):
            room -= self._height_of(place, width)
            if room <= 0:
                return places[len(places) - count - 1 :]
        return places

    def _rows_from_top(self, top: Place, width: int, height: int, deadline: float) -> list[Line]:
        places = list(islice(self.store.forward(top, self.sieve, deadline), height))
        rows = self._painted(places, width)
        self._shown = places[: max(1, height)]
        return rows[self._skip : self._skip + height]

    def _painted(self, places: list[Place], width: int) -> list[Line]:
        self._learn(places)
        rows: list[Line] = []
        before: Place | None = None
        severity = Severity.NONE
        for place in places:
            if place.page.event:
                rows.append(_event_row(place))
                severity = Severity.NONE
                continue
            text, own = self._known_text(place)
            if own is None:
                joins = before and before.page is place.page and before.index == place.index - 1
                severity = severity if joins else self._owner(place)
                mark = (_TRACE_MARK, _MARKS[severity][1]) if severity in _MARKS else ("  ", "")
                rows += self._folded(*mark, text, "", width)
            else:
                severity = own
                style = _TEXT_STYLES.get(own, "dim" if own in _QUIET else "")
                rows += self._folded(*_MARKS.get(own, ("  ", "")), text, style, width)
            before = place
        return rows

    def _owner(self, place: Place) -> Severity:
        """The severity of the line whose stack trace this one is in."""
        for index in range(place.index - 1, max(-1, place.index - _LOOK_BACK), -1):
            line = place.page.line(index)[:300].decode("utf-8", "replace")
            if not is_continuation(line):
                return severity_of(line)
        return Severity.NONE

    def _learn(self, places: Iterable[Place]) -> None:
        """Clean those lines that are not known yet, all at once."""
        new = [p for p in places if not p.page.event and (p.page.number, p.index) not in self._known]
        if not new:
            return
        raw = [place.page.line(place.index) for place in new]
        block = b"".join(line[: SHOWN_BYTES + _MARGIN_BYTES] + b"\n" for line in raw)
        texts = self._cleaning.each(block)
        if len(texts) != len(new):  # a mask swallowed a line: one by one, nothing can shift
            texts = [(self._cleaning.each(line + b"\n") or [""])[0] for line in block.split(b"\n")[:-1]]
        for place, line, cleaned in zip(new, raw, texts, strict=True):
            text = cleaned
            if len(line) > SHOWN_BYTES:
                text = cleaned[: SHOWN_BYTES // 4] + " …" + _("{count} bytes").format(count=len(line))
            own = None if is_continuation(text) else severity_of(text)
            self._known[place.page.number, place.index] = (text.replace("\t", TAB), own)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    def _known_text(self, place: Place) -> tuple[str, Severity | None]:
        key = (place.page.number, place.index)
        if key not in self._known:
            self._learn([place])
        return self._known[key]

    def _height_of(self, place: Place, width: int) -> int:
        if place.page.event or width < 4 or not self.wraps(width):
            return 1
        return len(chop_cells(self._known_text(place)[0], width - 2) or [""])

    def _folded(self, mark: str, mark_style: str, text: str, style: str, width: int) -> list[Line]:
        room = max(1, width - len(mark))
        if self.wraps(width):
            pieces = chop_cells(text, room) or [""]
            return [
                Line(((mark if n == 0 else "  ", mark_style), *self._highlighted(piece, style)))
                for n, piece in enumerate(pieces)
            ]
        return [Line(((mark, mark_style), *self._highlighted(cut(text, self.left, room), style)))]

    def _highlighted(self, text: str, style: str) -> list[Span]:
        if not self.needle:
            return [(text, style)]
        searched = text.lower() if self.needle == self.needle.lower() else text
        spans: list[Span] = []
        at = 0
        if len(searched) == len(text):
            while (found := searched.find(self.needle, at)) >= 0:
                spans += [(text[at:found], style), (text[found : found + len(self.needle)], "reverse")]
                at = found + len(self.needle)
        return [*spans, (text[at:], style)]


def cut(text: str, left: int, width: int) -> str:
    """The text from cell `left` on, at most `width` cells; a wide character cut in half becomes a blank."""
    if text.isascii():
        return text[left : left + width]
    near = text[: (left + width) * 2 + 64]  # no character takes less than half a cell but the odd combining one
    if left:
        before = next(iter(chop_cells(near, left)), "")
        near = near[len(before) :]
        if cell_len(before) < left:
            near = " " + near[1:]
    # Not by way of segments: their cache would keep thousands of lines.
    return next(iter(chop_cells(near, width)), "")


def _event_row(place: Place) -> Line:
    event = place.page.event
    assert event
    return Line(((f"-- {event.text} --", "warn" if event.doubt else "info"),))


def _deadline() -> float:
    return time.monotonic() + WALK_S
