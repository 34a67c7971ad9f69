"""Whole lines out of the bytes of a growing file: holds back what has no newline yet, bounds what has none for long."""

from __future__ import annotations

import re

from cockpit.safety.text import LINE_BYTES
from cockpit.words import _

HEAD_BYTES = LINE_BYTES - 256
"""How much of a long line is kept: room is left for the words that say so."""
_NUL_RUN = re.compile(rb"\x00{2,}")


class Framing:
    """Cuts a stream at `\\n`, and nowhere else.

    A line that comes in pieces and grows longer than HEAD_BYTES keeps its head and says how many bytes are missing;
    one that is redrawn with `\\r` keeps its last drawing and says how often. A run of NUL bytes, as a writer leaves
    that does not append after its file was truncated, is told by its length. So memory stays bounded.
    """

    def __init__(self) -> None:
        self._held: list[bytes] = []
        self._size = self._over = self._nul = self._redraws = 0
        self.held_bytes = 0
        """How many bytes of the stream came since the last newline."""

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes; return the whole lines, newlines included, that are now complete."""
        newline = data.rfind(b"\n") + 1
        if not newline:
            self.held_bytes += len(data)
            self._hold(self._without_holes(data))
            return b""
        head, rest = data[:newline], data[newline:]
        head = self._released(self._without_holes(head))
        self.held_bytes = len(rest)
        self._hold(self._without_holes(rest))
        return head

    def partial(self) -> bytes:
        """What has come of the next line so far."""
        return b"".join(self._held) + _nul_mark(self._nul) + self._missing()

    def flush(self) -> bytes:
        """The stream ended: the rest as a line, empty when there is none."""
        rest = self.partial()
        self._forget()
        self._nul = self.held_bytes = 0
        return rest + b"\n" if rest else b""

    def _hold(self, piece: bytes) -> None:
        drawn = piece.rstrip(b"\r").rfind(b"\r")
        if drawn >= 0:
            redraws = self._redraws + sum(held.count(b"\r") for held in self._held) + piece.count(b"\r", 0, drawn + 1)
            self._forget()
            self._redraws = redraws
            piece = piece[drawn + 1 :]
        room = HEAD_BYTES - self._size
        if len(piece) > room:
            self._over += len(piece) - room
            piece = piece[:room]
        if piece:
            self._held.append(piece)
            self._size += len(piece)

    def _released(self, head: bytes) -> bytes:
        """What was held, together with the lines that complete it."""
        if not self._size and not self._redraws:
            return head
        end = head.index(b"\n")
        self._hold(head[:end])
        line = b"".join(self._held)
        head = line.rstrip(b"\r") + self._missing() + head[end:]
        self._forget()
        return head

    def _missing(self) -> bytes:
        said = " …" + _("{count} bytes more").format(count=self._over) if self._over else ""
        return (said + (f" (↺{self._redraws})" if self._redraws else "")).encode()

    def _forget(self) -> None:
        self._held = []
        self._size = self._over = self._redraws = 0

    def _without_holes(self, data: bytes) -> bytes:
        """Runs of NUL as marks; a run at the end is held, since it may go on."""
        if not self._nul and b"\0" not in data:
            return data
        body = data.lstrip(b"\0")
        self._nul += len(data) - len(body)
        if not body:
            return b""
        mark, whole = _nul_mark(self._nul), body.rstrip(b"\0")
        self._nul = len(body) - len(whole)
        return mark + holes_told(whole)


def holes_told(data: bytes) -> bytes:
    """The data with each run of NUL bytes as a mark that tells its length."""
    return _NUL_RUN.sub(lambda run: _nul_mark(len(run[0])), data) if b"\0\0" in data else data


def _nul_mark(length: int) -> bytes:
    return f"␀×{length}".encode() if length > 1 else b"\0" * length
