"""Redis commands: read-only by the server's own command flags, and a short list where it has none."""

from __future__ import annotations

from collections.abc import Sequence

from cockpit.safety.redis.flags import ADMIN, READONLY, WRITE
from cockpit.safety.redis.words import redis_commands
from cockpit.safety.tables import names
from cockpit.safety.verdict import Judgement, destructive, mutating, reading, unknown, worst
from cockpit.words import _

# Flagged neither as reading nor as writing, or as `admin` though they only tell; and modules' and Sentinel's reads.
_READS = names(
    """ping echo time lastsave role info acl|cat acl|dryrun acl|genpass acl|getuser acl|list acl|users acl|whoami
    client|getname client|getredir client|id client|info client|list client|trackinginfo cluster|count-failure-reports
    cluster|countkeysinslot cluster|getkeysinslot cluster|info cluster|keyslot cluster|links cluster|myid cluster|nodes
    cluster|replicas cluster|shards cluster|slaves cluster|slots command|count command|docs command|getkeys
    command|getkeysandflags command|info command|list config|get function|dump function|list function|stats
    latency|doctor latency|graph latency|histogram latency|history latency|latest memory|doctor memory|malloc-stats
    memory|stats module|list pubsub|channels pubsub|numpat pubsub|numsub pubsub|shardchannels pubsub|shardnumsub
    script|exists slowlog|get slowlog|len sentinel|masters sentinel|master sentinel|replicas sentinel|slaves
    sentinel|sentinels sentinel|get-master-addr-by-name sentinel|ckquorum sentinel|myid sentinel|info-cache
    sentinel|pending-scripts json.get json.mget json.type json.objkeys json.objlen json.arrlen json.strlen ft.info
    ft._list ft.search ft.explain ts.get ts.mget ts.range ts.revrange ts.mrange ts.info bf.exists bf.info"""
)
_WITHOUT_SUBCOMMAND = names("command")
_HEAVY = names("keys sort_ro evalsha_ro fcall_ro function|dump")
# Flagged as readers: one stores what it counted, the other adds its script to the server's.
_KEEPS_SOMETHING = names("pfcount eval_ro")
_SENSITIVE = names("config|get acl|list acl|getuser")
_UNBOUNDED = names("monitor subscribe psubscribe ssubscribe")
_LOSSES = names(
    """flushall flushdb shutdown del unlink getdel rename replicaof slaveof failover swapdb debug restore
    restore-asking migrate spop lpop rpop zpopmin zpopmax ltrim lmpop zmpop blpop brpop bzpopmin bzpopmax cluster|reset
    cluster|failover cluster|forget cluster|delslots cluster|delslotsrange cluster|flushslots script|flush
    function|flush function|delete function|restore acl|deluser xgroup|destroy xtrim sentinel|reset sentinel|remove
    sentinel|failover module|unload"""
)
_CHANGES = names(
    """publish spublish client|caching client|reply client|setname client|tracking client|no-evict client|no-touch
    config|resetstat config|rewrite config|set memory|purge script|load script|kill script|debug function|kill
    sentinel|set sentinel|monitor sentinel|flushconfig sentinel|simulate-failure sentinel|debug"""
)


def judge_redis_command(words: Sequence[str]) -> Judgement:
    """Judge one command by its words; the words behind the first two may be unknown text."""
    if not words or not words[0]:
        return unknown(_("nothing to judge"))
    lowered = [word.lower() for word in words]
    pair = "|".join(lowered[:2])
    key = pair if any(pair in table for table in (_READS, READONLY, WRITE, ADMIN, _LOSSES, _CHANGES)) else lowered[0]
    label = key.replace("|", " ").upper()
    if key in _LOSSES:
        return destructive(_("Redis {command} can't be undone").format(command=label))
    if key in WRITE or key in _CHANGES:
        return mutating(_("Redis {command} makes changes").format(command=label))
    if key in ("acl|log", "latency|reset", "slowlog|reset"):
        return reading() if key == "acl|log" and "reset" not in lowered else _resets(label)
    if key in _UNBOUNDED:
        return reading("unbounded", "heavy")
    if key == "xread" and "block" in lowered:
        return unknown(_("Redis {command} waits for what may never come").format(command="XREAD BLOCK"))
    if key in _KEEPS_SOMETHING:
        return unknown(_("Redis {command} keeps something in the server").format(command=label))
    if key in READONLY or key in _READS or _asks_for_help(lowered) or (len(words) == 1 and key in _WITHOUT_SUBCOMMAND):
        tags = [tag for tag, listed in (("heavy", _HEAVY), ("sensitive-read", _SENSITIVE)) if key in listed]
        return reading(*tags)
    if key in ADMIN:
        return mutating(_("Redis {command} is for administrators, and changes the server").format(command=label))
    return unknown(_("Redis {command} is not known to be read-only").format(command=label))


_CONTAINERS = frozenset(name.partition("|")[0] for name in _READS | READONLY | ADMIN if "|" in name)


def _asks_for_help(lowered: Sequence[str]) -> bool:
    """Whether a command with sub-commands is asked which it has."""
    return len(lowered) == 2 and lowered[1] == "help" and lowered[0] in _CONTAINERS


def _resets(label: str) -> Judgement:
    return mutating(_("Redis {command} makes changes").format(command=label))


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
