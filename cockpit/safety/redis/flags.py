"""What a Redis server itself says of its commands: the flags that `COMMAND` answers with.

Source: Redis 7.0.15, asked for `COMMAND`; sub-commands as the server writes them, `memory|usage`. A command
with neither `readonly` nor `write` nor `admin` is on none of these lists.
`tests/real/databases/test_redis_flags.py` holds them against a server.
"""

from __future__ import annotations

from cockpit.safety.tables import names

READONLY = names(
    """bitcount bitfield_ro bitpos dbsize dump eval_ro evalsha_ro exists expiretime fcall_ro geodist geohash geopos
    georadius_ro georadiusbymember_ro geosearch get getbit getrange hexists hget hgetall hkeys hlen hmget hrandfield
    hscan hstrlen hvals keys lcs lindex llen lolwut lpos lrange memory|usage mget object|encoding object|freq
    object|idletime object|refcount pexpiretime pfcount pttl randomkey scan scard sdiff sinter sintercard sismember
    smembers smismember sort_ro srandmember sscan strlen substr sunion touch ttl type xinfo|consumers xinfo|groups
    xinfo|stream xlen xpending xrange xread xrevrange zcard zcount zdiff zinter zintercard zlexcount zmscore
    zrandmember zrange zrangebylex zrangebyscore zrank zrevrange zrevrangebylex zrevrangebyscore zrevrank zscan
    zscore zunion"""
)
WRITE = names(
    """append bitfield bitop blmove blmpop blpop brpop brpoplpush bzmpop bzpopmax bzpopmin copy decr decrby del expire
    expireat flushall flushdb function|delete function|flush function|load function|restore geoadd georadius
    georadiusbymember geosearchstore getdel getex getset hdel hincrby hincrbyfloat hmset hset hsetnx incr incrby
    incrbyfloat linsert lmove lmpop lpop lpush lpushx lrem lset ltrim migrate move mset msetnx persist pexpire
    pexpireat pfadd pfdebug pfmerge psetex rename renamenx restore restore-asking rpop rpoplpush rpush rpushx sadd
    sdiffstore set setbit setex setnx setrange sinterstore smove sort spop srem sunionstore swapdb unlink xack xadd
    xautoclaim xclaim xdel xgroup|create xgroup|createconsumer xgroup|delconsumer xgroup|destroy xgroup|setid
    xreadgroup xsetid xtrim zadd zdiffstore zincrby zinterstore zmpop zpopmax zpopmin zrangestore zrem
    zremrangebylex zremrangebyrank zremrangebyscore zunionstore"""
)
ADMIN = names(
    """acl|deluser acl|dryrun acl|getuser acl|list acl|load acl|log acl|save acl|setuser acl|users bgrewriteaof bgsave
    client|kill client|list client|no-evict client|pause client|unblock client|unpause cluster|addslots
    cluster|addslotsrange cluster|bumpepoch cluster|count-failure-reports cluster|delslots cluster|delslotsrange
    cluster|failover cluster|flushslots cluster|forget cluster|meet cluster|replicas cluster|replicate cluster|reset
    cluster|saveconfig cluster|set-config-epoch cluster|setslot cluster|slaves config|get config|resetstat
    config|rewrite config|set debug failover latency|doctor latency|graph latency|histogram latency|history
    latency|latest latency|reset module|list module|load module|loadex module|unload monitor pfselftest psync
    replconf replicaof save shutdown slaveof slowlog|get slowlog|len slowlog|reset sync"""
)
