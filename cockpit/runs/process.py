"""Which process is which: pids are used again, so a pid counts only together with its start time and the boot.

Stdlib only, and light: the runner imports it too.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

_LINUX = sys.platform.startswith("linux")


class Process:
    """One row of the process table. `state` is its first letter as ps prints it: "Z" is dead and not yet reaped."""

    __slots__ = ("group", "parent", "pid", "session", "state")

    def __init__(self, pid: int, parent: int, group: int, session: int, state: str) -> None:
        self.pid = pid
        self.parent = parent
        self.group = group
        self.session = session
        self.state = state


def boot_id() -> str:
    """What tells this boot of the machine from every other; "unknown" where the system does not say."""
    if _LINUX:
        return _bytes_of("/proc/sys/kernel/random/boot_id").decode("ascii").strip() or "unknown"
    return _printed_by("sysctl", "-n", "kern.bootsessionuuid").strip() or "unknown"


def process_start_time(pid: int) -> str | None:
    """When the process began, as an opaque text to compare within one boot; None when it is gone or a zombie."""
    if _LINUX:
        fields = _stat(pid)
        return fields[19] if fields and fields[0] not in "ZX" else None
    state, _space, started = _printed_by("ps", "-o", "stat=,lstart=", "-p", str(pid)).strip().partition(" ")
    return started.strip() if started and not state.startswith("Z") else None


def is_same_process(pid: int, start_time: str) -> bool:
    """Whether the pid still belongs to the process that began then."""
    return pid > 0 and process_start_time(pid) == start_time


def relatives(leader: int, marker: str) -> list[int]:
    """Pids of what a run left alive: its group, its session, their descendants, and whatever carries its mark.

    Args:
        leader: the pid that led the run's group and session (which may be gone).
        marker: an environment entry, NAME=value, given to the run alone. Where the system shows it (Linux), it finds
            processes that changed their session and lost their parent.
    """
    table = process_table()
    found = {p.pid for p in table if leader in (p.group, p.session) and p.pid != leader}
    found |= {p.pid for p in table if p.pid not in found and p.pid != os.getpid() and _carries(p.pid, marker)}
    grown = True
    while grown:
        children = {p.pid for p in table if p.parent in found} - found
        found |= children
        grown = bool(children)
    return sorted(p.pid for p in table if p.pid in found and p.state != "Z" and p.pid != leader)


def process_table() -> list[Process]:
    """Every process that can be seen."""
    if _LINUX:
        return list(_linux_table(int(entry.name) for entry in os.scandir("/proc") if entry.name.isdigit()))
    rows = (line.split() for line in _printed_by("ps", "-axo", "pid=,ppid=,pgid=,stat=").splitlines())
    return [Process(int(r[0]), int(r[1]), int(r[2]), _session_of(int(r[0])), r[3][0]) for r in rows if len(r) == 4]


def _linux_table(pids: Iterable[int]) -> Iterable[Process]:
    for pid in pids:
        fields = _stat(pid)
        if fields:
            yield Process(pid, int(fields[1]), int(fields[2]), int(fields[3]), fields[0])


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on: the name before them may hold spaces and brackets."""
    return _bytes_of(f"/proc/{pid}/stat").rpartition(b")")[2].decode("ascii").split()


def _session_of(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return 0


def _carries(pid: int, marker: str) -> bool:
    return os.fsencode(marker) in _bytes_of(f"/proc/{pid}/environ").split(b"\0")


def _bytes_of(path: str) -> bytes:
    """All of a small file of /proc; b"" when it is gone or closed to us."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    pieces = []
    try:
        while piece := os.read(descriptor, 1 << 16):
            pieces.append(piece)
    except OSError:
        pass
    finally:
        os.close(descriptor)
    return b"".join(pieces)


def _printed_by(*argv: str) -> str:
    import subprocess

    try:
        return subprocess.run(argv, capture_output=True, text=True, timeout=5, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
