"""A copy of a list on an API server, kept up by its watch in a thread of its own.

A watch may end at any moment: with an answer (the server ends each after a while), without one (a cut link), or with
410 (the server has forgotten what was missed). It goes on where it was; only after 410 is the list read anew. While
that fails, it is tried again later each time, and nothing is told as if it were known.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from types import GenericAlias
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from cockpit.adapters.kubernetes.cluster import Cluster, NotAccepted, Refused
from cockpit.adapters.kubernetes.door import Door
from cockpit.errors import CockpitError, Malformed, TargetUnreachable
from cockpit.words import _

_PAGE = 500
_WATCH_S = 240
_SILENCE_S = 100.0
"""A server that follows our wish for bookmarks says something every minute."""
_END_S = 1.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 30.0
_HELD_S = 5.0
"""A watch that stood so long was a good one: the next wait is short again."""


class Metadata(Struct):
    """What tells an object from others."""

    name: str = ""
    namespace: str = ""
    generation: int = 0
    resourceVersion: str = ""  # noqa: N815 - the API's spelling
    creationTimestamp: str | None = None  # noqa: N815 - the API's spelling
    deletionTimestamp: str | None = None  # noqa: N815 - the API's spelling


class Mirrored(Struct):
    """The least an object is; a kind's Struct adds what is wanted of it, and nothing else is decoded."""

    metadata: Metadata = msgspec.field(default_factory=Metadata)


class _Continue(Struct):
    resourceVersion: str = ""  # noqa: N815 - the API's spelling
    # The API's name for it is a word of Python.
    more: str = msgspec.field(default="", name="continue")


class _Event(Struct):
    type: str
    object: msgspec.Raw


Item = TypeVar("Item", bound=Mirrored)
Kept = TypeVar("Kept")


class _Forgotten(Exception):
    """410: the server can't tell what was missed."""


class Mirror(Generic[Item, Kept]):
    """What is kept of the objects in one list, as they are now. Starts with the first `items`.

    Args:
        door: the way to the server, shared by the mirrors of one probe.
        path: the list's address, for the cluster that it is read from.
        shape: what of an object is decoded.
        keep: what of it is kept, from the object and what was kept of it before; called once a change.
        query: what else the list is asked with (a selector), for the cluster that it is read from.
        newest: of more objects than twice so many, only those whose `rank` is highest are kept; 0 for all.
    """

    def __init__(
        self,
        door: Door,
        path: Callable[[Cluster], str],
        shape: type[Item],
        keep: Callable[[Item, Kept | None], Kept],
        *,
        query: Callable[[Cluster], dict[str, str]] = lambda _cluster: {},
        newest: int = 0,
        rank: Callable[[Kept], Any] = lambda _kept: 0,
    ) -> None:
        self._door, self._path, self._keep = door, path, keep
        self._query = query
        self._newest, self._rank = newest, rank
        self._event = msgspec.json.Decoder(_Event)
        self._item = msgspec.json.Decoder(shape)
        self._page = msgspec.json.Decoder(
            msgspec.defstruct("Page", [("metadata", _Continue), ("items", GenericAlias(list, (shape,)))])
        )
        self._kept: dict[tuple[str, str], Kept] = {}
        self._version = ""
        self._failure: CockpitError | None = None
        self._standing = False
        self._changed = threading.Condition()
        self._known = False
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self._cluster: Cluster | None = None

    def begin(self) -> None:
        """Start reading, if nobody has."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="kubernetes mirror", daemon=True)
            self._thread.start()

    def items(self, within_s: float) -> list[Kept]:
        """What is kept of every object, once they are known. Blocks.

        Raises:
            CockpitError: they can't be known now, and why.
        """
        self.begin()
        with self._changed:
            self._changed.wait_for(lambda: self._known or self._failure is not None, timeout=within_s)
            if self._failure is not None:
                raise self._failure
            if not self._known:
                raise self._door.silence()
            return list(self._kept.values())

    def close(self) -> None:
        """End the watch and its thread, which is not waited for when it hangs."""
        self._closed.set()
        if self._cluster is not None:
            self._cluster.interrupt()
        if self._thread is not None:
            self._thread.join(_END_S)

    def _run(self) -> None:
        wait_s = _FIRST_WAIT_S
        while not self._closed.is_set():
            begun, self._standing = time.monotonic(), False
            try:
                self._cluster = self._door.cluster()
                if not self._version:
                    self._version = self._list(self._cluster)
                self._watch(self._cluster)
                continue
            except _Forgotten:
                self._version = ""
            except Exception as error:  # noqa: BLE001 - whatever it is, the panel says it and the thread goes on
                self._fail(error)
            wait_s = _FIRST_WAIT_S if time.monotonic() - begun > _HELD_S else min(wait_s * 2, _LONGEST_WAIT_S)
            self._closed.wait(wait_s * random.uniform(0.5, 1.0))  # noqa: S311 - so that many don't come at once

    def _list(self, cluster: Cluster) -> str:
        """Read the whole list, in pages; returns the version it is of."""
        found: dict[tuple[str, str], Kept] = {}
        query = self._query(cluster) | {"limit": str(_PAGE)}
        while True:
            page: Any = self._page.decode(cluster.get_raw(self._path(cluster), query))
            for it in page.items:
                key = (it.metadata.namespace, it.metadata.name)
                found[key] = self._keep(it, self._kept.get(key))
            if not page.metadata.more:
                break
            query["continue"] = page.metadata.more
            self._bound(found)
        with self._changed:
            self._kept = found
            self._known, self._failure = True, None
            self._changed.notify_all()
        return str(page.metadata.resourceVersion)

    def _watch(self, cluster: Cluster) -> None:
        """Follow the list until the server ends it."""
        query = {"watch": "true", "allowWatchBookmarks": "true", "timeoutSeconds": str(_WATCH_S)}
        query |= self._query(cluster) | {"resourceVersion": self._version}
        for line in cluster.lines(self._path(cluster), query, silence_s=_SILENCE_S, opened=self._well):
            event = self._event.decode(line)
            if event.type == "ERROR":
                raise _Forgotten
            item = self._item.decode(event.object)
            self._version = item.metadata.resourceVersion
            if event.type != "BOOKMARK":
                self._take(event.type, item)
            if self._closed.is_set():
                break

    def _take(self, what: str, item: Item) -> None:
        key = (item.metadata.namespace, item.metadata.name)
        with self._changed:
            if what == "DELETED":
                self._kept.pop(key, None)
            else:
                self._kept[key] = self._keep(item, self._kept.get(key))
                self._bound(self._kept)

    def _bound(self, kept: dict[tuple[str, str], Kept]) -> None:
        if self._newest and len(kept) > 2 * self._newest:
            for key in sorted(kept, key=lambda key: self._rank(kept[key]))[: -self._newest]:
                del kept[key]

    def _well(self) -> None:
        with self._changed:
            self._failure, self._standing = None, True

    def _fail(self, error: Exception) -> None:
        """A link that stood and broke is made again before anybody is told."""
        if isinstance(error, Refused) and error.status == 410:
            self._version = ""
        if isinstance(error, NotAccepted):
            self._door.forget(self._cluster)
        if isinstance(error, msgspec.MsgspecError):
            error = Malformed(_("the API server's answer can't be understood"), where=str(error))
        elif not isinstance(error, CockpitError):
            error = TargetUnreachable(f"{type(error).__name__}: {error}")
        with self._changed:
            self._failure = None if self._standing else error
            self._changed.notify_all()
