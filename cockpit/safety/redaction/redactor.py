"""Masking secrets in bytes as they arrive, before they reach a disk or a screen. Stdlib only: the runner uses it too.

Two searches: the exact values this process knows, in every form they travel in; and the shapes of common
secrets (headers, tokens, keys, `name=value`). A mask is `[redacted:RULE]`; everything else passes unchanged and in
order. The work is done on whole lines, so where the chunks were cut makes no difference; what is held back is bounded.
"""

from __future__ import annotations

from collections.abc import Iterable

from cockpit.safety.redaction.blocks import AT_THE_START, Blocks, State
from cockpit.safety.redaction.forms import Forms, secrets_of_environment
from cockpit.safety.redaction.late_pattern import LatePattern
from cockpit.safety.redaction.search import Search, joined
from cockpit.safety.redaction.spellings import Span

__all__ = ["Redactor", "secrets_of_environment"]

HELD_BYTES = 64 * 1024
"""A line longer than this is let go of piece by piece."""
CONTEXT_BYTES = 4 * 1024
"""How much of what already went out of the current line still counts when the rest arrives."""

_TOKEN_END = LatePattern(rb"[\s\"'&,;]")


class Known:
    """What is known of exact values: worked out once, for any number of streams."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = Forms(secrets)
        self.search = Search(forms)
        self.blocks = Blocks(forms.cores)


class Redactor:
    """Masks secrets in one stream of bytes, and in any number of texts.

    Args:
        secrets: exact values to mask, whatever they look like; those shorter than six characters are left out. Or what
            another redactor knows of them.
    """

    def __init__(self, secrets: Iterable[str] | Known = ()) -> None:
        self.learn(secrets if isinstance(secrets, Known) else Known(secrets))
        self._state: State = AT_THE_START
        self._line = b""  # the current line as it came; its first `_sent` bytes are out already
        self._sent = 0
        self._inside_value = False

    def learn(self, known: Known) -> None:
        """Mask these from now on, in the middle of a stream too."""
        self.known = known
        self._search = known.search
        self._blocks = known.blocks
        self._keep = max(CONTEXT_BYTES, self._search.longest)

    def feed(self, chunk: bytes) -> bytes:
        """Take the next bytes; return those that are safe to pass on now."""
        if self._inside_value:
            end = _TOKEN_END.now.search(chunk)
            if end is None:
                return b""
            self._inside_value = False
            chunk = chunk[end.start() :]
        newline = chunk.rfind(b"\n") + 1
        out = b""
        if newline:
            out = self._settle(self._line + chunk[:newline])
        self._line += chunk[newline:]
        if len(self._line) - self._sent > HELD_BYTES + self._keep:
            out += self._let_go()
        return out

    def idle(self) -> bytes:
        """Nothing came for a while: return the partial line, save what may be the beginning of a secret."""
        if len(self._line) == self._sent:
            return b""
        spans, limit = self._partial(self._line)
        return self._pass_on(spans, limit)

    def flush(self) -> bytes:
        """The stream ended: return the rest."""
        out = self._settle(self._line)
        self._state, self._inside_value = AT_THE_START, False
        return out

    def redact(self, text: str) -> str:
        """The whole text with its secrets masked. Leaves the stream alone."""
        block = text.encode("utf-8", "surrogatepass")
        spans, _state = self._scan(block, AT_THE_START)
        return _masked(block, spans, 0, len(block)).decode("utf-8", "surrogatepass") if spans else text

    def values_in(self, text: str) -> list[str]:
        """The secrets that a text holds."""
        block = text.encode("utf-8", "surrogatepass")
        spans, _state = self._scan(block, AT_THE_START)
        return [block[start:end].decode("utf-8", "replace") for start, end, _name in spans]

    def redact_beginning(self, line: bytes) -> bytes:
        """The beginning of a line whose rest is still to come: masked, and without what may turn out to be a secret.

        Leaves the stream alone.
        """
        spans, limit = self._partial(line)
        return _masked(line, spans, 0, limit)

    def redact_each(self, block: bytes) -> bytes:
        """Whole lines, masked one by one: those that `redact_blocks` has had. Leaves the stream alone."""
        spans = self._search.spans(block)
        return _masked(block, spans, 0, len(block)) if spans else block

    def redact_blocks(self, block: bytes) -> bytes:
        """Whole lines of the stream, with only those secrets masked that can't be told from their lines one by one."""
        spans, self._state = self._blocks.scan(block, self._state)
        return _masked(block, joined(spans), 0, len(block)) if spans else block

    def _scan(self, block: bytes, state: State) -> tuple[list[Span], State]:
        """All that is to be masked in a block of lines, and the state after it."""
        spans = self._search.spans(block)
        more, state = self._blocks.scan(block, state)
        return (joined([*spans, *more]) if more else spans), state

    def _settle(self, block: bytes) -> bytes:
        """The block with masks, without what is out already. Its lines are whole, but for the last of a stream."""
        spans, self._state = self._scan(block, self._state)
        out = _masked(block, spans, self._sent, len(block))
        self._line, self._sent = b"", 0
        return out

    def _partial(self, line: bytes) -> tuple[list[Span], int]:
        """What is to be masked in a line that is not whole, and how much of it may be shown."""
        spans, _state = self._scan(line, self._state)
        return spans, min(self._search.may_begin(line, spans), self._blocks.may_begin(line, self._state))

    def _let_go(self) -> bytes:
        """Pass on the beginning of a line that is too long to hold."""
        spans, _state = self._scan(self._line, self._state)
        limit = len(self._line) - self._keep
        limit = next((start for start, end, _name in spans if start < limit < end), limit)
        return self._pass_on(spans, limit) if limit > self._sent else self._swallow_value(spans)

    def _swallow_value(self, spans: list[Span]) -> bytes:
        """One secret fills all that is held: mask it now, and drop the rest of it as it comes."""
        out = _masked(self._line, spans, self._sent, len(self._line))
        self._line, self._sent, self._inside_value = b"", 0, True
        return out

    def _pass_on(self, spans: list[Span], limit: int) -> bytes:
        if limit <= self._sent:
            return b""
        out = _masked(self._line, spans, self._sent, limit)
        forgotten = max(0, limit - self._keep)
        self._line, self._sent = self._line[forgotten:], limit - forgotten
        return out


def _masked(block: bytes, spans: Iterable[Span], begin: int, limit: int) -> bytes:
    pieces: list[bytes] = []
    at = begin
    for start, end, name in spans:
        if start >= limit:
            break
        if end <= at:
            continue
        pieces += (block[at : max(start, at)], f"[redacted:{name}]".encode() if name else b"")
        at = end
    pieces.append(block[at:limit])
    return b"".join(pieces)
