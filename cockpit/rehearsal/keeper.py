"""A world's keeper: one process that starts the service under PM2, and ends everything when the world is over.

`python -m cockpit.rehearsal.keeper FOLDER`. It ends on TERM, when the folder is gone, when the owner named in
owner.json has been gone for as long as owner.json says, and after eight hours in any case. It holds keeper.lock for
life: the service and the PM2 stand-in end by themselves once nobody holds it, so that not even `kill -9` of the keeper
leaves anything running.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from cockpit.rehearsal.layout import Layout

_LOOK_S = 0.5
# A rehearsal that somebody forgot to end must not keep a service running for good.
_LONGEST_S = 8 * 3600.0
_COMMAND_S = 30.0
_GRACE_S = 3.0
_STEP_S = 0.05


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process that can't be mistaken for a later one with the same pid. `created` is psutil's, in seconds."""

    pid: int
    created: float

    @classmethod
    def of(cls, pid: int) -> ProcessIdentity:
        """The process that has this pid now."""
        return cls(pid, psutil.Process(pid).create_time())

    def process(self) -> psutil.Process | None:
        """The process, or None when it is gone."""
        try:
            process = psutil.Process(self.pid)
            return process if abs(process.create_time() - self.created) < 1 and lives(process) else None
        except psutil.Error:
            return None


def lives(process: psutil.Process) -> bool:
    """Whether a process runs. A zombie does not: in a container nobody may ever reap it."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def write_owner(layout: Layout, pid: int, linger_s: float) -> None:
    """Say for which process the world is there, and how long it may go on without it."""
    fresh = layout.owner.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps({**asdict(ProcessIdentity.of(pid)), "linger_s": linger_s}), encoding="utf-8")
    fresh.replace(layout.owner)


def end_tree(root: psutil.Process) -> None:
    """End a process and all below it: TERM, then KILL after a grace."""
    try:
        doomed = [*root.children(recursive=True), root]
    except psutil.Error:
        return
    for ask in (psutil.Process.terminate, psutil.Process.kill):
        for process in doomed:
            try:
                ask(process)
            except psutil.Error:
                continue
        end_m = time.monotonic() + _GRACE_S
        while (doomed := [process for process in doomed if lives(process)]) and time.monotonic() < end_m:
            time.sleep(_STEP_S)


class Keeper:
    """Starts the world's processes, waits for its end, and cleans up."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.record: dict[str, Any] = json.loads(layout.record.read_text(encoding="utf-8"))
        self.pm2_home = Path(self.record["environment"]["PM2_HOME"])
        self.daemon: psutil.Process | None = None
        self.ending = threading.Event()

    def keep(self) -> None:
        """Run the world from its start to its end."""
        try:
            self._pm2("start", str(self.layout.ecosystem))
            self._note_daemon()
            missing_since_m: float | None = None
            end_m = time.monotonic() + _LONGEST_S
            while not self.ending.wait(_LOOK_S) and time.monotonic() < end_m:
                present, linger_s = self._owner_present()
                if present:
                    missing_since_m = None
                    continue
                missing_since_m = missing_since_m or time.monotonic()
                if time.monotonic() - missing_since_m >= linger_s:
                    return
        finally:
            self.end()

    def end(self) -> None:
        """Stop the service and PM2, and make sure of it."""
        self._note_daemon()
        try:
            self._pm2("kill")
        except (OSError, subprocess.SubprocessError) as error:
            sys.stderr.write(f"pm2 kill: {error}\n")
        if self.daemon is not None and lives(self.daemon):
            end_tree(self.daemon)
        if not self.pm2_home.is_relative_to(self.layout.root):
            shutil.rmtree(self.pm2_home, ignore_errors=True)

    def _pm2(self, *arguments: str) -> None:
        environment = {**os.environ, **self.record["environment"]}
        subprocess.run(
            [shutil.which("pm2", path=environment["PATH"]) or "pm2", *arguments],
            env=environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            timeout=_COMMAND_S,
            check=True,
        )

    def _note_daemon(self) -> None:
        # A trainee may have ended PM2 and started it anew: the one that is there at the end is the one to end.
        try:
            pid = int((self.pm2_home / "pm2.pid").read_text(encoding="utf-8"))
            self.daemon = psutil.Process(pid)
        except (OSError, ValueError, psutil.Error):
            return

    def _owner_present(self) -> tuple[bool, float]:
        try:
            owner = json.loads(self.layout.owner.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False, 0.0
        identity = ProcessIdentity(owner["pid"], owner["created"])
        return identity.process() is not None, float(owner["linger_s"])


def main(arguments: list[str]) -> None:
    """Keep the world in the folder named on the command line."""
    layout = Layout(Path(arguments[0]))
    os.setsid()
    os.chdir("/")
    with layout.lock.open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        keeper = Keeper(layout)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: keeper.ending.set())
        keeper.keep()


if __name__ == "__main__":
    main(sys.argv[1:])
