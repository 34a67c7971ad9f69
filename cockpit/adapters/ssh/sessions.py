"""The sessions of one connection: how many there may be at once, and shells that stay, for a new one costs 100 ms."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from cockpit.errors import TargetUnreachable
from cockpit.words import _

if TYPE_CHECKING:
    from paramiko import Channel, Transport

# sshd takes 10 (MaxSessions). What follows something may not take them all: to cancel takes one.
_MOST = 8
_KEPT = 3
"""Shells that nobody uses now, and that stay for the next one."""
_AGAIN_S = 0.1

# What goes wrong in a shell that stays is nobody's answer; unread, it would fill the channel.
_PRELUDE = b"exec 2>/dev/null\n"
# The parentheses have it read whole before any of it runs; what it sets ends with it. It can't read what comes next.
_ORDER = b"(\n%s\n) </dev/null\n"


class Shell:
    """A /bin/sh over there that stays. Whoever has it sends orders, and reads what they say from `channel`.

    What comes first may be left over from the order before, or be what a login shell prints of its own accord: an
    order says a word that nobody knows yet before it says anything else.
    """

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.used = False
        """Whether an order was sent to it before: it may have gone with a connection that nobody has missed yet."""

    def send(self, script: bytes) -> None:
        """Have it run this, in a subshell with an empty input."""
        self.used = True
        self.channel.sendall(_ORDER % script)

    @property
    def sound(self) -> bool:
        """Whether it is still there, as far as is known."""
        return not (self.channel.closed or self.channel.eof_received)


class Sessions:
    """Any thread may call any method; those that open something block."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._room = threading.BoundedSemaphore(_MOST)
        self._lock = threading.Lock()
        self._idle: list[Shell] = []

    def shell(self, transport: Transport, timeout_s: float, *, fresh: bool = False) -> Shell:
        """A shell of one's own, until it is given back.

        Args:
            fresh: not one that was used before.

        Raises:
            TargetUnreachable: there is too much going on. paramiko's errors: it could not be opened.
        """
        if not fresh and (kept := self._kept(transport)):
            return kept
        return Shell(self.open(transport, timeout_s, _standing_shell))

    def give_back(self, shell: Shell, *, sound: bool) -> None:
        """It is not needed any more; `sound`: it has said all that it was asked to."""
        with self._lock:
            keep = sound and shell.sound and len(self._idle) < _KEPT
            if keep:
                self._idle.append(shell)
        if not keep:
            self.done(shell.channel)

    def open(self, transport: Transport, timeout_s: float, begin: Callable[[Channel], None]) -> Channel:
        """A session of the few there may be; it waits its turn. Give it back with `done`. Raises as `shell` does."""
        until_s = time.monotonic() + timeout_s
        self._make_room(timeout_s)
        try:
            return self.beside(transport, until_s - time.monotonic(), begin)
        except BaseException:
            self._room.release()
            raise

    def beside(self, transport: Transport, timeout_s: float, begin: Callable[[Channel], None]) -> Channel:
        """A session besides those, for what must not wait its turn; it is only closed. Raises as `shell` does."""
        channel = self._session(transport, time.monotonic() + timeout_s)
        begin(channel)
        return channel

    def done(self, channel: Channel) -> None:
        """The session is not needed any more."""
        channel.close()
        self._room.release()

    def forget(self) -> None:
        """The connection is gone, and every shell with it."""
        with self._lock:
            idle, self._idle = self._idle, []
        for shell in idle:
            self.done(shell.channel)

    def _kept(self, transport: Transport) -> Shell | None:
        with self._lock:
            while self._idle:
                shell = self._idle.pop()
                if shell.sound and shell.channel.get_transport() is transport:
                    return shell
                self.done(shell.channel)
        return None

    def _make_room(self, timeout_s: float) -> None:
        if self._room.acquire(blocking=False):
            return
        self._close_an_idle_one()
        if not self._room.acquire(timeout=timeout_s):
            raise TargetUnreachable(
                _("too much is going on over this connection"), where=self._where, mend=_("wait, and try again")
            )

    def _close_an_idle_one(self) -> None:
        with self._lock:
            idle = self._idle.pop(0) if self._idle else None
        if idle:
            self.done(idle.channel)

    def _session(self, transport: Transport, until_s: float) -> Channel:
        """A new session, as soon as the server has one left.

        It may take fewer at once than we do, and counts one that was just closed for a moment longer.
        """
        import paramiko

        while True:
            try:
                return transport.open_session(timeout=max(_AGAIN_S, until_s - time.monotonic()))
            except paramiko.SSHException as error:
                # Of several that are refused at once paramiko tells only one with a ChannelException.
                if not transport.is_active():
                    raise
                if time.monotonic() > until_s:
                    raise TargetUnreachable(
                        _("the server gives no further session on this connection"),
                        where=self._where,
                        mend=_("wait, or see MaxSessions in its sshd_config"),
                    ) from error
            self._close_an_idle_one()
            transport.join(_AGAIN_S)  # or until the connection ends: its thread does


def _standing_shell(channel: Channel) -> None:
    channel.exec_command("exec /bin/sh -s")
    channel.sendall(_PRELUDE)
