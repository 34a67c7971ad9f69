"""The logs of all pods that are meant, as pods come and go: a bounded number of streams, one place for their lines."""

from __future__ import annotations

import threading
from collections.abc import Container, Sequence

import msgspec
from msgspec import Struct

from cockpit.adapters.kubernetes.call import selector_text
from cockpit.adapters.kubernetes.cluster import Cluster
from cockpit.adapters.kubernetes.door import Door
from cockpit.adapters.kubernetes.gathered import Gathered, Gathering
from cockpit.adapters.kubernetes.kinds import checked
from cockpit.adapters.kubernetes.log_tail import LogTail
from cockpit.adapters.kubernetes.mirror import Mirror, Mirrored
from cockpit.adapters.kubernetes.sign_in import KubernetesOptions

_FIRST_LINES_S = 2.0
"""The first look waits so long for lines, so that it shows some."""


class _Named(Struct):
    name: str = ""


class _Init(_Named):
    restartPolicy: str = ""  # noqa: N815 - the API's spelling


class _PodSpec(Struct):
    containers: list[_Named] = []
    initContainers: list[_Init] = []  # noqa: N815 - the API's spelling


class _Ended(Struct):
    exitCode: int = 0  # noqa: N815 - the API's spelling


class _State(Struct):
    terminated: _Ended | None = None


class _InitStatus(Struct):
    name: str = ""
    state: _State = msgspec.field(default_factory=_State)


class _PodStatus(Struct):
    initContainerStatuses: list[_InitStatus] = []  # noqa: N815 - the API's spelling


class _Pod(Mirrored):
    spec: _PodSpec = msgspec.field(default_factory=_PodSpec)
    status: _PodStatus = msgspec.field(default_factory=_PodStatus)

    def containers(self, named: str) -> list[str]:
        """The one that is named, or those whose logs matter: its own, sidecars, and what has yet to end well."""
        if named:
            return [it.name for it in (*self.spec.initContainers, *self.spec.containers) if it.name == named]
        done = {
            it.name
            for it in self.status.initContainerStatuses
            if it.state.terminated is not None and it.state.terminated.exitCode == 0
        }
        first = [it.name for it in self.spec.initContainers if it.restartPolicy == "Always" or it.name not in done]
        return [*first, *(it.name for it in self.spec.containers)]


class Meant(Struct, frozen=True):
    """Whose logs: those of a deployment, of what a selector names, of one pod, or (all empty) of every pod.

    `container` "" is every container of each, with sidecars, and with what has to end before them and has not.
    """

    deployment: str = ""
    selector: str = ""
    pod: str = ""
    container: str = ""


class LogTails:
    """Starts with the first `take`.

    Args:
        most: streams at once; further containers are counted and not followed.
    """

    def __init__(self, options: KubernetesOptions, meant: Meant, most: int) -> None:
        self._meant, self._most = meant, most
        self._door = Door(options)
        self._gathering = Gathering()
        self._pods: Mirror[_Pod, _Pod] = Mirror(self._door, _address, _Pod, self._seen, query=self._query)
        self._tails: dict[tuple[str, str, str], LogTail] = {}
        self._lock = threading.Lock()
        self._begun = self._closed = False

    def take(self, within_s: float) -> list[Gathered]:
        """What has come since the last time.

        Raises:
            CockpitError: the pods can't be listed, or the server does not answer.
        """
        pods = self._pods.items(within_s)
        self._door.knock(within_s / 3)
        places = {place for pod in pods for place in self._places(pod)}
        with self._lock:
            for place in [place for place, tail in self._tails.items() if tail.over or _is_done(place, tail, places)]:
                self._tails.pop(place).close()
        for pod in pods:
            self._follow(pod)
        if not self._begun and self._tails:
            self._gathering.wait(min(_FIRST_LINES_S, within_s / 3))
        self._begun = True
        return self._gathering.take()

    @property
    def followed(self) -> int:
        """Logs that are followed."""
        return len(self._tails)

    def pods(self) -> list[_Pod]:
        """The pods there are, as last heard."""
        return self._pods.items(0)

    def left_out(self) -> int:
        """Logs that are not followed, being too many."""
        places = {place for pod in self.pods() for place in self._places(pod)}
        return len(places - self._tails.keys())

    def troubles(self) -> Sequence[str]:
        """Why logs can't be read now, one text each."""
        with self._lock:
            return [tail.trouble for tail in self._tails.values() if tail.trouble]

    def close(self) -> None:
        """End all streams."""
        self._closed = True
        self._gathering.close()
        with self._lock:
            for tail in self._tails.values():
                tail.close()
        self._door.close()
        self._pods.close()

    def _seen(self, pod: _Pod, _before: _Pod | None) -> _Pod:
        """Called as soon as anything happens to a pod: one that lives shortly is read too."""
        if self._begun:
            self._follow(pod)
        with self._lock:
            for place in self._places(pod):
                if place in self._tails:
                    self._tails[place].wake()
        return pod

    def _follow(self, pod: _Pod) -> None:
        places = self._places(pod)
        with self._lock:
            for place in places:
                if place not in self._tails and len(self._tails) < self._most and not self._closed:
                    alone = [one.name for one in pod.spec.containers] == [place[2]]
                    source = place[1] if alone else f"{place[1]}/{place[2]}"
                    self._tails[place] = LogTail(self._door, place, source, self._gathering, whole=self._begun)

    def _places(self, pod: _Pod) -> list[tuple[str, str, str]]:
        return [(pod.metadata.namespace, pod.metadata.name, name) for name in pod.containers(self._meant.container)]

    def _query(self, cluster: Cluster) -> dict[str, str]:
        if self._meant.pod:
            return {"fieldSelector": f"metadata.name={self._meant.pod}"}
        if self._meant.deployment:
            name = checked(self._meant.deployment)
            found = cluster.get(f"/apis/apps/v1/namespaces/{cluster.namespace}/deployments/{name}")
            return {"labelSelector": selector_text(found["spec"]["selector"])}
        return {"labelSelector": self._meant.selector} if self._meant.selector else {}


def _is_done(place: tuple[str, str, str], tail: LogTail, places: Container[object]) -> bool:
    """Whether it is the log of what had to end first, has ended well, and was read."""
    return tail.settled and place not in places


def _address(cluster: Cluster) -> str:
    return f"/api/v1/namespaces/{cluster.namespace}/pods"
