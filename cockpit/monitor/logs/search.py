"""Looking for a text in a log of any size, a slice of time at a time."""

from __future__ import annotations

import time
from enum import Enum

from cockpit.monitor.logs.line_store import LineStore, Place
from cockpit.monitor.logs.page import Page, Sieve, folded

SLICE_S = 0.015


class Direction(Enum):
    """Which way to look."""

    OLDER = -1
    NEWER = 1


class Search:
    """Goes from a line, itself left out, to the next one that holds the text and passes the sieve.

    Call `step` until `done`; each call takes about SLICE_S, so that keys are answered meanwhile.
    """

    def __init__(self, store: LineStore, text: str, start: Place, direction: Direction, sieve: Sieve) -> None:
        self._store = store
        self._direction = direction
        self._sieve = sieve
        self._wanted = Sieve(text=text)
        self._page: Page | None = start.page
        self._from: int | None = start.index
        self.found: Place | None = None
        self.done = False
        self.at = start
        """How far it has come."""

    def step(self, budget_s: float = SLICE_S) -> None:
        """Go on for a while."""
        deadline = time.monotonic() + budget_s
        while not self.done and time.monotonic() < deadline:
            page = self._page
            if page is None:
                self.done = True
                return
            self.at = Place(page, 0)
            index = self._in_page(page)
            if index is not None:
                self.found, self.done = Place(page, index), True
                return
            self._from = None
            older = self._direction is Direction.OLDER
            self._page = self._store.page_before(page) if older else self._store.page_after(page)

    def _in_page(self, page: Page) -> int | None:
        if page.event or self._wanted.text.encode() not in folded(page.data, self._wanted.text):
            return None
        passing = frozenset(page.shown(self._sieve)) if self._sieve else None
        found = [index for index in page.holding(self._wanted.text) if passing is None or index in passing]
        if self._direction is Direction.OLDER:
            return next((i for i in reversed(found) if self._from is None or i < self._from), None)
        return next((i for i in found if self._from is None or i > self._from), None)
