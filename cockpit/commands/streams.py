"""Standard input, output and error as every command finds them: open, able to say any text, and quiet when unheard."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import sys

_STANDARD = (0, 1, 2)


def open_standard() -> None:
    """Stand in for descriptors that were closed when we started.

    Left closed, the next file opened would get such a number, and what is meant for the terminal would go into it.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) in _STANDARD:
        pass
    os.close(descriptor)
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8"))


def choose_encoding(encoding: str | None) -> None:
    """The encoding of all three; None keeps the locale's, except that ASCII, which nobody chooses, becomes UTF-8.

    What an output can't say is written as an escape, which in JSON means the same text.
    """
    for stream, errors in ((sys.stdin, "surrogateescape"), (sys.stdout, "backslashreplace")):
        if isinstance(stream, io.TextIOWrapper):
            ascii_only = codecs.lookup(stream.encoding).name == "ascii"
            stream.reconfigure(encoding=encoding or ("utf-8" if ascii_only else None), errors=errors)


def silence() -> None:
    """Nobody reads standard output any more: let it, and what is still buffered for it, go nowhere."""
    with contextlib.suppress(OSError, ValueError):
        unheard = os.open(os.devnull, os.O_WRONLY)
        os.dup2(unheard, sys.stdout.fileno())
        os.close(unheard)
