"""SQL steps on a real PostgreSQL: what a responder sees of results, of several statements, and of what goes wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from cockpit.adapters.postgresql.adapter import PostgresqlAdapter, PostgresqlOptions
from cockpit.adapters.step_program.adapter import Task
from cockpit.adapters.step_program.page import Page
from cockpit.errors import AccessDenied, CockpitError, Declined, PolicyRefusal, TargetUnreachable, TimedOut, UsageError
from cockpit.safety.permit import Mode
from tests.servers.crowd import crowd
from tests.servers.postgresql import PostgresqlServer, postgresql_server
from tests.servers.server import free_port
from tests.waiting import wait_until

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresqlServer]:
    with postgresql_server() as made:
        yield made


def perform(server: PostgresqlServer, body: str, *, user: str = "app", **task: Any) -> str:
    options = PostgresqlOptions(host=str(server.folder), port=server.port, database="shop", user=user)
    page = BytesIO()
    try:
        PostgresqlAdapter(options).perform(Task(language="sql", body=body, **task), Page(page))
    except CockpitError as error:
        error.add_note(page.getvalue().decode())
        raise
    return page.getvalue().decode()


def test_a_result_is_a_table_aligned_by_what_the_terminal_shows(server: PostgresqlServer) -> None:
    shown = perform(server, "select 1 as id, '홍길동' as buyer, 12.5 as total union all select 22, null, 7 order by 1")

    assert shown.splitlines() == [
        " id | buyer  | total",
        "----+--------+-------",
        "  1 | 홍길동 |  12.5",
        " 22 | NULL   |     7",
        "(2 rows)",
    ]


def test_what_is_too_wide_is_shown_one_value_a_line(server: PostgresqlServer) -> None:
    shown = perform(server, "select repeat('a', 100) as first, repeat('b', 100) as second")

    assert shown.splitlines()[:3] == ["-[ 1 ]-", f"first  | {'a' * 100}", f"second | {'b' * 100}"]


def test_a_hostile_cell_stays_in_its_cell(server: PostgresqlServer) -> None:
    shown = perform(server, r"select E'a\x1b[2Jb\n(1 row)\u202ec' as cell, 2 as two")

    assert shown.splitlines()[2] == " a␛[2Jb␊(1 row)<U+202E>c |   2"
    assert len(shown.splitlines()) == 4


def test_values_that_python_can_not_hold_are_shown_as_the_server_writes_them(server: PostgresqlServer) -> None:
    shown = perform(server, "select 'infinity'::timestamptz as a, '0044-03-15 BC'::date as b, 'NaN'::numeric as c")

    assert "infinity" in shown
    assert "0044-03-15 BC" in shown
    assert "NaN" in shown


def test_several_statements_run_one_after_the_other_with_what_each_did(server: PostgresqlServer) -> None:
    body = """
    create table steps (n int); -- a comment; with a semicolon
    insert into steps select generate_series(1, 3);
    create function twice(int) returns int language sql begin atomic select $1 * 2; end;
    select twice(max(n)) from steps;
    do $$ begin raise notice 'nearly; done'; end $$;
    drop function twice; drop table steps;
    """

    shown = perform(server, body, user="postgres", read_only=False)

    assert [line for line in shown.splitlines() if line.isupper() or "INSERT" in line or "NOTICE" in line] == [
        "CREATE TABLE",
        "INSERT 0 3",
        "CREATE FUNCTION",
        "NOTICE:  nearly; done",
        "DO",
        "DROP FUNCTION",
        "DROP TABLE",
    ]
    assert "     6" in shown


def test_the_first_that_fails_ends_the_step_and_says_which(server: PostgresqlServer) -> None:
    with pytest.raises(Declined, match="statement 2 of 3") as told:
        perform(server, "select 1;\nselect\n nope;\nselect 3", read_only=False)

    assert "line 3" in told.value.where
    assert 'column "nope" does not exist' in told.value.what


def test_inputs_are_parameters_wherever_they_stand(server: PostgresqlServer) -> None:
    values = {"NAME": "x'; drop table notes; --", "N": "2"}

    shown = perform(server, "select $NAME::text as name, id, '$NAME' as text from notes where id >= $N", values=values)

    assert "x'; drop table notes; --" in shown
    assert "$NAME" in shown


def test_a_transaction_that_nobody_committed_is_said_to_be_lost(server: PostgresqlServer) -> None:
    with pytest.raises(Declined, match="rolled back"):
        perform(server, "begin; update notes set text = 'lost'", read_only=False)

    assert perform(server, "begin; update notes set text = 'kept' where id = 2; commit", read_only=False)
    assert "lost" not in perform(server, "select * from notes")


def test_ten_million_rows_are_cut_at_the_first_thousand(server: PostgresqlServer) -> None:
    shown = perform(server, "select generate_series(1, 10000000) as n")

    assert shown.count("\n") == 1003
    assert "1000" in shown.splitlines()[-1]


def test_a_change_with_many_rows_is_done_whole_and_shown_in_part(server: PostgresqlServer) -> None:
    body = "insert into orders (buyer) select 'many' from generate_series(1, 1500) returning id"

    shown = perform(server, body, read_only=False)

    assert "1000 of 1500" in shown
    assert server.ask("delete from orders where buyer = 'many' returning 1") == [(1,)] * 1500


def test_a_lock_is_waited_for_only_so_long(server: PostgresqlServer, monkeypatch: pytest.MonkeyPatch) -> None:
    import psycopg

    monkeypatch.setattr("cockpit.adapters.postgresql.seal._LOCK_S", 0.2)
    with psycopg.connect(f"host={server.folder} port={server.port} dbname=shop user=postgres") as other:
        other.execute("lock table notes")
        with pytest.raises(TimedOut, match="pg_locks"):
            perform(server, "select * from notes")


def test_who_holds_the_lock_is_told_while_a_step_waits_and_when_it_gives_up(
    server: PostgresqlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cockpit.adapters.postgresql.wire.QUIET_S", 0.05)
    with crowd(server) as others:
        holder = others.joined("nightly-job", "lock table notes", "select 'tangerine-Zq7-Lx0' as password")
        with pytest.raises(TimedOut) as told:
            perform(server, "select * from notes", user="reader")
        with pytest.raises(TimedOut) as unseen:
            perform(server, "select * from notes", user="app")

    assert f"{holder} postgres (nightly-job), idle in transaction" in told.value.what
    assert f"waits for a lock that {holder} postgres (nightly-job)" in told.value.__notes__[0]
    assert "tangerine" not in repr(told.value) + told.value.__notes__[0]
    assert f"{holder} postgres (nightly-job) held the lock" in unseen.value.what


def test_a_change_goes_on_once_the_lock_is_let_go(server: PostgresqlServer, monkeypatch: pytest.MonkeyPatch) -> None:
    import psycopg

    monkeypatch.setattr("cockpit.adapters.postgresql.wire.QUIET_S", 0.05)
    with psycopg.connect(f"host={server.folder} port={server.port} dbname=shop user=postgres") as other:
        other.execute("lock table notes")
        waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"

        def let_go() -> None:
            wait_until(lambda: server.ask(waiting) == [(1,)])
            other.commit()

        letting_go = threading.Thread(target=let_go)
        letting_go.start()
        shown = perform(server, "update notes set text = text where id = 1", read_only=False)
        letting_go.join()

    assert shown.splitlines()[-1] == "UPDATE 1"


def test_a_statement_that_takes_too_long_is_ended_by_the_server(
    server: PostgresqlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cockpit.adapters.postgresql.seal._LONGEST_S", -0.8)

    with pytest.raises(TimedOut, match="statement timeout"):
        perform(server, "select count(*) from generate_series(1, 99999) a, generate_series(1, 99999) b")


def test_a_session_that_an_administrator_ended_is_said_so(server: PostgresqlServer) -> None:
    stop = threading.Event()

    def end_it() -> None:
        while not stop.is_set():
            server.ask(
                "select pg_terminate_backend(pid) from pg_stat_activity where query like 'select count(*) from gen%'"
            )

    ending = threading.Thread(target=end_it)
    ending.start()
    try:
        with pytest.raises(TargetUnreachable):
            perform(server, "select count(*) from generate_series(1, 99999) a, generate_series(1, 99999) b")
    finally:
        stop.set()
        ending.join()


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("select * from pg_authid", AccessDenied),
        ("drop table orders", AccessDenied),
        ("insert into orders (id) values (1)", Declined),
        ("select 1 / 0", Declined),
        ("copy notes from stdin", UsageError),
        ("select 'not closed", UsageError),
        (r"\dt", UsageError),
    ],
)
def test_each_refusal_is_told_as_what_it_is(server: PostgresqlServer, body: str, error: type[CockpitError]) -> None:
    with pytest.raises(error) as told:
        perform(server, body, read_only=False)

    assert type(told.value) is error
    assert "\n" not in told.value.what


def test_what_psql_would_show_differently_is_left_out(server: PostgresqlServer) -> None:
    assert "(1 row)" in perform(server, "\\timing on\n\\x\nselect 1;")


@pytest.mark.parametrize(
    "change", [{"port": 1}, {"database": "none"}, {"user": "nobody"}, {"host": "no.such.host.invalid"}]
)
def test_a_connection_that_is_not_made_is_told_with_what_to_look_at(
    server: PostgresqlServer, change: dict[str, Any]
) -> None:
    place: dict[str, Any] = {"host": "127.0.0.1", "port": server.port, "database": "shop", "user": "postgres"}

    with pytest.raises((TargetUnreachable, AccessDenied)) as told:
        PostgresqlAdapter(PostgresqlOptions(**{**place, **change})).perform(Task(body="select 1"), Page(BytesIO()))

    assert told.value.mend
    assert "\n" not in str(told.value)


def test_whom_a_document_names_gets_no_password_of_this_machine(
    server: PostgresqlServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PGPASSWORD", "app-password-19")
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pgpass"))
    (tmp_path / "pgpass").write_text("*:*:*:*:app-password-19\n")
    (tmp_path / "pgpass").chmod(0o600)
    options = PostgresqlOptions(host="127.0.0.1", port=server.port, database="shop", user="app")
    task = Task(language="sql", body="select 1", mode=Mode.LIVE)

    PostgresqlAdapter(options).perform(task, Page(BytesIO()))
    with pytest.raises(AccessDenied, match="no password"):
        PostgresqlAdapter(options, trusted=False).perform(task, Page(BytesIO()))


def test_a_server_that_reads_quotes_differently_gets_no_change(server: PostgresqlServer) -> None:
    server.ask("alter role app set standard_conforming_strings = off")
    try:
        with pytest.raises(UsageError, match="backslashes"):
            perform(server, "update notes set text = 'x'", read_only=False)
        with pytest.raises(PolicyRefusal):
            perform(server, r"select '\', pg_notify('news', '1') --'")
    finally:
        server.ask("alter role app reset standard_conforming_strings")


_RUNBOOK = """
# Orders are stuck

