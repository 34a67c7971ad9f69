"""Pasted text presses no key.

Textual reads an escape within a bracketed paste as the beginning of a sequence, swallows what follows it, and presses
the letters of what it can't make out as keys. Most terminals take escapes out of a paste; tmux and some others hand
them on. So each one within a paste becomes its picture before Textual reads it, and the paste arrives whole.
"""

from __future__ import annotations

from collections.abc import Iterable

from textual._xterm_parser import XTermParser
from textual.drivers import linux_driver
from textual.message import Message

_BEGIN, _END = "\x1b[200~", "\x1b[201~"
_ESCAPE = "␛"


class PasteFilter:
    """Takes what a terminal sends, in pieces, and gives it back with the escapes of its pastes shown."""

    def __init__(self) -> None:
        self._inside = False
        self._before = ""
        self._held = ""

    def feed(self, data: str) -> str:
        """The next piece. What may yet become a paste's end is held until more has come."""
        data, self._held = self._held + data, ""
        parts: list[str] = []
        while data:
            piece, data = self._pasted(data) if self._inside else self._typed(data)
            parts.append(piece)
        return "".join(parts)

    def _typed(self, data: str) -> tuple[str, str]:
        """Keys, up to the beginning of a paste; the mark may have begun in an earlier piece."""
        seen = self._before + data
        at = seen.find(_BEGIN)
        if at < 0:
            self._before = seen[-(len(_BEGIN) - 1) :]
            return data, ""
        self._inside, end = True, at + len(_BEGIN) - len(self._before)
        self._before = ""
        return data[:end], data[end:]

    def _pasted(self, data: str) -> tuple[str, str]:
        """Pasted text, up to its end."""
        at = data.find(_END)
        if at >= 0:
            self._inside = False
            return data[:at].replace("\x1b", _ESCAPE) + _END, data[at + len(_END) :]
        last = data.rfind("\x1b")
        if last >= 0 and _END.startswith(data[last:]):
            data, self._held = data[:last], data[last:]
        return data.replace("\x1b", _ESCAPE), ""


class _Parser(XTermParser):
    """Textual's, behind a filter."""

    def __init__(self, debug: bool = False) -> None:
        self._pastes = PasteFilter()
        super().__init__(debug)

    def feed(self, data: str) -> Iterable[Message]:
        """Take the next piece; an empty one is the end of all."""
        filtered = self._pastes.feed(data)
        return super().feed(filtered) if filtered or not data else ()


def keep_pastes_whole() -> None:
    """Have the terminal's driver read through the filter. The version of Textual is pinned to one where it can."""
    vars(linux_driver)["XTermParser"] = _Parser  # the name by which the driver makes its parser
