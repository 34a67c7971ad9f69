"""Short questions to a machine over SSH, asked again and again, of the shells that its connection keeps there."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import closing

from cockpit.adapters.ssh.link import SshLink
from cockpit.adapters.ssh.sessions import Shell
from cockpit.adapters.ssh.sockets import exchanged
from cockpit.errors import AccessDenied, AdapterError, CockpitError, LinkDown, Malformed, TargetUnreachable, TimedOut
from cockpit.words import _

_MOST_SHELLS = 3
"""One slow answer must not hold up the others; steps need most of the connection's sessions."""
_BLOCK_BYTES = 1 << 17
_SILENT_S = 3.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S, _DENIED_PAUSE_S = 1.0, 30.0, 60.0
_LEAST_S = 0.05

# What a login shell says of its own accord, and errors, are nobody's answer. A script may end its shell.
_QUESTION = """printf '\\n{nonce} begin\\n'
(
LC_ALL=C; export LC_ALL; unset CDPATH; umask 077
{script}
)
printf '\\n{nonce} end\\n'"""


class Asking:
    """See `Far`. Every caller's patience is its own: a machine that is away is looked for by one thread for all.

    Args:
        name: what the configuration calls the machine.
        reach: gives its link, connected or not; may take a moment.
        here: whether somebody is there to be asked what only a person knows.
    """

    def __init__(self, name: str, reach: Callable[[], SshLink], here: Callable[[], bool] = lambda: True) -> None:
        self.name = name
        self._reach = reach
        self._here = here
        self._link: SshLink | None = None
        self._busy = 0
        self._free = threading.Condition()
        self._failure: CockpitError | None = None
        self._pause_s = _FIRST_PAUSE_S
        self._may_ask = True
        self._next_try_s = 0.0
        self._connector: threading.Thread | None = None

    def ask(self, script: str, *, deadline_s: float, most_bytes: int = 1 << 20) -> bytes:
        """What the script prints. See `Far`."""
        until_s = time.monotonic() + deadline_s
        nonce = os.urandom(12).hex()
        question = _QUESTION.format(nonce=nonce, script=script).encode("utf-8", "surrogateescape")
        link = self._connected(until_s)
        while True:
            shell, used = self._take(link, until_s)
            try:
                answer = self._answer(link, shell, question, nonce.encode(), until_s, most_bytes)
            except TargetUnreachable:
                self._give_back(link, shell, sound=False)
                # A shell that ended while nobody used it was perhaps one of a connection that is gone.
                if used and link.up:
                    continue
                raise
            except BaseException:
                self._give_back(link, shell, sound=False)
                raise
            self._give_back(link, shell, sound=True)
            return answer

    def exchange(
        self, socket: str, request: bytes, whole: Callable[[bytearray], bool], *, deadline_s: float, most_bytes: int
    ) -> bytes:
        """What is answered over a socket there. See `ReachesSockets`."""
        until_s = time.monotonic() + deadline_s
        link = self._connected(until_s)
        try:
            channel = link.socket(socket, timeout_s=max(_LEAST_S, until_s - time.monotonic()))
            with closing(channel):
                return exchanged(channel, request, whole, until_s, most_bytes)
        except TimedOut as error:
            raise self._too_late(link) from error
        except LinkDown as error:
            raise LinkDown(error.what, where=self._where) from error
        except TargetUnreachable as error:
            raise LinkDown(error.what, where=self._where, mend=error.mend) from error

    # -- being connected -------------------------------------------------------------------------------------------

    def _connected(self, until_s: float) -> SshLink:
        """The link, once it is up; waited for as long as there is time."""
        link = self._link
        if link is not None and link.up:
            return link
        with self._free:
            if self._connector is None and time.monotonic() >= self._next_try_s:
                self._connector = threading.Thread(target=self._connect, name=f"ssh-connect-{self.name}", daemon=True)
                self._connector.start()
            self._free.wait_for(lambda: self._connector is None, max(0.0, until_s - time.monotonic()))
            link, failure, connecting = self._link, self._failure, self._connector is not None
        if link is not None and link.up:
            return link
        if connecting or failure is None:
            raise LinkDown(_("no connection yet"), where=self._where, mend=_("is it up, and is the way there open?"))
        raise type(failure)(failure.what, where=failure.where, mend=failure.mend)

    def _connect(self) -> None:
        failure: CockpitError | None = None
        asking = self._may_ask and self._here()
        try:
            self._link = self._reach()
            self._link.connect(asking=asking)
        except TargetUnreachable as error:
            failure = LinkDown(error.what, where=error.where, mend=error.mend)
        except CockpitError as error:
            failure = error
        denied = isinstance(failure, AccessDenied)
        # A person is asked once, not every minute; a step asks again. Before somebody has come nobody was asked.
        self._may_ask = not denied or (self._may_ask and not asking)
        with self._free:
            self._connector, self._failure = None, failure
            # To be let in is not asked for again and again: servers lock out whoever does.
            pause_s = _DENIED_PAUSE_S if denied and not self._may_ask else self._pause_s
            self._next_try_s = time.monotonic() + pause_s
            self._pause_s = min(self._pause_s * 2, _LONGEST_PAUSE_S) if failure else _FIRST_PAUSE_S
            self._free.notify_all()

    @property
    def _where(self) -> str:
        return f"{self.name} ({self._link.address})" if self._link else self.name

    # -- shells ------------------------------------------------------------------------------------------------------

    def _take(self, link: SshLink, until_s: float) -> tuple[Shell, bool]:
        """A shell over there, and whether it was used before."""
        with self._free:
            if not self._free.wait_for(lambda: self._busy < _MOST_SHELLS, max(0.0, until_s - time.monotonic())):
                raise TimedOut(
                    _("other looks at this machine take too long"), where=self._where, mend=_("raise interval_s")
                )
            self._busy += 1
        try:
            shell = link.shell(timeout_s=max(_LEAST_S, until_s - time.monotonic()))
        except BaseException as error:
            self._one_less()
            if isinstance(error, TargetUnreachable):
                raise LinkDown(error.what, where=self._where, mend=error.mend) from error
            raise
        return shell, shell.used

    def _give_back(self, link: SshLink, shell: Shell, *, sound: bool) -> None:
        link.give_back(shell, sound=sound)
        self._one_less()

    def _one_less(self) -> None:
        with self._free:
            self._busy -= 1
            self._free.notify()

    def _answer(
        self, link: SshLink, shell: Shell, question: bytes, nonce: bytes, until_s: float, most_bytes: int
    ) -> bytes:
        begin, end = b"\n%s begin\n" % nonce, b"\n%s end\n" % nonce
        said = bytearray()
        try:
            channel = shell.channel
            channel.settimeout(max(_LEAST_S, until_s - time.monotonic()))
            shell.send(question)
            while not said.endswith(end):
                channel.settimeout(max(_LEAST_S, until_s - time.monotonic()))
                piece = channel.recv(_BLOCK_BYTES)
                if not piece:
                    raise LinkDown(_("the connection ended"), where=self._where)
                link.heard()
                said += piece
                if len(said) > most_bytes + _BLOCK_BYTES:
                    raise Malformed(_("the answer is too large"), where=self._where)
        except TimeoutError as error:
            raise self._too_late(link) from error
        except OSError as error:
            raise LinkDown(_("the connection ended"), where=self._where) from error
        return bytes(said[said.index(begin) + len(begin) : -len(end)])

    def _too_late(self, link: SshLink) -> AdapterError:
        if link.silent_s > _SILENT_S or not link.up:
            told = _("it has been silent for {seconds:.0f} s").format(seconds=link.silent_s)
            return LinkDown(told, where=self._where)
        return TimedOut(_("it took too long"), where=self._where, mend=_("look at the machine's load"))
