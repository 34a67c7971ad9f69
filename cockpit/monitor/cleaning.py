"""Blocks of log bytes into lines fit to show: redacted, then sanitised."""

from __future__ import annotations

from collections.abc import Iterable

from cockpit.safety.redaction import Redactor
from cockpit.safety.text import Lines

_KEY = b"-----BEGIN "
_KEY_END = b"-----END "


class Cleaning:
    """Cleans the lines of one stream, in order; keeps track of a private key that runs over several blocks.

    Args:
        secrets: exact values to mask, besides everything that looks like a secret.
        redacted: the stream was redacted when it was stored.
    """

    def __init__(self, secrets: Iterable[str] = (), *, redacted: bool = False) -> None:
        self._redactor = None if redacted else Redactor(secrets)
        self._inside_key = False

    def lines(self, block: bytes) -> list[str]:
        """The lines of a block of whole lines. The lines of a private key become one."""
        masked = self._redactor.feed(block) if self._redactor else block
        return Lines().feed(_redraws_told(masked))

    def without_keys(self, block: bytes) -> bytes:
        """The block with its private keys masked, and nothing else: what can't be told from single lines later."""
        if not self._redactor or not (self._inside_key or _KEY in block):
            return block
        masked = self._redactor.feed(block)
        begin, end = block.rfind(_KEY), block.rfind(_KEY_END)
        self._inside_key = begin > end or (end < 0 and len(masked) < len(block))
        return masked

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
