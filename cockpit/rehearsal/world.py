"""A world: a small real service on loopback, under PM2, in a folder of its own, that can be broken and mended.

A world belongs to one process at a time, its owner, and ends soon after it; `hand_over` gives it to another, such as
the host of a session. Nothing of it is left when it ends: see keeper.py.
"""

from __future__ import annotations

import http.client
import json
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from cockpit.errors import AdapterError, TargetUnreachable, ToolMissing
from cockpit.rehearsal import layout as files
from cockpit.rehearsal.isolated import module_command
from cockpit.rehearsal.keeper import ProcessIdentity, end_tree, write_owner
from cockpit.rehearsal.layout import Layout
from cockpit.words import _

_START_S = 45.0
_STOP_S = 40.0
_LOOK_S = 0.1
_NEEDED = ("bash", "curl", "grep", "tail", "awk")


@dataclass(frozen=True, slots=True)
class World:
    """One world, running or not. `environment` is laid over every step's own; `inputs` are values known beforehand.

    `versions` are (bad, stable, older); `real_pm2` is the path of the PM2 in use, None for the stand-in;
    `keeper` is the process that keeps it.
    """

    layout: Layout
    port: int
    versions: tuple[str, str, str]
    environment: dict[str, str]
    inputs: dict[str, str]
    real_pm2: str | None
    keeper: ProcessIdentity

    @classmethod
    def start(cls, folder: Path, *, seed: int = 0, now: datetime | None = None, linger_s: float = 0.0) -> World:
        """Make a world in `folder` (made if absent, else empty) and start it, healthy, on its stable release.

        It belongs to the calling process until handed over, and outlives it by `linger_s`.

        Raises:
            ToolMissing: bash, curl or another plain tool is not on this machine.
            AdapterError: it did not come up; its log is named, nothing is left running.
        """
        _require_tools()
        layout = Layout(folder.absolute())
        files.make_folders(layout)
        versions = files.make_releases(layout, now or datetime.now().astimezone(), seed)
        files.point_current(layout, versions[1])
        home = files.pm2_home(layout)
        real_pm2 = files.make_commands(layout, home)
        port = _free_port()
        environment, inputs = _make_environment(layout, home, port)
        record = {"port": port, "versions": versions, "environment": environment, "inputs": inputs, "pm2": real_pm2}
        _write_private(layout.record, record)
        write_owner(layout, os.getpid(), linger_s)
        keeper = _start_keeper(layout)
        _write_private(layout.record, {**record, "keeper": asdict(keeper)})
        world = cls(layout, port, versions, environment, inputs, real_pm2, keeper)
        try:
            world.wait_until(lambda: world.health() == "UP", _START_S)
        except BaseException:
            world.stop()
            raise
        return world

    @classmethod
    def open(cls, folder: Path) -> World:
        """The world that was started in `folder`.

        Raises:
            AdapterError: there is none.
        """
        layout = Layout(folder.absolute())
        try:
            record = json.loads(layout.record.read_bytes())
            keeper = ProcessIdentity(**record["keeper"])
        except (OSError, ValueError, KeyError) as error:
            raise AdapterError(_("no rehearsal world is kept here"), where=str(folder)) from error
        bad, stable, older = record["versions"]
        return cls(
            layout,
            record["port"],
            (bad, stable, older),
            record["environment"],
            record["inputs"],
            record["pm2"],
            keeper,
        )

    @property
    def service_url(self) -> str:
        """Where the service answers, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def alive(self) -> bool:
        """Whether its keeper is there."""
        return self.keeper.process() is not None

    @property
    def current_version(self) -> str:
        """The release in use."""
        return self.layout.current.resolve().name

    def health(self) -> str:
        """The actuator's status: UP, DOWN, or "" when nothing answers."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            line.request("GET", "/actuator/health")
            return str(json.loads(line.getresponse().read())["status"])
        except (OSError, ValueError, KeyError, http.client.HTTPException):
            return ""
        finally:
            line.close()

    def deploy(self, version: str) -> None:
        """Switch to a release and restart the service, as a deployment does.

        Raises:
            AdapterError: PM2 did not restart it.
        """
        files.point_current(self.layout, version)
        environment = {**os.environ, **self.environment}
        command = [shutil.which("pm2", path=environment["PATH"]) or "pm2", "restart", "backend"]
        done = subprocess.run(
            command,
            env=environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_START_S,
            check=False,
        )
        if done.returncode:
            raise AdapterError(_("PM2 did not restart the service"), where=str(self.layout.root))

    def break_it(self) -> None:
        """Deploy the bad release, and return once the service is down. Only a rollback mends it.

        Raises:
            AdapterError: it did not break.
        """
        self.deploy(self.versions[0])
        self.wait_until(lambda: self.health() == "DOWN", _START_S)

    def wait_until(self, holds: Callable[[], bool], deadline_s: float) -> None:
        """Return once `holds()`, asked again and again.

        Raises:
            TargetUnreachable: it did not hold before the deadline, or the keeper is gone.
        """
        end_m = time.monotonic() + deadline_s
        while not holds():
            if time.monotonic() > end_m or not self.alive:
                raise TargetUnreachable(
                    _("the rehearsal's service did not get there in time"),
                    where=self.service_url,
                    mend=_("see {log}").format(log=self.layout.root / "keeper.log"),
                )
            time.sleep(_LOOK_S)

    def hand_over(self, pid: int, *, linger_s: float) -> None:
        """Give the world to another process: it ends `linger_s` after that one is gone."""
        write_owner(self.layout, pid, linger_s)

    def stop(self) -> None:
        """End the world, and return once nothing of it runs. May be called again."""
        process = self.keeper.process()
        if process is None:
            return
        try:
            process.terminate()
        except psutil.NoSuchProcess:
            return
        end_m = time.monotonic() + _STOP_S
        while self.alive:
            if time.monotonic() > end_m:
                end_tree(process)
                return
            time.sleep(_LOOK_S)


