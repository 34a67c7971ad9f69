"""Read-only Redis: everything that changes something, tried on a real server; and who enforces it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest

from cockpit.adapters.redis.adapter import RedisAdapter
from cockpit.adapters.redis.server import ServerOptions
from cockpit.adapters.step_program.adapter import Task
from cockpit.adapters.step_program.page import Page
from cockpit.errors import CockpitError, PolicyRefusal
from cockpit.safety.judge import judge
from cockpit.safety.permit import Mode
from cockpit.safety.verdict import Verdict
from tests.servers.redis import RedisServer, redis_server
from tests.servers.server import answers, free_port, require, running, server_folder

pytestmark = pytest.mark.real

CHANGES = r"""
SET greeting x
set greeting x
SeT greeting x
"SET" greeting x
'SET' greeting x
"\x53ET" greeting x
SETRANGE greeting 0 x
SETEX greeting 10 x
SETNX new x
MSET greeting x counter 1
APPEND greeting x
GETSET greeting x
GETDEL greeting
GETEX greeting EX 10
INCR counter
DECRBY counter 3
INCRBYFLOAT counter 0.5
DEL greeting
UNLINK greeting
EXPIRE greeting 10
EXPIREAT greeting 1
PERSIST session
RENAME greeting other
RENAMENX greeting other
COPY greeting other
MOVE greeting 1
RESTORE other 0 "\x00\x01a\x0a\x00"
MIGRATE 127.0.0.1 1 greeting 0 10 COPY
SORT queue ALPHA STORE other
SORT queue ALPHA
LPUSH queue x
RPOP queue
LPOP queue 2
LTRIM queue 0 0
LSET queue 0 x
LINSERT queue BEFORE job-1 x
LREM queue 0 job-1
LMOVE queue other LEFT RIGHT
RPOPLPUSH queue other
LMPOP 1 queue LEFT
BLPOP queue 1
BRPOP queue 1
BLMOVE queue other LEFT RIGHT 1
BLMPOP 1 1 queue LEFT
BRPOPLPUSH queue other 1
SADD tags blue
SREM tags red
SPOP tags
SMOVE tags other red
SINTERSTORE other tags tags
SUNIONSTORE other tags
SDIFFSTORE other tags new
HSET user:1 name lee
HDEL user:1 name
HINCRBY user:1 visits 1
HSETNX user:1 new 1
HMSET user:1 name lee
ZADD scores 3 c
ZREM scores a
ZINCRBY scores 1 a
ZPOPMIN scores
BZPOPMIN scores 1
ZMPOP 1 scores MIN
ZRANGESTORE other scores 0 -1
ZUNIONSTORE other 1 scores
ZREMRANGEBYRANK scores 0 -1
XADD events * a b
XDEL events 1-1
XTRIM events MAXLEN 0
XACK events readers 1-1
XGROUP CREATE events more 0
XGROUP SETID events readers $
XGROUP DESTROY events readers
XREADGROUP GROUP readers me STREAMS events >
XCLAIM events readers me 0 1-1
XAUTOCLAIM events readers me 0 0
XSETID events 9-9
SETBIT greeting 1 1
BITFIELD counter SET u8 0 1
BITFIELD counter INCRBY u8 0 1
BITOP NOT other greeting
PFADD visitors new
PFMERGE other visitors
PFCOUNT visitors
PFDEBUG TODENSE visitors
PFSELFTEST
GEOADD places 1 1 here
GEORADIUS places 127 37 100 km STORE other
GEORADIUS places 127 37 100 km
GEORADIUSBYMEMBER places seoul 100 km STORE other
GEOSEARCHSTORE other places FROMMEMBER seoul BYRADIUS 100 km
FLUSHALL
FLUSHDB ASYNC
SWAPDB 0 1
SELECT 1\nFLUSHDB
SHUTDOWN NOSAVE
DEBUG SLEEP 0
DEBUG RELOAD
DEBUG SET-ACTIVE-EXPIRE 0
DEBUG CHANGE-REPL-ID
BGSAVE
SAVE
BGREWRITEAOF
REPLICAOF 127.0.0.1 1
SLAVEOF 127.0.0.1 1
REPLICAOF NO ONE
FAILOVER
PSYNC ? -1
SYNC
REPLCONF listening-port 1
CONFIG SET maxmemory 100mb
config set appendonly yes
CONFIG RESETSTAT
CONFIG REWRITE
CLIENT KILL TYPE normal SKIPME no
CLIENT PAUSE 1
CLIENT UNPAUSE
CLIENT NO-EVICT on
CLIENT REPLY OFF
CLIENT REPLY SKIP
CLIENT SETNAME x
CLIENT TRACKING on
CLIENT UNBLOCK 1
ACL SETUSER evil on nopass +@all ~*
ACL DELUSER default
ACL LOG RESET
ACL SAVE
ACL LOAD
ACL GENPASS
SLOWLOG RESET
LATENCY RESET
MEMORY PURGE
MODULE LOAD /tmp/evil.so
MODULE LOADEX /tmp/evil.so
MODULE UNLOAD x
SCRIPT FLUSH
SCRIPT LOAD "return 1"
SCRIPT KILL
SCRIPT DEBUG YES
FUNCTION FLUSH
FUNCTION DELETE lib
FUNCTION KILL
FUNCTION RESTORE x
FUNCTION LOAD "#!lua name=evil\nredis.register_function('e', function() return 1 end)"
EVAL "return redis.call('SET', KEYS[1], 'evil')" 1 greeting
EVAL "return redis.call('GET', KEYS[1])" 1 greeting
EVALSHA 0000000000000000000000000000000000000000 0
EVAL_RO "return redis.call('SET', KEYS[1], 'evil')" 1 greeting
EVAL_RO "return redis.pcall('DEL', KEYS[1])" 1 greeting
EVAL_RO "redis.call('PUBLISH', 'a', 'b')" 0
EVAL_RO "#!lua flags=allow-oom\nreturn redis.call('SET', KEYS[1], 'evil')" 1 greeting
FCALL poke 1 greeting
FCALL_RO poke 1 greeting
PUBLISH news x
SPUBLISH news x
CLUSTER RESET
CLUSTER MEET 127.0.0.1 1
CLUSTER FLUSHSLOTS
MULTI
MULTI\nSET greeting x\nEXEC
WATCH greeting
EXEC
RESET
QUIT
HELLO 3
HELLO 2 AUTH default x
AUTH default x
READWRITE
ASKING
WAIT 0 1
GET greeting\nSET greeting x
GET greeting\r\nSET greeting x
redis-cli SET greeting x
5 SET greeting x
:set hints
$CMD greeting x
"" SET greeting x
"""
READS = r"""
GET greeting
"GET" greeting
TYPE queue
LRANGE queue 0 -1
HGETALL user:1
SMEMBERS tags
ZRANGE scores 0 -1 WITHSCORES
XRANGE events - +
XINFO GROUPS events
XPENDING events readers
SCAN 0
DBSIZE
SELECT 1\nDBSIZE
TTL session
OBJECT ENCODING queue
MEMORY USAGE queue
SORT_RO queue ALPHA
GEOPOS places seoul
DUMP greeting
INFO
INFO memory
PING
TIME
ROLE
CLIENT LIST
CONFIG GET maxmemory
SLOWLOG GET 10
LATENCY LATEST
ACL WHOAMI
COMMAND INFO get
FUNCTION LIST
FCALL_RO peek 1 greeting
"""


def _each(texts: str) -> list[str]:
    return [
        line.replace("\\n", "\n") if "\\n" in line and '"' not in line else line for line in texts.split("\n")[1:-1]
    ]


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with redis_server() as made:
        made.fill()
        yield made


def _perform(adapter: RedisAdapter, body: str) -> str:
    page = BytesIO()
    adapter.perform(Task(language="redis", body=body, mode=Mode.READ_ONLY), Page(page))
    return page.getvalue().decode()


def _adapter(server: RedisServer, **options: Any) -> RedisAdapter:
    return RedisAdapter(ServerOptions(socket=server.socket, **options))


@pytest.mark.parametrize("body", _each(CHANGES))
def test_nothing_changes_whatever_is_tried(server: RedisServer, body: str) -> None:
    before = server.fingerprint()

    with pytest.raises(CockpitError):
        _perform(_adapter(server), body)

    assert server.fingerprint() == before
    held_by_the_server = body.startswith(("FCALL_RO", "ACL GENPASS"))  # one is refused there, one only computes
    assert judge("redis", body).verdict is not Verdict.READ_ONLY or held_by_the_server


@pytest.mark.parametrize("body", _each(READS))
def test_what_reads_is_answered_and_changes_nothing(server: RedisServer, body: str) -> None:
    before = server.fingerprint()

    assert _perform(_adapter(server), body)

    assert server.fingerprint() == before


def test_a_command_renamed_to_look_harmless_is_still_refused() -> None:
    (binary,) = require("redis-server")
    with server_folder() as folder:
        port = free_port()
        argv = [
            binary,
            "--port",
            str(port),
            "--save",
            "",
            "--rename-command",
            "GET",
            "",
            "--rename-command",
            "SET",
            "GET",
        ]
        with running(argv, lambda: answers(port), folder):
            adapter = RedisAdapter(ServerOptions(host="127.0.0.1", port=port))
            with pytest.raises(PolicyRefusal):
                _perform(adapter, "GET greeting evil")
            assert "(integer) 0" in _perform(adapter, "DBSIZE")


def test_a_user_who_may_only_read_is_served_and_known_as_held_by_the_server(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.ask("ACL", "SETUSER", "reader", "on", ">reader-password", "~*", "-@all", "+@read", "+role")
    monkeypatch.setenv("READER", "reader-password")
    adapter = _adapter(server, user="reader", password_env="READER")
    task = Task(credentials=adapter.credentials())
    try:
        page = BytesIO()
        adapter.perform(Task(language="redis", body="GET greeting", credentials=adapter.credentials()), Page(page))

        assert "안녕하세요" in page.getvalue().decode()
        assert adapter.enforced(task).by == "server"
        assert _adapter(server).enforced(Task()).by == "tool"
    finally:
        server.ask("ACL", "DELUSER", "reader")


def test_a_replica_that_takes_no_writes_is_known_as_held_by_the_server(server: RedisServer) -> None:
    (binary,) = require("redis-server")
    with server_folder() as folder:
        port = free_port()
        argv = [binary, "--port", str(port), "--save", "", "--replicaof", "127.0.0.1", str(server.port)]
        with running(argv, lambda: answers(port), folder):
            adapter = RedisAdapter(ServerOptions(host="127.0.0.1", port=port))
            with contextlib.suppress(PolicyRefusal):
                _perform(adapter, "SET greeting x")
            assert adapter.enforced(Task()).by == "server"
