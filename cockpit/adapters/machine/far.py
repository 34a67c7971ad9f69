"""Another machine: CPU, memory, disks, load and uptime, from what a shell can read there.

CPU and memory come from /proc, so only where there is one; load, disks and cores come from POSIX tools.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from shlex import quote
from typing import Any

from cockpit.adapters.far import Far
from cockpit.adapters.machine.probe import MachineOptions, MachineProbe, machine_finding
from cockpit.adapters.probing import Finding
from cockpit.errors import LinkDown, Malformed, NotTried, TargetUnreachable
from cockpit.words import _

SHARE_OF_DEADLINE = 0.85
_KIB = 1024
_LOAD = re.compile(r"load averages?:\s*([\d.]+)")

_LOOK = """c() {{ [ -r /proc/stat ] && read -r x </proc/stat && printf 'cpu %s\\n' "$x"; }}
c
[ -r /proc/meminfo ] && while read -r k v x; do
  case $k in MemTotal:|MemAvailable:|MemFree:) printf '%s %s\\n' "$k" "$v";; esac
done </proc/meminfo
[ -r /proc/uptime ] && read -r v x </proc/uptime && printf 'up %s\\n' "$v"
if [ -r /proc/loadavg ]; then read -r v x </proc/loadavg; printf 'load %s\\n' "$v"; else uptime; fi
printf 'cores %s\\n' "$(getconf _NPROCESSORS_ONLN || nproc)"
for f in {folders}; do printf 'disk %s\\n' "$(df -kP -- "$f" | tail -n 1)"; done
{again}
"""
_AGAIN = "sleep 0.2 || sleep 1; c"
"""The first CPU figure needs a span to be measured over; later ones are since the last look."""


class FarMachineProbe(MachineProbe):
    """A machine that is a target. It is red when there is no way to it: that is what this one is to tell."""

    def __init__(self, options: MachineOptions, deadline_s: float, far: Far) -> None:
        super().__init__(options, deadline_s, far.name)
        self._deadline_s = deadline_s * SHARE_OF_DEADLINE
        self._far = far
        self._cpu: tuple[float, float] | None = None

    def _read(self) -> Finding:
        script = _LOOK.format(folders=" ".join(map(quote, self._folders)), again="" if self._cpu else _AGAIN)
        try:
            said = self._far.ask(script, deadline_s=self._deadline_s)
        except NotTried:
            raise
        except LinkDown as error:
            self._cpu = None
            raise TargetUnreachable(error.what, where=error.where, mend=error.mend) from error
        lines = said.decode("utf-8", "replace").split("\n")
        told = {head: rest for head, _space, rest in (line.partition(" ") for line in lines) if rest}
        load = told.get("load") or next((found[1] for line in lines if (found := _LOAD.search(line))), "")
        if not load:
            raise Malformed(_("the machine's answer can't be understood"), where=self._far.name)
        busy = [_busy(line) for line in lines if line.startswith("cpu ")]
        total_kib = _number(told.get("MemTotal:"))
        free_kib = _number(told.get("MemAvailable:")) or _number(told.get("MemFree:"))
        return machine_finding(
            cpu=self._cpu_percent(busy),
            memory_percent=round(100 * (1 - (free_kib or 0) / total_kib), 1) if total_kib else None,
            memory_bytes=(total_kib - (free_kib or 0)) * _KIB if total_kib else None,
            disks=tuple(self._disks([line for line in lines if line.startswith("disk ")])),
            load=_number(load) or 0.0,
            cores=_number(told.get("cores")) or 1.0,
            uptime_s=_number((told.get("up") or "").split(" ")[0]),
        )

    def _cpu_percent(self, busy: list[tuple[float, float]]) -> float | None:
        """The share of CPU time that was used since the last look, from (used, all) in the kernel's ticks."""
        if not busy:
            return None
        before = self._cpu or busy[0]
        self._cpu = used, whole = busy[-1]
        passed = whole - before[1]
        return round(100 * (used - before[0]) / passed, 1) if passed > 0 else 0.0

    def _disks(self, lines: list[str]) -> Iterator[Mapping[str, Any]]:
        """One row a folder, from `df -P`: filesystem, blocks, used, available, capacity, mounted on."""
        for folder, line in zip(self._folders, lines, strict=False):
            numbers = [int(word) for word in line.split()[1:] if word.isdigit()]
            if len(numbers) < 3:
                continue
            size, used, free = numbers[:3]
            share = round(100 * used / (used + free), 1) if used + free else 0.0
            yield {
                "folder": folder,
                "disk_percent": share,
                "free_bytes": free * _KIB,
                "size_bytes": size * _KIB,
            }


def _busy(line: str) -> tuple[float, float]:
    """(used, all) ticks of /proc/stat's first line: user nice system idle iowait irq softirq steal …"""
    ticks = [float(word) for word in line.split() if word.isdigit()][:8]
    return sum(ticks) - sum(ticks[3:5]), sum(ticks)


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