```bash
echo looking
```

```sql
select count(*) as orders from orders;
-- expected: > 10
```

```sql
insert into notes values (500, '<new-text>')
```
"""


def test_a_runbook_of_shell_and_sql_runs_each_step_where_it_belongs(server: PostgresqlServer, tmp_path: Path) -> None:
    (tmp_path / "book.md").write_text(_RUNBOOK)
    (tmp_path / "cockpit.toml").write_text(
        f'[target.orders]\nkind = "postgresql"\nhost = "127.0.0.1"\nport = {server.port}\ndatabase = "shop"\n'
        'user = "app"\npassword_env = "ORDERS_PASSWORD"\n'
    )
    environment = os.environ | {
        "COCKPIT_STATE_DIR": str(tmp_path / "state"),
        "COCKPIT_CONFIG": str(tmp_path / "cockpit.toml"),
        "ORDERS_PASSWORD": "app-password-19",
    }
    done = subprocess.run(
        [sys.executable, "-m", "cockpit.cli", "run", "book.md", "--yes", "--json", "--set", "new-text=it's done"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    events = [json.loads(line) for line in done.stdout.splitlines()]
    intents = [event["data"] for event in events if event["kind"] == "step.intent"]
    ends = [event["data"] for event in events if event["kind"] == "step.finished"]

    assert [(i["language"], i["target"], i["verdict"]) for i in intents] == [
        ("bash", "local", "read-only"),
        ("sql", "orders", "read-only"),
        ("sql", "orders", "mutating"),
    ], done.stderr
    assert [end["status"] for end in ends] == ["passed"] * 3
    assert server.ask("select text from notes where id = 500") == [("it's done",)]
    kept = b"".join(path.read_bytes() for path in (tmp_path / "state").rglob("*") if path.is_file())
    assert b"app-password-19" not in kept


def test_a_port_where_nobody_listens_is_no_database(tmp_path: Path) -> None:
    options = PostgresqlOptions(host="127.0.0.1", port=free_port(), database="shop", user="app")

    with pytest.raises(TargetUnreachable, match="refused"):
        PostgresqlAdapter(options).perform(Task(body="select 1"), Page(BytesIO()))
