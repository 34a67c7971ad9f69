"""A real Redis, and everything in it as one value to compare."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers.server import answers, free_port, require, running, server_folder
from tests.waiting import PATIENCE_S, wait_until

PASSWORD = "Qz7-redis-password-31"


@dataclass
class RedisServer:
    """One server without a password for "default"; `ask` speaks to it as an administrator."""

    port: int
    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def socket(self) -> str:
        return str(self.folder / "r.sock")

    def ask(self, *words: Any) -> Any:
        import redis

        with redis.Redis(port=self.port, protocol=2, socket_timeout=PATIENCE_S) as client:
            return client.execute_command(*words)

    def fill(self) -> None:
        """Something of every type, in two databases, with a script, a function and a user."""
        import redis

        with redis.Redis(port=self.port) as client:
            client.flushall()
            client.function_flush()
            client.set("greeting", "안녕하세요")
            client.set("counter", 41)
            client.set("session", "abc", ex=86400)
            client.rpush("queue", *[f"job-{n}" for n in range(5)])
            client.hset("user:1", mapping={"name": "kim", "tier": "gold"})
            client.sadd("tags", "red", "green")
            client.zadd("scores", {"a": 1, "b": 2})
            client.xadd("events", {"kind": "deploy"}, id="1-1")
            client.xgroup_create("events", "readers", id="0")
            client.pfadd("visitors", *range(500))
            client.geoadd("places", (127.0, 37.5, "seoul"))
            client.function_load(
                "#!lua name=lib\nredis.register_function{function_name='peek', "
                "callback=function(k, a) return redis.call('GET', k[1]) end, flags={'no-writes'}}\n"
                "redis.register_function('poke', function(k, a) return redis.call('SET', k[1], 'poked') end)"
            )
            client.script_load("return redis.call('SET', KEYS[1], 'evil')")
            client.config_set("slowlog-log-slower-than", 0)
            client.ping()
            client.config_set("slowlog-log-slower-than", 10000)
            with contextlib.suppress(redis.AuthenticationError):
                client.execute_command("AUTH", "nobody", "nothing")
        with redis.Redis(port=self.port, db=1) as other:
            other.set("elsewhere", "1")

    def fingerprint(self) -> dict[str, Any]:
        """The values, times to live, functions, users and settings of this moment."""
        import redis

        found: dict[str, Any] = {"digest": self.ask("DEBUG", "DIGEST")}
        for database in (0, 1):
            with redis.Redis(port=self.port, db=database) as client:
                keys = sorted(client.keys())
                found[f"db{database}"] = {key: (client.dump(key), client.pexpiretime(key)) for key in keys}
        with redis.Redis(port=self.port) as client:
            found["functions"] = client.execute_command("FUNCTION", "LIST", "WITHCODE")
            found["users"] = client.acl_list()
            config = client.config_get("*")
            found["config"] = {name: config[name] for name in sorted(config)}
            found["scripts"] = client.info("memory")["number_of_cached_scripts"]
            found["groups"] = client.xinfo_groups("events")
            # Both grow by being looked at: what must not happen is that they are emptied.
            found["acl log kept"] = len(client.acl_log()) > 0
            found["slowlog kept"] = client.slowlog_len() > 0
            found["databases"] = client.dbsize()
            found["saved"] = client.lastsave()
            found["role"] = client.role()
            found["started"] = client.info("server")["run_id"]
        return found


@contextmanager
def redis_server(*settings: str, folder: Path | None = None, port: int = 0) -> Iterator[RedisServer]:
    """A server with these further arguments.

    Args:
        folder: one whose data it takes up; without it, an empty one of its own.
    """
    (binary,) = require("redis-server")
    with server_folder() as own:
        folder, port = folder or own, port or free_port()
        argv = [binary, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
        argv += ["--unixsocket", str(folder / "r.sock"), "--appendonly", "no", "--enable-debug-command", "local"]
        with running([*argv, *settings], lambda: answers(port), folder) as process:
            yield RedisServer(port, folder, process)


@contextmanager
def loading_server() -> Iterator[RedisServer]:
    """One that reads its data, for as long as anybody looks."""
    with server_folder() as folder:
        with redis_server(folder=folder) as first:
            first.ask("DEBUG", "POPULATE", "20000")
            first.ask("SAVE")
        slowly = ("--key-load-delay", "50000", "--loading-process-events-interval-bytes", "1024")
        with redis_server(*slowly, folder=folder) as server:
            yield server


@contextmanager
def cluster_of_two() -> Iterator[tuple[RedisServer, RedisServer]]:
    """Two nodes, each with half of the slots."""

    def node() -> contextlib.AbstractContextManager[RedisServer]:
        return redis_server("--cluster-enabled", "yes", "--cluster-port", str(free_port()))

    with node() as low, node() as high:
        low.ask("CLUSTER", "ADDSLOTSRANGE", "0", "8191")
        high.ask("CLUSTER", "ADDSLOTSRANGE", "8192", "16383")
        bus = int(high.ask("CONFIG", "GET", "cluster-port")[1])
        low.ask("CLUSTER", "MEET", "127.0.0.1", str(high.port), str(bus))
        for one in (low, high):
            wait_until(lambda one=one: b"cluster_state:ok" in one.ask("CLUSTER", "INFO"))  # type: ignore[misc]
        yield low, high
