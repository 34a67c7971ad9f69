"""Texts for a program that reads them from a path, in pipes: on no disk, and in no words that others can read."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Sequence


class Handed:
    """One text. `descriptor` is to be passed on to the program, which finds it at `path`."""

    def __init__(self, text: str) -> None:
        self.descriptor, self._end = os.pipe()
        self._text = text.encode("utf-8", "surrogateescape")

    @property
    def path(self) -> str:
        """Where the program reads it."""
        return f"/dev/fd/{self.descriptor}"

    def give(self) -> None:
        """Hand it over, once the program has begun: nobody waits for it to read."""
        os.close(self.descriptor)
        self.descriptor = -1
        end, self._end = self._end, -1
        threading.Thread(target=_write, args=(end, self._text), name="hand over", daemon=True).start()

    def close(self) -> None:
        """Let go of what was never given."""
        for held in (self.descriptor, self._end):
            if held >= 0:
                os.close(held)


def _write(end: int, text: bytes) -> None:
    with contextlib.suppress(OSError), os.fdopen(end, "wb") as pipe:  # it may end without having read
        pipe.write(text)


@contextlib.contextmanager
def handed(texts: Sequence[str]) -> Iterator[list[Handed]]:
    """A pipe for each text."""
    made: list[Handed] = []
    try:
        for text in texts:
            made.append(Handed(text))
        yield made
    finally:
        for one in made:
            one.close()
