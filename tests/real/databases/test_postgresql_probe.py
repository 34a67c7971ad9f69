"""A PostgreSQL server as a panel: what an on-call engineer sees of real locks, queries, standbys, and of no rights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from cockpit.monitor.sample import Level
from tests.real.databases.postgresql_watched import probe, server
from tests.servers.crowd import Crowd, crowd
from tests.servers.looking import level, rows, sampled, sampled_until, shown, values
from tests.servers.postgresql import PostgresqlServer, standby_of
from tests.waiting import until, wait_until

__all__ = ["server"]
pytestmark = pytest.mark.real


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
        lines = shown(sample, width)
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
        made = probe(server, "longest_query_s > 0.5 s red")
        await sampled_until(made, lambda each: (values(each)["longest_query_s"] or 0) > 0.5)
        younger = others.at_it("other", "select pg_sleep(999)")
        sample = await sampled_until(made, lambda each: len(rows(each, "query")) == 2)
        await made.close()

    assert sample.level is Level.RED
    assert [row["pid"] for row in rows(sample, "query")] == [older, younger]
    assert rows(sample, "query")[0]["wait"] == "Timeout/PgSleep"
    assert any("the report" in line for line in shown(sample, 100))
    assert values(sample)["active"] == 2


async def test_connections_are_counted_by_state_and_held_against_the_most(server: PostgresqlServer) -> None:
    with crowd(server) as others:
        made = probe(server, "connections_percent > 3 % yellow")
        others.joined("one", "select 1")
        others.at_it("three", "select pg_sleep(1000)")
        counts = {"connections": 3.0, "active": 1.0, "idle_in_transaction": 1.0}  # with the probe's own
        sample = await sampled_until(made, lambda each: counts.items() <= values(each).items())
        await made.close()

    assert values(sample)["connections_percent"] == 3.0
    assert sample.level is Level.GREEN


async def test_statements_that_are_slow_on_average_are_told(server: PostgresqlServer) -> None:
    server.ask("select pg_stat_statements_reset()")
    server.ask("select pg_sleep(0.6), 'a literal'")

    slow = await sampled(probe(server))
    none = await sampled(probe(server, slow_mean_ms=600_000))

    (row,) = rows(slow, "statement")
    assert row["text"] == "select pg_sleep($1), $2"
    assert row["mean_ms"] >= 600
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
    assert "GRANT pg_monitor" in " ".join(" ".join(shown(sample, 40)).split())
    server.ask("grant pg_monitor to weak")
    try:
        assert not rows(await sampled(probe(server, user="weak")), "note")
    finally:
        server.ask("revoke pg_monitor from weak")


async def test_rates_are_those_of_the_interval(server: PostgresqlServer) -> None:
    rolled_back = "select sum(xact_rollback) from pg_stat_database"
    ((before,),) = server.ask(rolled_back)
    made = probe(server)
    first = await made.sample()
    with crowd(server) as others:
        for _n in range(30):
            others.joined("failing", "select 1")  # rolled back when it leaves
    await until(lambda: server.ask(rolled_back)[0][0] >= before + 30)
    last = await sampled(made)

    assert (values(first)["rollback_percent"], values(first)["cache_hit_percent"]) == (None, None)
    assert 0 < values(last)["rollback_percent"] < 100
    assert 0 <= values(last)["cache_hit_percent"] <= 100


async def test_a_transaction_that_was_prepared_and_forgotten_is_told_as_what_it_is(server: PostgresqlServer) -> None:
    with crowd(server) as others:
        others.joined("broken-coordinator", "lock table guarded", "prepare transaction 'forgotten'")
        try:
            waiting = others.at_it("web", "select * from guarded")
            made = probe(server)
            sample = await sampled_until(made, lambda each: values(each)["blocked"] == 1)
            await made.close()
        finally:
            server.ask("rollback prepared 'forgotten'")

    (blocking,) = rows(sample, "blocking")
    assert (blocking["pid"], blocking["state"]) == (0, "prepared")
    assert [row["pid"] for row in rows(sample, "blocked")] == [waiting]
    assert "a prepared transaction holds up 1" in shown(sample, 100)[0]
    assert values(sample)["oldest_transaction_s"] >= 0


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

    assert level(sample, "deadlocks_change") is Level.YELLOW


def _second_half(server: PostgresqlServer, others: Crowd) -> str:
    """Another session holds row 13 and waits for row 11; what closes the circle."""
    others.at_it(
        "circle",
        "begin; set local deadlock_timeout = '1h'; update orders set total = 1 where id = 13; "
        "update orders set total = 1 where id = 11",
    )
    waiting = "select count(*) from pg_stat_activity where application_name = 'circle' and wait_event_type = 'Lock'"
    wait_until(lambda: server.ask(waiting) == [(1,)])
    return "update orders set total = 1 where id = 13"


async def test_a_standby_is_seen_from_both_sides(server: PostgresqlServer) -> None:
    with standby_of(server) as standby:
        made, own = probe(server), probe(standby, "replay_lag_bytes > 1 MB red")
        primary = await sampled_until(
            made, lambda each: any(r["state"].startswith("streaming") for r in rows(each, "standby"))
        )
        replica = await sampled_until(own, lambda each: values(each)["streaming"] is True)
        assert (values(primary)["standbys"], rows(primary, "standby")[0]["name"]) == (1.0, "standby")
        assert "in_recovery" not in values(primary)
        assert (values(replica)["in_recovery"], values(replica)["replay_lag_s"]) == (True, 0.0)
        assert replica.text.startswith("standby, 0 s behind")
        assert any("streaming" in line for line in shown(replica, 40))

        standby.ask("select pg_wal_replay_pause()")
        server.ask("insert into orders (buyer) select repeat('x', 1000) from generate_series(1, 3000)")
        behind = await sampled_until(own, lambda each: each.level is Level.RED)
        assert values(behind)["replay_lag_bytes"] > 1e6
        assert values(behind)["replay_paused"] is True
        assert "its replay is paused" in behind.text
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
