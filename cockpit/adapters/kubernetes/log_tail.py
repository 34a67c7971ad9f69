"""The log of one container of a pod, followed over restarts, cut links and rotation, in a thread of its own."""

from __future__ import annotations

import json
import random
import threading
import time
from typing import Any

from cockpit.adapters.kubernetes.cluster import Cluster, NotAccepted, Refused, path_of
from cockpit.adapters.kubernetes.door import Door
from cockpit.adapters.kubernetes.gathered import Gathered, Gathering
from cockpit.adapters.kubernetes.log_position import Position, line_of
from cockpit.errors import CockpitError, TimedOut
from cockpit.words import _

BEGIN_S = 60
"""How far back a log is read that was there before the watch."""
_SILENCE_S = 60.0
"""A stream so long silent is asked for anew: some stop without a word when a node rotates the log."""
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.25, 10.0


class LogTail:
    """Follows until the pod is gone.

    Args:
        source: what stands in front of its lines.
        whole: its pod came while it was watched, so that its log is read from its beginning.
    """

    def __init__(self, door: Door, place: tuple[str, str, str], source: str, gathering: Gathering, *, whole: bool):
        self._door = door
        self._namespace, self._pod, self._container = place
        self._source, self._gathering, self._whole = source, gathering, whole
        self._position = Position()
        self._instance: tuple[str, int] | None = None
        self.settled = False
        """Its container has ended, and its log was read to the end."""
        self._cut = False
        self._begun_m = time.monotonic()
        self._wake, self._closed = threading.Event(), threading.Event()
        self._cluster: Cluster | None = None
        self.over = False
        """The pod is gone, and its log was read."""
        self.trouble = ""
        """Why it can't be read now."""
        threading.Thread(target=self._run, name="kubernetes log", daemon=True).start()

    def wake(self) -> None:
        """Something happened to the pod: look now."""
        self._wake.set()

    def close(self) -> None:
        """End it, without waiting."""
        self._closed.set()
        self._wake.set()
        if self._cluster is not None:
            self._cluster.interrupt()

    def _run(self) -> None:
        wait_s = _FIRST_WAIT_S
        while not self._closed.is_set() and not self.over:
            self._wake.clear()
            brought = False
            try:
                self._cluster = cluster = self._door.cluster()
                brought = self._round(cluster)
                self.trouble = ""
            except Refused as error:
                self._refused(error)
            except TimedOut:
                brought = True
            except NotAccepted as error:
                self._cut, self.trouble = True, error.what
                self._door.forget(self._cluster)
            except CockpitError as error:
                self._cut, self.trouble = True, error.what
            except Exception as error:  # noqa: BLE001 - one log's defect must not end it silently
                self._cut, self.trouble = True, repr(error)
            wait_s = _FIRST_WAIT_S if brought else min(wait_s * 2, _LONGEST_WAIT_S)
            self._wake.wait(wait_s * random.uniform(0.5, 1.0))  # noqa: S311 - so that many don't come at once

    def _refused(self, error: Refused) -> None:
        """404: the pod is gone. Other answers pass (a container that has not begun has no log)."""
        self.trouble = error.what
        if error.status == 404:
            if self._cut and self._instance is not None:
                self._tell(_("the pod is gone; its last lines may be missing"))
            self.over = True

    def _round(self, cluster: Cluster) -> bool:
        """See which container it is, then follow its log to where it ends; tells whether that brought a line."""
        instance, running, begun = self._state(cluster)
        if instance != self._instance:
            if self._instance is not None:
                self._end_of(cluster, self._instance, instance)
                self._position, self._whole, self.settled = Position(), True, False
            self._instance = instance
        if not begun or self.settled:
            return False
        self._cut = True  # until it has ended well
        brought = self._follow(cluster, self._begin() | {"follow": "true"})
        self._cut = False
        self.settled = not running
        return brought

    def _state(self, cluster: Cluster) -> tuple[tuple[str, int], bool, bool]:
        """Which of the pod's containers it is by now (uid, restarts), whether it runs, and whether it has begun."""
        pod: dict[str, Any] = json.loads(cluster.get_raw(self._path(), {}))
        told = pod.get("status") or {}
        listed = [*(told.get("initContainerStatuses") or ()), *(told.get("containerStatuses") or ())]
        status: dict[str, Any] = next((one for one in listed if one.get("name") == self._container), {})
        state = status.get("state") or {}
        restarts = int(status.get("restartCount") or 0)
        running = "running" in state
        begun = running or "terminated" in state or bool(status.get("lastState"))
        return (str(pod["metadata"].get("uid", "")), restarts), running, begun

    def _end_of(self, cluster: Cluster, before: tuple[str, int], now: tuple[str, int]) -> None:
        """Read what the container before wrote last, and say where that can't be known."""
        if before[0] != now[0]:
            self._tell(_("another pod of this name; the last lines of the one before may be missing"))
            return
        lost = now[1] - before[1] > 1 or self._cut
        try:
            self._follow(cluster, self._begin() | {"previous": "true"})
            lost = now[1] - before[1] > 1 or self._position.missing
        except Refused:
            pass  # its log is no longer there
        told = _("the container was restarted ({n})").format(n=now[1])
        self._tell(told + (_("; lines before that may be missing") if lost else ""))

    def _begin(self) -> dict[str, str]:
        """Since when to ask."""
        if since := self._position.since:
            return {"sinceTime": since}
        return {} if self._whole else {"sinceSeconds": str(BEGIN_S + round(time.monotonic() - self._begun_m))}

    def _follow(self, cluster: Cluster, query: dict[str, str]) -> bool:
        asked = {"timestamps": "true", "container": self._container} | query
        self._position.resume()
        brought = False
        stream = cluster.lines(self._path("log"), asked, silence_s=_SILENCE_S, complete=True, opened=self._opened)
        for written in stream:
            line = line_of(written)
            new, gap = self._position.take(line)
            if gap:
                self._tell(_("the log was rotated while nobody could read it; lines may be missing"))
            if new:
                brought = True
                self._gathering.put(Gathered(line.at_ns, self._source, line.text))
            if self._closed.is_set():
                break
        return brought

    def _opened(self) -> None:
        self.trouble = ""

    def _tell(self, what: str) -> None:
        self._gathering.put(Gathered(0, self._source, what.encode(), told=True))

    def _path(self, *door: str) -> str:
        return path_of("api", "v1", "namespaces", self._namespace, "pods", self._pod, *door)
