"""The lines of one log as a person walks through them: the newest in memory, older ones read again from the file."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass

from cockpit.monitor.logs.cleaning import Cleaning
from cockpit.monitor.logs.file import LogFile
from cockpit.monitor.logs.page import Page, Sieve
from cockpit.monitor.logs.raw_tail import Chunk, TailEvent

KEEP_LINES = 50_000
KEEP_BYTES = 32 * 1024 * 1024
PAGE_BYTES = 64 * 1024
"""Pages grow up to this while lines trickle in."""
HISTORY_PAGES = 16


@dataclass(frozen=True, slots=True)
class Place:
    """One line: its page, and its index there."""

    page: Page
    index: int


class LineStore:
    """A ring of pages, and the file behind it.

    Memory is bounded by `keep_lines` and KEEP_BYTES, whichever is reached first; what falls out of the ring is read
    again when someone goes back to it, as long as the log has not been rotated since.

    Args:
        cleaning: masks here what runs over several lines, the rest when a line is shown.
    """

    def __init__(self, cleaning: Cleaning | None = None, *, keep_lines: int = KEEP_LINES) -> None:
        self._keep_lines = keep_lines
        self._cleaning = cleaning or Cleaning()
        self._ring: deque[Page] = deque()
        self._first_serial = 0
        self._bytes = 0
        self._history: OrderedDict[tuple[int, int], Page] = OrderedDict()
        self._file: LogFile | None = None
        self._edge = 0
        self.kept_lines = 0
        self.arrived_lines = 0
        """How many lines came since the beginning, events not among them."""

    def attach(self, file: LogFile, offset: int) -> None:
        """The lines to come lie in this file, from `offset` on. What was kept stays; the former file is let go."""
        if self._file:
            self._file.close()
        self._file, self._edge = file, offset
        self._history.clear()
        if not self._ring and (page := file.before(offset)):
            self._prepend(page)

    def learn(self, cleaning: Cleaning) -> None:
        """Clean with this the lines that are read from now on."""
        self._cleaning = cleaning

    def partial(self, line: bytes) -> str:
        """The beginning of the line that comes next."""
        return self._cleaning.partial(line)

    def add(self, piece: Chunk | TailEvent) -> None:
        """Take what a tail brought, in order."""
        if isinstance(piece, TailEvent):
            self._append(Page(b"", event=piece))
        else:
            self.arrived_lines += self._take(piece)
        while (self.kept_lines > self._keep_lines or self._bytes > KEEP_BYTES) and len(self._ring) > 1:
            gone = self._ring.popleft()
            self._first_serial += 1
            self.kept_lines -= gone.count
            self._bytes -= len(gone.data)

    def last(self) -> Place | None:
        """The newest line."""
        return Place(self._ring[-1], self._ring[-1].count - 1) if self._ring else None

    def first(self) -> Place | None:
        """The oldest line that can be reached."""
        page = self._file.after(0, self._edge_of_ring()) if self._file and self._ring_goes_on_in_file() else None
        if page:
            return Place(self._masked(page), 0)
        return Place(self._ring[0], 0) if self._ring else None

    def backward(self, place: Place, sieve: Sieve, deadline: float) -> Iterator[Place]:
        """From a line, itself included, to older ones. Ends early at the deadline (monotonic seconds)."""
        page: Page | None = place.page
        most = place.index
        while page:
            for index in reversed(page.shown(sieve)):
                if index <= most:
                    yield Place(page, index)
            if time.monotonic() > deadline:
                return
            page = self.page_before(page)
            most = page.count if page else 0

    def forward(self, place: Place, sieve: Sieve, deadline: float) -> Iterator[Place]:
        """From a line, itself included, to newer ones. Ends early at the deadline (monotonic seconds)."""
        page: Page | None = place.page
        least = place.index
        while page:
            for index in page.shown(sieve):
                if index >= least:
                    yield Place(page, index)
            if time.monotonic() > deadline:
                return
            page = self.page_after(page)
            least = 0

    def page_before(self, page: Page) -> Page | None:
        """The page of older lines next to this one."""
        if page.serial is not None and page.serial > self._first_serial:
            return self._ring[page.serial - self._first_serial - 1]
        start = page.start
        if page.serial == self._first_serial:
            start = self._edge_of_ring()
            if not self._ring_goes_on_in_file():
                return None
        elif not self._file or page.generation != self._file.generation:
            return None
        return self._older(start, at_ring=page.serial == self._first_serial)

    def page_after(self, page: Page) -> Page | None:
        """The page of newer lines next to this one."""
        if page.serial is not None and page.serial >= self._first_serial:
            following = page.serial - self._first_serial + 1
            return self._ring[following] if following < len(self._ring) else None
        oldest = self._ring[0] if self._ring else None
        if not self._file or page.generation != self._file.generation or page.end >= self._edge_of_ring():
            return oldest
        newer = self._file.after(page.end, self._edge_of_ring())
        return self._masked(newer) if newer else oldest

    def fill(self) -> None:
        """Read older lines until as many are kept as may be: what a sieve looks at."""
        while self._ring and self.kept_lines < self._keep_lines and self._bytes < KEEP_BYTES // 2:
            page = self.page_before(self._ring[0])
            if page is None or page.serial is None:
                return

    def share(self, place: Place) -> float | None:
        """How far down the file a line is, from 0 to 1; None where that has no meaning."""
        if not self._file or place.page.generation != self._file.generation:
            return None
        size = self._file.size_bytes()
        within = (place.index + 1) / max(1, place.page.count)
        return min(1.0, (place.page.start + (place.page.end - place.page.start) * within) / size) if size else None

    def close(self) -> None:
        """Let go of the file."""
        if self._file:
            self._file.close()
            self._file = None

    def _take(self, chunk: Chunk) -> int:
        data = self._cleaning.without_blocks(chunk.data)
        newest = self._ring[-1] if self._ring else None
        joins = newest and not newest.event and newest.generation == chunk.generation and newest.end == chunk.start
        if newest and joins and len(newest.data) + len(data) <= PAGE_BYTES:
            added = newest.grow(data, chunk.end)
            self.kept_lines += added
            self._bytes += len(data)
            return added
        if newest:
            newest.forget()
        page = Page(data, generation=chunk.generation, start=chunk.start, end=chunk.end)
        self._append(page)
        return page.count

    def _append(self, page: Page) -> None:
        page.serial = self._first_serial + len(self._ring)
        self._ring.append(page)
        self.kept_lines += page.count
        self._bytes += len(page.data)

    def _prepend(self, page: Page) -> None:
        self._masked(page)
        self._first_serial -= 1
        page.serial = self._first_serial
        self._ring.appendleft(page)
        self.kept_lines += page.count
        self._bytes += len(page.data)

    def _edge_of_ring(self) -> int:
        """Where in the current file the lines of the ring begin."""
        generation = self._file.generation if self._file else -2
        for page in self._ring:
            if page.generation == generation:
                return page.start
        return self._edge

    def _ring_goes_on_in_file(self) -> bool:
        """Whether what lies before the ring is in the current file: not when the ring begins in an older one."""
        if not self._file:
            return False
        oldest = next((page for page in self._ring if page.generation >= 0), None)
        return oldest is None or oldest.generation == self._file.generation

    def _older(self, start: int, *, at_ring: bool) -> Page | None:
        assert self._file
        key = (self._file.generation, start)
        if key in self._history:
            self._history.move_to_end(key)
            return self._history[key]
        page = self._file.before(start)
        if page is None:
            return None
        if at_ring and self.kept_lines + page.count <= self._keep_lines:
            self._prepend(page)
            return page
        self._history[key] = self._masked(page)
        if len(self._history) > HISTORY_PAGES:
            self._history.popitem(last=False)
        return page

    def _masked(self, page: Page) -> Page:
        cleaning = self._cleaning.anew()
        if self._file:
            cleaning.without_blocks(self._file.above(page.start))  # what began there may go on here
        masked = cleaning.without_blocks(page.data)
        if masked is not page.data:
            page.data, page.count = masked, masked.count(b"\n")
        return page
