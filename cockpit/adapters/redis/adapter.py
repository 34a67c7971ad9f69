"""Redis: commands as steps, one a line, quoted as redis-cli quotes them.

[target.cache]
kind = "redis"
host = "10.0.0.5"                 # or socket = "/run/redis/redis.sock"
port = 6379
database = 0
user = "oncall"
password_env = "CACHE_PASSWORD"   # or password_file; else $REDISCLI_AUTH
tls = true                        # ca_file; verify = "ca" for any host; cert_file and key_file
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import ClassVar
from uuid import uuid4

from msgspec import Struct

from cockpit.adapters.base import Enforcement
from cockpit.adapters.checking import Check
from cockpit.adapters.redis.replies import shown
from cockpit.adapters.redis.seal import require_reading
from cockpit.adapters.redis.server import Server, ServerOptions, check_options, how_to_verify, unverified
from cockpit.adapters.step_program.adapter import StepProgram, Task
from cockpit.adapters.step_program.credentials import password_from
from cockpit.adapters.step_program.page import Page
from cockpit.errors import (
    AccessDenied,
    AdapterError,
    Declined,
    OutcomeUnknown,
    TargetUnreachable,
    UsageError,
)
from cockpit.safety.redis.words import redis_commands
from cockpit.words import _

LISTEN_S, LISTEN_MESSAGES = 60.0, 10_000
"""So long and so much a step listens to what has no end; with a time-out of its own it may end before."""
_INPUT = re.compile(rb"\$(?:(\w+)|\{(\w+)\})")
_ENDLESS = frozenset({b"monitor", b"subscribe", b"psubscribe", b"ssubscribe"})


class RedisAdapter(StepProgram[ServerOptions]):
    """Runs Redis commands over one connection a step."""

    name = "redis"
    languages = frozenset({"redis"})
    Options: ClassVar[type[Struct]] = ServerOptions

    def __init__(self, options: ServerOptions, *, trusted: bool = True) -> None:
        check_options(options)
        super().__init__(options, trusted=trusted)

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

    def _one(self, server: Server, command: list[bytes], task: Task, page: Page) -> None:
        if task.read_only:
            require_reading(command, server.ask)
        try:
            reply = server.ask(*command)
            for line in shown(reply):
                page.line(line)
            if command[0].lower() in _ENDLESS:
                _listen(server, page)
        except TargetUnreachable as error:
            if task.read_only:
                raise
            raise OutcomeUnknown(
                _("the connection broke after {command} was sent; it may have been done").format(
                    command=command[0].decode("utf-8", "replace").upper()
                ),
                where=self.options.where,
                mend=_("look before you run it again"),
            ) from error

    async def checks(self) -> Sequence[Check]:
        """Whether it can be reached, and whether that is verified. See `ChecksItself`."""
        doubt = unverified(self.options)
        told = [Check(text=doubt, standing="warning", mend=how_to_verify())] if doubt else []
        return [*await super().checks(), *told]

    @contextmanager
    def _connected(self, task: Task) -> Iterator[Server]:
        """The server, ready for commands. Raises as `Server`."""
        server = Server(self.options, task.credentials.get("password"))
        try:
            yield server
        finally:
            server.close()


def _listen(server: Server, page: Page) -> None:
    """Show what it says, for a while: MONITOR costs a busy server half of its speed."""
    until_m = time.monotonic() + LISTEN_S
    for _number in range(LISTEN_MESSAGES):
        told = server.hear(max(0.0, until_m - time.monotonic()))
        if told is None:
            page.line(_("(listened for {seconds:g} s)").format(seconds=LISTEN_S))
            return
        for line in shown(told):
            page.line(line)
    page.line(_("(listened to {count} messages)").format(count=LISTEN_MESSAGES))


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


def _takes_no_writes(server: Server) -> bool:
    return b"slave_read_only:1" in bytes(server.ask("INFO", "replication"))


def _is_refused(server: Server, words: tuple[str, ...]) -> bool:
    try:
        server.ask(*words)
    except (AccessDenied, Declined):
        return True
    return False
