"""Ways of writing a text that hide what it says: colours between its letters, `\\u0026`, `%40`. Stdlib only.

What is looked for is looked for in the text without them, and found in the text as it stands.
"""

from __future__ import annotations

import re
from bisect import bisect_right

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Span = tuple[int, int, str]
"""From where to where, and the name of the rule."""


class Spelling:
    """One way of writing.

    Args:
        escapes: what stands for something else, or for nothing.
        open_end: the beginning of one at the end of a text that is not whole.
        meant: what an escape stands for.
        marks: bytes, one of which every escape has.
    """

    __slots__ = ("_escapes", "_marks", "_meant", "_open_end")

    def __init__(
        self, escapes: bytes, open_end: bytes, meant: Callable[[re.Match[bytes]], bytes], marks: tuple[bytes, ...]
    ) -> None:
        self._escapes = re.compile(escapes)
        self._open_end = re.compile(open_end)
        self._meant = meant
        self._marks = marks

    def used_in(self, block: bytes) -> bool:
        """Whether the text may be written in this way at all."""
        return any(mark in block for mark in self._marks)

    def plain(self, block: bytes) -> bytes:
        """What the text says."""
        return self._escapes.sub(self._meant, block)

    def whole(self, block: bytes) -> bytes:
        """The text without an escape that is not whole yet."""
        return self._open_end.sub(b"", block)

    def found(self, block: bytes, search: Callable[[bytes], Iterable[Span]]) -> Iterator[Span]:
        """What a search finds in what the text says, as it stands in the text."""
        spans = list(search(self.plain(block)))
        if spans:
            places = self.places(block)
            for start, end, name in spans:
                yield places.of(start), places.end_of(end - 1), name

    def places(self, block: bytes) -> Places:
        """Where in the text stands what it says."""
        return Places((match.start(), match.end(), len(self._meant(match))) for match in self._escapes.finditer(block))


class Places:
    """From offsets in what a text says to offsets in the text.

    Args:
        escapes: where each begins and ends in the text, and how many bytes it stands for.
    """

    def __init__(self, escapes: Iterable[tuple[int, int, int]]) -> None:
        self._after: list[int] = []
        self._gone: list[int] = [0]
        self._spans: list[tuple[int, int]] = []
        for start, end, kept in escapes:
            self._spans.append((start, end))
            self._gone.append(self._gone[-1] + end - start - kept)
            self._after.append(end - self._gone[-1])

    def of(self, offset: int) -> int:
        """Where a byte begins."""
        return offset + self._gone[bisect_right(self._after, offset)]

    def end_of(self, offset: int) -> int:
        """Where it ends: behind its escape, if it is written as one."""
        number = bisect_right(self._after, offset)
        at = offset + self._gone[number]
        if number < len(self._spans) and self._spans[number][0] <= at < self._spans[number][1]:
            return self._spans[number][1]
        return at + 1


def _nothing(_match: re.Match[bytes]) -> bytes:
    return b""


def _character(match: re.Match[bytes]) -> bytes:
    units = match[0].replace(b"\\", b"").replace(b"u", b"")
    return bytes.fromhex(units.decode("ascii")).decode("utf-16-be", "surrogatepass").encode("utf-8", "surrogatepass")


def _byte(match: re.Match[bytes]) -> bytes:
    return bytes([int(match[0][-2:], 16)])


_UNIT = rb"\\+u[0-9a-fA-F]{4}"
_HIGH, _LOW = rb"\\+u[dD][89abAB][0-9a-fA-F]{2}", rb"\\+u[dD][c-fC-F][0-9a-fA-F]{2}"

COLOURED = Spelling(
    rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[()][0-9A-B]|\xc2\x9b[0-?]*[ -/]*[@-~]|[\x0e\x0f]",
    rb"(?:\x1b(?:\[[0-?]*[ -/]*|[()])?|\xc2(?:\x9b[0-?]*[ -/]*)?)\Z",
    _nothing,
    (b"\x1b", b"\xc2\x9b", b"\x0e", b"\x0f"),
)
"""With colours, and what else a program puts between letters for a terminal's sake."""
SLASHED = Spelling(
    _HIGH + _LOW + rb"|" + _UNIT + rb"|\\+",
    rb"(?:" + _HIGH + rb")?\\+(?:u[0-9a-fA-F]{0,3})?\Z|" + _HIGH + rb"\Z",
    lambda match: _character(match) if b"u" in match[0] else b"",
    (b"\\",),
)
"""With the backslashes of JSON, of JSON in JSON, of programming languages and shells."""
WIDE = Spelling(rb"\x00", rb"\Z(?!)", _nothing, (b"\0",))
"""As UTF-16 writes ASCII, read as if it were bytes."""
QUOTED = Spelling(rb"%[0-9a-fA-F]{2}", rb"%[0-9a-fA-F]?\Z", _byte, (b"%",))
"""As in addresses."""
QUOTED_TWICE = Spelling(rb"%(?:25)?[0-9a-fA-F]{2}", rb"%(?:25?)?[0-9a-fA-F]?\Z", _byte, (b"%25",))
"""As in addresses within addresses."""
