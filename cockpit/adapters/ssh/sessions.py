"""The sessions of one connection: how many there may be at once, and shells that stay, for a new one costs 100 ms."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from cockpit.adapters.ssh.greeting import Greeting
from cockpit.errors import LinkDown, Malformed, TargetUnreachable
from cockpit.words import _

if TYPE_CHECKING:
    from paramiko import Channel, Transport

# sshd takes 10 (MaxSessions). What follows something may not take them all: to cancel takes one.
_MOST = 8
_KEPT = 3
"""Shells that nobody uses now, and that stay for the next one."""
_AGAIN_S = 0.1
_LEAST_S = 0.05
_BLOCK_BYTES = 1 << 17

# The parentheses have it read whole before any of it runs; what it sets ends with it. It can't read what comes next.
_ORDER = b"(\n%s\n) </dev/null\n"
_QUESTION = b"printf '\\n%s begin\\n'\n(\n%s\n)\nprintf '\\n%s end\\n'"


class Shell:
    """A /bin/sh over there that stays. Whoever has it sends orders, and reads what they say from `channel`.

    What comes first may be left over from the order before: an order says a word that nobody knows yet before it says
    anything else.
    """

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.used = False
        """Whether an order was sent to it before: it may have gone with a connection that nobody has missed yet."""

    def send(self, script: bytes) -> None:
        """Have it run this, in a subshell with an empty input."""
        self.used = True
        send_all(self.channel, _ORDER % script)

    def answer(self, script: bytes, until_s: float, heard: Callable[[], None], most_bytes: int = 1 << 20) -> bytes:
        """What the script prints; it may end its shell. `heard` is called at every sign of life.

        Raises:
            TimeoutError: it was not over in time. EOFError, OSError: the connection ended. Malformed: too much.
        """
        nonce = os.urandom(12).hex().encode()
        begin, end = b"\n%s begin\n" % nonce, b"\n%s end\n" % nonce
        said = bytearray()
        self.channel.settimeout(max(_LEAST_S, until_s - time.monotonic()))
        self.send(_QUESTION % (nonce, script, nonce))
        while not said.endswith(end):
            self.channel.settimeout(max(_LEAST_S, until_s - time.monotonic()))
            piece = self.channel.recv(_BLOCK_BYTES)
            if not piece:
                raise EOFError
            heard()
            said += piece
            if len(said) > most_bytes + _BLOCK_BYTES:
                raise Malformed(_("the answer is too large"))
        return bytes(said[said.index(begin) + len(begin) : -len(end)])

    @property
    def sound(self) -> bool:
        """Whether it is still there, as far as is known."""
        return not (self.channel.closed or self.channel.eof_received)


class Sessions:
    """Any thread may call any method; those that open something block.

    Args:
        where: what errors name. host: what one gives ssh.
    """

    def __init__(self, where: str, host: str) -> None:
        self._where = where
        self._host = host
        self._room = threading.BoundedSemaphore(_MOST)
        self._lock = threading.Lock()
        self._counting = threading.Lock()
        self._idle: list[Shell] = []
        self._greeting: Greeting | None = None
        self.answered = False
        """Whether the newest login over there that was asked for a shell has given one."""
        self._open = 0

    @property
    def busy(self) -> bool:
        """Whether anybody has one."""
        return self._open > len(self._idle)

    def shell(self, transport: Transport, timeout_s: float, *, login_s: float, fresh: bool = False) -> Shell:
        """A shell of one's own, until it is given back. Over there it answers already.

        Args:
            timeout_s: for a session to come free and to open.
            login_s: for what is then between that session and its shell, such as start-up files.
            fresh: not one that was used before.

        Raises:
            TargetUnreachable: there is too much going on. LinkDown: no login there gives a shell.
            EOFError, paramiko's errors: it could not be opened.
        """
        if not fresh and (kept := self.kept(transport)):
            return kept
        until_s = time.monotonic() + timeout_s
        self._make_room(timeout_s)
        try:
            return self.shell_beside(transport, until_s - time.monotonic(), login_s=login_s)
        except BaseException:
            self._room.release()
            raise

    def shell_beside(self, transport: Transport, timeout_s: float, *, login_s: float) -> Shell:
        """One besides those, for what must not wait its turn; its channel is only closed. Raises as `shell` does."""
        channel = self._session(transport, time.monotonic() + timeout_s)
        try:
            self._greeting = Greeting(channel)
            self._greeting.wait(time.monotonic() + login_s, self._where, self._host)
        except BaseException as error:
            self.answered = self.answered and not isinstance(error, LinkDown)
            channel.close()
            raise
        self.answered = True
        return Shell(channel)

    def silent(self) -> LinkDown | None:
        """What to tell of the newest login as long as it has not given a shell."""
        return self._greeting.silent(self._where, self._host) if self._greeting and not self.answered else None

    def give_back(self, shell: Shell, *, sound: bool) -> None:
        """It is not needed any more; `sound`: it has said all that it was asked to."""
        with self._lock:
            keep = sound and shell.sound and len(self._idle) < _KEPT
            if keep:
                self._idle.append(shell)
                self.answered = True
        if not keep:
            self.done(shell.channel)

    def open(self, transport: Transport, timeout_s: float, begin: Callable[[Channel], None]) -> Channel:
        """A session of the few there may be; it waits its turn. Give it back with `done`. Raises as `shell` does."""
        until_s = time.monotonic() + timeout_s
        self._make_room(timeout_s)
        try:
            self._count(1)
            channel = self._session(transport, until_s)
            begin(channel)
        except BaseException:
            self._count(-1)
            self._room.release()
            raise
        return channel

    def done(self, channel: Channel) -> None:
        """The session is not needed any more."""
        channel.close()
        self._count(-1)
        self._room.release()

    def forget(self) -> None:
        """The connection is gone, and every shell with it."""
        with self._lock:
            idle, self._idle = self._idle, []
            self.answered, self._greeting = False, None
        for shell in idle:
            self.done(shell.channel)

    def _count(self, more: int) -> None:
        with self._counting:
            self._open += more

    def kept(self, transport: Transport) -> Shell | None:
        """One that stood by for the next who needs it, if there is any."""
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


def send_all(channel: Channel, data: bytes) -> None:
    """Send all of it.

    Raises:
        OSError: it could not be; a connection that has just gone is paramiko's EOFError otherwise.
    """
    try:
        channel.sendall(data)
    except EOFError as error:
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)) from error
