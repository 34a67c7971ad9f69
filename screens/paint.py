"""Styled lines from values. The one place where text becomes something a terminal is sent.

A `Line` is plain data: spans of (text, style name). Nothing here reads markup, so nothing in a runbook, a log or an
output can act as any. Every text is cleaned again on its way to a Strip, whoever cleaned it before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from rich.cells import cell_len, chop_cells, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from cockpit.safety.text import sanitise

Span = tuple[str, str]
TAB = "    "
# A wide character may stand at a line's end by itself; other text breaks at blanks.
_WIDE = "\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\uff00-\uff60"
_WORDS = re.compile(f"\n| +|[{_WIDE}]|[^\\s{_WIDE}]+|\\s")


class Line(NamedTuple):
    """One row: its spans, and the style name of the whole row ("" for none)."""

    spans: tuple[Span, ...] = ()
    row: str = ""

    @property
    def width(self) -> int:
        """In cells."""
        return sum(cell_len(text) for text, _style in self.spans)

    @property
    def text(self) -> str:
        """Without styles."""
        return "".join(text for text, _style in self.spans)


BLANK = Line()


def line(*spans: Span | str, row: str = "") -> Line:
    """A row of spans; a bare string has no style. Each text is cleaned and put on one line."""
    return Line(tuple((clean(span), "") if isinstance(span, str) else (clean(span[0]), span[1]) for span in spans), row)


def clean(text: str) -> str:
    """Text for one row: no control, no tab, no line end, no emoji presentation mark (terminals disagree on it)."""
    text = sanitise(text)
    if text.isprintable() and "\ufe0f" not in text:
        return text
    return text.replace("\ufe0f", "").replace("\t", TAB).replace("\n", " ")


def fit(text: str, width: int) -> str:
    """The text cut to `width` cells, ending in … where something is missing."""
    text = clean(text)
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + "…" if width > 0 else ""


def fit_path(path: str, width: int) -> str:
    """A path cut to `width` cells in its middle: where it begins, and its last folders, tell it from others."""
    path = clean(path)
    if cell_len(path) <= width:
        return path
    head, room = path[: max(0, width // 3)], width - 1
    while cell_len(head) > width // 3:
        head = head[:-1]
    tail = path
    while cell_len(tail) > room - cell_len(head):
        tail = tail[1:]
    # Whole folders, where that leaves any.
    whole = tail.find("/")
    return f"{head}…{tail[whole:] if whole >= 0 else tail}" if width > 0 else ""


def pad(text: str, width: int) -> str:
    """The text in exactly `width` cells."""
    return set_cell_size(fit(text, width), width)


def spread(left: Line, right: Line, width: int) -> Line:
    """Left and right parts of a row; the left one gives way."""
    room = max(0, width - right.width - 1)
    left = cropped(left, room)
    gap = " " * max(0, width - left.width - right.width)
    return Line((*left.spans, (gap, ""), *right.spans), left.row)


def cropped(given: Line, width: int) -> Line:
    """The row, cut to `width` cells with a …."""
    if given.width <= width:
        return given
    kept: list[Span] = []
    room = width
    for text, style in given.spans:
        cells = cell_len(text)
        if cells >= room:
            kept.append((set_cell_size(text, max(0, room - 1)) + "…", style))
            break
        kept.append((text, style))
        room -= cells
    return Line(tuple(kept), given.row)


def wrapped(spans: Iterable[Span], width: int, *, first: str = "", rest: str = "") -> list[Line]:
    """Spans (which may hold newlines) as rows of at most `width` cells.

    Args:
        first, rest: what the first and each further row begin with (a list's marker and its indent).
    """
    room = max(8, width - cell_len(first))
    rows: list[list[Span]] = [[]]
    used = 0
    for text, style in spans:
        for word in _pieces(text, room):
            if word == "\n":
                rows.append([])
                used = 0
                continue
            cells = cell_len(word)
            if used + cells > room:
                rows.append([])
                used = 0
                if word.isspace():
                    continue
            rows[-1].append((word, style))
            used += cells
    return [Line(((first if n == 0 else rest, "dim"), *_joined(row))) for n, row in enumerate(rows)]


def _pieces(text: str, room: int) -> Iterator[str]:
    for word in _WORDS.findall(sanitise(text).replace("\ufe0f", "").replace("\t", TAB)):
        if len(word) > room // 2 and cell_len(word) > room:
            yield from chop_cells(word, room)
        else:
            yield word


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    """Neighbours of one style as one span."""
    text, style = "", ""
    for more, its in spans:
        if its != style and text:
            yield text, style
            text = ""
        text, style = text + more, its
    if text:
        yield text, style


def plain_rows(text: str, width: int, style: str = "") -> list[Line]:
    """Code and output: line by line, long ones folded at the edge, nothing reflowed."""
    rows = []
    for each in sanitise(text).replace("\ufe0f", "").replace("\t", TAB).split("\n"):
        rows += [Line(((piece, style),)) for piece in (chop_cells(each, max(8, width)) or [""])]
    return rows


def strip_of(given: Line, width: int, palette: Mapping[str, str], base: Style) -> Strip:
    """The row as the terminal gets it, exactly `width` cells wide."""
    under = base + style_of(palette.get(given.row, ""))
    segments = [Segment(clean(text), under + style_of(palette.get(style, ""))) for text, style in given.spans]
    return Strip(Segment.simplify(segments)).adjust_cell_length(width, under)


@lru_cache(maxsize=256)
def style_of(definition: str) -> Style:
    """A rich Style from its definition."""
    return Style.parse(definition)
