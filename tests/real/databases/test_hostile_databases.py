"""What databases hold can fool nobody: hostile rows, names, notices and errors, through the whole program."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from cockpit.adapters.postgresql.adapter import PostgresqlAdapter, PostgresqlOptions
from cockpit.adapters.step_program.adapter import Task
from cockpit.adapters.step_program.page import Page
from cockpit.errors import CockpitError
from cockpit.safety.permit import Mode
from tests.hostile import RAW, TEXTS, Hostile, in_text, offences
from tests.servers.postgresql import PostgresqlServer, postgresql_server
from tests.servers.redis import redis_server

pytestmark = pytest.mark.real

PIECES = [piece for piece in TEXTS if "\0" not in piece.text]


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresqlServer]:
    with postgresql_server() as made:
        yield made


def perform(server: PostgresqlServer, body: str, *, read_only: bool = True) -> str:
    options = PostgresqlOptions(host=str(server.folder), port=server.port, database="shop", user="app")
    page = BytesIO()
    task = Task(language="sql", body=body, read_only=read_only, mode=Mode.LIVE)
    PostgresqlAdapter(options).perform(task, Page(page))
    return page.getvalue().decode()


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def name(text: str) -> str:
    """As the name of a column: the server keeps 63 bytes of it."""
    return '"' + text.encode()[:60].decode("utf-8", "ignore").replace('"', '""') + '"'


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: piece.name)
def test_a_cell_and_a_columns_name_stay_what_they_are(server: PostgresqlServer, piece: Hostile) -> None:
    text, seen = piece.text, piece.seen
    shown = perform(server, f"select {literal(text)} as {name(text)}, array[{literal(text)}] as listed, 7 as seven")

    assert not list(in_text(shown.replace("\t", "")))
    assert seen.replace("\t", "␉") in shown
    lines = shown.splitlines()
    assert len(lines) == 4
    assert lines[2].endswith("7")


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: piece.name)
def test_a_notice_and_an_error_stay_what_they_are(server: PostgresqlServer, piece: Hostile) -> None:
    text = piece.text
    raised = f"do $q$ begin raise notice '%', {literal(text)}; raise exception '%', {literal(text)}; end $q$"
    options = PostgresqlOptions(host=str(server.folder), port=server.port, database="shop", user="app")
    page = BytesIO()

    with pytest.raises(CockpitError) as told:
        PostgresqlAdapter(options).perform(Task(language="sql", body=raised, read_only=False), Page(page))

    assert not list(in_text(page.getvalue().decode().replace("\t", "")))
    assert "\n" not in told.value.what


_BOOK = """# Hostile

```sql
select b, n, convert_from(b, 'UTF8') as t from hostile order by n
```

```sql
copy (select convert_from(b, 'UTF8') from hostile where n < 1000) to stdout
```

```sql
do $$ begin raise notice '%', (select string_agg(convert_from(b, 'UTF8'), '' order by n) from hostile); end $$
```

```redis
KEYS *
HGETALL hostile
CLIENT LIST
```

```redis
GET hostile-value
```

```sql
do $$ begin raise exception '%', (select string_agg(convert_from(b, 'UTF8'), '' order by n) from hostile); end $$
```
"""


def test_nothing_of_it_reaches_the_terminal_that_a_terminal_would_act_upon(
    server: PostgresqlServer, tmp_path: Path
) -> None:
    import redis

    server.ask("create table hostile (n int, b bytea); grant all on hostile to app")
    for number, piece in enumerate(PIECES):
        server.ask(f"insert into hostile values ({number}, '\\x{piece.text.encode('utf-8', 'surrogatepass').hex()}')")
    (tmp_path / "book.md").write_text(_BOOK)
    with redis_server() as cache:
        with redis.Redis(port=cache.port) as client:
            everything = "".join(piece.text for piece in TEXTS).encode("utf-8", "surrogatepass")
            everything += b"".join(data for _name, data, _seen in RAW)
            client.set("hostile-value", everything)
            client.set(b"key" + everything, 1)
            client.hset("hostile", everything, everything)
        (tmp_path / "cockpit.toml").write_text(
            f'[target.db]\nkind = "postgresql"\nhost = "{server.folder}"\nport = {server.port}\ndatabase = "shop"\n'
            f'user = "app"\n[target.cache]\nkind = "redis"\nhost = "127.0.0.1"\nport = {cache.port}\n'
        )
        places = {
            "COCKPIT_STATE_DIR": str(tmp_path / "s"),
            "COCKPIT_CONFIG": str(tmp_path / "cockpit.toml"),
        }
        done = subprocess.run(
            [sys.executable, "-m", "cockpit.cli", "run", "book.md", "--yes", "--keep-going"],
            env=os.environ | places,
            cwd=tmp_path,
            capture_output=True,
            timeout=120,
            check=False,
        )

    said = done.stdout + done.stderr
    assert "␛]0;pwned␇".encode() in said
    assert b"\\xff\\xfe" in said
    assert not list(offences(said.replace(b"\t", b"").replace(b"\n", b"")))
    assert b"Traceback" not in said
    assert done.stdout.count(b"passed") >= 5
