"""Entries of Cloud Logging, and each as a line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct, field

_WRITTEN = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)")
_NS = 1_000_000_000
_OUT_OF_ORDER_NS = 60 * _NS
"""So long after it was received an entry may take until it is found."""
_TEXTS = ("message", "msg", "textPayload", "error")


class _Request(Struct, frozen=True, rename="camel"):
    request_method: str = ""
    request_url: str = ""
    status: int = 0
    latency: str = ""


class _Resource(Struct, frozen=True):
    type: str = ""
    labels: dict[str, str] = {}


class Entry(Struct, frozen=True, rename="camel"):
    """One entry. `severity` is DEFAULT where its writer said nothing."""

    insert_id: str = ""
    log_name: str = ""
    timestamp: str = ""
    receive_timestamp: str = ""
    severity: str = "DEFAULT"
    text_payload: str | None = None
    json_payload: dict[str, Any] | None = None
    proto_payload: dict[str, Any] | None = None
    http_request: _Request | None = None
    resource: _Resource = _Resource()

    @property
    def identity(self) -> tuple[str, str, str]:
        """What an entry that comes twice is told by."""
        return self.timestamp, self.insert_id, self.log_name

    @property
    def received_ns(self) -> int:
        """When Google had it, in ns since 1970; 0 where it does not say."""
        return moment_ns(self.receive_timestamp)

    @property
    def at_ns(self) -> int:
        """When it was written, in ns since 1970; 0 where it does not say."""
        return moment_ns(self.timestamp or self.receive_timestamp)

    @property
    def text(self) -> str:
        """What it says, in one line."""
        told = self.text_payload
        if told is None:
            told = _of_mapping(self.json_payload or self.proto_payload or {})
        request = self.http_request
        if request is not None and request.status:
            asked = f"{request.request_method} {request.status} {request.request_url} {request.latency}".strip()
            told = f"{asked} {told}".strip()
        return told.rstrip().replace("\n", "␊")

    @property
    def line(self) -> str:
        """The line as a log shows it: when (UTC, ms), how severe, which revision or whatever else it is of, what."""
        severity = "" if self.severity == "DEFAULT" else f"{self.severity} "
        of = self.resource.labels.get("revision_name", "")
        return f"{shown(self.at_ns)} {severity}{f'[{of}] ' if of else ''}{self.text}"


class Entries(Struct, frozen=True, rename="camel"):
    """A page of entries; `next_page_token` is there while there are more."""

    entries: list[Entry] = []
    next_page_token: str = field(default="")


class Lately:
    """The entries that were received last, to know them again however old they are. All times are of Google's clock.

    Args:
        most: so many are known.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._received: dict[tuple[str, str, str], int] = {}
        self._floor_ns = 0
        """All that were received since and were brought are known."""
        self._looked_ns = 0

    def __contains__(self, entry: Entry) -> bool:
        return entry.identity in self._received

    @property
    def since_ns(self) -> int:
        """From which time of reception on to look for late ones; 0 while nothing was received."""
        return max(self._floor_ns, self._looked_ns - _OUT_OF_ORDER_NS)

    def add(self, entries: Iterable[Entry]) -> None:
        """These were brought."""
        new = {entry.identity: entry.received_ns for entry in entries if entry.receive_timestamp}
        if not new:
            return
        self._floor_ns = self._floor_ns or min(new.values())
        self._received |= new
        if len(self._received) > self._most:
            kept = sorted(self._received.items(), key=lambda one: one[1])
            dropped, kept = kept[: -self._most // 2], kept[-self._most // 2 :]
            self._floor_ns = max(self._floor_ns, dropped[-1][1] + 1)
            self._received = dict(kept)

    def looked(self) -> None:
        """All late ones that were received so far were looked for."""
        self._looked_ns = max(self._received.values(), default=0)


def moment_ns(written: str) -> int:
    """An RFC 3339 time with up to nine digits behind the second; 0 for what is none."""
    found = _WRITTEN.fullmatch(written)
    if found is None:
        return 0
    whole = datetime.fromisoformat(found[1] + found[3])
    return int(whole.timestamp()) * _NS + int((found[2] or "").ljust(9, "0"))


def shown(at_ns: int) -> str:
    """A moment as a log shows it."""
    at = datetime.fromtimestamp(at_ns / _NS, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def stamp(at_ns: int) -> str:
    """A moment as a filter takes it, no ns lost."""
    whole, rest = divmod(at_ns, _NS)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def _of_mapping(payload: Mapping[str, Any]) -> str:
    """The message of a structured payload with its other fields behind it."""
    name = next((key for key in _TEXTS if isinstance(payload.get(key), str)), "")
    rest = {key: value for key, value in payload.items() if key not in (name, "@type")}
    written = json.dumps(rest, ensure_ascii=False, separators=(",", ":")) if rest else ""
    return f"{payload[name]} {written}".strip() if name else written
