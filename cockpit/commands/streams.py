"""Standard input, output and error as every command finds them: open, able to say any text, and quiet when unheard.

Whatever a command prints, nothing goes out that a terminal acts upon, and nothing secret goes to standard error.
"""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import sys
from collections.abc import Callable, Iterator

from cockpit.safety.telling import told
from cockpit.safety.text import json_escaped, sanitise

# As in the command line's: typing is imported by nobody who only prints help.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

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
    for given, errors in ((sys.stdin, "surrogateescape"), (sys.stdout, "backslashreplace")):
        stream = given.stream if isinstance(given, Cleaned) else given
        if isinstance(stream, io.TextIOWrapper):
            ascii_only = codecs.lookup(stream.encoding).name == "ascii"
            stream.reconfigure(encoding=encoding or ("utf-8" if ascii_only else None), errors=errors)


def silence() -> None:
    """Nobody reads standard output any more: let it, and what is still buffered for it, go nowhere."""
    with contextlib.suppress(OSError, ValueError):
        unheard = os.open(os.devnull, os.O_WRONLY)
        os.dup2(unheard, sys.stdout.fileno())
        os.close(unheard)


class Cleaned(io.TextIOBase):
    """A text stream that cleans what is written to it. `clean` may be replaced at any time."""

    def __init__(self, stream: TextIO, clean: Callable[[str], str]) -> None:
        self.stream = stream
        self.clean = clean

    @property
    def encoding(self) -> str:  # type: ignore[override]  # typeshed has an attribute where io has a property
        """That of the stream itself."""
        return self.stream.encoding

    def write(self, text: str) -> int:
        """Write the text, cleaned."""
        self.stream.write(self.clean(text))
        return len(text)

    def flush(self) -> None:
        """As the stream."""
        self.stream.flush()

    def fileno(self) -> int:
        """As the stream."""
        return self.stream.fileno()

    def isatty(self) -> bool:
        """As the stream."""
        return self.stream.isatty()


@contextlib.contextmanager
def cleaned_output() -> Iterator[None]:
    """Text on standard output is sanitised, on standard error masked too. See `print_json`."""
    out, err = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = Cleaned(out, sanitise), Cleaned(err, told)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = out, err


def print_json() -> None:
    """What goes to standard output is JSON: its texts keep their characters, the invisible ones as `\\u202e`."""
    if isinstance(sys.stdout, Cleaned):
        sys.stdout.clean = json_escaped
