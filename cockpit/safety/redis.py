"""Redis commands: read-only by the server's own command flags, and a short list where it has none."""

from __future__ import annotations

from collections.abc import Sequence

from cockpit.safety.redis_words import redis_commands
from cockpit.safety.shell.tool import destructive, mutating, names, reading, unknown
from cockpit.safety.verdict import Judgement, worst
from cockpit.words import _

_READS = names(
    """get mget strlen getrange substr exists ttl pttl type expiretime pexpiretime hget hmget hgetall hkeys hvals
    hlen hexists hstrlen hscan hrandfield llen lrange lindex lpos scard smembers sismember smismember
    srandmember sscan sdiff sinter sintercard sunion zcard zcount zrange zrangebyscore zrangebylex zrank
    zrevrange zrevrangebyscore zrevrangebylex zrevrank zscore zmscore zscan zlexcount zdiff zinter zintercard
    zunion zrandmember getbit bitcount bitpos geodist geohash geopos georadius_ro georadiusbymember_ro
    geosearch xlen xrange xrevrange scan randomkey dbsize dump lcs sort_ro bitfield_ro ping echo time lastsave
    role info lolwut touch"""
)
_HEAVY = names("keys")
_SENSITIVE = {("config", "get"), ("acl", "list"), ("acl", "getuser")}
_READ_PAIRS = {
    "client": names("list info getname id no-evict-help trackinginfo getredir help"),
    "config": names("get help"),
    "slowlog": names("get len help"),
    "latency": names("latest history doctor graph histogram help"),
    "memory": names("usage stats doctor malloc-stats help"),
    "cluster": names("info nodes slots shards myid keyslot countkeysinslot getkeysinslot links help"),
    "acl": names("whoami list users getuser cat help"),
    "object": names("encoding freq idletime refcount help"),
    "command": names("count info list docs getkeys help"),
    "pubsub": names("channels numsub numpat shardchannels shardnumsub help"),
    "xinfo": names("stream groups consumers help"),
    "module": names("list help"),
    "script": names("exists help"),
    "function": names("list stats help"),
}
_WRITE_PAIRS = {
    "client": "kill pause unpause setname reply no-evict tracking caching unblock",
    "config": "set rewrite resetstat",
    "slowlog": "reset",
    "latency": "reset",
    "memory": "purge",
    "script": "load kill",
    "module": "load",
    "function": "load restore",
    "acl": "setuser save load",
    "cluster": "meet replicate addslots setslot saveconfig",
}
_LOSSES = names(
    """flushall flushdb shutdown del unlink getdel rename replicaof slaveof failover swapdb debug restore
        migrate spop lpop rpop zpopmin zpopmax ltrim"""
)
_LOSS_PAIRS = {
    "cluster": names("reset failover forget delslots flushslots"),
    "script": names("flush"),
    "function": names("flush delete"),
    "acl": names("deluser"),
}
_WRITES = names(
    """set setex psetex setnx mset msetnx append incr incrby incrbyfloat decr decrby getset getex expire pexpire
    expireat pexpireat persist hset hsetnx hmset hincrby hincrbyfloat hdel lpush rpush lpushx rpushx lset
    linsert lrem lmove rpoplpush sadd srem smove zadd zrem zincrby zremrangebyscore zremrangebyrank
    zremrangebylex xadd xdel xtrim xack xgroup xclaim xautoclaim xreadgroup setbit bitfield bitop pfadd
    pfmerge geoadd georadius sort copy move publish spublish save bgsave bgrewriteaof sdiffstore sinterstore
    sunionstore zrangestore zunionstore zinterstore zdiffstore geosearchstore setrange"""
)
_UNBOUNDED = names("monitor subscribe psubscribe ssubscribe")


def judge_redis_command(words: Sequence[str]) -> Judgement:
    """Judge one command by its words; the words behind the first two may be unknown text."""
    if not words or not words[0]:
        return unknown(_("nothing to judge"))
    name = words[0].lower()
    second = words[1].lower() if len(words) > 1 else ""
    label = " ".join(words[:2]).upper() if name in _READ_PAIRS else name.upper()
    if name in _LOSSES or second in _LOSS_PAIRS.get(name, ()):
        return destructive(_("Redis {command} can't be undone").format(command=label))
    if name in _WRITES or second in _WRITE_PAIRS.get(name, "").split():
        return mutating(_("Redis {command} makes changes").format(command=label))
    if name in _READS or second in _READ_PAIRS.get(name, ()):
        return reading(*(("sensitive-read",) if (name, second) in _SENSITIVE else ()))
    if name in _HEAVY:
        return reading("heavy")
    if name in _UNBOUNDED:
        return reading("unbounded", "heavy")
    if name == "xread" and "block" not in (word.lower() for word in words):
        return reading()
    return unknown(_("Redis {command} is not known to be read-only").format(command=label))


def judge_redis_lines(text: str) -> Judgement:
    """Judge commands written one a line, as redis-cli reads them."""
    try:
        commands = redis_commands(text)
    except ValueError as error:
        return unknown(str(error))
    if any(words[:1] == [b"redis-cli"] for words in commands):
        return unknown(_("it is a shell command, not a Redis command"))
    return worst(
        judge_redis_command([word.decode("utf-8", "backslashreplace") for word in words]) for words in commands
    )
