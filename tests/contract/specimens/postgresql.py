"""PostgreSQL for the contract suite: a database without an encoding, which gives back whatever bytes it was given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from cockpit.adapters.postgresql.adapter import PostgresqlAdapter, PostgresqlOptions
from tests.contract.specimens.specimen import Specimen
from tests.servers.postgresql import PostgresqlServer, postgresql_server
from tests.servers.proxy import proxied
from tests.servers.server import free_port


def _adapter(port: int, password_env: str = "") -> PostgresqlAdapter:
    user = "app" if password_env else "postgres"
    options = PostgresqlOptions(host="127.0.0.1", port=port, database="shop", user=user, password_env=password_env)
    return PostgresqlAdapter(options)


def _busy(server: PostgresqlServer) -> bool:
    active = "select count(*) from pg_stat_activity where state = 'active' and query ~ '^(insert|select count)'"
    return server.ask(f"{active} and application_name = 'incident-cockpit'") != [(0,)]


@contextmanager
def specimen() -> Iterator[Specimen]:
    import psycopg

    with postgresql_server(encoding="SQL_ASCII") as server, proxied(server.port) as proxy:
        place = f"host=127.0.0.1 port={server.port} dbname=shop user=postgres"
        with psycopg.connect(place, autocommit=True) as holder:
            holder.execute("select pg_advisory_lock(7)")
            yield Specimen(
                adapter=_adapter(proxy.port),
                language="sql",
                cut=proxy.cut,
                hello="select 'hello' as greeting",
                streams=(
                    "select 'first'; select pg_advisory_lock(7); select 'second'",
                    b"first",
                    partial(holder.execute, "select pg_advisory_unlock(7)"),
                    b"second",
                ),
                endless="select count(*) from generate_series(1, 99999) a, generate_series(1, 99999) b, "
                "generate_series(1, 99999) c",
                at_it=lambda: _busy(server),
                large="select repeat('x', 10000) as line from generate_series(1, 1000)",
                no_text=r"select E'a\xff\xfeb\x1b[31m' as bytes",
                as_shown=rb"a\xff\xfeb",
                echo=lambda value: f"select '{value}' as said",
                with_input="select $WORD::text as word",
                mistake="selec 1",
                complaint=b"syntax error",
                changes="insert into notes values (100, 'changed')",
                changes_slowly="insert into notes select 1000, pg_sleep(1000)::text",
                fingerprint=server.fingerprint,
                absent=_adapter(free_port()),
                library="psycopg",
                wrong_credentials=_adapter(server.port, "COCKPIT_TEST_SECRET"),
            )
