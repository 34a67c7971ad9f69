"""Known secrets in base64 that is folded at a width, a piece on each line. Stdlib only.

A line that ends within a known value is masked as soon as four letters of it are there, and how the value goes on is
remembered, so that the lines after it are masked to its last letter, wherever the stream was cut.
"""

from __future__ import annotations

from cockpit.safety.redaction.late_pattern import LatePattern
from cockpit.safety.redaction.search import KNOWN, LETTERS, beginnings, run_around
from cockpit.safety.redaction.spellings import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

Rests = tuple[bytes, ...]

_UNTOLD_LETTERS = 3
"""So many letters at a line's end may be seen: too few to tell a value from anything else."""
_LEAST = 16
"""Letters that a line holds at least when base64 was folded there."""
_ROW = rb"[A-Za-z0-9+/_-]{16}"
_FOLD = LatePattern(rb"\n(?:(?<=" + _ROW + rb"\n)|(?<=" + _ROW + rb"\r\n))")
# JSON writes the line ends within a value.
_FOLD_IN_JSON = LatePattern(rb"\\n(?:(?<=" + _ROW + rb"\\n)|(?<=" + _ROW + rb"\\r\\n))")
# A table's cell shows them.
_FOLD_SHOWN = "␊".encode()
_FOLD_IN_CELL = LatePattern(_FOLD_SHOWN + rb"(?<=" + _ROW + _FOLD_SHOWN + rb")")
_FOLDS = ((b"\n", _FOLD), (b"\\n", _FOLD_IN_JSON), (_FOLD_SHOWN, _FOLD_IN_CELL))
_PIECE_END = LatePattern(rb"\n|(?:\\r)?\\n|" + _FOLD_SHOWN)
_BESIDE = b" \t\r\"',>|"


class Folds:
    """Follows known values over folds.

    Args:
        cores: what base64 keeps of them.
    """

    def __init__(self, cores: tuple[bytes, ...]) -> None:
        self._cores = cores
        self._ends = {core[at : at + 4] for core in cores for at in range(len(core) - 4)} | {c[:3] for c in cores}
        self._onward = {core[at : at + 4] for core in cores for at in (1, 2)}

    def scan(self, block: bytes, rests: Rests) -> tuple[list[Span], Rests]:
        """What is to be masked, and how values that the block ends within would go on."""
        spans: list[Span] = []
        at = 0
        if rests:
            at, rests = self._follow(block, 0, rests, spans)
        for end, onward in _folds(block, max(at, self._passed_over(block))):
            if onward > at and self._may_end_within(block, end, onward):
                rests = self._begun(block, end, spans)
                at, rests = self._follow(block, onward, rests, spans)
        return spans, rests

    def may_begin(self, line: bytes, rests: Rests) -> int:
        """From where on a line that is not whole yet may go on with a value."""
        body = line.lstrip(_BESIDE)
        return len(line) - len(body) if any(rest.startswith(body) for rest in rests) else len(line)

    def _passed_over(self, block: bytes) -> int:
        """How much of the block can be passed over, told in one go: no line of it ends or begins as a value goes on."""
        if b"\r" in block or b"\\n" in block or _FOLD_SHOWN in block:
            return 0
        if not _FOLD.now.search(block):
            return len(block)
        lines = block.split(b"\n")
        ends = {line[-4:] for line in lines} | {line[-3:] for line in lines}
        if not self._ends.isdisjoint(ends) or not self._onward.isdisjoint(line.lstrip(_BESIDE)[:4] for line in lines):
            return 0
        return max(0, len(block) - len(lines[-1]) - 1)

    def _may_end_within(self, block: bytes, end: int, onward: int) -> bool:
        """Cheaply, whether some known value may go on over this fold."""
        if block[end - 4 : end] in self._ends or block[end - 3 : end] in self._ends:
            return True
        following = block[onward : onward + 64].lstrip(_BESIDE)
        return not following or following[:4] in self._onward

    def _begun(self, block: bytes, end: int, spans: list[Span]) -> Rests:
        """How the values go on that begin at the end of a line; the line is masked where they show."""
        rests = set()
        shown = 0
        for core in self._cores:
            for length in beginnings(core, block[max(0, end - len(core)) : end]):
                rests.add(core[length:])
                shown = max(shown, length)
        if shown > _UNTOLD_LETTERS:
            spans.append(run_around(block, end - shown, end))
        return tuple(sorted(rests))

    def _follow(self, block: bytes, at: int, rests: Rests, spans: list[Span]) -> tuple[int, Rests]:
        """Go on line by line while any value does; returns where that ended, and what goes on in the next block."""
        while rests and at < len(block):
            found = _PIECE_END.now.search(block, at)
            stop, onward = found.span() if found else (len(block), len(block))
            piece = block[at:stop].rstrip(_BESIDE)
            body = piece.lstrip(_BESIDE)
            start, end = at + len(piece) - len(body), at + len(piece)
            further = set()
            for rest in rests:
                if body.startswith(rest):
                    spans.append(run_around(block, start, start + len(rest)))
                elif body and rest.startswith(body):
                    spans.append((start, end, KNOWN))
                    further.add(rest[len(body) :])
            if len(body) >= _LEAST and not body[-_LEAST:].strip(LETTERS) and self._may_end_within(block, end, onward):
                further |= set(self._begun(block, end, spans))
            rests, at = tuple(sorted(further)), onward
        return at, rests


def _folds(block: bytes, at: int) -> Iterator[tuple[int, int]]:
    """Where lines of base64 end, and where the next ones begin."""
    found = [match.span() for mark, pattern in _FOLDS if mark in block for match in pattern.now.finditer(block, at)]
    for end, onward in sorted(found):
        returns = 1 if block.endswith(b"\r", 0, end) else 2 if block.endswith(b"\\r", 0, end) else 0
        yield end - returns, onward
