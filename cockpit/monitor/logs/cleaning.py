"""Blocks of log bytes into lines fit to show: redacted, then sanitised."""

from __future__ import annotations

from collections.abc import Iterable

from cockpit.safety.redaction.redactor import Known, Redactor
from cockpit.safety.text import Lines


class Cleaning:
    """Cleans the lines of one stream; keeps track of secrets that run over several blocks.

    Args:
        secrets: exact values to mask, besides everything that looks like a secret.
        redacted: the stream was redacted when it was stored.
    """

    def __init__(self, secrets: Iterable[str] | Known = (), *, redacted: bool = False) -> None:
        self._redactor = None if redacted else Redactor(secrets)

    def anew(self) -> Cleaning:
        """The same for another stream, or for another place of this one."""
        return Cleaning(self._redactor.known) if self._redactor else Cleaning(redacted=True)

    def learn(self, known: Known) -> None:
        """Mask these from now on."""
        if self._redactor:
            self._redactor.learn(known)

    def lines(self, block: bytes) -> list[str]:
        """The lines of the stream's next block of whole lines. The lines of a private key become one."""
        return _lines(self._redactor.feed(block) if self._redactor else block)

    def without_blocks(self, block: bytes) -> bytes:
        """The stream's next block with only those secrets masked that can't be told from single lines later."""
        return self._redactor.redact_blocks(block) if self._redactor else block

    def each(self, block: bytes) -> list[str]:
        """Lines that need not be neighbours, and of which `without_blocks` has had its share."""
        return _lines(self._redactor.redact_each(block) if self._redactor else block)

    def partial(self, line: bytes) -> str:
        """The beginning of the stream's next line."""
        lines = Lines()
        lines.feed(self._redactor.redact_beginning(line) if self._redactor else line)
        return lines.partial()


def _lines(masked: bytes) -> list[str]:
    return Lines().feed(_redraws_told(masked))


def _redraws_told(block: bytes) -> bytes:
    """A line drawn over with carriage returns says how often, since only its last drawing is shown."""
    if b"\r" not in block or block.count(b"\r") == block.count(b"\r\n"):
        return block
    return b"\n".join(map(_redraws_of, block.split(b"\n")))


def _redraws_of(line: bytes) -> bytes:
    body = line.rstrip(b"\r")
    times = body.count(b"\r")
    return body + f" (↺{times})".encode() if times else line
