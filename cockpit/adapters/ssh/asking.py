"""Short questions to a machine over SSH, asked again and again, of the shells that its connection keeps there."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing

from cockpit.adapters.ssh.link import SshLink
from cockpit.adapters.ssh.sessions import Shell
from cockpit.adapters.ssh.sockets import exchanged
from cockpit.adapters.ssh.turns import ASKED, HANDSHAKES
from cockpit.errors import (
    AccessDenied,
    AdapterError,
    CockpitError,
    LinkDown,
    Malformed,
    NotTried,
    TargetUnreachable,
    TimedOut,
)
from cockpit.words import _

_MOST_SHELLS = 3
"""One slow answer must not hold up the others; steps need most of the connection's sessions."""
_SILENT_S = 3.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S, _DENIED_PAUSE_S = 1.0, 30.0, 60.0
_LEAST_S = 0.05

_SLOW_LOGIN_S = 2.0
_FIRST_LOGIN_S, _LONGEST_LOGIN_S = 60.0, 960.0
"""A login that hangs is left hanging over there when it is given up, so that is done ever more seldom."""

_QUESTION = """LC_ALL=C; export LC_ALL; unset CDPATH; umask 077
command -v df >/dev/null || PATH=$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
{script}"""


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
        self._most = _MOST_SHELLS
        self._login_s = _FIRST_LOGIN_S

    def ask(self, script: str, *, deadline_s: float, most_bytes: int = 1 << 20) -> bytes:
        """What the script prints. See `Far`."""
        until_s = time.monotonic() + deadline_s
        question = _QUESTION.format(script=script).encode("utf-8", "surrogateescape")
        link = self._connected(until_s)
        while True:
            shell, used = self._take(link, until_s)
            try:
                answer = self._answer(link, shell, question, until_s, most_bytes)
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
        """The link, once it is up and logins give shells; waited for as long as there is time."""
        if (link := self._link_in_use()) is not None:
            return link
        with self._free:
            if self._connector is None and time.monotonic() >= self._next_try_s:
                self._connector = threading.Thread(target=self._connect, name=f"ssh-connect-{self.name}", daemon=True)
                self._connector.start()
            self._free.wait_for(lambda: self._connector is None, max(0.0, until_s - time.monotonic()))
            link, failure, connector = self._link, self._failure, self._connector
        if (in_use := self._link_in_use()) is not None:
            return in_use
        if connector is not None and any(turns.waits(connector) for turns in (ASKED, HANDSHAKES)):
            raise NotTried(_("others are being connected to first"), where=self._where, mend=_("its turn comes"))
        if connector is not None and link is not None and link.up and (silent := link.silent_login()) is not None:
            raise silent
        if connector is not None or failure is None:
            raise LinkDown(_("no connection yet"), where=self._where, mend=_("is it up, and is the way there open?"))
        raise type(failure)(failure.what, where=failure.where, mend=failure.mend)

    def _link_in_use(self) -> SshLink | None:
        link = self._link
        return link if link is not None and link.up and link.answered else None

    def _connect(self) -> None:
        failure: CockpitError | None = None
        asking = self._may_ask and self._here()
        try:
            self._link = self._reach()
            self._link.connect(asking=asking)
            self._log_in(self._link)
        except LinkDown as error:
            failure = error
        except TargetUnreachable as error:
            failure = LinkDown(error.what, where=error.where, mend=error.mend)
        except CockpitError as error:
            failure = error
        except Exception as error:  # noqa: BLE001  # else nobody would ever try again
            failure = AdapterError(_("a defect of the cockpit itself: {error}").format(error=repr(error)))
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

    def _log_in(self, link: SshLink) -> None:
        """See that a login there gives a shell, which may take longer than any look has; it stays for the first.

        Where it takes long, looks follow each other in one shell instead of waiting for further ones.
        """
        began_s = time.monotonic()
        try:
            shell = link.shell(login_s=self._login_s)
        except LinkDown:
            self._login_s = min(self._login_s * 2, _LONGEST_LOGIN_S)
            raise
        link.give_back(shell, sound=True)
        self._login_s = _FIRST_LOGIN_S
        self._most = 1 if time.monotonic() - began_s > _SLOW_LOGIN_S else _MOST_SHELLS

    @property
    def _where(self) -> str:
        return f"{self.name} ({self._link.address})" if self._link else self.name

    # -- shells ------------------------------------------------------------------------------------------------------

    def _take(self, link: SshLink, until_s: float) -> tuple[Shell, bool]:
        """A shell over there, and whether it was used before."""
        with self._free:
            if not self._free.wait_for(lambda: self._busy < self._most, max(0.0, until_s - time.monotonic())):
                raise TimedOut(
                    _("other looks at this machine take too long"), where=self._where, mend=_("raise interval_s")
                )
            self._busy += 1
        try:
            left_s = max(_LEAST_S, until_s - time.monotonic())
            shell = link.shell(timeout_s=left_s, login_s=left_s, asks_again=True)
        except BaseException as error:
            self._one_less()
            if isinstance(error, TargetUnreachable) and not isinstance(error, NotTried):
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

    def _answer(self, link: SshLink, shell: Shell, question: bytes, until_s: float, most_bytes: int) -> bytes:
        try:
            return shell.answer(question, until_s, link.heard, most_bytes)
        except Malformed as error:
            raise Malformed(error.what, where=self._where) from error
        except TimeoutError as error:
            raise self._too_late(link) from error
        except (OSError, EOFError) as error:
            raise LinkDown(_("the connection ended"), where=self._where) from error

    def _too_late(self, link: SshLink) -> AdapterError:
        if link.silent_s > _SILENT_S or not link.up:
            told = _("it has been silent for {seconds:.0f} s").format(seconds=link.silent_s)
            return LinkDown(told, where=self._where)
        return TimedOut(_("it took too long"), where=self._where, mend=_("look at the machine's load"))
