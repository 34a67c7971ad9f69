"""Redis commands as steps on real servers: values of every sort and size, what has no end, each way of saying no."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from io import BytesIO

import pytest
import redis

from cockpit.adapters.redis import adapter as steps
from cockpit.adapters.redis.adapter import RedisAdapter
from cockpit.adapters.redis.server import ServerOptions
from cockpit.adapters.step_program.adapter import Task
from cockpit.adapters.step_program.page import Page
from cockpit.errors import AccessDenied, CockpitError, Declined
from tests.hostile import TEXTS, in_text
from tests.servers.redis import PASSWORD, RedisServer, cluster_of_two, loading_server, redis_server
from tests.servers.server import free_port
from tests.waiting import wait_until

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def shared() -> Iterator[RedisServer]:
    with redis_server() as made:
        yield made


@pytest.fixture
def server(shared: RedisServer) -> RedisServer:
    shared.fill()
    return shared


def perform(server: RedisServer, body: str, *, read_only: bool = True) -> str:
    page = BytesIO()
    adapter = RedisAdapter(ServerOptions(host="127.0.0.1", port=server.port))
    adapter.perform(Task(language="redis", body=body, read_only=read_only), Page(page))
    return page.getvalue().decode()


def refused(server: RedisServer, body: str) -> CockpitError:
    with pytest.raises(CockpitError) as told:
        perform(server, body, read_only=False)
    assert told.value.where
    return told.value


def test_values_of_every_sort_are_shown_as_what_they_are(server: RedisServer) -> None:
    server.ask("SET", "bytes", bytes(range(256)))
    server.ask("RPUSH", "mixed", b"\xff\x00", "한글", "")

    assert perform(server, "GET greeting") == "안녕하세요\n"
    assert perform(server, "GET nothing") == "(nil)\n"
    assert perform(server, "LLEN queue") == "(integer) 5\n"
    assert perform(server, "LRANGE mixed 0 -1").splitlines() == ['1) "\\xff\\x00"', '2) "한글"', '3) ""']
    assert perform(server, "LRANGE nothing 0 -1") == "(empty array)\n"
    shown = perform(server, "GET bytes")
    assert "␀␁" in shown
    assert "\\xff" in shown
    assert not list(in_text(shown.replace("\t", "")))


def test_a_value_of_many_megabytes_is_shown_in_part_and_says_so(server: RedisServer) -> None:
    server.ask("SETRANGE", "binary", 48 * (1 << 20) - 1, "x")
    server.ask("SET", "big", "x" * 48 * (1 << 20))
    server.ask("RPUSH", "bigs", "x" * 5_000_000, "last")
    try:
        shown = perform(server, "GET big")
        binary = perform(server, "GET binary")
        listed = perform(server, "LRANGE bigs 0 -1")
    finally:
        server.ask("DEL", "big", "binary", "bigs")

    assert shown.splitlines()[-1] == "… the first 33554432 of 50331648 bytes; the rest is not shown"
    assert binary.splitlines()[-1] == "… the first 1048576 of 50331648 bytes; the rest is not shown"
    assert "of 5000000 bytes" in listed
    assert listed.splitlines()[-1] == '2) "last"'
    assert len(listed) < 1_100_000


def test_a_list_of_a_quarter_million_is_shown_in_part(server: RedisServer) -> None:
    with redis.Redis(port=server.port) as client, client.pipeline(transaction=False) as pipe:
        for at in range(0, 250_000, 10_000):
            pipe.rpush("long", *range(at, at + 10_000))
        pipe.execute()

    lines = perform(server, "LRANGE long 0 -1").splitlines()

    assert len(lines) == 100_001
    assert lines[-1].startswith("… more than 100000 lines")


def test_what_has_no_end_is_listened_to_for_a_while(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "LISTEN_MESSAGES", 20)
    stop = threading.Event()

    def talk() -> None:
        while not stop.is_set():
            server.ask("PUBLISH", "news", "again")

    talking = threading.Thread(target=talk)
    talking.start()
    try:
        heard = perform(server, "SUBSCRIBE news")
        watched = perform(server, "MONITOR")
    finally:
        stop.set()
        talking.join()
    monkeypatch.setattr(steps, "LISTEN_S", 0.01)
    silent = perform(server, "SUBSCRIBE nobody-speaks")

    assert heard.count('"again"') == 20
    assert heard.splitlines()[-1] == "(listened to 20 messages)"
    assert "PUBLISH" in watched
    assert silent.splitlines()[-1] == "(listened for 0.01 s)"


def test_hostile_keys_values_and_client_names_are_shown_and_do_nothing(server: RedisServer) -> None:
    with redis.Redis(port=server.port) as client:
        for number, piece in enumerate(TEXTS):
            text = piece.text.encode("utf-8", "surrogatepass")
            client.set(b"k%03d" % number + text, text)
            client.hset("hostile", text, text)
        client.config_set("slowlog-log-slower-than", 0)
        client.get(b"slow\x1b]0;pwned\x07")
        client.config_set("slowlog-log-slower-than", 10000)
        client.execute_command("CLIENT", "SETNAME", "[red]\\x1b[2J")
        body = "KEYS k*\nHGETALL hostile\nCLIENT LIST\nSLOWLOG GET 5\nSCAN 0 COUNT 1000\n"
        body += 'GET "k007\\x1bc"\nEVAL_RO "return redis.error_reply(KEYS[1])" 1 x'
        shown = perform(server, body.rpartition("\n")[0])

    assert not list(in_text(shown))
    assert "\\x1b]0;pwned\\x07" in shown
    assert "[red]\\x1b[2J" in shown
    error = refused(server, 'EVAL "return redis.error_reply(ARGV[1])" 0 "\\x1b]0;pwned\\x07 [red]no"')
    assert "no" in error.what


@pytest.mark.parametrize("written", ["GET", "SET", "INCR"])
def test_one_that_reads_its_data_says_so(written: str) -> None:
    with loading_server() as server:
        told = refused(server, f"{written} key 1" if written == "SET" else f"{written} key")

    assert type(told) is Declined
    assert told.what.startswith("LOADING")
    assert "try again" in told.mend


def test_a_replica_refuses_writes_by_name(server: RedisServer) -> None:
    with redis_server() as replica:
        replica.ask("REPLICAOF", "127.0.0.1", server.port)
        told = refused(replica, "SET a b")

    assert type(told) is Declined
    assert told.what.startswith("READONLY")
    assert "primary" in told.mend


def test_a_cluster_names_the_node_the_slot_and_what_is_missing() -> None:
    with cluster_of_two() as (low, high):
        moved = [error for node in (low, high) for error in [_refusal_of(node, "GET key")] if error]
        crossed = refused(low, "MGET a b c")
    with redis_server("--cluster-enabled", "yes", "--cluster-port", str(free_port())) as lonely:
        down = refused(lonely, "GET key")

    assert [error.what.split()[0] for error in moved] == ["MOVED"]  # the other of the two has it
    assert f"127.0.0.1:{high.port}" in moved[0].what
    assert "node it names" in moved[0].mend
    assert crossed.what.startswith("CROSSSLOT")
    assert down.what.startswith("CLUSTERDOWN")
    assert all(error.mend for error in (crossed, down))


def _refusal_of(server: RedisServer, body: str) -> CockpitError | None:
    try:
        perform(server, body)
    except CockpitError as error:
        return error
    return None


def test_a_server_with_a_password_lets_nobody_in_without_it() -> None:
    with redis_server("--requirepass", PASSWORD) as shut:
        told = refused(shut, "GET a")

    assert type(told) is AccessDenied
    assert told.what.startswith("NOAUTH")
    assert "password_env" in told.mend


def test_a_full_server_one_that_can_not_save_and_one_with_a_script_say_so(server: RedisServer) -> None:
    with redis_server("--maxmemory", "500kb") as full:
        out_of_memory = refused(full, f"SET a {'x' * 1000}")
    with redis_server() as broken:
        broken.ask("PING")  # it has looked for what was saved
        (broken.folder / "dump.rdb").mkdir()
        (broken.folder / "dump.rdb" / "in the way").touch()
        broken.ask("CONFIG", "SET", "save", "1 1")
        broken.ask("SET", "a", "b")
        wait_until(lambda: broken.ask("INFO", "persistence")["rdb_last_bgsave_status"] == "err")
        misconfigured = refused(broken, "SET a b")
        broken.ask("CONFIG", "SET", "save", "")
    denied = refused(server, "EVAL 'return redis.error_reply(\"NOREPLICAS Not enough good replicas\")' 0")

    told = [out_of_memory, misconfigured, denied]
    assert [error.what.split()[0] for error in told] == ["OOM", "MISCONF", "NOREPLICAS"]
    assert all(type(error) is Declined and error.mend for error in told)
