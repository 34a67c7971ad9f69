"""How a Redis server stands, made of its INFO: what is not as it should be comes first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cockpit.adapters.probing import Finding, Value
from cockpit.words import _, plural

Info = Mapping[str, str]

_FULL_PERCENT, _FILLING_PERCENT = 95.0, 85.0
_PAIR = re.compile(r"([^=,]+)=([^,]*)")
_ROLES = {"master": "primary", "slave": "replica"}
_COUNTED = ("keyspace_hits", "keyspace_misses", "evicted_keys", "rejected_connections")
_MOST_REPLICAS, _MOST_DATABASES = 20, 32


def info_of(reply: bytes) -> dict[str, str]:
    """The fields of INFO by name."""
    lines = reply.decode("utf-8", "backslashreplace").splitlines()
    pairs = (line.partition(":") for line in lines if line and not line.startswith("#"))
    return {name: value for name, _colon, value in pairs}


class Standing:
    """Makes findings of looks, and remembers the counters between them."""

    def __init__(self) -> None:
        self._counted: dict[str, float] = {}
        self._at_s = 0.0

    def finding(self, info: Info, ping_ms: float | None, notes: Sequence[str], at_s: float) -> Finding:
        """What one look found.

        Args:
            ping_ms: None where it does not answer PING yet.
            notes: what can't be seen or is not safe, in words.
            at_s: the monotonic time of the look.
        """
        rise, seconds = self._rise(info, at_s)
        values = [
            Value("ping_ms", ping_ms, "ms"),
            *_memory(info),
            *_traffic(info, rise, seconds),
            *_replication(info),
            *_persistence(info),
        ]
        troubles = [*_troubles(info, rise)]
        rows = [
            *({"what": "trouble", "text": text, "level": level} for text, level in troubles),
            *_replica_rows(info, well=False),
            *_replica_rows(info, well=True),
            *_keyspace_rows(info),
            *({"what": "note", "text": note, "level": ""} for note in notes),
        ]
        text = " · ".join([*(text for text, _level in troubles[:2]), *_words(info, ping_ms, values)])
        return Finding(text, tuple(values), tuple(rows), mend="; ".join(notes))

    def _rise(self, info: Info, at_s: float) -> tuple[dict[str, float], float]:
        """What was counted since the last look, and in how many seconds; none at the first, or after a restart."""
        now = {name: _number(info, name) or 0.0 for name in _COUNTED}
        before, self._counted = self._counted, now
        seconds, self._at_s = at_s - self._at_s, at_s
        if not before or any(now[name] < before[name] for name in _COUNTED):
            return {}, 0.0
        return {name: now[name] - before[name] for name in _COUNTED}, seconds


def _number(info: Info, name: str) -> float | None:
    try:
        return float(info[name])
    except (KeyError, ValueError):
        return None


def _pairs(written: str) -> dict[str, str]:
    return dict(_PAIR.findall(written))


def _share(part: float, whole: float | None) -> float | None:
    return round(100.0 * part / whole, 1) if whole else None


def _memory(info: Info) -> Iterator[Value]:
    used, most = _number(info, "used_memory"), _number(info, "maxmemory")
    yield Value("memory_bytes", used, "bytes")
    if most:
        percent = _share(used or 0.0, most) or 0.0
        yield Value("memory_percent", percent, "%", _fill_level(percent) if _must_not_fill(info) else "")
    yield Value("fragmentation", _number(info, "mem_fragmentation_ratio"))


def _must_not_fill(info: Info) -> bool:
    """A cache that throws away what is old may well be full; one that must keep everything refuses writes then."""
    return info.get("maxmemory_policy", "noeviction") == "noeviction"


def _fill_level(percent: float) -> str:
    return "red" if percent >= _FULL_PERCENT else "yellow" if percent >= _FILLING_PERCENT else "green"


def _traffic(info: Info, rise: Mapping[str, float], seconds: float) -> Iterator[Value]:
    hits, misses = rise.get("keyspace_hits", 0.0), rise.get("keyspace_misses", 0.0)
    yield Value("hit_percent", _share(hits, hits + misses), "%")
    clients = _number(info, "connected_clients")
    yield Value("clients", clients)
    percent = _share(clients or 0.0, _number(info, "maxclients"))
    if percent is not None:
        yield Value("clients_percent", percent, "%", _fill_level(percent))
    yield Value("blocked_clients", _number(info, "blocked_clients"))
    yield Value("ops_per_s", _number(info, "instantaneous_ops_per_sec"))
    evicted = rise.get("evicted_keys")
    per_s = None if evicted is None or not seconds else round(evicted / seconds, 1)
    yield Value("evictions_per_s", per_s, "", "yellow" if evicted else "")
    sizes = [_number(_pairs(value), "keys") or 0.0 for name, value in info.items() if _is_database(name)]
    yield Value("keys", sum(sizes))


def _is_database(name: str) -> bool:
    return name.startswith("db") and name[2:].isdecimal()


def _replication(info: Info) -> Iterator[Value]:
    role = info.get("role", "")
    yield Value("role", _ROLES.get(role, role) or None)
    if role == "slave":
        up = info.get("master_link_status") == "up"
        yield Value("link_up", up, "", "green" if up else "red")
        yield Value("link_silent_s", _known(_number(info, "master_last_io_seconds_ago")), "s")
    else:
        yield Value("replicas", _number(info, "connected_slaves"))


def _known(number: float | None) -> float | None:
    """Redis says -1 of what it does not know."""
    return None if number is None or number < 0 else number


def _persistence(info: Info) -> Iterator[Value]:
    if "rdb_last_bgsave_status" not in info:
        return
    failed = [name for name, _words in _failures(info)]
    yield Value("saves", not failed, "", "red" if failed else "green")
    yield Value("unsaved_changes", _number(info, "rdb_changes_since_last_save"))


def _failures(info: Info) -> Iterator[tuple[str, str]]:
    told = {
        "rdb_last_bgsave_status": _("the last save to disk failed (rdb_last_bgsave_status): writes may be refused"),
        "aof_last_write_status": _("the append-only file can't be written (aof_last_write_status)"),
        "aof_last_bgrewrite_status": _("the append-only file could not be rewritten (aof_last_bgrewrite_status)"),
    }
    for name, words in told.items():
        if info.get(name, "ok") != "ok":
            yield name, words


def _troubles(info: Info, rise: Mapping[str, float]) -> Iterator[tuple[str, str]]:
    """What is wrong in words, with its level."""
    if info.get("loading") == "1":
        done, left = info.get("loading_loaded_perc", "?"), info.get("loading_eta_seconds", "?")
        yield (
            _("LOADING: it reads its data, {percent} %, {seconds} s to go").format(percent=done, seconds=left),
            "red",
        )
    if info.get("role") == "slave" and info.get("master_link_status") != "up":
        primary = f"{info.get('master_host', '?')}:{info.get('master_port', '?')}"
        down_s = _known(_number(info, "master_link_down_since_seconds"))
        since = "?" if down_s is None else f"{down_s:.0f}"
        yield _("the link to {primary} is down, for {n} s").format(primary=primary, n=since), "red"
    for _name, words in _failures(info):
        yield words, "red"
    if info.get("cluster_state", "ok") != "ok":
        yield _("cluster_state is {state}: a part of the slots has no node").format(state=info["cluster_state"]), "red"
    full = _share(_number(info, "used_memory") or 0.0, _number(info, "maxmemory"))
    if full is not None and full >= _FULL_PERCENT and _must_not_fill(info):
        yield _("memory is full and nothing may be evicted: writes are refused (OOM)"), "red"
    if refused := rise.get("rejected_connections"):
        yield (
            plural("{n} client was refused: maxclients", "{n} clients were refused: maxclients", int(refused)).format(
                n=int(refused)
            ),
            "red",
        )
    if evicted := rise.get("evicted_keys"):
        yield plural("{n} key was evicted", "{n} keys were evicted", int(evicted)).format(n=int(evicted)), "yellow"


def _replica_rows(info: Info, *, well: bool) -> Iterator[dict[str, Any]]:
    offset = _number(info, "master_repl_offset")
    for number in range(_MOST_REPLICAS):
        told = _pairs(info.get(f"slave{number}", ""))
        if not told or (told.get("state") == "online") is not well:
            continue
        sent = _number(told, "offset")
        yield {
            "what": "replica",
            "name": f"{told.get('ip', '?')}:{told.get('port', '?')}",
            "state": told.get("state", "?"),
            "age_s": _number(told, "lag"),
            "bytes": None if offset is None or sent is None else max(0.0, offset - sent),
            "level": "green" if well else "yellow",
        }


def _keyspace_rows(info: Info) -> Iterator[dict[str, Any]]:
    for name in sorted(filter(_is_database, info), key=lambda name: int(name[2:]))[:_MOST_DATABASES]:
        told = _pairs(info[name])
        keys, expiring = _number(told, "keys"), _number(told, "expires")
        yield {"what": "keyspace", "name": name, "keys": keys, "expires": expiring, "level": ""}


def _words(info: Info, ping_ms: float | None, values: Sequence[Value]) -> Iterator[str]:
    number = {value.name: value.value for value in values}
    if role := number["role"]:
        yield str(role)
    if ping_ms is not None:
        yield _("ping {n:g} ms").format(n=ping_ms)
    if (percent := number.get("memory_percent")) is not None:
        yield _("memory {n:g} %").format(n=percent)
    if (clients := number["clients"]) is not None:
        yield plural("{n:.0f} client", "{n:.0f} clients", int(clients or 0)).format(n=clients)
    if (hits := number["hit_percent"]) is not None:
        yield _("hits {n:g} %").format(n=hits)
