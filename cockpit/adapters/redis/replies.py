"""Redis's replies for a person: texts as they are, lists numbered and quoted as redis-cli does, UTF-8 left readable."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from cockpit.words import _

_MOST_LINES = 100_000
_MOST_BYTES = 32 << 20
_MOST_OF_A_VALUE, _LOOKED_AT_BYTES = 1 << 20, 1 << 16
"""Of a value in a list, and of one that is no text: nobody reads more of that, and to make it readable takes long."""
_CONTROL = re.compile(rb'[\x00-\x1f\x7f\\"]')
_ESCAPES = {b"\\": b"\\\\", b'"': b'\\"', b"\n": b"\\n", b"\r": b"\\r", b"\t": b"\\t"}


def shown(reply: Any) -> Iterator[str]:
    """The lines of a reply; one that is too long is cut, and says so."""
    if isinstance(reply, bytes) and reply:
        kept = reply[: _MOST_OF_A_VALUE if b"\0" in reply[:_LOOKED_AT_BYTES] else _MOST_BYTES]
        yield kept.decode("utf-8", "backslashreplace").replace("\r\n", "\n").removesuffix("\n")
        if len(reply) > len(kept):
            yield _cut(len(kept), len(reply))
        return
    size = 0
    for number, line in enumerate(_lines(reply)):
        size += len(line)
        if number == _MOST_LINES:
            yield _("… more than {count} lines; the rest is not shown").format(count=_MOST_LINES)
            return
        if size > _MOST_BYTES:
            yield _("… more than {size} MiB; the rest is not shown").format(size=_MOST_BYTES >> 20)
            return
        yield line


def _cut(kept: int, size: int) -> str:
    return _("… the first {kept} of {size} bytes; the rest is not shown").format(kept=kept, size=size)


def _lines(reply: Any) -> Iterator[str]:
    if not isinstance(reply, list):
        yield _scalar(reply)
        return
    if not reply:
        yield "(empty array)"
    wide = len(str(len(reply)))
    for number, item in enumerate(reply, 1):
        head = f"{number:>{wide}}) "
        for at, line in enumerate(_lines(item)):
            yield f"{' ' * len(head) if at else head}{line}"


def _scalar(reply: Any) -> str:
    if reply is None:
        return "(nil)"
    if isinstance(reply, int):
        return f"(integer) {reply}"
    if isinstance(reply, Exception):
        return f"(error) {reply}"
    kept = bytes(reply[:_MOST_OF_A_VALUE])
    text = '"' + _CONTROL.sub(_escaped, kept).decode("utf-8", "backslashreplace") + '"'
    return f"{text} {_cut(len(kept), len(reply))}" if len(reply) > len(kept) else text


def _escaped(match: re.Match[bytes]) -> bytes:
    return _ESCAPES.get(match[0], b"\\x%02x" % match[0][0])
