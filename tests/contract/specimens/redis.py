"""Redis for the contract suite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cockpit.adapters.redis.adapter import RedisAdapter
from cockpit.adapters.redis.server import ServerOptions
from tests.contract.specimens.specimen import Specimen
from tests.servers.proxy import proxied
from tests.servers.redis import redis_server
from tests.servers.server import free_port


@contextmanager
def specimen() -> Iterator[Specimen]:
    with redis_server() as server, proxied(server.port) as proxy:
        server.fill()
        server.ask("SET", "large", "x" * 10_000_000)
        server.ask("SET", "no text", b"a\xff\xfeb\x1b[31m")
        yield Specimen(
            adapter=RedisAdapter(ServerOptions(host="127.0.0.1", port=proxy.port)),
            language="redis",
            cut=proxy.cut,
            hello='ECHO "hello"',
            streams=(
                "SUBSCRIBE news",
                b"subscribe",
                lambda: server.ask("PUBLISH", "news", "second") and server.ask("CLIENT", "KILL", "TYPE", "pubsub"),
                b"second",
            ),
            endless="XREAD BLOCK 0 STREAMS events $",
            at_it=lambda: b"flags=b" in server.ask("CLIENT", "LIST"),
            large="GET large",
            no_text='GET "no text"',
            as_shown=rb"a\xff\xfeb",
            echo=lambda value: f'ECHO "{value}"',
            with_input="ECHO $WORD",
            mistake="LPUSH greeting x",
            complaint=b"WRONGTYPE",
            changes="SET greeting changed",
            changes_slowly="BLPOP nothing 0",
            fingerprint=server.fingerprint,
            absent=RedisAdapter(ServerOptions(host="127.0.0.1", port=free_port())),
            library="redis",
            wrong_credentials=RedisAdapter(
                ServerOptions(host="127.0.0.1", port=server.port, user="nobody", password_env="COCKPIT_TEST_SECRET")
            ),
        )
