"""One connection to a machine, shared by all that goes there, watched, and made again when it is gone."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cockpit.adapters.base import Ask
from cockpit.adapters.ssh.address import SshAddress
from cockpit.adapters.ssh.host_keys import kinds_known, require_known
from cockpit.adapters.ssh.identity import sign_in
from cockpit.adapters.ssh.sessions import Sessions, Shell
from cockpit.adapters.ssh.sockets import socket_channel
from cockpit.adapters.ssh.turns import HANDSHAKES, is_full, require_room, too_many_files
from cockpit.adapters.ssh.watched import Watched
from cockpit.errors import AccessDenied, AdapterError, LinkDown, TargetUnreachable, TimedOut, ToolMissing
from cockpit.safety.text import one_line
from cockpit.words import _

if TYPE_CHECKING:
    from paramiko import Channel, Transport

_CONNECT_S = 10.0
LOGIN_S = 30.0
"""So long start-up files over there may take before a step: a home on a slow network, a lock that is waited for."""
_ANSWER_S = 30.0
_IDLE_S = 10.0
"""How long a connection's thread waits for what comes next before it looks around for nothing."""
_BANNER_S = 5.0
_SURE_S = 3.0
"""Who has said nothing for so long may be gone: what has to arrive is not sent to a shell that stands since before."""


def _anyway() -> None:
    """Nothing has to be looked at again."""


def _if_still(still: Callable[[], None], channel: Channel) -> None:
    try:
        still()
    except BaseException:
        channel.close()
        raise


