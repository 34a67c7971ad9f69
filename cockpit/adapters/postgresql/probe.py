"""A PostgreSQL server for the live panel: connections, who waits for whom, the longest queries, replication.

[[probe]]
name = "orders-db"
kind = "postgresql"
host = "10.0.0.7"                  # and the other keys of a target of this kind; a role with pg_monitor sees all
database = "orders"
user = "oncall"
password_env = "ORDERS_PASSWORD"
slow_mean_ms = 500                 # statements of pg_stat_statements that are told of
thresholds = ["longest_query_s > 2 s red", "connections_percent > 80 % yellow", "standbys < 1 red"]
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from msgspec import Struct

from cockpit.adapters.kept_connection import KeptConnection
from cockpit.adapters.library import needing
from cockpit.adapters.own_thread import OwnThread
from cockpit.adapters.postgresql import questions
from cockpit.adapters.postgresql.connection import ServerOptions, check_options, connect, how_to_verify, unverified
from cockpit.adapters.postgresql.seal import reading
from cockpit.adapters.postgresql.standing import Row, Standing, Told
from cockpit.adapters.postgresql.wire import Wire
from cockpit.adapters.probing import Finding
from cockpit.adapters.step_program.credentials import password_from
from cockpit.errors import AdapterError, ConfigError, TargetUnreachable, TimedOut
from cockpit.safety.judge import judge
from cockpit.safety.permit import Action, Permit
from cockpit.safety.verdict import Judgement
from cockpit.words import _

if TYPE_CHECKING:
    from psycopg import Connection

_SHARE_OF_DEADLINE = 0.9
_STATEMENTS_EVERY_S = 60.0
"""The server reads every statement it has ever kept to answer that."""
_STATEMENTS_SINCE, _WAITSTART_SINCE = 130000, 140000


class PostgresqlProbeOptions(ServerOptions, frozen=True, kw_only=True):
    """Keys of a probe of kind "postgresql"."""

    slow_mean_ms: float = 500.0


class PostgresqlProbe:
    """One server, over one connection."""

    Options: ClassVar[type[Struct]] = PostgresqlProbeOptions

    def __init__(self, options: PostgresqlProbeOptions, deadline_s: float) -> None:
        check_options(options)
        if options.slow_mean_ms < 0:
            raise ConfigError(_("{value} ms is out of range").format(value=options.slow_mean_ms))
        self._options = options
        self._patience_s = deadline_s * _SHARE_OF_DEADLINE
        self._thread: OwnThread[Any] = OwnThread("postgresql probe")
        self._kept: KeptConnection[Connection[Any]] = KeptConnection(self._connected, _close, _is_usable)
        self._standing = Standing()
        self._statements: tuple[Sequence[Row], str] = ((), "")
        self._statements_again_m = 0.0

    @property
    def action(self) -> Action:
        """Every statement of a look; the target is the server."""
        return Action("sql", questions.ALL, self._options.where)

    @property
    def judgement(self) -> Judgement:
        """What safety says of them."""
        return judge("sql", self.action.body)

    async def look(self, permit: Permit) -> Finding:
        """How the server stands. See `Watchable`."""
        permit.covers(self.action)
        found: Finding = await self._thread.run(self._look)
        return found

    async def close(self) -> None:
        """Let go of the connection, unless a look still hangs on it: two threads must not share it."""
        with suppress(TimedOut):
            await self._thread.run(self._kept.close)

    def _look(self) -> Finding:
        with needing("psycopg", "postgresql"):  # a busy machine takes a while for it: that is not the server's time
            import psycopg  # noqa: F401  # it is only to be there
        until_m = time.monotonic() + self._patience_s

        def asked(connection: Connection[Any]) -> Told:
            wire = Wire(connection, self._options.where)
            wire.until_m = until_m
            return self._ask(wire)

        return self._standing.finding(self._kept.use(asked))

    def _connected(self) -> Connection[Any]:
        password = password_from(self._options.password_env, self._options.password_file, ambient="PGPASSWORD")
        return connect(self._options, password.get("password"), within_s=self._patience_s)

    def _ask(self, wire: Wire) -> Told:
        left_s = max(0.1, (wire.until_m or 0.0) - time.monotonic())
        with reading(wire, within_s=left_s):
            server = _rows(wire, questions.SERVER)[0]
            holders = {
                int(row["pid"] or 0): sorted({int(pid) for pid in (row["holders"] or "").split()})
                for row in _rows(wire, questions.BLOCKED)
            }
            involved = sorted({*holders, *(pid for pids in holders.values() for pid in pids)})
            recovering = server["in_recovery"] == "t"
            told = Told(
                server=server,
                states=_rows(wire, questions.STATES),
                sessions=_rows(wire, questions.SESSIONS, _array(involved)),
                holders=holders,
                waited=_waited_for(wire, server, list(holders)),
                standbys=_rows(wire, questions.STANDBYS),
                replay=_rows(wire, questions.REPLAY)[0] if recovering else None,
            )
        return self._with_notes(wire, told)

    def _with_notes(self, wire: Wire, told: Told) -> Told:
        """With what the extension tells, and with what is not as safe or as visible as it should be."""
        statements, trouble = self._slow_statements(wire, told.server)
        doubt = unverified(self._options)
        doubt = f"{doubt} ({how_to_verify()})" if doubt else ""
        return replace(told, statements=statements, unseen=[trouble] if trouble else [], doubt=doubt)

    def _slow_statements(self, wire: Wire, server: Row) -> tuple[Sequence[Row], str]:
        """In a transaction of its own: what goes wrong there costs nothing else."""
        schema = server["statements_schema"]
        if not schema or int(server["version"] or 0) < _STATEMENTS_SINCE:
            return (), ""
        if time.monotonic() < self._statements_again_m:
            return self._statements
        try:
            with reading(wire, within_s=max(0.1, (wire.until_m or 0.0) - time.monotonic())):
                found = _rows(wire, questions.statements_in(schema), str(self._options.slow_mean_ms))
            self._statements = (found, "")
        except TargetUnreachable:
            raise
        except AdapterError as error:
            if isinstance(error, TimedOut) and not wire.usable:
                raise
            self._statements = ((), f"pg_stat_statements: {error.what}")
        self._statements_again_m = time.monotonic() + _STATEMENTS_EVERY_S
        return self._statements


def _rows(wire: Wire, statement: str, *values: str) -> list[Row]:
    answer = wire.ask(statement, values)
    return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]


def _waited_for(wire: Wire, server: Row, pids: Sequence[int]) -> dict[int, Row]:
    if not pids:
        return {}
    old = int(server["version"] or 0) < _WAITSTART_SINCE
    question = questions.WAITED_FOR_BEFORE_14 if old else questions.WAITED_FOR
    return {int(row["pid"] or 0): row for row in _rows(wire, question, _array(pids))}


def _array(pids: Sequence[int]) -> str:
    return "{" + ",".join(map(str, pids)) + "}"


def _close(connection: Connection[Any]) -> None:
    connection.close()


def _is_usable(connection: Connection[Any]) -> bool:
    return Wire(connection, "").usable
