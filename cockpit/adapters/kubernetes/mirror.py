"""A copy of a list on an API server, kept up by its watch in a thread of its own.

A watch may end at any moment: with an answer (the server ends each after a while), without one (a cut link), or with
410 (the server has forgotten what was missed). Then the list is read anew, later each time while it fails.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from contextlib import closing
from types import GenericAlias
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from cockpit.adapters.kubernetes.cluster import Cluster, KubernetesOptions
from cockpit.errors import CockpitError, Malformed, TargetUnreachable
from cockpit.words import _

_PAGE = 500
_WATCH_S = 240
_END_S = 1.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 30.0


class Metadata(Struct):
    """What tells an object from others."""

    name: str = ""
    namespace: str = ""
    generation: int = 0
    resourceVersion: str = ""  # noqa: N815 - the API's spelling
    deletionTimestamp: str | None = None  # noqa: N815 - the API's spelling


class Mirrored(Struct):
    """The least an object is; a kind's Struct adds what is wanted of it, and nothing else is kept."""

    metadata: Metadata = msgspec.field(default_factory=Metadata)


class _Continue(Struct):
    resourceVersion: str = ""  # noqa: N815 - the API's spelling
    # The API's name for it is a word of Python.
    more: str = msgspec.field(default="", name="continue")


class _Event(Struct):
    type: str
    object: msgspec.Raw


Item = TypeVar("Item", bound=Mirrored)


class _Forgotten(Exception):
    """410: the server can't tell what was missed."""


class Mirror(Generic[Item]):
    """The objects in one list, as they are now. Starts with the first `items`.

    Args:
        path: the list's address, for the cluster that it is read from.
        shape: what of an object is kept.
    """

    def __init__(self, options: KubernetesOptions, path: Callable[[Cluster], str], shape: type[Item]) -> None:
        self._options = options
        self._path = path
        self._event = msgspec.json.Decoder(_Event)
        self._item = msgspec.json.Decoder(shape)
        self._page = msgspec.json.Decoder(
            msgspec.defstruct("Page", [("metadata", _Continue), ("items", GenericAlias(list, (shape,)))])
        )
        self._objects: dict[tuple[str, str], Item] = {}
        self._failure: CockpitError | None = None
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._known = False
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self._cluster: Cluster | None = None

    def items(self, within_s: float) -> list[Item]:
        """Every object, once they are known. Blocks.

        Raises:
            CockpitError: they can't be known now, and why.
        """
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="kubernetes mirror", daemon=True)
            self._thread.start()
        with self._lock:
            self._changed.wait_for(lambda: self._known or self._failure is not None, timeout=within_s)
            if self._failure is not None:
                raise self._failure
            if not self._known:
                raise TargetUnreachable(_("the API server has not answered yet"))
            return list(self._objects.values())

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
            try:
                with closing(Cluster(self._options, sealed=True)) as cluster:
                    self._cluster = cluster
                    version = self._list(cluster)
                    wait_s = _FIRST_WAIT_S
                    while not self._closed.is_set():
                        version = self._watch(cluster, version)
            except _Forgotten:
                self._closed.wait(_FIRST_WAIT_S)
            except Exception as error:  # noqa: BLE001 - whatever it is, the panel says it and the thread goes on
                self._fail(error)
                self._closed.wait(wait_s * random.uniform(0.8, 1.2))  # noqa: S311 - so that many don't come at once
                wait_s = min(wait_s * 2, _LONGEST_WAIT_S)

    def _list(self, cluster: Cluster) -> str:
        """Read the whole list, in pages; returns the version it is of."""
        found: dict[tuple[str, str], Item] = {}
        query = {"limit": str(_PAGE)}
        while True:
            page: Any = self._page.decode(cluster.get_raw(self._path(cluster), query))
            found |= {(it.metadata.namespace, it.metadata.name): it for it in page.items}
            if not page.metadata.more:
                break
            query["continue"] = page.metadata.more
        with self._lock:
            self._objects, self._known, self._failure = found, True, None
            self._changed.notify_all()
        return str(page.metadata.resourceVersion)

    def _watch(self, cluster: Cluster, version: str) -> str:
        """Follow the list until the server ends it; returns the version that is known then."""
        query = {"watch": "true", "allowWatchBookmarks": "true", "timeoutSeconds": str(_WATCH_S)}
        for line in cluster.lines(self._path(cluster), query | {"resourceVersion": version}):
            event = self._event.decode(line)
            if event.type == "ERROR":
                raise _Forgotten
            item = self._item.decode(event.object)
            version = item.metadata.resourceVersion
            with self._lock:
                key = (item.metadata.namespace, item.metadata.name)
                if event.type == "DELETED":
                    self._objects.pop(key, None)
                elif event.type != "BOOKMARK":
                    self._objects[key] = item
            if self._closed.is_set():
                break
        return version

    def _fail(self, error: Exception) -> None:
        if isinstance(error, msgspec.MsgspecError):
            error = Malformed(_("the API server's answer is not JSON"), where=str(error))
        elif not isinstance(error, CockpitError):
            error = TargetUnreachable(f"{type(error).__name__}: {error}")
        with self._lock:
            self._failure = error
            self._changed.notify_all()