class SshLink:
    """A connection that is there when it is needed. Every method blocks; any thread may call it.

    paramiko leaves Nagle's algorithm on and does not notice a peer that has stopped, so both are seen to here.

    Args:
        login_s: for so long a login may take to give a shell.
    """

    def __init__(self, address: SshAddress, *, ask: Ask | None = None, login_s: float = LOGIN_S) -> None:
        self.address = address
        self.login_s = login_s
        self._ask = ask
        self._lock = threading.Lock()
        self._hops: list[Transport] = []
        self._sessions = Sessions(str(address), address.host)
        self._heard_s = 0.0

    def shell(
        self,
        *,
        timeout_s: float = _CONNECT_S,
        login_s: float | None = None,
        still: Callable[[], None] = _anyway,
        asks_again: bool = False,
    ) -> Shell:
        """A /bin/sh over there, to be sent orders. Give it back with `give_back`.

        It waits its turn where much is going on, and for a login's start-up files; `still` looks then whether it may go
        on. Who `asks_again` where a shell turns out to be gone may have one that stands, however long all was silent.

        Raises:
            TargetUnreachable, AccessDenied, TimedOut: there is none. LinkDown: a login there gives none.
        """
        transport = self._transport()
        with self._broken_told():
            fresh = not asks_again and self._unsure
            shell = self._sessions.shell(transport, timeout_s, login_s=login_s or self.login_s, fresh=fresh)
        self.heard()
        try:
            still()
        except BaseException:
            self._sessions.give_back(shell, sound=True)
            raise
        return shell

    def give_back(self, shell: Shell, *, sound: bool) -> None:
        """The shell is not needed any more; `sound`: it has said all that it was asked to."""
        self._sessions.give_back(shell, sound=sound)

    def done(self, channel: Channel) -> None:
        """The channel is not needed any more."""
        self._sessions.done(channel)

    def terminal(self, command: str, rows: int, columns: int, still: Callable[[], None]) -> Channel:
        """Run a command over there on a terminal of that size. Give the channel back with `done`.

        Raises:
            TargetUnreachable, AccessDenied: nothing was started.
        """

        def begin(channel: Channel) -> None:
            _if_still(still, channel)
            _on_terminal(channel, command, rows, columns)

        transport = self._transport()
        with self._broken_told():
            return self._sessions.open(transport, _CONNECT_S, begin)

    def socket(self, path: str, *, timeout_s: float) -> Channel:
        """A channel to a unix socket over there; it is only closed.

        Raises:
            ToolMissing: the server can't or won't reach it. TargetUnreachable, AccessDenied: the connection broke.
        """
        import paramiko

        transport = self._transport()
        with self._broken_told():
            try:
                return socket_channel(transport, path, timeout_s)
            except paramiko.ChannelException as error:
                raise ToolMissing(_why(error), where=path) from error

    def say(self, script: bytes, *, timeout_s: float = _CONNECT_S, login_s: float | None = None) -> bytes:
        """Have /bin/sh over there run this short script, at once; what it said, or "" when the link broke meanwhile.

        A shell that stands by is taken first: it answers even where new logins give none any more.

        Raises:
            TargetUnreachable, AccessDenied: nothing was started. TimedOut: it was, and it is not over.
        """
        transport = self._transport()
        while True:
            with self._broken_told():
                kept = None if self._unsure else self._sessions.kept(transport)
                shell = kept or self._sessions.shell_beside(transport, timeout_s, login_s=login_s or self.login_s)
            said, sound = b"", False
            try:
                said = shell.answer(script, time.monotonic() + _ANSWER_S, self.heard)
                sound = True
            except TimeoutError as error:
                told, mend = _("it took too long"), _("look at the machine's load")
                raise TimedOut(told, where=str(self.address), mend=mend) from error
            except (EOFError, OSError):
                if kept and self.up:
                    continue  # it was ended while nobody used it
            finally:
                self._let_go(shell, kept=kept is not None, sound=sound)
            return said

    def _let_go(self, shell: Shell, *, kept: bool, sound: bool) -> None:
        if kept:
            self._sessions.give_back(shell, sound=sound)
        else:
            shell.channel.close()

    def heard(self) -> None:
        """Something came from over there: it is alive."""
        self._heard_s = time.monotonic()

    def close(self) -> None:
        """Hang up. The next use connects again."""
        with self._lock:
            self._hang_up()

    def connect(self, *, asking: bool = True) -> None:
        """Be connected.

        Args:
            asking: a person may be asked for what only they know.

        Raises:
            TargetUnreachable, AccessDenied: why not; for a jump host, which of them.
        """
        with self._lock:
            self._connected(asking=asking)

    @property
    def up(self) -> bool:
        """Whether there is a connection, as far as is known. Never blocks."""
        hops = self._hops
        return bool(hops) and all(hop.is_active() for hop in hops)

    @property
    def answered(self) -> bool:
        """Whether a login over there gives shells, as far as is known. Never blocks."""
        return self._sessions.answered

    def silent_login(self) -> LinkDown | None:
        """What to tell of a login over there that is waited for. Never blocks."""
        return self._sessions.silent()

    @property
    def _unsure(self) -> bool:
        return self.silent_s > _SURE_S

    @property
    def silent_s(self) -> float:
        """For how long nothing has come from over there."""
        return time.monotonic() - self._heard_s

    @property
    def busy(self) -> bool:
        """Whether somebody has a shell or a terminal over there."""
        return self._sessions.busy

    def _transport(self) -> Transport:
        with self._lock:
            return self._connected()

    @contextmanager
    def _broken_told(self) -> Iterator[None]:
        import paramiko

        try:
            yield
        except EOFError as error:  # it has no words of its own
            raise TargetUnreachable(_("the connection ended"), where=str(self.address)) from error
        except (paramiko.SSHException, OSError) as error:
            raise TargetUnreachable(
                _("the connection broke: {error}").format(error=_why(error)), where=str(self.address)
            ) from error

    # -- connecting ------------------------------------------------------------------------------------------------

    def _connected(self, *, asking: bool = True) -> Transport:
        if self.up:
            return self._hops[-1]
        self._hang_up()
        hops: list[Transport] = []
        try:
            for number, address in enumerate(way := (*self.address.jumps, self.address)):
                before = hops[-1] if hops else None
                hops.append(_hop(address, before, _named(way, number), self._ask if asking else None))
        except BaseException:
            for hop in reversed(hops):
                hop.close()
            raise
        self._hops = hops
        self.heard()
        _WATCHED.add(hops[-1], self)
        return hops[-1]

    def _hang_up(self) -> None:
        for hop in reversed(self._hops):
            hop.close()
        self._hops = []
        self._sessions.forget()


