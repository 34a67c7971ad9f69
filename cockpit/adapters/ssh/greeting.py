"""The first words of a login over there: whether it gives the shell that was asked for, and what is wrong if not.

Between sshd and that shell stand the account's own shell with its start-up files, and whatever command the server
forces. Nothing is sent before the shell has said that it is there: no question that a start-up file asks gets an answer
of ours, and a shell that wakes up late finds nothing to do.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from cockpit.errors import LinkDown
from cockpit.safety.text import one_line
from cockpit.words import _, shortened

if TYPE_CHECKING:
    from paramiko import Channel

_BLOCK_BYTES = 1 << 16
_KEPT_BYTES = 4096
_STATUS_S, _SURELY_GONE_S = 1.0, 0.3
_LONGEST_WORDS = 160

# One line, quoted so that every shell takes it, csh and fish too. What goes wrong in a shell that stays is nobody's
# answer; unread, it would fill the channel.
_COMMAND = """exec /bin/sh -c 'printf "\\n%s here\\n" "$0"; exec /bin/sh -s 2>/dev/null' {word}"""


class Greeting:
    """Between a channel's opening and the first word of its shell."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._began_s = time.monotonic()
        self._word = os.urandom(12).hex()
        self._said = b""
        channel.set_combine_stderr(True)
        channel.exec_command(_COMMAND.format(word=self._word))

    def wait(self, until_s: float, where: str, host: str) -> None:
        """Until the shell has said that it is there.

        Raises:
            LinkDown: there is none, and why as far as can be seen. EOFError: the connection is gone.
        """
        word = f"\n{self._word} here\n".encode()
        while word not in self._said:
            piece = self._next(until_s, where, host)
            if not piece:
                raise self._ended(where, host)
            self._said = (self._said + piece)[-_KEPT_BYTES - len(piece) :]

    def silent(self, where: str, host: str) -> LinkDown:
        """What to tell of it as long as it has not come."""
        told = _("its login has given no shell for {seconds:.0f} s").format(seconds=time.monotonic() - self._began_s)
        return LinkDown(told + self._words(), where=where, mend=_mend(host))

    def _next(self, until_s: float, where: str, host: str) -> bytes:
        left_s = until_s - time.monotonic()
        try:
            if left_s <= 0:
                raise TimeoutError
            self._channel.settimeout(left_s)
            piece: bytes = self._channel.recv(_BLOCK_BYTES)
        except TimeoutError as error:
            raise self.silent(where, host) from error
        return piece

    def _ended(self, where: str, host: str) -> LinkDown:
        self._channel.status_event.wait(_STATUS_S)
        status = self._channel.exit_status
        transport = self._channel.get_transport()
        if status < 0:
            transport.join(_SURELY_GONE_S)  # it tells its channels before it is known to be gone
            if not transport.is_active():
                raise EOFError
        told = _("its login gives no shell: what it says ends at once")
        if status >= 0:
            told = _("its login gives no shell: it ends at once, with exit status {status}").format(status=status)
        return LinkDown(told + self._words(), where=where, mend=_mend(host))

    def _words(self) -> str:
        """What it said last, for who reads of it."""
        said = self._said.decode("utf-8", "replace")
        if len(self._said) >= _KEPT_BYTES:
            said = said.partition("\n")[2]  # half a line may be half a secret
        lines = [one_line(line).strip() for line in said.split("\n")]
        last = next((line for line in reversed(lines) if line), "")
        return _("; it says “{words}”").format(words=shortened(last, _LONGEST_WORDS)) if last else ""


def _mend(host: str) -> str:
    told = _("try `ssh {host} true`; see its start-up files (~/.bashrc …), and which commands the account may run")
    return told.format(host=host)
