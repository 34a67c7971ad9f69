"""Other people's sessions on a PostgreSQL server: at work, waiting, or idle in a transaction."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from tests.servers.postgresql import PostgresqlServer


class Crowd:
    """Sessions of others. Each statement runs in a thread of its own, and may wait as long as it likes."""

    def __init__(self, server: PostgresqlServer, stack: ExitStack) -> None:
        self._server = server
        self._stack = stack

    def joined(self, name: str, *statements: str, user: str = "postgres") -> int:
        """One more session, which has run these in a transaction that it leaves open; its pid."""
        return int(self._connection(name, user, *statements).info.backend_pid)

    def at_it(self, name: str, statement: str, user: str = "postgres") -> int:
        """One more session, which is at this statement, for as long as it takes."""
        import psycopg

        connection = self._connection(name, user)

        def run() -> None:
            with contextlib.suppress(psycopg.Error):  # cancelled at the end
                connection.execute(statement.encode("utf-8", "surrogatepass"))

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        self._stack.callback(thread.join)
        self._stack.callback(connection.cancel_safe)
        return int(connection.info.backend_pid)

    def _connection(self, name: str, user: str, *statements: str) -> Any:
        import psycopg

        place: dict[str, Any] = {"host": str(self._server.folder), "port": self._server.port, "dbname": "shop"}
        connection = psycopg.connect(**place, user=user, application_name=name, client_encoding="utf8")
        self._stack.callback(connection.close)
        for statement in statements:
            connection.execute(statement.encode())
        return connection


@contextmanager
def crowd(server: PostgresqlServer) -> Iterator[Crowd]:
    with ExitStack() as stack:
        yield Crowd(server, stack)
