"""The journal's format: one record a line, each holding the hash of the one before, over the bytes on disk.

{"v":1,"seq":n,"t":…,"m":…,"boot":…,"actor":…,"kind":…,"data":{…},"prev":"…","h":"…"}

`h` is the SHA-256 of `prev` (its 64 ASCII characters) and of the bytes of the line before `,"h":`. ASCII-only JSON, so
that no character of a log can break a line. An edit, a removal or a reordering breaks the chain at that record.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cockpit.session.record.event import Event

GENESIS = "0" * 64
MAX_RECORD_BYTES = 64 * 1024
TORN_END = b"#torn"
"""Ends a line that was written in part and could not be taken back."""

_SEAL = re.compile(rb',"prev":"([0-9a-f]{64})"(,"h":"([0-9a-f]{64})"\})$')
_HEAD = re.compile(rb'\{"v":1,"seq":(\d{1,15}),"t":"([^"]{1,40})",')
_KIND = re.compile(rb'"kind":"([a-z._-]{1,60})"')


@dataclass(frozen=True, slots=True)
class Link:
    """What one line says of its place in the chain. `sound` is whether its own hash fits its own bytes."""

    seq: int
    prev: str
    hash: str
    sound: bool


def link_of(line: bytes) -> Link | None:
    """The place a line (without its newline) claims; None for bytes that are no record at all."""
    head, seal = _HEAD.match(line), _SEAL.search(line)
    if head is None or seal is None:
        return None
    prev, stored = seal[1].decode(), seal[3].decode()
    return Link(int(head[1]), prev, stored, hash_of(prev, line[: seal.start(2)]) == stored)


def kind_of(line: bytes) -> str:
    """The record's kind, read without decoding the whole line; "" where there is none."""
    found = _KIND.search(line)
    return found[1].decode() if found else ""


def hash_of(prev: str, body: bytes) -> str:
    """The hash of a record: `body` is its bytes before `,"h":`."""
    digest = hashlib.sha256(prev.encode("ascii"))
    digest.update(body)
    return digest.hexdigest()


def sealed_line(event: Event, data: Mapping[str, Any], prev: str) -> tuple[bytes, str]:
    """The event as a line with its newline, and its hash.

    Raises:
        TypeError, ValueError: `data` holds something JSON has no word for (NaN included).
    """
    record = {"v": 1, "seq": event.seq, "t": event.t, "m": event.m, "boot": event.boot, "actor": event.actor}
    record |= {"kind": event.kind, "data": data, "prev": prev}
    body = json.dumps(record, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode("ascii")[:-1]
    digest = hash_of(prev, body)
    return body + f',"h":"{digest}"}}\n'.encode("ascii"), digest
