"""A PostgreSQL server as a panel: what an on-call engineer sees of real locks, queries, standbys, and of no rights."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from cockpit.config import ProbeConfig
from cockpit.config.bound import parse_bound
from cockpit.monitor.panel import fold_sample
from cockpit.monitor.probe import WatchedProbe
from cockpit.monitor.registry import build
from cockpit.monitor.sample import Level, Outcome, Sample
from cockpit.safety.redaction.redactor import Redactor
from screens.panels import detail_of
from tests.hostile import TEXTS, in_text
from tests.servers.postgresql import PostgresqlServer, postgresql_server, standby_of
from tests.servers.server import free_port
from tests.waiting import until

pytestmark = pytest.mark.real

_OURS = "application_name = 'incident-cockpit'"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresqlServer]:
    with postgresql_server("track_activity_query_size = 16384") as made:
        made.ask("create role weak login")
        yield made


def probe(
    server: PostgresqlServer,
    *,
    user: str = "postgres",
    bounds: tuple[str, ...] = (),
    deadline_s: float = 30.0,
    **more: Any,
) -> WatchedProbe:
    place = {"host": "127.0.0.1", "port": server.port, "database": "shop", "user": user, **more}
    thresholds = tuple(parse_bound(each, "test") for each in bounds)
    config = ProbeConfig(name="db", kind="postgresql", deadline_s=deadline_s, thresholds=thresholds, options=place)
    return build(config, Redactor().redact)


async def sampled(made: WatchedProbe) -> Sample:
    sample = await made.sample()
    await made.close()
    return sample


async def sampled_until(made: WatchedProbe, holds: Any) -> Sample:
    """Looks again and again until a sample is what is waited for."""
    found: list[Sample] = []

    async def look() -> bool:
        found.append(await made.sample())
        return bool(holds(found[-1]))

    await until(look)
    return found[-1]


def values(sample: Sample) -> dict[str, Any]:
    return {reading.name: reading.value for reading in sample.readings}


def rows(sample: Sample, what: str) -> list[Any]:
    return [row for row in sample.rows if row["what"] == what]


def shown(sample: Sample, width: int) -> str:
    return "\n".join(line.text for line in detail_of(fold_sample(None, sample), width))


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
            try:
                connection.execute(statement.encode("utf-8", "surrogatepass"))
            except psycopg.Error:
                pass  # cancelled at the end

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


async def test_who_waits_is_told_with_who_holds_it_and_what_for(server: PostgresqlServer) -> None:
    with crowd(server) as others:
        holder = others.joined("nightly-job", "lock table notes")
        first = others.at_it("web-1", "update notes set text = 'x' where id = 1")
        second = others.at_it("web-2", "select * from notes")
        made = probe(server)
        sample = await sampled_until(made, lambda each: values(each)["blocked"] == 2)
        await made.close()

    assert sample.level is Level.YELLOW
    assert f"2 blocked by {holder}" in sample.text
    (blocking,) = rows(sample, "blocking")
    assert (blocking["pid"], blocking["holds_up"], blocking["application"]) == (holder, 2, "nightly-job")
    assert (blocking["state"], blocking["text"]) == ("idle in transaction", "lock table notes")
    blocked = {row["pid"]: row for row in rows(sample, "blocked")}
    assert set(blocked) == {first, second}
    assert blocked[first]["wait"] == "RowExclusiveLock notes"
    assert all(str(holder) in row["holders"].split() for row in blocked.values())
    assert all(row["age_s"] <= values(sample)["blocked_s"] for row in blocked.values())
    for width in (40, 100):
        lines = shown(sample, width).splitlines()
        assert f"{holder} holds up 2" in lines[0]
        assert any(f"{first} waits" in line for line in lines)
        assert all(len(line) <= width for line in lines)


async def test_a_knot_of_three_is_told_with_the_one_at_its_end(server: PostgresqlServer) -> None:
    with crowd(server) as others:
        root = others.joined("root", "select * from orders where id = 1 for update")
        middle = others.joined("middle", "select * from orders where id = 2 for update")
        made = probe(server)
        await sampled_until(made, lambda each: values(each)["idle_in_transaction"] >= 2)
        last = others.at_it("last", "update orders set total = 0 where id = 2")
        sample = await sampled_until(made, lambda each: values(each)["blocked"] == 1)
        await made.close()

    assert [row["pid"] for row in rows(sample, "blocking")] == [middle]
    assert [row["pid"] for row in rows(sample, "blocked")] == [last]
    assert root in [row["pid"] for row in rows(sample, "idle")]


async def test_queries_over_their_bound_are_red_and_the_longest_comes_first(server: PostgresqlServer) -> None:
    with crowd(server) as others:
        older = others.at_it("report", "select pg_sleep(1000) /* the report */")
        made = probe(server, bounds=("longest_query_s > 0.5 s red",))
        await sampled_until(made, lambda each: (values(each)["longest_query_s"] or 0) > 0.5)
        younger = others.at_it("other", "select pg_sleep(999)")
        sample = await sampled_until(made, lambda each: len(rows(each, "query")) == 2)
        await made.close()

    assert sample.level is Level.RED
    assert [row["pid"] for row in rows(sample, "query")] == [older, younger]
    assert rows(sample, "query")[0]["wait"] == "Timeout/PgSleep"
    assert "the report" in shown(sample, 100)
    assert values(sample)["active"] == 2


async def test_connections_are_counted_by_state_and_held_against_the_most(server: PostgresqlServer) -> None:
    with crowd(server) as others:
        made = probe(server, bounds=("connections_percent > 3 % yellow",))
        others.joined("one", "select 1")
        others.at_it("three", "select pg_sleep(1000)")
        sample = await sampled_until(made, lambda each: values(each)["active"] == 1)
        await made.close()

    found = values(sample)
    assert (found["connections"], found["connections_percent"]) == (3.0, 3.0)  # with the probe's own
    assert (found["active"], found["idle_in_transaction"]) == (1.0, 1.0)
    assert sample.level is Level.GREEN


async def test_statements_that_are_slow_on_average_are_told(server: PostgresqlServer) -> None:
    server.ask("select pg_stat_statements_reset()")
    server.ask("select pg_sleep(0.02), 'a literal'")

    slow = await sampled(probe(server, slow_mean_ms=15))
    none = await sampled(probe(server, slow_mean_ms=600_000))

    (row,) = rows(slow, "statement")
    assert row["text"] == "select pg_sleep($1), $2"
    assert row["mean_ms"] >= 20
    assert (values(slow)["slow_statements"], values(none)["slow_statements"]) == (1.0, 0.0)


async def test_a_role_without_rights_is_told_what_is_hidden_from_it(server: PostgresqlServer) -> None:
    with crowd(server) as others:
        others.at_it("web", "select pg_sleep(1000)")
        sample = await sampled(probe(server, user="weak"))

    found = values(sample)
    assert sample.level is Level.YELLOW
    assert any("hidden: GRANT pg_monitor TO weak" in row["text"] for row in rows(sample, "note"))
    assert "active" not in found
    assert (found["longest_query_s"], found["blocked"]) == (None, None)
    assert "GRANT pg_monitor" in " ".join(shown(sample, 40).split())
    server.ask("grant pg_monitor to weak")
    try:
        assert not rows(await sampled(probe(server, user="weak")), "note")
    finally:
        server.ask("revoke pg_monitor from weak")


async def test_rates_are_those_of_the_interval(server: PostgresqlServer) -> None:
    made = probe(server)
    first = await made.sample()
    with crowd(server) as others:
        others.joined("quiet")
        for _n in range(30):
            others.joined("failing", "select 1")  # rolled back when it leaves
    last = await sampled_until(made, lambda each: values(each)["rollback_percent"] is not None)
    await made.close()

    assert (values(first)["rollback_percent"], values(first)["cache_hit_percent"]) == (None, None)
    assert values(last)["rollback_percent"] > 25  # connecting is a transaction too, and a good one
    assert 0 <= values(last)["cache_hit_percent"] <= 100


async def test_a_deadlock_is_told_once_it_happened(server: PostgresqlServer) -> None:
    made = probe(server)
    await made.sample()
    with crowd(server) as others:
        import psycopg

        place = f"host={server.folder} port={server.port} dbname=shop user=postgres"
        with psycopg.connect(place) as one:
            one.execute("set deadlock_timeout = '10ms'")
            one.execute("update orders set total = 1 where id = 11")
            holder = others.joined("other", "update orders set total = 1 where id = 12")
            assert holder
            others_wait = _second_half(server, others)
            with pytest.raises(psycopg.errors.DeadlockDetected):
                one.execute(others_wait)
    sample = await sampled_until(made, lambda each: values(each)["deadlocks_change"] == 1)
    await made.close()

    assert next(reading.level for reading in sample.readings if reading.name == "deadlocks_change") is Level.YELLOW


def _second_half(server: PostgresqlServer, others: Crowd) -> str:
    """Another session holds row 13 and waits for row 11; what closes the circle."""
    others.at_it(
        "circle",
        "begin; set local deadlock_timeout = '1h'; update orders set total = 1 where id = 13; "
        "update orders set total = 1 where id = 11",
    )
    from tests.waiting import wait_until

    waiting = "select count(*) from pg_stat_activity where application_name = 'circle' and wait_event_type = 'Lock'"
    wait_until(lambda: server.ask(waiting) == [(1,)])
    return "update orders set total = 1 where id = 13"


async def test_a_standby_is_seen_from_both_sides(server: PostgresqlServer) -> None:
    with standby_of(server) as standby:
        made, own = probe(server), probe(standby, bounds=("replay_lag_bytes > 1 MB red",))
        primary = await sampled_until(
            made, lambda each: any(r["state"].startswith("streaming") for r in rows(each, "standby"))
        )
        replica = await sampled_until(own, lambda each: values(each)["streaming"] is True)
        assert (values(primary)["standbys"], rows(primary, "standby")[0]["name"]) == (1.0, "standby")
        assert "in_recovery" not in values(primary)
        assert (values(replica)["in_recovery"], values(replica)["replay_lag_s"]) == (True, 0.0)
        assert replica.text.startswith("standby, 0 s behind")
        assert "streaming" in shown(replica, 40)

        standby.ask("select pg_wal_replay_pause()")
        server.ask("insert into orders (buyer) select repeat('x', 1000) from generate_series(1, 3000)")
        behind = await sampled_until(own, lambda each: each.level is Level.RED)
        assert values(behind)["replay_lag_bytes"] > 1e6
        late = await sampled_until(made, lambda each: (values(each)["standby_lag_bytes"] or 0) > 1e6)
        assert values(late)["standby_lag_s"] is None or values(late)["standby_lag_s"] >= 0
        server.ask("delete from orders where length(buyer) = 1000")
        standby.ask("select pg_wal_replay_resume()")

        server.ask("select pg_terminate_backend(pid) from pg_stat_replication")
        server.ask("alter system set max_wal_senders = 0")  # it can't come back before a restart, which never comes
        with standby_cut_off(server):
            alone = await sampled_until(own, lambda each: values(each)["streaming"] is False)
            assert "it receives nothing" in alone.text
            assert alone.level in (Level.YELLOW, Level.RED)
            gone = await sampled_until(made, lambda each: values(each)["standbys"] == 0)
            assert "standby_lag_s" not in values(gone)
        await made.close()
        await own.close()


@contextmanager
def standby_cut_off(server: PostgresqlServer) -> Iterator[None]:
    """Nobody may replicate for a while."""
    rules = server.folder / "data" / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text(before.replace("local replication all trust", "local replication all reject"))
    server.ask("alter system reset max_wal_senders")
    server.ask("select pg_reload_conf()")
    server.ask("select pg_terminate_backend(pid) from pg_stat_replication")
    try:
        yield
    finally:
        rules.write_text(before)
        server.ask("select pg_reload_conf()")


async def test_one_small_sealed_connection_is_kept(server: PostgresqlServer) -> None:
    made = probe(server)
    await made.sample()
    (pid,) = server.ask(f"select pid from pg_stat_activity where {_OURS}")
    await made.sample()
    assert server.ask(f"select pid from pg_stat_activity where {_OURS}") == [pid]
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
    assert server.process is not None
    made = probe(server, deadline_s=2.0)
    await made.sample()
    (backend,) = server.ask(f"select pid from pg_stat_activity where {_OURS}")[0]
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
    assert "[red]0" in rows(sample, "query")[0]["application"]


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

    samples = await asyncio.wait_for(asyncio.gather(made.sample()), 60)
    await made.close()

    assert samples[0].outcome is Outcome.FAILED