def _require_tools() -> None:
    missing = [tool for tool in _NEEDED if shutil.which(tool) is None]
    if missing:
        raise ToolMissing(
            _("a rehearsal needs {tools}").format(tools=", ".join(missing)),
            mend=_("install it with the system's package manager"),
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _make_environment(layout: Layout, pm2_home: Path, port: int) -> tuple[dict[str, str], dict[str, str]]:
    inputs = {
        "SERVICE_URL": f"http://127.0.0.1:{port}",
        "APP_HOME": str(layout.app_home),
        "SCRIPTS_DIR": str(layout.scripts),
        "APP_LOG": str(layout.app_log),
        "TEST_TOKEN": secrets.token_urlsafe(18),
    }
    environment = {
        "PATH": os.pathsep.join([str(layout.commands), os.environ.get("PATH", os.defpath)]),
        "PM2_HOME": str(pm2_home),
    }
    service = {
        "APP_HOME": str(layout.app_home),
        "APP_LOG_DIR": str(layout.app_log.parent),
        "PORT": str(port),
        "TEST_TOKEN": inputs["TEST_TOKEN"],
        "WORLD_LOCK": str(layout.lock),
        "PM2_HOME": str(pm2_home),
    }
    files.write_ecosystem(layout, service)
    machine = {**environment, "APP_HOME": inputs["APP_HOME"], "SERVICE_URL": inputs["SERVICE_URL"]}
    files.write_machine_environment(layout, machine)
    return environment, inputs


def _start_keeper(layout: Layout) -> ProcessIdentity:
    # Through a shell that ends at once: the keeper is nobody's child, so nobody has to wait for it.
    detach = '"$@" </dev/null >>keeper.log 2>&1 & echo $!'
    command = module_command("cockpit.rehearsal.keeper", str(layout.root))
    started = subprocess.run(
        ["/bin/sh", "-c", detach, "sh", *command], cwd=layout.root, capture_output=True, check=True, timeout=_START_S
    )
    return ProcessIdentity.of(int(started.stdout))


def _write_private(path: Path, content: dict[str, Any]) -> None:
    fresh = path.with_suffix(".new")
    with open(fresh, "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        json.dump(content, file)
    fresh.replace(path)
