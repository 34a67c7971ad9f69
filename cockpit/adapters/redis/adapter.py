"""Redis: commands as steps, one a line, quoted as redis-cli quotes them.

[target.cache]
kind = "redis"
host = "10.0.0.5"                 # or socket = "/run/redis/redis.sock"
port = 6379
database = 0
user = "oncall"
password_env = "CACHE_PASSWORD"   # or password_file; else $REDISCLI_AUTH
tls = true
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, ClassVar
from uuid import uuid4

from msgspec import Struct

from cockpit.adapters.base import Enforcement
from cockpit.adapters.library import needing
from cockpit.adapters.redis.replies import shown
from cockpit.adapters.redis.seal import require_reading
from cockpit.adapters.step_program.adapter import StepProgram, Task
from cockpit.adapters.step_program.credentials import password_from
from cockpit.adapters.step_program.page import Page
from cockpit.errors import (
    AccessDenied,
    AdapterError,
    Declined,
    Malformed,
    OutcomeUnknown,
    TargetUnreachable,
    UsageError,
)
from cockpit.safety.redis.words import redis_commands
from cockpit.words import _

_CONNECT_S = 5.0
_INPUT = re.compile(rb"\$(?:(\w+)|\{(\w+)\})")
_ENDLESS = frozenset({b"monitor", b"subscribe", b"psubscribe", b"ssubscribe"})


class RedisOptions(Struct, frozen=True, kw_only=True):
    """Keys of a target of kind "redis"."""

    host: str = "localhost"
    port: int = 6379
    socket: str = ""
    database: int = 0
    user: str = ""
    password_env: str = ""
    password_file: str = ""
    tls: bool = False
    ca_file: str = ""


class RedisAdapter(StepProgram[RedisOptions]):
    """Runs Redis commands over one connection a step."""

    name = "redis"
    languages = frozenset({"redis"})
    Options: ClassVar[type[Struct]] = RedisOptions

    def credentials(self) -> dict[str, str]:
        """The password. See `StepProgram.credentials`."""
        ambient = "REDISCLI_AUTH" if self.trusted else ""
        return password_from(self.options.password_env, self.options.password_file, ambient=ambient)

    def perform(self, task: Task, page: Page) -> None:
        """Send the commands one by one; the first that fails ends the step. See `StepProgram.perform`."""
        try:
            commands = redis_commands(task.body)
        except ValueError as error:
            raise UsageError(str(error)) from error
        with self._connected(task) as server:
            task.require_still_permitted()
            for number, command in enumerate(commands, 1):
                if len(commands) > 1:
                    page.line("> " + " ".join(word.decode("utf-8", "backslashreplace") for word in command))
                try:
                    self._one(server, _with_values(command, task.values), task, page)
                except AdapterError as error:
                    raise _at(error, number, len(commands)) from error

    def enforced(self, task: Task) -> Enforcement:
        """A replica that takes no writes, or a user who may not write. See `StepProgram.enforced`."""
        with self._connected(task) as server:
            role = server.ask("ROLE")
            if role and role[0] == b"slave" and _takes_no_writes(server):
                return Enforcement("server", _("it is a replica that takes no writes"))
            key = f"cockpit:{uuid4()}"
            # On a key that is not there, none of these does anything, whether it is allowed or not.
            tried = (("SET", key, "", "XX"), ("DEL", key), ("PERSIST", key), ("HDEL", key, "x"), ("LPUSHX", key, "x"))
            refused = [words[0] for words in tried if _is_refused(server, words)]
        if len(refused) == len(tried):
            return Enforcement("server", _("this user may not write"))
        return Enforcement("tool", _("this user may write"))

    def _one(self, server: _Server, command: list[bytes], task: Task, page: Page) -> None:
        if task.read_only:
            require_reading(command, server.ask)
        try:
            reply = server.ask(*command)
            for line in shown(reply):
                page.line(line)
            while command[0].lower() in _ENDLESS:
                for line in shown(server.hear()):
                    page.line(line)
        except TargetUnreachable as error:
            if task.read_only:
                raise
            raise OutcomeUnknown(
                _("the connection broke after {command} was sent; it may have been done").format(
                    command=command[0].decode("utf-8", "replace").upper()
                ),
                where=self._where,
                mend=_("look before you run it again"),
            ) from error

    @property
    def _where(self) -> str:
        return self.options.socket or f"{self.options.host}:{self.options.port}"

    @contextmanager
    def _connected(self, task: Task) -> Iterator[_Server]:
        """The server, ready for commands.

        Raises:
            ToolMissing, TargetUnreachable, AccessDenied.
        """
        with needing("redis", "redis"):
            import redis.exceptions as trouble
        connection = self._connection(task)
        server = _Server(connection, self._where)
        try:
            connection.connect()
        except (trouble.RedisError, OSError) as error:
            raise server.failure(error) from error
        with suppress(AccessDenied, Declined):  # a user who may only read often may not name himself
            server.ask("CLIENT", "SETNAME", "incident-cockpit")
        try:
            yield server
        finally:
            connection.disconnect()

    def _connection(self, task: Task) -> Any:
        from redis import connection

        options = self.options
        shape = "UnixDomainSocketConnection" if options.socket else "SSLConnection" if options.tls else "Connection"
        place: dict[str, Any] = (
            {"path": options.socket} if options.socket else {"host": options.host, "port": options.port}
        )
        if options.tls:
            place["ssl_ca_certs"] = options.ca_file or None
        return getattr(connection, shape)(
            **place,
            db=options.database,
            username=options.user or None,
            password=task.credentials.get("password"),
            socket_timeout=None,
            socket_connect_timeout=_CONNECT_S,
            driver_info=None,
            protocol=2,
        )


class _Server:
    """One connection, with the library's exceptions turned into ours."""

    # Any: the library's connections are not typed.
    def __init__(self, connection: Any, where: str) -> None:
        self._connection = connection
        self._where = where

    def ask(self, *words: Any) -> Any:
        """The reply to a command.

        Raises:
            AdapterError: it says no, or is gone.
        """
        from redis.exceptions import RedisError

        try:
            self._connection.send_command(*words, check_health=False)
            return self._connection.read_response(disable_decoding=True)
        except (RedisError, OSError) as error:
            raise self.failure(error) from error

    def hear(self) -> Any:
        """The next thing that it says by itself. Raises as `ask`."""
        from redis.exceptions import RedisError

        try:
            return self._connection.read_response(disable_decoding=True)
        except (RedisError, OSError) as error:
            raise self.failure(error) from error

    def failure(self, error: Exception) -> AdapterError:
        """The error tree's word for an exception of the library or of the system."""
        import redis.exceptions as trouble

        text = str(error) or type(error).__name__
        if isinstance(error, trouble.AuthenticationError | trouble.NoPermissionError):
            return AccessDenied(text, where=self._where, mend=_("check user, password_env and the user's ACL"))
        mends = {
            trouble.BusyLoadingError: _("it has just started; try again in a moment"),
            trouble.ReadOnlyError: _("this is a replica; give the primary as the target"),
            trouble.MovedError: _("it is a cluster; give the node it names as the target"),
            trouble.OutOfMemoryError: _("it is out of memory; look at maxmemory and what may be evicted"),
        }
        mend = next((words for kind, words in mends.items() if isinstance(error, kind)), "")
        if isinstance(error, trouble.ResponseError) or mend:
            return Declined(text, where=self._where, mend=mend)
        if isinstance(error, trouble.InvalidResponse):
            return Malformed(_("what answers does not speak Redis's protocol"), where=self._where)
        return TargetUnreachable(text, where=self._where, mend=_("is it running, and reachable from here?"))


def _with_values(command: list[bytes], values: Mapping[str, str]) -> list[bytes]:
    """The words with the inputs in their places; a value never makes a second word, nor names the command."""

    def value(found: re.Match[bytes]) -> bytes:
        name = (found[1] or found[2]).decode()
        return values[name].encode() if name in values else found[0]

    return [command[0], *(_INPUT.sub(value, word) for word in command[1:])]


def _at(error: AdapterError, number: int, total: int) -> AdapterError:
    """The error with the command it stopped at, where there were several."""
    if total == 1:
        return error
    where = _("command {number} of {total}").format(number=number, total=total)
    return type(error)(error.what, where=f"{where}, {error.where}" if error.where else where, mend=error.mend)


def _takes_no_writes(server: _Server) -> bool:
    return b"slave_read_only:1" in bytes(server.ask("INFO", "replication"))


def _is_refused(server: _Server, words: tuple[str, ...]) -> bool:
    try:
        server.ask(*words)
    except (AccessDenied, Declined):
        return True
    return False
