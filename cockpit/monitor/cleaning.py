"""Blocks of log bytes into lines fit to show: redacted, then sanitised."""

from __future__ import annotations

from collections.abc import Iterable

from cockpit.safety.redaction import Redactor
from cockpit.safety.text import Lines


class Cleaning:
    """Cleans the lines of one stream, in order; keeps track of a private key that runs over several blocks.

    Args:
        secrets: exact values to mask, besides everything that looks like a secret.
        redacted: the stream was redacted when it was stored.
    """

    def __init__(self, secrets: Iterable[str] = (), *, redacted: bool = False) -> None:
        self._redactor = None if redacted else Redactor(secrets)

    def lines(self, block: bytes) -> list[str]:
        """The lines of a block of whole lines. The lines of a private key become one."""
        masked = self._redactor.feed(block) if self._redactor else block
        return Lines().feed(_redraws_told(masked))

    def partial(self, line: bytes) -> str:
        """The beginning of a line."""
        lines = Lines()
        lines.feed(line)
        shown = lines.partial()
        return self._redactor.redact(shown) if self._redactor else shown


def _redraws_told(block: bytes) -> bytes:
    """A line drawn over with carriage returns says how often, since only its last drawing is shown."""
    if b"\r" not in block or block.count(b"\r") == block.count(b"\r\n"):
        return block
    return b"\n".join(map(_redraws_of, block.split(b"\n")))


def _redraws_of(line: bytes) -> bytes:
    body = line.rstrip(b"\r")
    times = body.count(b"\r")
    return body + f" (↺{times})".encode() if times else line
