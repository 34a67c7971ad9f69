"""CPU and memory in use by pods and nodes, from metrics.k8s.io where the cluster serves it."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping

import msgspec
from msgspec import Struct

from cockpit.adapters.kubernetes.door import Door
from cockpit.adapters.kubernetes.mirror import Metadata
from cockpit.errors import CockpitError

_EVERY_S = 30.0
"""A metrics server measures each 15 s or more rarely; thousands of pods are not worth asking for more often."""
_ABSENT_S = 300.0
_QUANTITY = re.compile(r"(\d+(?:\.\d*)?(?:[eE][+-]?\d{1,2})?)([numkKMGTPE]i?)?")
_FACTORS = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}
_FACTORS |= {f"{letter}i": 1024.0**n for n, letter in enumerate("KMGTPE", 1)}


def quantity(written: str) -> float:
    """A Kubernetes quantity ("250m", "1.5Gi") as a number; 0 for what is none."""
    found = _QUANTITY.fullmatch(written)
    return float(found[1]) * _FACTORS.get(found[2] or "", 0.0) if found else 0.0


class Used(Struct, frozen=True):
    """What one pod or node uses."""

    cpu_cores: float
    memory_bytes: float


class _Container(Struct):
    usage: dict[str, str] = {}


class _Item(Struct):
    metadata: Metadata = msgspec.field(default_factory=Metadata)
    usage: dict[str, str] = {}
    containers: list[_Container] = []


class _List(Struct):
    items: list[_Item] = []


class Usage:
    """What is in use, asked for now and then, in a thread that nobody waits for."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._decoder = msgspec.json.Decoder(_List)
        self._asked_m = float("-inf")
        self._thread: threading.Thread | None = None
        self.pods: Mapping[tuple[str, str], Used] = {}
        self.nodes: Mapping[str, Used] = {}
        self.absent: bool | None = None
        """Whether nothing can be had; None while that is not known."""

    def refresh(self, namespace: str) -> None:
        """Ask again if it is time to, and nobody is asking.

        Args:
            namespace: whose pods; "" for all.
        """
        due = time.monotonic() - self._asked_m >= (_ABSENT_S if self.absent else _EVERY_S)
        if due and (self._thread is None or not self._thread.is_alive()):
            self._asked_m = time.monotonic()
            self._thread = threading.Thread(target=self._run, args=(namespace,), name="kubernetes usage", daemon=True)
            self._thread.start()

    def _run(self, namespace: str) -> None:
        where = f"/namespaces/{namespace}" if namespace else ""
        try:
            pods = self._ask(f"/apis/metrics.k8s.io/v1beta1{where}/pods")
        except Exception:  # noqa: BLE001 - whatever it is, the panel does without
            self.pods, self.nodes, self.absent = {}, {}, True
            return
        self.nodes = self._nodes()
        self.pods = {(it.metadata.namespace, it.metadata.name): _used(it) for it in pods.items}
        self.absent = False

    def _nodes(self) -> Mapping[str, Used]:
        try:
            found = self._ask("/apis/metrics.k8s.io/v1beta1/nodes")
        except (CockpitError, msgspec.MsgspecError):
            return {}  # whoever may look at pods alone sees those
        return {it.metadata.name: _used(it) for it in found.items}

    def _ask(self, path: str) -> _List:
        return self._decoder.decode(self._door.cluster().get_raw(path, {}))


def _used(it: _Item) -> Used:
    parts = [one.usage for one in it.containers] or [it.usage]
    cpu = sum(quantity(part.get("cpu", "")) for part in parts)
    return Used(round(cpu, 3), round(sum(quantity(part.get("memory", "")) for part in parts)))
