"""Where everything in a world lies, and the files it is made of."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cockpit.rehearsal import backend
from cockpit.rehearsal.isolated import module_command

_FILES = Path(__file__).parent / "files"
_SOCKET_PATH_LIMIT = 90  # a unix socket's path holds 104 bytes on macOS; PM2's longest name takes 14 of them
_HEAP_MB = 512


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders of a world, named like those of the server it stands for."""

    root: Path

    @property
    def app_home(self) -> Path:
        """What /opt/ai_app is on the server."""
        return self.root / "opt" / "ai_app"

    @property
    def releases(self) -> Path:
        """A folder a release, newest last by name."""
        return self.app_home / "releases"

    @property
    def current(self) -> Path:
        """The symlink to the release in use."""
        return self.app_home / "current"

    @property
    def ecosystem(self) -> Path:
        """What PM2 starts."""
        return self.app_home / "ecosystem.config.js"

    @property
    def scripts(self) -> Path:
        """What /opt/scripts is on the server."""
        return self.root / "opt" / "scripts"

    @property
    def app_log(self) -> Path:
        """What /var/log/app/application.log is on the server."""
        return self.root / "var" / "log" / "app" / "application.log"

    @property
    def pm2_logs(self) -> Path:
        """What /var/log/pm2 is on the server."""
        return self.root / "var" / "log" / "pm2"

    @property
    def commands(self) -> Path:
        """First on the PATH of every step."""
        return self.root / "bin"

    @property
    def machine_environment(self) -> Path:
        """What /etc/environment is on the server."""
        return self.root / "etc" / "environment"

    @property
    def lock(self) -> Path:
        """Held by the keeper as long as it lives."""
        return self.root / "keeper.lock"

    @property
    def record(self) -> Path:
        """world.json: what this world is."""
        return self.root / "world.json"

    @property
    def owner(self) -> Path:
        """owner.json: the process that the world is for."""
        return self.root / "owner.json"


def make_folders(layout: Layout) -> None:
    """Every folder of the world, the root closed to others."""
    layout.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    for folder in (
        layout.releases,
        layout.scripts,
        layout.app_log.parent,
        layout.pm2_logs,
        layout.commands,
        layout.machine_environment.parent,
    ):
        folder.mkdir(parents=True)
    layout.lock.touch(mode=0o600)


def make_releases(layout: Layout, now: datetime, seed: int) -> tuple[str, str, str]:
    """Three releases as the clock would have them: (the bad one, minutes old; the stable one; an older one)."""
    ages = (
        timedelta(minutes=2, seconds=seed % 60),
        timedelta(hours=3, minutes=seed * 7 % 60),
        timedelta(days=1, minutes=seed * 11 % 60),
    )
    bad, stable, older = (_make_release(layout, now - age, bad=age is ages[0]) for age in ages)
    return bad, stable, older


def _make_release(layout: Layout, built: datetime, *, bad: bool) -> str:
    version = f"v{built:%Y%m%d-%H%M%S}"
    folder = layout.releases / version
    folder.mkdir()
    (folder / "version.txt").write_text(version + "\n", encoding="utf-8")
    settings = {
        "model": "assistant-large-2" if bad else "assistant-large-1",
        "heap_mb": _HEAP_MB,
        "conversation_cache_mb": 4 * _HEAP_MB if bad else _HEAP_MB // 8,
        "survives_s": 12,
    }
    (folder / "settings.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    os.utime(folder, (built.timestamp(), built.timestamp()))
    return version


def point_current(layout: Layout, version: str) -> None:
    """Switch `current` to a release, in one step."""
    fresh = layout.app_home / f"current.{os.getpid()}"
    fresh.symlink_to(Path("releases") / version)
    fresh.replace(layout.current)


def make_commands(layout: Layout, pm2_home: Path) -> str | None:
    """The scripts and stand-ins; returns the path of the real PM2, or None when a stand-in takes its place."""
    for name, folder in (("rollback.sh", layout.scripts), ("sudo", layout.commands)):
        _executable(folder / name, (_FILES / name).read_text(encoding="utf-8"))
    real = shutil.which("pm2")
    if real is None:
        variables = f"WORLD_LOCK={shlex.quote(str(layout.lock))} PM2_HOME={shlex.quote(str(pm2_home))}"
        command = shlex.join(module_command("cockpit.rehearsal.pm2"))
        _executable(layout.commands / "pm2", f'#!/bin/sh\nexport {variables}\nexec {command} "$@"\n')
    return real


def _executable(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


def pm2_home(layout: Layout) -> Path:
    """A folder for PM2 whose sockets' paths are short enough: in the world, else a temporary one."""
    inside = layout.root / "pm2"
    if len(os.fsencode(inside)) <= _SOCKET_PATH_LIMIT:
        inside.mkdir()
        return inside
    return Path(tempfile.mkdtemp(prefix="cockpit-pm2-"))


def write_ecosystem(layout: Layout, environment: Mapping[str, str]) -> None:
    """What PM2 starts: `module.exports = ` and plain JSON, so that both PM2 and its stand-in read it."""
    app = {
        "name": "backend",
        "script": backend.__file__,
        "interpreter": sys.executable,
        "interpreter_args": "-I",
        "cwd": str(layout.app_home),
        "max_restarts": 4,
        "min_uptime": 30000,
        "restart_delay": 500,
        "out_file": str(layout.pm2_logs / "backend-out.log"),
        "error_file": str(layout.pm2_logs / "backend-error.log"),
        "env": dict(environment),
    }
    text = f"module.exports = {json.dumps({'apps': [app]}, indent=2)};\n"
    layout.ecosystem.write_text(text, encoding="utf-8")
    layout.ecosystem.chmod(0o600)


def write_machine_environment(layout: Layout, environment: Mapping[str, str]) -> None:
    """etc/environment, for scripts that start without their caller's environment."""
    lines = [f"{name}={shlex.quote(value)}" for name, value in environment.items()]
    layout.machine_environment.write_text("\n".join(lines) + "\n", encoding="utf-8")