_WATCHED = Watched()


def _on_terminal(channel: Channel, command: str, rows: int, columns: int) -> None:
    channel.get_pty("xterm-256color", width=columns, height=rows)
    channel.exec_command(command)


def _named(way: Sequence[SshAddress], number: int) -> str:
    """One hop of the way, with those that it depends on, or that depend on it."""
    hop = str(way[number])
    if number < len(way) - 1:
        hop = _("{jump}, on the way to {host}").format(jump=hop, host=way[-1])
    if number:
        hop = _("{host}, by way of {jump}").format(host=hop, jump=" > ".join(map(str, way[:number])))
    return hop


def _hop(address: SshAddress, before: Transport | None, name: str, ask: Ask | None) -> Transport:
    import paramiko

    _keep_quiet()
    try:
        transport = paramiko.Transport(_socket(address, before))
    except (OSError, paramiko.SSHException, EOFError) as error:
        raise _unreachable(address, name, error) from error
    try:
        _greet(transport, address, ask)
    except (OSError, paramiko.SSHException, EOFError) as error:
        transport.close()
        raise _unreachable(address, name, error) from error
    except AccessDenied as error:
        transport.close()
        if error.where == str(address):
            error.where = name
        raise
    except BaseException:
        transport.close()
        raise
    return transport


def _keep_quiet() -> None:
    """Errors are raised. paramiko prints them besides, with their tracebacks, where nobody has set up logging."""
    log = logging.getLogger("paramiko")
    if not log.handlers:
        log.addHandler(logging.NullHandler())


def _greet(transport: Transport, address: SshAddress, ask: Ask | None) -> None:
    _prefer(transport, kinds_known(address))
    transport.banner_timeout = _BANNER_S
    with HANDSHAKES.taken():
        transport.start_client(timeout=_CONNECT_S)
    key = transport.get_remote_server_key()
    require_known(address, key.get_name(), key.asbytes())
    sign_in(transport, address, ask)
    # Ten times a second is paramiko's own: of hundreds that stand idle that would be much work.
    transport.sock.settimeout(_IDLE_S)


def _socket(address: SshAddress, before: Transport | None) -> socket.socket | Channel:
    if before is not None:
        return before.open_channel("direct-tcpip", (address.host, address.port), ("127.0.0.1", 0), timeout=_CONNECT_S)
    try:
        made = _Line(fileno=socket.create_connection((address.host, address.port), timeout=_CONNECT_S).detach())
    except OSError as error:
        if is_full(error):
            raise too_many_files(str(address)) from error
        raise
    try:
        require_room(made.fileno(), str(address))
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        _wait_for_greeting(made)
    except BaseException:
        made.close()
        raise
    return made


def _wait_for_greeting(made: socket.socket) -> None:
    """The server speaks first. One that says nothing is found out before it has its turn, which others wait for."""
    made.settimeout(_BANNER_S)
    try:
        made.recv(1, socket.MSG_PEEK)
    except TimeoutError as error:
        raise TimeoutError(_("no SSH server answers there")) from error


class _Line(socket.socket):
    """Closed, it releases whoever waits for what comes."""

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.shutdown(socket.SHUT_RDWR)
        super().close()


def _prefer(transport: Transport, kinds: Sequence[str]) -> None:
    """Ask for a key of a kind that is known, so that a machine with several is not taken for a stranger."""
    options = transport.get_security_options()
    signed_with = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}
    wanted = [name for kind in kinds for name in signed_with.get(kind, (kind,)) if name in options.key_types]
    options.key_types = [*dict.fromkeys(wanted), *(name for name in options.key_types if name not in wanted)]


def _unreachable(address: SshAddress, name: str, error: Exception) -> AdapterError:
    return TargetUnreachable(
        _("it can't be reached: {error}").format(error=_why(error)),
        where=name,
        mend=_("try `ssh {host}`").format(host=address.host),
    )


def _why(error: Exception) -> str:
    text = getattr(error, "strerror", None) or getattr(error, "text", None) or str(error) or type(error).__name__
    # A server's own words, perhaps.
    return one_line(str(text).split("\n", 1)[0])
