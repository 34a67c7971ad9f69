"""A step that talks with its operator, over a terminal of the far side: what is typed goes there, what it says here.

Such a step can't outlive its connection: the far side hangs up on a terminal whose other end is gone.
"""

from __future__ import annotations

import binascii
import json
import os
import select
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit.adapters.ssh.sessions import send_all
from cockpit.runs.recording import TERMINAL, Recorder

if TYPE_CHECKING:
    from paramiko import Channel

_BLOCK_BYTES = 1 << 16
_ORDER_BYTES = 4096
_QUIET_S = 0.2


class Talk:
    """Between the run's `control` (see `Run.send`) and a channel with a terminal.

    Args:
        cancel: asks the step to end; it may not block.
    """

    def __init__(self, folder: Path, channel: Channel, recorder: Recorder, cancel: Callable[[], None]) -> None:
        self._channel = channel
        self._recorder = recorder
        self._cancel = cancel
        self._orders = b""
        os.mkfifo(folder / "control", 0o600)
        # For reading and writing: with no writer left it would otherwise report an end of file for ever.
        self._control = os.open(folder / "control", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def until_over(self, heard: Callable[[], None]) -> None:
        """Pass on until the far side ends or the connection does; `heard` is called at every sign of life."""
        incoming = self._channel.fileno()
        try:
            while True:
                ready = select.select([self._control, incoming], [], [], _QUIET_S)[0]
                if not ready:
                    self._recorder.idle()
                if self._control in ready:
                    self._obey(os.read(self._control, _ORDER_BYTES))
                if incoming in ready and not self._take(heard):
                    return
        finally:
            os.close(self._control)

    def _take(self, heard: Callable[[], None]) -> bool:
        piece = self._channel.recv(_BLOCK_BYTES)
        if piece:
            heard()
            self._recorder.take(TERMINAL, piece)
        return bool(piece)

    def _obey(self, chunk: bytes) -> None:
        *lines, self._orders = (self._orders + chunk).split(b"\n")
        for line in lines:
            try:
                self._carry_out(json.loads(line))
            except (ValueError, TypeError, AttributeError):
                continue  # an order that can't be understood is no reason to leave the step alone

    def _carry_out(self, order: dict[str, Any]) -> None:
        if order.get("cancel"):
            self._cancel()
        if "input" in order:
            send_all(self._channel, binascii.a2b_base64(order["input"]))
        if "resize" in order:
            rows, columns = order["resize"]
            self._channel.resize_pty(width=int(columns), height=int(rows))
