"""Helm's releases as they lie in a cluster: a Secret for each revision, its record gzipped in it.

Labels tell name, revision and status; what else there is to know stands in the record, which is read only where it is
wanted. A record that would unpack to more than `LARGEST_BYTES` is not unpacked.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

from cockpit.adapters.kubernetes.cluster import JSON, Cluster, path_of
from cockpit.errors import Declined, Malformed
from cockpit.words import _

LARGEST_BYTES = 64 << 20
_METADATA = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
_PAGE = 500
_GZIP, _EITHER_HEAD = b"\x1f\x8b\x08", 31
_TYPE = "helm.sh/release.v1"
_SECRET = re.compile(r"sh\.helm\.release\.v1\.(.+)\.v(\d+)")


class _Info(Struct):
    last_deployed: str = ""
    description: str = ""
    status: str = ""


class _Metadata(Struct):
    name: str = ""
    version: str = ""
    app_version: str = msgspec.field(default="", name="appVersion")


class _Chart(Struct):
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)


class Record(Struct):
    """What one revision was: `config` are the values somebody gave, `manifest` the objects made of them."""

    name: str
    version: int
    namespace: str = ""
    info: _Info = msgspec.field(default_factory=_Info)
    chart: _Chart = msgspec.field(default_factory=_Chart)
    config: dict[str, Any] | None = None
    manifest: str = ""

    @property
    def chart_name(self) -> str:
        """The chart with its version, as helm writes it: shop-1.2.0."""
        return f"{self.chart.metadata.name}-{self.chart.metadata.version}"

    @property
    def updated(self) -> str:
        """When it was made, in UTC to the second."""
        try:
            return datetime.fromisoformat(self.info.last_deployed).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        except ValueError:
            return self.info.last_deployed


@dataclass(frozen=True, slots=True)
class Listed:
    """One revision as its Secret's labels tell it; `changed_s` is when that was, in seconds since 1970."""

    namespace: str
    name: str
    number: int
    status: str
    secret: str
    resource_version: str
    changed_s: float


def listed(cluster: Cluster, namespace: str, name: str = "") -> list[Listed]:
    """Every revision in a namespace, or ("") in all; of one release where it is named. Oldest first."""
    found = [_listed(item["metadata"]) for item in _items(cluster, namespace, name, _METADATA)]
    return sorted(filter(None, found), key=lambda it: (it.namespace, it.name, it.number))


def newest(revisions: Iterable[Listed]) -> list[Listed]:
    """Of each release the last revision."""
    return list({(it.namespace, it.name): it for it in revisions}.values())


def revisions_of(cluster: Cluster, namespace: str, name: str) -> list[Listed]:
    """Every revision of one release, oldest first.

    Raises:
        Declined: there is no such release.
    """
    found = listed(cluster, namespace, name)
    if found:
        return found
    others = sorted({it.name for it in listed(cluster, namespace)})
    told = _("no release is called {name} in the namespace {namespace}").format(name=name, namespace=namespace)
    raise Declined(told, mend=_("there are {names}").format(names=", ".join(others[:20])) if others else "")


def record(cluster: Cluster, revision: Listed) -> Record:
    """The record of one revision."""
    secret = cluster.get(path_of("api", "v1", "namespaces", revision.namespace, "secrets", revision.secret))
    return _unpacked(secret, revision.secret)


def records(cluster: Cluster, namespace: str, name: str) -> list[Record]:
    """The records of every revision of one release, oldest first."""
    found = [_unpacked(item, item["metadata"]["name"]) for item in _items(cluster, namespace, name, JSON)]
    return sorted(found, key=lambda it: it.version)


def _items(cluster: Cluster, namespace: str, name: str, accept: str) -> Iterable[dict[str, Any]]:
    where = ("namespaces", namespace) if namespace else ()
    query = {"labelSelector": "owner=helm" + (f",name={name}" if name else ""), "limit": str(_PAGE)}
    onward = ""
    while True:
        answer = cluster.get(path_of("api", "v1", *where, "secrets"), query | {"continue": onward}, accept)
        yield from (item for item in answer.get("items") or () if item.get("type", _TYPE) == _TYPE)
        onward = (answer.get("metadata") or {}).get("continue") or ""
        if not onward:
            return


def _listed(metadata: Mapping[str, Any]) -> Listed | None:
    """None for what only looks like one of helm's."""
    labels, secret = metadata.get("labels") or {}, str(metadata["name"])
    named = _SECRET.fullmatch(secret)
    if named is None:
        return None
    changed = labels.get("modifiedAt") or labels.get("createdAt") or ""
    return Listed(
        namespace=str(metadata.get("namespace", "")),
        name=named[1],
        number=int(named[2]),
        status=str(labels.get("status", "")),
        secret=secret,
        resource_version=str(metadata.get("resourceVersion", "")),
        changed_s=float(changed) if changed.isdecimal() else _seconds(str(metadata.get("creationTimestamp") or "")),
    )


def _seconds(stamp: str) -> float:
    try:
        return datetime.fromisoformat(stamp).timestamp()
    except ValueError:
        return 0.0


def _unpacked(secret: Mapping[str, Any], where: str) -> Record:
    try:
        packed = base64.b64decode(base64.b64decode((secret.get("data") or {}).get("release") or ""))
        return msgspec.json.decode(_inflated(packed, where), type=Record)
    except (binascii.Error, zlib.error, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(
            _("the record of this revision can't be read: {error}").format(error=str(error)[:200]),
            where=where,
            mend=_("see whether `helm history` reads it"),
        ) from error


def _inflated(packed: bytes, where: str) -> bytes:
    """The record's text. (Very old ones were not packed.)"""
    if not packed.startswith(_GZIP):
        return packed
    stream = zlib.decompressobj(_EITHER_HEAD)
    text = stream.decompress(packed, LARGEST_BYTES)
    if stream.unconsumed_tail:
        size = LARGEST_BYTES >> 20
        raise Malformed(_("the record unpacks to more than {size} MiB").format(size=size), where=where)
    return text
