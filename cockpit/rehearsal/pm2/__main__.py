"""The stand-in's command line: start, restart, stop, delete, list, status, jlist, describe, logs, monit, reset …"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cockpit.rehearsal.isolated import module_command
from cockpit.rehearsal.pm2 import table
from cockpit.rehearsal.pm2.daemon import VERSION, Daemon
from cockpit.rehearsal.pm2.wire import call

_HOME = Path(os.environ.get("PM2_HOME", Path.home() / ".pm2"))
_SOCKET = _HOME / "rpc.sock"
_START_DEADLINE_S = 20.0


def main(arguments: list[str]) -> int:
    """Run one command; returns the exit status."""
    if arguments == ["--daemon"]:
        asyncio.run(Daemon(_HOME).serve())
        return 0
    command, *rest = arguments or ["status"]
    handler = _COMMANDS.get(command)
    if handler is None:
        _say(f"[PM2][ERROR] Command not found: {command} (this is a rehearsal's stand-in for PM2)")
        return 1
    try:
        return handler(rest)
    except (OSError, RuntimeError, ValueError) as error:
        _say(f"[PM2][ERROR] {error}")
        return 1


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _daemon(method: str, *arguments: Any) -> Any:
    try:
        return call(_SOCKET, method, *arguments)
    except (FileNotFoundError, ConnectionRefusedError):
        _spawn_daemon()
        return call(_SOCKET, method, *arguments)


def _spawn_daemon() -> None:
    _HOME.mkdir(parents=True, exist_ok=True)
    with (_HOME / "pm2.log").open("ab") as log:
        child = subprocess.Popen(
            module_command("cockpit.rehearsal.pm2", "--daemon"),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    deadline = time.monotonic() + _START_DEADLINE_S
    while time.monotonic() < deadline and child.poll() is None:
        try:
            call(_SOCKET, "getVersion")
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"the daemon did not start; see {_HOME / 'pm2.log'}")


def _apps() -> list[dict[str, Any]]:
    apps: list[dict[str, Any]] = _daemon("getMonitorData", {})
    return apps


def _chosen(rest: list[str]) -> list[dict[str, Any]]:
    wanted = next((word for word in rest if not word.startswith("-")), "")
    apps = _apps()
    found = [app for app in apps if wanted in ("all", app["name"], str(app["pm_id"]))]
    if not found:
        raise ValueError(f"Process or Namespace {wanted} not found")
    return found


def _option(rest: list[str], name: str, default: int) -> int:
    return int(rest[rest.index(name) + 1]) if name in rest[:-1] else default


def _start(rest: list[str]) -> int:
    path = Path(rest[0]) if rest else Path("ecosystem.config.js")
    if not path.is_file():
        _change_each("restartProcessId", rest, lambda app: {"id": app["pm_id"]})
        return _list([])
    text = path.read_text(encoding="utf-8").strip().removeprefix("module.exports =").rstrip(";")
    for spec in json.loads(text)["apps"]:
        _say(f"[PM2][WARN] Applications {spec['name']} not running, starting...")
        _daemon("prepare", spec)
    return _list([])


def _change_each(method: str, rest: list[str], argument: Callable[[dict[str, Any]], Any]) -> None:
    for app in _chosen(rest):
        _daemon(method, argument(app))
        _say(f"[PM2] [{app['name']}]({app['pm_id']}) ✓")


def _restart(rest: list[str]) -> int:
    _change_each("restartProcessId", rest, lambda app: {"id": app["pm_id"]})
    return _list([])


def _stop(rest: list[str]) -> int:
    _change_each("stopProcessId", rest, lambda app: app["pm_id"])
    return _list([])


def _delete(rest: list[str]) -> int:
    _change_each("deleteProcessId", rest, lambda app: app["pm_id"])
    return _list([])


def _reset(rest: list[str]) -> int:
    _change_each("resetMetaProcessId", rest, lambda app: app["pm_id"])
    return _list([])


def _list(_rest: list[str]) -> int:
    _say(table.listing(_apps()))
    return 0


def _jlist(_rest: list[str]) -> int:
    _say(json.dumps(_apps()))
    return 0


def _describe(rest: list[str]) -> int:
    for app in _chosen(rest):
        _say(table.description(app))
    return 0


def _pid(rest: list[str]) -> int:
    for app in _chosen(rest or ["all"]):
        _say(str(app["pid"]))
    return 0


def _logs(rest: list[str]) -> int:
    count = _option(rest, "--lines", 15)
    followed = []
    for app in _chosen([word for word in rest if not word.isdigit()] or ["all"]):
        for key in ("pm_out_log_path", "pm_err_log_path"):
            path = Path(app["pm2_env"][key])
            with path.open("r", encoding="utf-8", errors="replace") as file:
                tail = deque(file, maxlen=count)
                followed.append((app, path, file.tell()))
            _say(f"{path} last {count} lines:")
            for line in tail:
                _say(f"{app['pm_id']}|{app['name']}  | {line.rstrip()}")
    return 0 if "--nostream" in rest else _follow(followed)


def _follow(followed: list[tuple[dict[str, Any], Path, int]]) -> int:
    while True:
        for number, (app, path, offset) in enumerate(followed):
            with path.open("r", encoding="utf-8", errors="replace") as file:
                file.seek(offset)
                for line in file:
                    _say(f"{app['pm_id']}|{app['name']}  | {line.rstrip()}")
                followed[number] = (app, path, file.tell())
        time.sleep(0.3)


def _monit(_rest: list[str]) -> int:
    while True:
        _list([])
        time.sleep(1.0)


def _ping(_rest: list[str]) -> int:
    _daemon("getVersion")
    _say("{ msg: 'pong' }")
    return 0


def _save(_rest: list[str]) -> int:
    (_HOME / "dump.pm2").write_text(json.dumps(_apps()), encoding="utf-8")
    _say(f"[PM2] Successfully saved in {_HOME / 'dump.pm2'}")
    return 0


def _kill(_rest: list[str]) -> int:
    try:
        call(_SOCKET, "killMe", {})
    except (FileNotFoundError, ConnectionRefusedError):
        _say("[PM2][WARN] No process found")
    _say("[PM2] PM2 Daemon Stopped")
    return 0


def _version(_rest: list[str]) -> int:
    _say(VERSION)
    return 0


_COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "start": _start,
    "restart": _restart,
    "reload": _restart,
    "stop": _stop,
    "delete": _delete,
    "del": _delete,
    "reset": _reset,
    "list": _list,
    "ls": _list,
    "l": _list,
    "status": _list,
    "ps": _list,
    "jlist": _jlist,
    "describe": _describe,
    "show": _describe,
    "pid": _pid,
    "logs": _logs,
    "monit": _monit,
    "ping": _ping,
    "save": _save,
    "kill": _kill,
    "-v": _version,
    "--version": _version,
}

if __name__ == "__main__":
    try:
        status = main(sys.argv[1:])
    except KeyboardInterrupt:
        status = 130
    except BrokenPipeError:
        # `pm2 logs | head`: the reader has enough. Python would complain again while closing stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    raise SystemExit(status)
