"""This machine: CPU, memory, disks, load and uptime, read by psutil away from the event loop."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any, ClassVar

from msgspec import Struct

from cockpit.adapters.own_thread import OwnThread
from cockpit.adapters.probing import Finding, Value
from cockpit.safety.permit import Action, Permit
from cockpit.safety.verdict import Judgement, Verdict
from cockpit.words import _

_FIRST_LOOK_S = 0.1


class MachineOptions(Struct, frozen=True, kw_only=True):
    """Keys of a machine probe: `folders` whose disks count."""

    folders: tuple[str, ...] = ("/",)


class MachineProbe:
    """The machine the host runs on, or another one called `where`."""

    Options: ClassVar[type[Struct]] = MachineOptions

    def __init__(self, options: MachineOptions, _deadline_s: float, where: str = "local") -> None:
        self._folders = options.folders
        self._where = where
        self._thread = OwnThread[Finding](f"look at {where}")
        self._looked = False

    @property
    def action(self) -> Action:
        """Reading the kernel's counters."""
        return Action("machine", "read cpu, memory, disks, load and uptime", self._where)

    @property
    def judgement(self) -> Judgement:
        """Counters are read, nothing is started."""
        return Judgement(Verdict.READ_ONLY, (_("reading counters changes nothing"),))

    async def look(self, permit: Permit) -> Finding:
        """The counters now. See `Watchable`."""
        permit.covers(self.action)
        return await self._thread.run(self._read)

    async def close(self) -> None:
        """Nothing is kept open."""

    def _read(self) -> Finding:
        import psutil

        # The first CPU figure needs a span to be measured over; later ones are since the last look.
        cpu = psutil.cpu_percent(interval=None if self._looked else _FIRST_LOOK_S)
        self._looked = True
        memory = psutil.virtual_memory()
        rows = tuple(row for row in map(_disk, self._folders) if row)
        return machine_finding(
            cpu=cpu,
            memory_percent=memory.percent,
            memory_bytes=float(memory.total - memory.available),
            disks=rows,
            load=os.getloadavg()[0],
            cores=float(psutil.cpu_count() or 1),
            uptime_s=time.time() - psutil.boot_time(),
        )


def machine_finding(
    *,
    cpu: float | None,
    memory_percent: float | None,
    memory_bytes: float | None,
    disks: tuple[Mapping[str, Any], ...],
    load: float,
    cores: float,
    uptime_s: float | None,
) -> Finding:
    """What was found of any machine; None for what it does not tell. `cpu` in %."""
    disk = max((row["disk_percent"] for row in disks), default=None)
    values = (
        Value("cpu_percent", cpu, "%"),
        Value("memory_percent", memory_percent, "%"),
        Value("disk_percent", disk, "%"),
        Value("load1", round(load, 2)),
        Value("cores", cores),
        Value("memory_bytes", memory_bytes, "bytes"),
        Value("uptime_s", None if uptime_s is None else round(uptime_s), "s"),
    )
    text = _("CPU {cpu} · memory {memory} · disk {disk} · load {load:.1f}").format(
        cpu=_percent(cpu), memory=_percent(memory_percent), disk=_percent(disk), load=load
    )
    return Finding(text, values, disks)


def _percent(share: float | None) -> str:
    return "?" if share is None else f"{share:.0f}%"


def _disk(folder: str) -> Mapping[str, Any] | None:
    import psutil

    try:
        usage = psutil.disk_usage(folder)
    except OSError:
        return None
    return {"folder": folder, "disk_percent": usage.percent, "free_bytes": usage.free, "size_bytes": usage.total}
