"""A Redis server as a panel: full, refused, loading, cut off from its primary, unable to save, in a broken cluster."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import redis

from cockpit.monitor.probe import WatchedProbe
from cockpit.monitor.sample import Level, Outcome, Sample
from tests.servers import looking
from tests.servers.looking import level, rows, sampled, sampled_until, shown, values
from tests.servers.redis import PASSWORD, RedisServer, cluster_of_two, loading_server, redis_server
from tests.servers.server import free_port
from tests.waiting import until

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def shared() -> Iterator[RedisServer]:
    with redis_server() as made:
        yield made


@pytest.fixture
def server(shared: RedisServer) -> RedisServer:
    shared.ask("CONFIG", "SET", "maxmemory", "0")
    shared.fill()
    return shared


def probe(port: int, *bounds: str, **more: Any) -> WatchedProbe:
    return looking.probe("redis", *bounds, **{"host": "127.0.0.1", "port": port, **more})


def troubles(sample: Sample) -> str:
    return "\n".join(row["text"] for row in rows(sample, "trouble"))


async def test_a_healthy_server_is_told_with_what_it_holds(server: RedisServer) -> None:
    sample = await sampled(probe(server.port, "ping_ms > 10000 ms red", "memory_bytes > 10 GB red"))

    found = values(sample)
    assert (sample.outcome, sample.level) == (Outcome.DATA, Level.GREEN)
    assert (found["role"], found["saves"], found["keys"]) == ("primary", True, 11.0)
    assert found["ping_ms"] > 0
    assert found["memory_bytes"] > 500_000
    assert "memory_percent" not in found
    assert sample.text.startswith("primary · ping ")
    assert any("db0: 10 keys, 1 of them expire" in line for line in shown(sample, 100))
    assert not any("unsaved" in line for line in shown(sample, 40))


async def test_hits_are_those_of_the_interval_and_not_since_the_start(server: RedisServer) -> None:
    for _n in range(20):
        server.ask("GET", "nothing")
    made = probe(server.port, "hit_percent < 50 % red")
    first = await made.sample()
    for _n in range(8):
        server.ask("GET", "greeting")
    server.ask("GET", "nothing")
    server.ask("GET", "nothing")
    second = await made.sample()
    third = await sampled(made)

    assert (values(first)["hit_percent"], values(third)["hit_percent"]) == (None, None)
    assert (values(second)["hit_percent"], second.level) == (80.0, Level.GREEN)
    assert "hits 80 %" in second.text


async def test_a_full_server_that_must_keep_everything_is_red(server: RedisServer) -> None:
    server.ask("CONFIG", "SET", "maxmemory", str(int(server.ask("INFO", "memory")["used_memory"]) + 1000))
    sample = await sampled(probe(server.port))

    assert sample.level is Level.RED
    assert "OOM" in troubles(sample)
    assert values(sample)["memory_percent"] > 95
    assert "memory is full" in shown(sample, 40)[0]


async def test_a_full_cache_that_throws_away_what_is_old_is_told_by_its_evictions(server: RedisServer) -> None:
    server.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-random")
    try:
        server.ask("DEBUG", "POPULATE", "5000", "old", "100")
        server.ask("CONFIG", "SET", "maxmemory", str(int(server.ask("INFO", "memory")["used_memory"]) - 100_000))
        made = probe(server.port)
        full = await made.sample()
        server.ask("DEBUG", "POPULATE", "2000", "new", "100")
        server.ask("SET", "one", "more")
        evicting = await sampled_until(made, lambda each: values(each)["evictions_per_s"])
        await made.close()
    finally:
        server.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")

    assert level(full, "memory_percent") is not Level.RED
    assert (evicting.level, level(evicting, "evictions_per_s")) == (Level.YELLOW, Level.YELLOW)
    assert "evicted" in evicting.text


async def test_clients_that_are_refused_and_blocked_are_told(server: RedisServer) -> None:
    made = probe(server.port)
    await made.sample()
    server.ask("CONFIG", "SET", "maxclients", "6")
    with ExitStack() as stack:
        try:
            waiting = redis.Redis(port=server.port).connection_pool.make_connection()
            stack.callback(waiting.disconnect)
            waiting.send_command("BLPOP", "nothing", "0")  # type: ignore[no-untyped-call]
            for _n in range(6):
                one = redis.Redis(port=server.port, socket_timeout=30)
                stack.callback(one.close)
                try:
                    one.ping()
                except redis.ConnectionError:
                    break
            sample = await sampled_until(
                made, lambda each: "refused" in troubles(each) and values(each)["blocked_clients"]
            )
            shut_out = await sampled(probe(server.port))
        finally:
            stack.close()
            await until(lambda: _quiet(server))
            server.ask("CONFIG", "SET", "maxclients", "10000")
    await made.close()

    assert sample.level is Level.RED
    assert values(sample)["blocked_clients"] == 1
    assert level(sample, "clients_percent") is Level.RED
    assert shut_out.outcome is Outcome.FAILED
    assert "maxclients" in shut_out.mend


def _quiet(server: RedisServer) -> bool:
    try:
        return bool(server.ask("PING"))
    except redis.ConnectionError:
        return False


async def test_a_server_that_reads_its_data_says_how_far_it_is() -> None:
    with loading_server() as server:
        sample = await sampled(probe(server.port))

    assert (sample.outcome, sample.level) == (Outcome.DATA, Level.RED)
    assert "LOADING" in sample.text
    assert values(sample)["ping_ms"] is None
    assert "LOADING" in shown(sample, 40)[0]


async def test_a_replica_tells_of_its_link_and_the_primary_of_its_replicas(server: RedisServer) -> None:
    with redis_server("--repl-diskless-sync-delay", "0") as replica:
        server.ask("CONFIG", "SET", "repl-diskless-sync-delay", "0")
        replica.ask("REPLICAOF", "127.0.0.1", server.port)
        follower, leader = probe(replica.port), probe(server.port)
        following = await sampled_until(follower, lambda each: values(each).get("link_up") is True)
        led = await sampled_until(leader, lambda each: "online" in "\n".join(shown(each, 100)))
        replica.ask("REPLICAOF", "127.0.0.1", free_port())
        alone = await sampled_until(follower, lambda each: values(each).get("link_up") is False)
        await follower.close()
        await leader.close()

    assert (values(following)["role"], following.level) == ("replica", Level.GREEN)
    assert values(led)["replicas"] == 1
    assert alone.level is Level.RED
    assert "the link to 127.0.0.1:" in troubles(alone)


async def test_one_that_can_not_save_is_red(server: RedisServer) -> None:
    (server.folder / "dump.rdb").unlink(missing_ok=True)
    (server.folder / "dump.rdb").mkdir()
    (server.folder / "dump.rdb" / "in the way").touch()
    try:
        server.ask("BGSAVE")
        sample = await sampled_until(probe(server.port), lambda each: values(each)["saves"] is False)
    finally:
        (server.folder / "dump.rdb" / "in the way").unlink()
        (server.folder / "dump.rdb").rmdir()
        server.ask("SAVE")

    assert sample.level is Level.RED
    assert "rdb_last_bgsave_status" in troubles(sample)


async def test_a_cluster_without_all_its_slots_is_red() -> None:
    with redis_server("--cluster-enabled", "yes", "--cluster-port", str(free_port())) as lonely:
        broken = await sampled(probe(lonely.port))
    with cluster_of_two() as (low, _high):
        whole = await sampled(probe(low.port))

    assert (broken.level, whole.level) == (Level.RED, Level.GREEN)
    assert "cluster_state is fail" in broken.text


async def test_what_it_refuses_is_told_by_its_name(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COCKPIT_TEST_CACHE", PASSWORD)
    monkeypatch.setenv("COCKPIT_TEST_WRONG", "Qz7-not-the-password")
    server.ask("ACL", "SETUSER", "narrow", "on", f">{PASSWORD}", "+ping")
    server.ask("ACL", "SETUSER", "nothing", "on", f">{PASSWORD}")
    server.ask("CONFIG", "SET", "requirepass", PASSWORD)
    try:
        nobody = await sampled(probe(server.port))
        wrong = await sampled(probe(server.port, password_env="COCKPIT_TEST_WRONG"))
        right = await sampled(probe(server.port, password_env="COCKPIT_TEST_CACHE"))
        narrow = await sampled(probe(server.port, user="narrow", password_env="COCKPIT_TEST_CACHE"))
        nothing = await sampled(probe(server.port, user="nothing", password_env="COCKPIT_TEST_CACHE"))
    finally:
        with redis.Redis(port=server.port, password=PASSWORD) as client:
            client.config_set("requirepass", "")
        server.ask("ACL", "DELUSER", "narrow", "nothing")

    assert [each.level for each in (nobody, wrong, nothing)] == [Level.YELLOW] * 3
    assert "NOAUTH" in nobody.error
    assert "password_env" in nobody.mend
    assert "WRONGPASS" in wrong.error
    assert "NOPERM" in nothing.error
    assert right.outcome is Outcome.DATA
    assert (narrow.outcome, values(narrow)["memory_bytes"]) == (Outcome.DATA, None)
    assert "+info" in narrow.mend
    assert PASSWORD not in repr((nobody, wrong, right, narrow, nothing))


async def test_a_frozen_server_costs_its_own_panel_and_is_there_again_afterwards() -> None:
    with redis_server() as server:
        made = probe(server.port, deadline_s=5.0)
        await sampled_until(made, lambda each: each.outcome is Outcome.DATA)
        os.kill(server.process.pid, signal.SIGSTOP)
        try:
            hung = await made.sample()
        finally:
            os.kill(server.process.pid, signal.SIGCONT)
        well = await sampled_until(made, lambda each: each.outcome is Outcome.DATA)
        await made.close()

    assert (hung.outcome, hung.level) == (Outcome.FAILED, Level.RED)
    assert hung.mend
    assert well.level is Level.GREEN


async def test_one_connection_is_kept_and_made_anew_when_somebody_ends_it(server: RedisServer) -> None:
    def ours() -> list[bytes]:
        return [line for line in server.ask("CLIENT", "LIST").splitlines() if b"name=incident-cockpit" in line]

    await until(lambda: not ours())
    made = probe(server.port)
    await made.sample()
    (first,) = ours()
    await made.sample()
    (again,) = ours()
    server.ask("CLIENT", "KILL", "ID", first.split(b" ")[0].removeprefix(b"id="))
    sample = await made.sample()
    (other,) = ours()
    await made.close()

    assert first.split(b" ")[0] == again.split(b" ")[0] != other.split(b" ")[0]
    assert sample.outcome is Outcome.DATA
    await until(lambda: not ours())


async def test_looks_change_nothing(server: RedisServer) -> None:
    before = server.fingerprint()
    made = probe(server.port)
    for _n in range(3):
        assert (await made.sample()).outcome is Outcome.DATA
    await made.close()

    assert server.fingerprint() == before
