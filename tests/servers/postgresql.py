"""A real PostgreSQL, and everything in it as one value to compare."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.servers.server import as_user, free_port, require, running, server_folder

_BIN = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
_SETTINGS = """
listen_addresses = '127.0.0.1'
fsync = off
synchronous_commit = off
full_page_writes = off
shared_buffers = 16MB
max_prepared_transactions = 4
wal_level = logical
autovacuum = off
shared_preload_libraries = 'pg_stat_statements'
"""
_WORLD = r"""
create role app login password 'app-password-19';
create role reader login password 'reader-password-77';
create role filer login in role pg_write_server_files;
grant pg_read_all_data, pg_monitor to reader;
revoke create on schema public from public;
create table orders (id serial primary key, buyer text, total numeric, at timestamptz default '2026-01-02');
insert into orders (buyer, total) select 'buyer ' || n, n * 1.5 from generate_series(1, 50) n;
create table notes (id int primary key, text text);
insert into notes values (1, '안녕하세요'), (2, null);
create function poke() returns int language sql as 'insert into notes values (99, ''poked'') returning id';
create function sly() returns int language sql security definer
  as 'insert into notes values (98, ''sly'') returning id';
create function note(text) returns text language plpgsql as
  $$ begin perform pg_notify('news', $1); perform pg_advisory_lock(42); return $1; end $$;
create function lower(int) returns text language plpgsql as
  $$ begin perform pg_notify('news', 'lower'); return 'x'; end $$;
create function worse(int, int) returns bool language plpgsql as
  $$ begin perform pg_notify('news', 'operator'); return true; end $$;
create operator ~~~ (function = worse, leftarg = int, rightarg = int);
create function settled(int) returns int language sql stable as 'select $1 + 1';
create view plain as select id, upper(buyer) as buyer, settled(id) as next from orders;
create view evil as select note('from a view') as said;
create view nested as select * from evil;
create table guarded (id int);
insert into guarded values (1);
alter table guarded enable row level security;
create policy shout on guarded using (note('policy') is not null);
create domain loud as text check (note(value) is not null);
create type mood as enum ('good', 'bad');
create function mood_of(int) returns mood language plpgsql as
  $$ begin perform pg_notify('news', 'cast'); return 'bad'; end $$;
create cast (int as mood) with function mood_of(int);
create extension dblink;
create extension pg_stat_statements;
create function feigned(int) returns text language plpgsql stable as 'begin return note(''feigned''); end';
create function nested_feigned(int) returns text language sql stable as 'select feigned($1)';
create view evil_feigned as select nested_feigned(1) as said;
create function made(text) returns text language plpgsql stable as
  'declare said text; begin execute $1 into said; return said; end';
create view evil_made as select made('select pg_notify(''news'', ''made'')') as said;
create function as_another() returns text language sql stable security definer as 'select current_user::text';
create view evil_as_another as select as_another() as said;
create function locking(bigint) returns void language internal stable as 'pg_advisory_lock_int8';
create view evil_locking as select locking(7)::text as said;
create function quietly_worse(int, int) returns bool language plpgsql stable as
  'begin return note(''quietly'') is not null; end';
create operator <~> (function = quietly_worse, leftarg = int, rightarg = int);
create function joined(text, text) returns text language plpgsql stable as 'begin return note($2); end';
create aggregate together(text) (sfunc = joined, stype = text);
create view evil_together as select together(buyer) as said from orders where id < 3;
create function honest(int) returns int language sql immutable as 'select abs($1) + settled($1)';
create view honestly as select honest(id) as said from orders;
create extension tablefunc;
create extension xml2;
create extension pg_trgm;
create extension citext;
create view evil_crosstab as select * from
  crosstab('select ''a''::text, ''b''::text, note(''crosstab'')') as told(a text, b text);
create view evil_xpath as select * from
  xpath_table('id', 'text', 'notes', '/x', 'note(''xpath'') is not null') as told(id int, x text);
