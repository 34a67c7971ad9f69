"""Read-only Redis: a command is sent only if the server itself flags it as one that reads, or it stands on a list here.

The server knows best which of its commands write, those of modules and renamed ones included. Some that only look
have no flag at all (INFO, CONFIG GET), and some have the flag and write all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from cockpit.errors import AccessDenied, PolicyRefusal
from cockpit.safety.redis.judgement import judge_redis_command
from cockpit.safety.tables import names
from cockpit.safety.verdict import Verdict
from cockpit.words import _

Ask = Callable[..., Any]
"""Sends words and gives the reply, or raises AdapterError."""

_LOOKS = names(
    """info ping echo time role lastsave dbsize select monitor subscribe psubscribe ssubscribe client|list client|info
    client|id client|getname slowlog|get slowlog|len latency|latest latency|history latency|doctor latency|graph
    latency|histogram memory|stats memory|doctor memory|malloc-stats cluster|info cluster|nodes cluster|slots
    cluster|shards cluster|myid cluster|keyslot cluster|links cluster|countkeysinslot cluster|getkeysinslot config|get
    acl|whoami acl|cat acl|list acl|users acl|getuser command|info command|count command|docs command|list
    pubsub|channels pubsub|numsub pubsub|numpat script|exists module|list function|list function|stats"""
)
_KEEPS_SOMETHING = frozenset({"pfcount", "eval_ro"})
"""Flagged as readers: one stores what it counted, the other adds its script to the server's."""


def require_reading(command: Sequence[bytes], ask: Ask) -> None:
    """Let a command pass that can't change anything.

    Raises:
        PolicyRefusal: neither the server's flags nor the list here say that it only reads.
        AdapterError: the server can't be asked.
    """
    name, pair = _names(command)
    if name in _LOOKS or pair in _LOOKS:
        return
    try:
        flags = _flags(pair, ask) or _flags(name, ask)
    except AccessDenied:
        # Users who may only read often may not ask for flags either.
        flags = {"readonly"} if _judged_reading(command) else set()
    if "readonly" not in flags or "write" in flags or name in _KEEPS_SOMETHING:
        raise PolicyRefusal(
            _("Redis does not say that {command} only reads").format(command=name.upper()),
            mend=_("run it in a live session, with a confirmation"),
        )


def _names(command: Sequence[bytes]) -> tuple[str, str]:
    words = [word.decode("ascii", "replace").lower() for word in command[:2]]
    return words[0], "|".join(words)


def _flags(name: str, ask: Ask) -> set[str]:
    """The flags of a command; none of a container such as CLIENT, whose commands have their own."""
    entry = (ask("COMMAND", "INFO", name) or [None])[0]
    if not entry or len(entry) < 3:
        return set()
    return {bytes(flag).decode("ascii", "replace") for flag in entry[2]}


def _judged_reading(command: Sequence[bytes]) -> bool:
    words = [word.decode("utf-8", "backslashreplace") for word in command]
    return judge_redis_command(words).verdict is Verdict.READ_ONLY
