"""Keeping applications alive the way PM2 does: restart on exit, give up after too many short lives."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

_GRACE_S = 1.6


@dataclass(slots=True)
class App:
    """One application: its entry in the ecosystem file, and how it stands.

    `status` is one of PM2's words: online, stopping, stopped, errored, waiting restart.
    """

    id: int
    spec: Mapping[str, Any]
    status: str = "stopped"
    restarts: int = 0
    short_lives: int = 0
    exit_code: int | None = None
    started_ms: int = 0
    created_ms: int = 0
    process: asyncio.subprocess.Process | None = None
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The name in the ecosystem file."""
        return str(self.spec["name"])

    @property
    def pid(self) -> int:
        """0 when it is not running, as PM2 says it."""
        return self.process.pid if self.process and self.process.returncode is None else 0

    def command(self) -> list[str]:
        """What is started."""
        interpreter = [str(self.spec["interpreter"])] if self.spec.get("interpreter") else []
        return [*interpreter, *str(self.spec.get("interpreter_args", "")).split(), str(self.spec["script"])]

    def describe(self) -> dict[str, Any]:
        """The entry `pm2 jlist` prints, without the process environment, which may hold secrets."""
        return {
            "pid": self.pid,
            "name": self.name,
            "pm_id": self.id,
            "monit": _monitor(self.pid),
            "pm2_env": {
                "name": self.name,
                "namespace": "default",
                "pm_id": self.id,
                "status": self.status,
                "restart_time": self.restarts,
                "unstable_restarts": self.short_lives,
                "exit_code": self.exit_code,
                "pm_uptime": self.started_ms,
                "created_at": self.created_ms,
                "exec_mode": "fork_mode",
                "pm_exec_path": str(self.spec["script"]),
                "pm_out_log_path": str(self.spec["out_file"]),
                "pm_err_log_path": str(self.spec["error_file"]),
            },
        }


class Supervisor:
    """All applications of one daemon, by id."""

    def __init__(self) -> None:
        self.apps: dict[int, App] = {}

    async def start(self, spec: Mapping[str, Any]) -> None:
        """Start an application, or restart the one of that name."""
        known = next((app for app in self.apps.values() if app.name == spec["name"]), None)
        if known:
            await self.restart(known.id)
            return
        app = App(max(self.apps, default=-1) + 1, spec)
        self.apps[app.id] = app
        await self._launch(app)

    async def restart(self, app_id: int) -> None:
        """Stop and start it again, counted as a restart; an errored one gets all its lives back."""
        app = self.apps[app_id]
        await self.stop(app_id)
        app.restarts += 1
        app.short_lives = 0
        await self._launch(app)

    async def stop(self, app_id: int) -> None:
        """TERM, and KILL after a grace, to its whole process group."""
        app = self.apps[app_id]
        for task in app.tasks:
            task.cancel()
        app.tasks.clear()
        process = app.process
        if process and process.returncode is None:
            app.status = "stopping"
            _signal_group(process.pid, signal.SIGTERM)
            try:
                async with asyncio.timeout(_GRACE_S):
                    await process.wait()
            except TimeoutError:
                _signal_group(process.pid, signal.SIGKILL)
                await process.wait()
        app.status = "stopped"

    async def delete(self, app_id: int) -> None:
        """Stop it and forget it."""
        await self.stop(app_id)
        del self.apps[app_id]

    async def stop_all(self) -> None:
        """Stop every application."""
        await asyncio.gather(*(self.stop(app_id) for app_id in list(self.apps)))

    async def _launch(self, app: App) -> None:
        now_ms = int(time.time() * 1000)
        app.started_ms, app.created_ms = now_ms, app.created_ms or now_ms
        out, err = _open_logs(app.spec)
        with out, err:
            app.process = await asyncio.create_subprocess_exec(
                *app.command(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=app.spec.get("cwd"),
                env={**os.environ, **{k: str(v) for k, v in app.spec.get("env", {}).items()}},
                start_new_session=True,
            )
        app.status = "online"
        app.tasks.append(asyncio.create_task(self._watch(app, app.process)))

    async def _watch(self, app: App, process: asyncio.subprocess.Process) -> None:
        app.exit_code = await process.wait()
        lived_ms = int(time.time() * 1000) - app.started_ms
        app.short_lives += lived_ms < int(app.spec.get("min_uptime", 1000))
        app.tasks.clear()
        if app.short_lives >= int(app.spec.get("max_restarts", 16)):
            app.status, app.short_lives = "errored", 0
            return
        app.status = "waiting restart"
        app.tasks.append(asyncio.create_task(self._relaunch(app)))

    async def _relaunch(self, app: App) -> None:
        await asyncio.sleep(int(app.spec.get("restart_delay", 0)) / 1000)
        app.restarts += 1
        app.tasks.clear()
        await self._launch(app)


def _open_logs(spec: Mapping[str, Any]) -> tuple[BinaryIO, BinaryIO]:
    return Path(spec["out_file"]).open("ab"), Path(spec["error_file"]).open("ab")


def _signal_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        pass


def _monitor(pid: int) -> dict[str, float]:
    import psutil

    try:
        process = psutil.Process(pid) if pid else None
        if process is None:
            return {"memory": 0, "cpu": 0}
        with process.oneshot():
            times = process.cpu_times()
            lived_s = max(time.time() - process.create_time(), 0.001)
            cpu = 100 * (times.user + times.system) / lived_s
            return {"memory": process.memory_info().rss, "cpu": round(cpu, 1)}
    except psutil.Error:
        return {"memory": 0, "cpu": 0}
