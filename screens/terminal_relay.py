"""A step that needs a real terminal gets this one: keys go to the run, its output comes back, byte for byte.

The run's output file is followed; input goes to the FIFO `control` in the run's folder as JSON lines, {"input": base64}
and {"resize": [rows, columns]}. Ctrl-] leaves it running. The run never depends on who watches it.
"""

from __future__ import annotations

import base64
import errno
import json
import os
import select
import sys
import termios
import tty
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.app import SuspendNotSupported

from cockpit.errors import UsageError
from cockpit.safety.terminal import TerminalOutput
from cockpit.safety.text import sanitise
from cockpit.words import _

if TYPE_CHECKING:
    from textual.app import App

LEAVE = b"\x1d"
_POLL_S = 0.02
_CHUNK_BYTES = 1 << 16
# In base64 and JSON still below the 512 bytes that every system writes to a pipe at once.
_KEYS_BYTES = 300


class RelayEnd(StrEnum):
    """Why the terminal came back."""

    ENDED = "ended"
    LEFT = "left"


Foreground = Callable[[Path, int], RelayEnd]
"""Takes the terminal for the run of a folder, showing its output from an offset on."""


class Relay:
    """Between a terminal and a run.

    Args:
        run: the run's folder.
        offset: how much of the output has been shown already.
        keyboard, display: file descriptors of the terminal.
    """

    def __init__(self, run: Path, offset: int, keyboard: int, display: int) -> None:
        self._run = run
        self._offset = offset
        self._keyboard = keyboard
        self._display = display
        self._size: tuple[int, int] | None = None
        self._unsent = b""
        self._output = TerminalOutput()

    def until_over(self) -> RelayEnd:
        """Relay until the run ends or its operator leaves."""
        before = termios.tcgetattr(self._keyboard)
        tty.setraw(self._keyboard)
        try:
            return self._loop()
        finally:
            termios.tcsetattr(self._keyboard, termios.TCSADRAIN, before)

    def _loop(self) -> RelayEnd:
        while True:
            # Asked before the output is read, so that what was written last is shown too.
            over = (self._run / "exit.json").exists()
            if not self._show() and over:
                return RelayEnd.ENDED
            self._tell_size()
            self._send(b"")
            if select.select([self._keyboard], [], [], _POLL_S)[0] and not self._take_keys():
                return RelayEnd.LEFT

    def _show(self) -> bool:
        """Write what is new; False when there is nothing."""
        try:
            descriptor = os.open(self._run / "output", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            data = os.pread(descriptor, _CHUNK_BYTES, self._offset)
        finally:
            os.close(descriptor)
        self._offset += len(data)
        shown = memoryview(self._output.feed(data))
        while shown:
            shown = shown[os.write(self._display, shown) :]
        return bool(data)

    def _take_keys(self) -> bool:
        """Pass keys on; False when Ctrl-] was among them, or the terminal is gone."""
        data = os.read(self._keyboard, _KEYS_BYTES)
        typed, leave, _rest = data.partition(LEAVE)
        if typed:
            self._send(_control_line({"input": base64.b64encode(typed).decode()}))
        return bool(data) and not leave

    def _tell_size(self) -> None:
        try:
            size = os.get_terminal_size(self._display)
        except OSError:
            return
        if (size.lines, size.columns) != self._size:
            self._size = (size.lines, size.columns)
            self._send(_control_line({"resize": [size.lines, size.columns]}))

    def _send(self, data: bytes) -> None:
        """Write to the run's control; what it can't take yet waits for the next turn."""
        self._unsent += data
        if not self._unsent:
            return
        try:
            descriptor = os.open(self._run / "control", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            if error.errno not in (errno.ENXIO, errno.ENOENT):
                raise
            return
        try:
            # Whole lines, each below PIPE_BUF: written at once or not at all.
            while self._unsent:
                first = self._unsent[: self._unsent.index(b"\n") + 1]
                os.write(descriptor, first)
                self._unsent = self._unsent[len(first) :]
        except (BlockingIOError, BrokenPipeError):
            pass  # full, or its reader is going: tried again next turn, and over when exit.json comes
        finally:
            os.close(descriptor)


def _control_line(message: dict[str, object]) -> bytes:
    return json.dumps(message).encode() + b"\n"


def foreground_of(app: App[Any], where: str) -> Foreground:
    """The app's own terminal, lent to a run. Raises UsageError where there is none to lend.

    Args:
        where: environment, target and mode, told above what the run shows.
    """

    def give(run: Path, offset: int) -> RelayEnd:
        try:
            with app.suspend():
                _announce(where)
                return Relay(run, offset, sys.stdin.fileno(), sys.stdout.fileno()).until_over()
        except SuspendNotSupported as error:
            raise UsageError(
                _("this step needs a terminal, and this screen has none to lend"),
                mend=_("attach to the session from a terminal"),
            ) from error

    return give


def _announce(where: str) -> None:
    told = f"{sanitise(where)}  " + _("[this terminal is the step now; Ctrl-] leaves it running]")
    os.write(sys.stdout.fileno(), f"\x1b[2J\x1b[H{told}\r\n".encode())