create view alike as select similarity(buyer, 'buyer 1') as said from orders where buyer % 'buyer 1';
create sequence tickets;
grant all on all tables in schema public to app;
grant all on all sequences in schema public to app;
"""


@dataclass
class PostgresqlServer:
    """One cluster with a database "shop"; the roles postgres (superuser), app (writes) and reader (reads).

    `heard` counts the notifications that somebody who listens has got since it was last asked.
    """

    port: int
    folder: Path
    process: subprocess.Popen[bytes] | None = None
    heard: Callable[[], int] = lambda: 0
    inspector: Any = None

    def ask(self, statement: str, *, database: str = "shop", user: str = "postgres") -> list[tuple[Any, ...]]:
        import psycopg

        place: dict[str, Any] = {"host": "127.0.0.1", "port": self.port, "dbname": database, "user": user}
        with psycopg.connect(**place, client_encoding="utf8", autocommit=True) as connection:
            return _asked(connection, statement)

    def fingerprint(self) -> dict[str, Any]:
        """Every row and definition, roles, settings, locks, slots, sessions and files of this moment."""
        if self.inspector is None:
            import psycopg

            place = f"host=127.0.0.1 port={self.port} dbname=shop user=postgres client_encoding=utf8"
            self.inspector = psycopg.connect(place, autocommit=True)
        tables = [
            name for (name,) in _asked(self.inspector, "select tablename from pg_tables where schemaname='public'")
        ]
        questions = {
            f"rows of {table}": f'select md5(string_agg(t::text, chr(10) order by t::text)) from "{table}" t'
            for table in tables
        }
        found = {what: _asked(self.inspector, question) for what, question in {**questions, **_QUESTIONS}.items()}
        return found | {"files": sorted(path.name for path in self.folder.iterdir()), "heard": self.heard()}


def _asked(connection: Any, statement: str) -> list[tuple[Any, ...]]:
    cursor = connection.execute(statement.encode())
    return cursor.fetchall() if cursor.description else []


_QUESTIONS = {
    "relations": "select oid, relname, relkind, relowner, relacl::text, reloptions::text from pg_class order by 1",
    "functions": "select oid, proname, prosrc from pg_proc order by 1",
    "roles": "select rolname, rolsuper, rolcanlogin, rolconfig::text, rolpassword from pg_authid natural join "
    "(select rolname, rolconfig from pg_roles) r order by 1",
    "memberships": "select roleid, member from pg_auth_members order by 1, 2",
    "defaults": "select setdatabase, setrole, setconfig::text from pg_db_role_setting order by 1, 2",
    "databases": "select datname, datacl::text from pg_database order by 1",
    "schemas": "select nspname, nspacl::text from pg_namespace order by 1",
    "extensions": "select extname from pg_extension order by 1",
    "triggers": "select tgname from pg_trigger order by 1",
    "comments": "select objoid, description from pg_description order by 1, 2",
    "large objects": "select oid from pg_largeobject_metadata order by 1",
    "slots": "select slot_name from pg_replication_slots order by 1",
    "prepared": "select gid from pg_prepared_xacts order by 1",
    "publications": "select pubname from pg_publication order by 1",
    "settings": "select name, setting from pg_settings order by 1",
    "settings in files": "select name, setting from pg_file_settings order by 1, 2",
    "sequences": "select sequencename, last_value from pg_sequences order by 1",
    "advisory locks": "select count(*) from pg_locks where locktype = 'advisory'",
    "bystanders": "select count(*) from pg_stat_activity where usename = 'app' and query like 'listen%'",
    "statistics since": "select stats_reset from pg_stat_bgwriter",
    "statements since": "select stats_reset from pg_stat_statements_info",
    "wal file": "select pg_walfile_name(pg_current_wal_lsn())",
    "next transaction": "select pg_snapshot_xmax(pg_current_snapshot())",
    "configuration of": "select pg_conf_load_time()",
}


def server_user() -> int | None:
    """PostgreSQL refuses root: then somebody else runs it."""
    if os.geteuid():
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_uid
        except KeyError:
            continue
    pytest.skip("PostgreSQL refuses root, and there is no other user")


@contextmanager
def postgresql_server(*settings: str, encoding: str = "UTF8") -> Iterator[PostgresqlServer]:
    initdb, postgres = require("initdb", "postgres", also_in=_BIN)
    user = server_user()
    with server_folder() as folder:
        data = folder / "data"
        data.mkdir(mode=0o700)
        if user is not None:
            os.chown(folder, user, user)
            os.chown(data, user, user)
        argv = [initdb, "-D", str(data), "-U", "postgres", "-A", "trust", "--no-sync", "-E", encoding, "--locale=C"]
        made = subprocess.run(argv, capture_output=True, cwd=folder, check=False, **as_user(user))
        assert made.returncode == 0, made.stderr.decode()
        port = free_port()
        lines = [_SETTINGS, f"port = {port}", f"unix_socket_directories = '{folder}'", *settings]
        (data / "postgresql.auto.conf").write_text("\n".join([*lines, ""]))
        # Passwords for roles that have one, over TCP; the superuser needs none.
        (data / "pg_hba.conf").write_text(
            "host all app,reader 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\nlocal all all trust\n"
            "local replication all trust\n"
        )
        server = PostgresqlServer(port, folder)
        with running(
            [postgres, "-D", str(data)], lambda: _ready(server), folder, user=user, ending=signal.SIGINT
        ) as process:
            server.process = process
            server.ask("create database shop", database="postgres")
            server.ask(_WORLD)
            yield server
            if server.inspector is not None:
                server.inspector.close()


@contextmanager
def standby_of(primary: PostgresqlServer, name: str = "standby") -> Iterator[PostgresqlServer]:
    """A copy of the server that follows it, made by pg_basebackup; it reads and takes no writes."""
    basebackup, postgres = require("pg_basebackup", "postgres", also_in=_BIN)
    user = server_user()
    with server_folder() as folder:
        data, port = folder / "data", free_port()
        if user is not None:
            os.chown(folder, user, user)
        place = f"host={primary.folder} port={primary.port} user=postgres application_name={name}"
        argv = [basebackup, "-D", str(data), "-R", "-X", "stream", "-c", "fast", "--no-sync", "-d", place]
        made = subprocess.run(argv, capture_output=True, cwd=folder, check=False, **as_user(user))
        assert made.returncode == 0, made.stderr.decode()
        with (data / "postgresql.auto.conf").open("a") as settings:
            settings.write(f"\nport = {port}\nunix_socket_directories = '{folder}'\n")
        server = PostgresqlServer(port, folder)
        with running(
            [postgres, "-D", str(data)], lambda: _ready(server), folder, user=user, ending=signal.SIGINT
        ) as process:
            server.process = process
            yield server


def _ready(server: PostgresqlServer) -> bool:
    import psycopg

    try:
        return bool(server.ask("select 1", database="postgres"))
    except psycopg.OperationalError:
        return False
