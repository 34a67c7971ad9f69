"""What a program sends to a terminal that is lent to it, without what it could do to the terminal itself."""

from __future__ import annotations

import re

_LONGEST = 4096
# OSC, DCS, SOS, PM and APC: titles, the clipboard, links, images, queries, and what terminals add to them.
_STRING = rb"\x1b[\]PX^_]"
_BODY = rb"[^\x07\x18\x1a\x1b]{0,%d}" % _LONGEST
_GONE = re.compile(
    _STRING + _BODY + rb"(?:\x07|\x1b\\|[\x18\x1a])"  # a whole one
    rb"|" + _STRING + _BODY + rb"(?=\x1b[^\\]|\Z)"  # one that another sequence breaks off
    rb"|" + _STRING + rb"(?=" + _BODY + rb".)"  # one that never ends: its text is text
    rb"|\xc2[\x80-\x9f]",  # the same controls in one byte, as UTF-8
    re.DOTALL,
)
_OPEN = re.compile(rb"(?:\x1b(?:[\]PX^_]" + _BODY + rb"\x1b?)?|\xc2)\Z")


class TerminalOutput:
    """Lets through what draws, moves and colours. Strings of control are dropped, wherever the chunks are cut."""

    def __init__(self) -> None:
        self._open = b""

    def feed(self, chunk: bytes) -> bytes:
        """Take the next bytes; return those that may go to the terminal now."""
        data = self._open + chunk
        unfinished = _OPEN.search(data)
        self._open = unfinished[0] if unfinished else b""
        return _GONE.sub(b"", data[: len(data) - len(self._open)])
