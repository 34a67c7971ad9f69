"""A Redis server for the live panel: how quick, how full, how many of its answers were there, who follows whom.

[[probe]]
name = "cache"
kind = "redis"
host = "10.0.0.5"                 # and the other keys of a target of this kind
password_env = "CACHE_PASSWORD"
thresholds = ["ping_ms > 50 ms red", "memory_percent > 80 % yellow", "hit_percent < 40 % yellow"]
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any, ClassVar

from msgspec import Struct

from cockpit.adapters.kept_connection import KeptConnection
from cockpit.adapters.own_thread import OwnThread
from cockpit.adapters.probing import Finding
from cockpit.adapters.redis.server import Server, ServerOptions, check_options, how_to_verify, unverified
from cockpit.adapters.redis.standing import Standing, info_of
from cockpit.adapters.step_program.credentials import password_from
from cockpit.errors import AccessDenied, Declined, TimedOut
from cockpit.safety.judge import judge
from cockpit.safety.permit import Action, Permit
from cockpit.safety.verdict import Judgement
from cockpit.words import _

_SHARE_OF_DEADLINE = 0.9
_COMMANDS = "PING\nINFO\nCLUSTER INFO"


class RedisProbe:
    """One server, over one connection."""

    Options: ClassVar[type[Struct]] = ServerOptions

    def __init__(self, options: ServerOptions, deadline_s: float) -> None:
        check_options(options)
        self._options = options
        self._patience_s = deadline_s * _SHARE_OF_DEADLINE
        self._thread: OwnThread[Any] = OwnThread("redis probe")
        self._kept: KeptConnection[Server] = KeptConnection(
            self._connected, lambda server: server.close(), lambda server: server.alive
        )
        self._standing = Standing()

    @property
    def action(self) -> Action:
        """Every command of a look; the target is the server."""
        return Action("redis", _COMMANDS, self._options.where)

    @property
    def judgement(self) -> Judgement:
        """What safety says of them."""
        return judge("redis", self.action.body)

    async def look(self, permit: Permit) -> Finding:
        """How the server stands. See `Watchable`."""
        permit.covers(self.action)
        found: Finding = await self._thread.run(lambda: self._kept.use(self._ask))
        return found

    async def close(self) -> None:
        """Let go of the connection, unless a look still hangs on it: two threads must not share it."""
        with suppress(TimedOut):
            await self._thread.run(self._kept.close)

    def _connected(self) -> Server:
        password = password_from(self._options.password_env, self._options.password_file, ambient="REDISCLI_AUTH")
        return Server(self._options, password.get("password"), connect_s=self._patience_s, read_s=self._patience_s)

    def _ask(self, server: Server) -> Finding:
        doubt = unverified(self._options)
        notes = [f"{doubt} ({how_to_verify()})"] if doubt else []
        begun = time.perf_counter()
        ping_ms = None
        # One that reads its data, or has lost its primary, says no to PING and tells of it in INFO.
        with suppress(Declined):
            server.ask("PING")
            ping_ms = round((time.perf_counter() - begun) * 1000, 2)
        info = {}
        try:
            info = info_of(bytes(server.ask("INFO")))
            if info.get("cluster_enabled") == "1":
                info |= info_of(bytes(server.ask("CLUSTER", "INFO")))
        except AccessDenied as error:
            if ping_ms is None:
                raise
            notes.append(_("{error}: give its ACL +info").format(error=error.what))
        return self._standing.finding(info, ping_ms, notes, time.monotonic())
