"""Read-only PostgreSQL: everything that changes something, tried on a real server in every role; who enforces it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest

from cockpit.adapters.postgresql import seal
from cockpit.adapters.postgresql.adapter import PostgresqlAdapter, PostgresqlOptions
from cockpit.adapters.step_program.adapter import Task
from cockpit.adapters.step_program.page import Page
from cockpit.errors import CockpitError, PolicyRefusal
from cockpit.safety.judge import judge
from cockpit.safety.permit import Mode
from cockpit.safety.verdict import Judgement, Verdict
from tests.servers.postgresql import PostgresqlServer, postgresql_server
from tests.waiting import wait_until

pytestmark = pytest.mark.real

CHANGES = r"""
insert into notes values (3, 'x')
INSERT INTO notes VALUES (3, 'x')
update orders set total = 0
delete from orders
truncate notes
drop table notes
merge into notes using orders on false when not matched then insert values (7, 'x')
with gone as (delete from orders returning *) select * from gone
with x as (insert into notes values (3, 'x') returning id) select id from x
select * into copied from orders
create table copied as select * from orders
create temp table scratch (id int)
create view v as select 1
create function f() returns int language sql as 'select 1'
create role evil superuser
create schema evil
create extension pgcrypto
create index on orders (buyer)
create database evil
alter table orders add column evil int
alter system set work_mem = '64MB'
alter role app superuser
alter role app set default_transaction_read_only = off
alter database shop set work_mem = '64MB'
grant all on orders to public
revoke all on orders from app
comment on table orders is 'evil'
security label on table orders is 'evil'
reassign owned by app to postgres
reindex table orders
vacuum orders
analyze orders
cluster orders
refresh materialized view nothing
explain analyze insert into notes values (3, 'x')
explain (analyze, buffers) delete from orders
select poke()
select sly()
select note('x')
select * from note('x')
select lower(7)
select 7 ~~~ 8
select 7 operator(public.~~~) 8
select 7::mood
select cast(7 as mood)
select * from evil
select * from nested
table evil
select * from "evil"
select * from evil_feigned
select * from evil_made
select * from evil_as_another
select * from evil_locking
select * from evil_together
select * from evil_crosstab
select * from evil_xpath
select * from crosstab('select note(''x''), note(''y''), note(''z'')') as t(a text, b text)
select 7 <~> 8
select * from guarded
select 'x'::loud
select nextval('tickets')
select setval('tickets', 900)
select nextval('orders_id_seq')
select * from orders for update
select * from orders for share
select * from orders for no key update
select * from orders for key share skip locked
lock table orders
begin; insert into notes values (3, 'x'); commit
begin read write
begin read write; insert into notes values (3, 'x'); commit
start transaction read write
commit
commit; insert into notes values (3, 'x')
commit and chain
rollback
rollback; insert into notes values (3, 'x')
rollback and chain
end
abort
savepoint s
release s
prepare transaction 'evil'
commit prepared 'evil'
set transaction read write
set transaction_read_only = off
set transaction_read_only = off; insert into notes values (3, 'x')
set local transaction_read_only = off
set session characteristics as transaction read write
set default_transaction_read_only = off
set role postgres
set session authorization postgres
set search_path = evil
reset all
reset transaction_read_only
discard all
discard temp
select set_config('transaction_read_only', 'off', false)
select set_config('default_transaction_read_only', 'off', false)
select set_config('search_path', 'evil', true)
select pg_catalog.set_config('transaction_read_only', 'off', false)
select "set_config"('transaction_read_only', 'off', false)
select * from set_config('transaction_read_only', 'off', false)
update pg_settings set setting = 'off' where name = 'transaction_read_only'
do $$ begin insert into notes values (3, 'x'); end $$
do $$ begin commit; insert into notes values (3, 'x'); end $$
call nothing()
execute nothing
prepare p as insert into notes values (3, 'x')
deallocate all
declare c cursor for select 1
fetch all from c
close all
copy notes from stdin
copy notes to stdout
copy notes to '{folder}/stolen'
copy (select 1) to '{folder}/stolen'
copy (select 1) to program 'touch {folder}/ran'
copy notes from program 'touch {folder}/ran'
listen news
unlisten *
notify news, 'x'
load 'auto_explain'
checkpoint
import foreign schema public from server s into public
select pg_notify('news', 'x')
select pg_advisory_lock(1)
select pg_advisory_xact_lock(1)
select pg_try_advisory_lock(1)
select pg_advisory_lock_shared(1)
select pg_advisory_unlock_all()
select pg_cancel_backend(pid) from pg_stat_activity
select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen%'
select pg_reload_conf()
select pg_rotate_logfile()
select pg_switch_wal()
select pg_promote()
select pg_create_restore_point('x')
select pg_create_physical_replication_slot('evil')
select pg_create_logical_replication_slot('evil', 'test_decoding')
select pg_drop_replication_slot('evil')
select pg_logical_emit_message(false, 'a', 'b')
select pg_stat_reset()
select pg_stat_reset_shared('bgwriter')
select pg_stat_statements_reset()
select pg_export_snapshot()
select pg_current_xact_id()
select txid_current()
select lo_create(0)
select lo_creat(1)
select lo_from_bytea(0, 'x')
select lo_import('/etc/hostname')
select lo_export(1, '{folder}/stolen')
select lo_unlink(1)
select lo_put(1, 0, 'x')
select pg_read_file('/etc/hostname')
select pg_ls_dir('/')
select pg_file_write('{folder}/stolen', 'x', false)
select pg_import_system_collations('public')
select pg_wal_replay_pause()
select pg_backup_start('x')
select dblink_exec('dbname=shop port={port} host={folder} user=app', 'insert into notes values (3, ''x'')')
select * from dblink('dbname=shop port={port} host={folder}', 'insert into notes values (3) returning 1') as t(a int)
select dblink_connect('dbname=shop port={port} host={folder} user=app')
select query_to_xml('insert into notes values (3, ''x'')', true, true, '')
select query_to_xml('select poke()', true, true, '')
select table_to_xml('evil', true, true, '')
select database_to_xml(true, true, '')
select cursor_to_xml('c', 1, true, true, '')
select ts_stat('select note(''x'')::tsvector')
select * from ts_stat('select to_tsvector(note(''x''))')
select ts_rewrite('a'::tsquery, 'select note(''x'')::tsquery, note(''y'')::tsquery')
select pg_sleep(0.01)
select pg_sleep_for('10 ms')
select pg_catalog.pg_notify('news', 'x')
select "pg_notify"('news', 'x')
select PG_NOTIFY('news', 'x')
select pg_notify ('news', 'x')
select pg_notify/**/('news', 'x')
select pg_notify--
('news', 'x')
select U&"pg\005fnotify"('news', 'x')
select u&'\0041', pg_notify('news', 'x')
select E'\'', pg_notify('news', E'\'')
select '\', pg_notify('news', 'x') --'
select $$'$$, pg_notify('news', $$'$$)
select $a$ $b$ $a$, pg_notify('news', $b$ $a$ $b$)
select 1 /* */ , pg_notify('news', 'x') /* */
select case when true then pg_notify('news', 'x') end
select (select pg_notify('news', 'x'))
select array(select pg_notify('news', 'x'))
select * from orders where pg_notify('news', buyer) is not null limit 1
select * from orders order by pg_notify('news', buyer) limit 1
select * from orders limit (select length(pg_notify('news', 'x')::text))
select * from lateral (select pg_notify('news', 'x')) t
select * from rows from (pg_notify('news', 'x')) as t
values (pg_notify('news', 'x'))
select max(note(buyer)) over (partition by id) from orders
with recursive r as (select 1 as n union all select n + 1 from r where n < 3 and note('x') is not null) select * from r
select orders.note from orders
select (orders).note from orders
select 1; select 2; insert into notes values (3, 'x')
select 1;insert into notes values (3, 'x');
select 1 union select id from notes; delete from notes
\! touch {folder}/ran
\copy notes to '{folder}/stolen'
\o {folder}/stolen
select 1 \gexec
select 'insert into notes values (3)' \gexec
select 1 \g {folder}/stolen
\c shop postgres
\i /etc/hostname
"""
READS = r"""
select * from orders limit 3
select 1 /* /* */ , pg_notify('news', 'x') */
table notes
values (1), (2)
show server_version
show all
explain select * from orders
explain analyze select count(*) from orders
select count(*), sum(total), avg(total) from orders where buyer like 'buyer 1%' group by id having count(*) > 0
select id, next from plain limit 2
select said from honestly limit 2
select said from alike limit 2
select 'A'::citext = 'a', similarity('a', 'b') from orders where buyer % 'buyer' limit 1
select current_user, version(), now(), pg_backend_pid()
select pid, state, wait_event_type, left(query, 80) from pg_stat_activity order by pid
select relname, n_live_tup, n_dead_tup from pg_stat_user_tables
select calls, query from pg_stat_statements limit 5
select pg_size_pretty(pg_database_size(current_database()))
select locktype, mode, granted, pg_blocking_pids(pid) from pg_locks
with top as (select * from orders order by total desc limit 3) select * from top
select jsonb_build_object('a', 1)->>'a', '{1,2}'::int[], row_number() over (order by id) from orders limit 1
select * from information_schema.tables limit 1
select client_addr, state, sent_lsn from pg_stat_replication
select 'update' as verb, 'drop table x' as text, "id" from orders limit 1
"""


# What the server does in a read-only transaction all the same: another connection, another session's end, and a
# prepared transaction, which outlives this one. These only the judge holds back.
_PAST_THE_SERVER = "dblink|_backend|prepare transaction|{"


def _each(texts: str) -> list[str]:
    """One a line; a line that goes on ends in two dashes."""
    return [text.replace("\0", "--\n") for text in texts.replace("--\n", "\0").split("\n")[1:-1]]


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresqlServer]:
    import psycopg

    with postgresql_server() as made:
        place = f"host={made.folder} port={made.port} dbname=shop user=app"
        with psycopg.connect(place, autocommit=True) as bystander:
            bystander.execute("listen news")
            made.heard = lambda: sum(1 for _told in bystander.notifies(timeout=0))
            yield made


@pytest.fixture(scope="module")
def untouched(server: PostgresqlServer) -> dict[str, Any]:
    return server.fingerprint()


def _adapter(server: PostgresqlServer, user: str) -> PostgresqlAdapter:
    return PostgresqlAdapter(PostgresqlOptions(host=str(server.folder), port=server.port, database="shop", user=user))


def _perform(adapter: PostgresqlAdapter, body: str, **task: Any) -> str:
    page = BytesIO()
    adapter.perform(Task(language="sql", body=body, **task), Page(page))
    return page.getvalue().decode()


def _placed(server: PostgresqlServer, text: str) -> str:
    return text.replace("{folder}", str(server.folder)).replace("{port}", str(server.port))


@pytest.mark.parametrize("user", ["app", "postgres"])
@pytest.mark.parametrize("text", _each(CHANGES))
def test_nothing_changes_whatever_is_tried(
    server: PostgresqlServer, untouched: dict[str, Any], text: str, user: str
) -> None:
    with pytest.raises(CockpitError):
        _perform(_adapter(server, user), _placed(server, text), mode=Mode.LIVE)

    assert server.fingerprint() == untouched


@pytest.mark.parametrize("text", _each(CHANGES))
def test_the_judge_does_not_call_it_a_read(server: PostgresqlServer, text: str) -> None:
    judged = judge("sql", _placed(server, text)).verdict

    # What only the server's catalog can tell is the seal's: a view, a policy or an operator that calls something.
    hidden = ("evil", "nested", "guarded", "loud", "mood", "~~~", "<~>", "lower(7)", ".note")
    assert judged is not Verdict.READ_ONLY or any(name in text for name in hidden)


@pytest.mark.parametrize("user", ["app", "postgres", "reader"])
@pytest.mark.parametrize("text", _each(READS))
def test_what_reads_is_answered_and_changes_nothing(
    server: PostgresqlServer, untouched: dict[str, Any], text: str, user: str
) -> None:
    assert _perform(_adapter(server, user), text, mode=Mode.LIVE)

    assert server.fingerprint() == untouched


@pytest.mark.parametrize("user", ["postgres", "filer"])
def test_read_only_mode_refuses_roles_that_no_transaction_holds(server: PostgresqlServer, user: str) -> None:
    with pytest.raises(PolicyRefusal, match="pg_monitor"):
        _perform(_adapter(server, user), "select 1", mode=Mode.READ_ONLY)

    assert "1" in _perform(_adapter(server, user), "select 1", mode=Mode.LIVE)


def test_a_hostile_search_path_does_not_blind_the_seal(server: PostgresqlServer) -> None:
    server.ask(
        "create schema trap; create function trap.any_name(name, text[]) returns bool language sql as 'select true'"
    )
    server.ask("create function trap.current_setting(text) returns text language sql as 'select ''x'''")
    server.ask("alter role app set search_path = trap, pg_catalog, public; grant usage on schema trap to app")
    try:
        with pytest.raises(PolicyRefusal):
            _perform(_adapter(server, "app"), "select * from evil", mode=Mode.LIVE)
        assert "trap" in _perform(_adapter(server, "app"), "show search_path", mode=Mode.LIVE)
    finally:
        server.ask("alter role app reset search_path; drop schema trap cascade")


def test_who_enforces_it_is_told_of_each_role(server: PostgresqlServer) -> None:
    told = {user: _adapter(server, user).enforced(Task()) for user in ("postgres", "app", "filer", "reader")}

    assert told["postgres"].by == told["app"].by == told["filer"].by == "tool"
    assert "sly" in told["reader"].detail  # a function that acts as its owner
    server.ask("revoke execute on function sly() from public")
    try:
        assert _adapter(server, "reader").enforced(Task()).by == "server"
    finally:
        server.ask("grant execute on function sly() to public")


@pytest.mark.parametrize("text", [text for text in _each(CHANGES) if not re.search(_PAST_THE_SERVER, text)])
def test_the_server_alone_holds_an_ordinary_role_even_where_the_judge_is_blind(
    server: PostgresqlServer, untouched: dict[str, Any], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seal, "judge_sql", lambda _text: Judgement(Verdict.READ_ONLY))
    monkeypatch.setattr(seal, "_require_harmless", lambda _wire, _statement: None)
    with contextlib.suppress(CockpitError, ValueError):
        _perform(_adapter(server, "app"), text, mode=Mode.LIVE)

    # A lock ends with its connection, which the server gives up a moment after it was closed here.
    wait_until(lambda: server.fingerprint()["advisory locks"] == untouched["advisory locks"], "no lock left behind")
    after = server.fingerprint()
    for burnt in ("next transaction", "wal file"):  # numbers that are used up, and nothing that anybody sees
        after[burnt] = untouched[burnt]
    assert after == untouched
