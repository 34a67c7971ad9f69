"""What the far side says while a step runs: see `script._FOLLOW`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct

Read = Callable[[], bytes]
"""The next bytes from over there; empty when the connection ended."""

_LONGEST_LINE = 4096
_LONGEST_PREAMBLE = 1 << 20


class Frame(Struct, frozen=True):
    """One word of the far side.

    `kind`: o (output), m (marks: what of the output after it came by standard error), given and report (the shell's, at
    its start and end), s (started: `text` is the pid), x (ended:
    `text` is STATUS BEGAN ENDED), l (its launcher is gone without a word; `text` is
    "rebooted" where the machine went down meanwhile), e (nothing was started, or nothing is
    there: `text` says why), h (a sign of life),
    f (its disk was full meanwhile).
    """

    kind: str
    text: str = ""
    data: bytes = b""


class Broken(Exception):
    """The connection ended in the middle, or what came is not ours."""


def frames(read: Read, nonce: str) -> Iterator[Frame]:
    """The frames after the nonce's line. Ends after x, l or e.

    Raises:
        Broken: the connection ended before that.
    """
    stream = _Stream(read)
    stream.skip_to(f"{nonce} begin")
    while True:
        kind, _space, text = stream.line().partition(" ")
        if kind in ("o", "m", "given", "report"):
            if not text.isdigit():
                raise Broken(f"{kind} {text}")
            yield from stream.pieces(kind, int(text))
            continue
        yield Frame(kind, text)
        if kind in ("x", "l", "e"):
            return
        if kind not in ("s", "h", "f"):
            raise Broken(kind)


class _Stream:
    def __init__(self, read: Read) -> None:
        self._read = read
        self._held = b""

    def skip_to(self, line: str) -> None:
        """Pass over what a login shell prints of its own accord."""
        passed = 0
        while (said := self.line()) != line:
            passed += len(said)
            if passed > _LONGEST_PREAMBLE:
                raise Broken("no shell answers there")

    def line(self) -> str:
        while b"\n" not in self._held:
            if len(self._held) > _LONGEST_LINE:
                # Not ours: a line of ours is short.
                self._held = self._held[-_LONGEST_LINE:]
            self._more()
        text, _newline, self._held = self._held.partition(b"\n")
        return text.decode("utf-8", "replace").rstrip("\r")

    def pieces(self, kind: str, count: int) -> Iterator[Frame]:
        """Output is handed on as it comes; the others in one piece."""
        whole = b""
        while count:
            if not self._held:
                self._more()
            piece, self._held = self._held[:count], self._held[count:]
            count -= len(piece)
            if kind == "o":
                yield Frame(kind, data=piece)
            else:
                whole += piece
        if kind != "o":
            yield Frame(kind, data=whole)

    def _more(self) -> None:
        piece = self._read()
        if not piece:
            raise Broken("the connection ended")
        self._held += piece
