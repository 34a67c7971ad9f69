"""What a look at PostgreSQL leaves behind, what it does when it can't look, and what it must not show."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

import pytest

from cockpit.config import ProbeConfig
from cockpit.monitor.panel import fold_sample
from cockpit.monitor.registry import build
from cockpit.monitor.sample import Level, Outcome
from screens.panels import detail_of
from tests.hostile import TEXTS, in_text
from tests.real.databases.postgresql_watched import probe, server
from tests.servers.crowd import crowd
from tests.servers.looking import rows, sampled, sampled_until, values
from tests.servers.postgresql import PostgresqlServer, postgresql_server
from tests.servers.server import free_port
from tests.waiting import until

__all__ = ["server"]
pytestmark = pytest.mark.real

_OURS = "application_name = 'incident-cockpit'"


async def one_connection(server: PostgresqlServer) -> int:
    """The pid of the one that the probe has, once those of looks before are gone."""
    ours = f"select pid from pg_stat_activity where {_OURS}"
    await until(lambda: len(server.ask(ours)) == 1)
    return int(server.ask(ours)[0][0])


async def test_one_small_sealed_connection_is_kept(server: PostgresqlServer) -> None:
    made = probe(server)
    await made.sample()
    pid = await one_connection(server)
    await made.sample()
    assert await one_connection(server) == pid
    assert server.ask(f"select state from pg_stat_activity where {_OURS}") == [("idle",)]
    await made.close()
    await until(lambda: server.ask(f"select pid from pg_stat_activity where {_OURS}") == [])


async def test_a_connection_that_somebody_ended_is_made_anew_at_once(server: PostgresqlServer) -> None:
    made = probe(server)
    await made.sample()
    server.ask(f"select pg_terminate_backend(pid) from pg_stat_activity where {_OURS}")
    await until(lambda: server.ask(f"select pid from pg_stat_activity where {_OURS}") == [])

    sample = await sampled(made)

    assert sample.outcome is Outcome.DATA


async def test_looks_change_nothing(server: PostgresqlServer) -> None:
    before = server.fingerprint()
    made = probe(server)
    for _n in range(3):
        assert (await made.sample()).outcome is Outcome.DATA
    await made.close()

    assert server.fingerprint() == before


async def test_a_server_that_hangs_costs_its_own_panel_only_and_comes_back(server: PostgresqlServer) -> None:
    made = probe(server, deadline_s=5.0)
    await sampled_until(made, lambda each: each.outcome is Outcome.DATA)
    backend = await one_connection(server)
    os.kill(backend, signal.SIGSTOP)
    try:
        hung = await made.sample()
    finally:
        os.kill(backend, signal.SIGCONT)
    sample = await sampled_until(made, lambda each: each.outcome is Outcome.DATA)
    await made.close()

    assert (hung.outcome, hung.level) == (Outcome.FAILED, Level.RED)
    assert "does not answer" in hung.error
    assert sample.outcome is Outcome.DATA


@pytest.mark.parametrize(
    ("change", "level", "told"),
    [
        ({"port": 1}, Level.RED, "refused"),
        ({"user": "nobody"}, Level.YELLOW, "nobody"),
        ({"database": "none"}, Level.RED, "none"),
        ({"host": "no.such.host.invalid"}, Level.RED, "host"),
    ],
)
async def test_what_keeps_it_from_looking_is_told_with_a_mend(
    server: PostgresqlServer, change: dict[str, Any], level: Level, told: str
) -> None:
    made = probe(server, **change)
    first = await made.sample()
    again = await sampled(made)

    assert (first.outcome, first.level) == (Outcome.FAILED, level)
    assert told in first.error
    assert first.mend
    assert again.error == first.error


async def test_a_server_without_a_free_connection_is_told_as_that() -> None:
    settings = ("max_connections = 5", "superuser_reserved_connections = 1", "max_wal_senders = 0")
    with postgresql_server(*settings) as small, crowd(small) as others:
        small.ask("create role plain login")
        for number in range(4):
            others.joined(f"hog-{number}", user="plain")
        sample = await sampled(probe(small, user="plain"))

    assert sample.outcome is Outcome.FAILED
    assert "max_connections" in sample.mend


async def test_hostile_texts_of_other_sessions_are_shown_and_do_nothing(server: PostgresqlServer) -> None:
    texts = [piece for piece in TEXTS if "\0" not in piece.text]
    with crowd(server) as others:
        for number in range(0, len(texts), 16):
            together = "".join(piece.text.replace("'", "''").replace("*/", "") for piece in texts[number : number + 16])
            others.at_it(f"x\x1b]0;title\x07[red]{number}", f"select pg_sleep(1000), '{together}'")
        made = probe(server)
        sample = await sampled_until(made, lambda each: len(rows(each, "query")) == 4)
        await made.close()

    for width in (40, 100, 400):
        for line in detail_of(fold_sample(None, sample), width):
            assert not list(in_text(line.text)), line.text
    told = "\n".join(row["text"] for row in rows(sample, "query"))
    assert "␛]0;pwned␇" in told or "␛]52;c;" in told
    assert any("[red]0" in row["application"] for row in rows(sample, "query"))


@pytest.mark.parametrize(
    "statement",
    [
        "alter role app password '{secret}'",
        "alter role app with encrypted password $${secret}$$",
        "alter role app password e'\\x5a{secret}'",
        "select pg_sleep(1000), crypt_it('{secret}') from (select 1 as crypt) x",
        "select 1 -- insert into users (name, password) values ('bob', '{secret}')",
        "select '{padding}', 'password', '{secret}'",
    ],
)
async def test_secrets_in_statements_of_others_are_in_no_sample(server: PostgresqlServer, statement: str) -> None:
    secret = "tangerine-Zq7-Lx0-Wv4"
    text = statement.format(secret=secret, padding="x" * 16000 if "padding" in statement else "")
    with crowd(server) as others:
        # Held up before it is done: the role's row is locked by another.
        holder = others.joined("holder", "select * from pg_authid where rolname = 'app' for update", "lock table notes")
        others.at_it("secretive", f"select 1; lock table notes; {text}" if "role" not in text else text)
        made = probe(server)
        sample = await sampled_until(made, lambda each: values(each)["blocked"] == 1)
        await made.close()

    (row,) = rows(sample, "blocked")
    assert str(holder) in row["holders"]
    assert "tangerine" not in repr(sample)
    assert "Zq7-Lx0" not in repr(sample)


async def test_nothing_there_is_no_database(tmp_path: Any) -> None:
    config = {"host": "127.0.0.1", "port": free_port(), "database": "x", "user": "x"}
    made = build(ProbeConfig(name="db", kind="postgresql", options=config), lambda text: text)

    async with asyncio.timeout(60):
        sample = await made.sample()
    await made.close()

    assert sample.outcome is Outcome.FAILED
