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
    return Lines(redraws_told=True).feed(masked)
