"""PM2's processes, read from its daemon's socket, with `pm2 jlist` as the way round.

The daemon is never started: a socket that nobody serves means that there is none, and then `pm2` is not called, for
`pm2 jlist` would start one. What PM2 tells of a process includes its whole environment; only the fields named here
are ever taken out of it.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from msgspec import Struct

from cockpit.adapters.pm2.daemon import PROCESSES, ask_daemon, run_jlist
from cockpit.adapters.pm2.error_logs import ErrorLog, NoDaemon, error_logs_of
from cockpit.adapters.probing import TEXT_CHARACTERS, Finding, Value
from cockpit.errors import Malformed
from cockpit.places import expanded, home_folder
from cockpit.safety.permit import Action, Permit
from cockpit.safety.verdict import Judgement, Verdict
from cockpit.words import _, plural, shortened

_LEVELS = {
    "online": "green",
    "launching": "yellow",
    "stopping": "yellow",
    "waiting restart": "yellow",
    "errored": "red",
    "stopped": "red",
    "missing": "red",
}
# What a process passes through. PM2 leaves one that it gave up on in the last of them.
_PASSING = frozenset({"launching", "stopping", "waiting restart"})
_MINUTE_S = 60.0
_STUCK_S = 30.0


class Pm2Options(Struct, frozen=True, kw_only=True):
    """Keys of a pm2 probe. `home` is PM2_HOME (~/.pm2); `processes` are names that must be there, empty for all."""

    home: str = ""
    processes: tuple[str, ...] = ()


class _Restarts:
    """How often one process was restarted since the first look, and lately.

    One restart is what a deployment or a rollback does; more than one within a minute is a process that can't stay up.
    """

    def __init__(self, restarts: int) -> None:
        self._first = restarts
        self._seen: deque[tuple[float, int]] = deque()
        self._passing_since_s: float | None = None

    def note(self, restarts: int, status: str, at_s: float) -> None:
        # A process that was deleted and started anew counts from zero again.
        if self._seen and restarts < self._seen[-1][1]:
            self._first = restarts
            self._seen.clear()
        self._seen.append((at_s, restarts))
        # The newest look that is a minute old stays: the minute is counted from it.
        while len(self._seen) > 1 and at_s - self._seen[1][0] >= _MINUTE_S:
            self._seen.popleft()
        if status not in _PASSING:
            self._passing_since_s = None
        elif self._passing_since_s is None:
            self._passing_since_s = at_s

    @property
    def change(self) -> int:
        return self._seen[-1][1] - self._first

    @property
    def last_min(self) -> int:
        return self._seen[-1][1] - self._seen[0][1]

    @property
    def looping(self) -> bool:
        return self.last_min > 1

    @property
    def stuck(self) -> bool:
        """It was on its way to something at every look for so long that it is not."""
        since_s = self._passing_since_s
        return since_s is not None and self._seen[-1][0] - since_s >= _STUCK_S

    def level(self, status: str) -> str:
        """The colour of the process."""
        if self.stuck:
            return "red"
        return "yellow" if status == "online" and self.looping else _LEVELS.get(status, "yellow")


class Pm2Probe:
    """Every process of one PM2 daemon."""

    Options: ClassVar[type[Struct]] = Pm2Options

    def __init__(self, options: Pm2Options, _deadline_s: float) -> None:
        self._options = options
        self._home = pm2_home(options.home)
        self._restarts: dict[tuple[str, int], _Restarts] = {}
        self._seen_online: set[str] = set()
        self._asking = asyncio.Lock()
        self._error_logs: tuple[ErrorLog, ...] = ()
        self._asked_at_s: float | None = None

    @property
    def action(self) -> Action:
        """The daemon's own listing."""
        return Action("pm2", PROCESSES, str(self._home))

    @property
    def judgement(self) -> Judgement:
        """The listing changes nothing; nothing else is ever asked."""
        return Judgement(Verdict.READ_ONLY, (_("listing processes only reads"),))

    async def look(self, permit: Permit) -> Finding:
        """The processes now. See `Watchable`."""
        permit.covers(self.action)
        try:
            async with self._asking:
                listing = await self._asked()
        except FileNotFoundError as error:
            return _no_daemon(str(error))
        rows = tuple(self._row(one) for one in listing)
        if self._options.processes:
            rows = self._wanted(rows)
        self._seen_online.update(row["name"] for row in rows if row["status"] == "online")
        broken = sum(self._broken(row) for row in rows)
        return _finding(rows, broken)

    async def error_logs(self, young_s: float) -> Sequence[ErrorLog]:
        """Where the error logs of all processes are, as PM2 said at most so long ago.

        Raises:
            NoDaemon: there is none. CockpitError: it can't be asked.
        """
        async with self._asking:
            if self._asked_at_s is None or time.monotonic() - self._asked_at_s > young_s:
                try:
                    await self._asked()
                except FileNotFoundError as error:
                    found = _no_daemon(str(error))
                    raise NoDaemon(found.text, mend=found.mend) from error
        return self._error_logs

    async def close(self) -> None:
        """Nothing is kept open."""

    async def _asked(self) -> list[Any]:
        """As `_listing`; what it says of error logs is kept, and nothing else of it."""
        self._asked_at_s = None
        listing = await self._listing()
        self._error_logs, self._asked_at_s = error_logs_of(listing), time.monotonic()
        return listing

    async def _listing(self) -> list[Any]:
        """The processes as PM2 lists them; FileNotFoundError, with the socket's path, when no daemon runs."""
        try:
            return await ask_daemon(self._home / "rpc.sock", self.action.body)
        except Malformed:
            # The socket's protocol is PM2's own affair and may change; the command line is its public face.
            return await run_jlist(self._home)

    def _broken(self, row: Mapping[str, Any]) -> bool:
        """Crashed, missing, or stopped since the watch began: one that was stopped all along may be meant to be."""
        return row["level"] == "red" and (row["status"] != "stopped" or row["name"] in self._seen_online)

    def _wanted(self, rows: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
        present = {row["name"] for row in rows}
        missing = [
            {"name": name, "status": "missing", "level": "red"}
            for name in self._options.processes
            if name not in present
        ]
        return (*(row for row in rows if row["name"] in self._options.processes), *missing)

    def _row(self, one: object) -> Mapping[str, Any]:
        process, env, monit = _part(one), _part(_part(one).get("pm2_env")), _part(_part(one).get("monit"))
        name, number = _text(process.get("name")), int(_number(process.get("pm_id")))
        status = _text(env.get("status"))
        restarts = int(_number(env.get("restart_time")))
        counted = self._restarts.setdefault((name, number), _Restarts(restarts))
        counted.note(restarts, status, time.monotonic())
        started_s = _number(env.get("pm_uptime")) / 1000
        return {
            "name": name,
            "pm_id": number,
            "pid": int(_number(process.get("pid"))),
            "status": status,
            "restarts": restarts,
            "restarts_change": counted.change,
            "restarts_last_min": counted.last_min,
            "unstable_restarts": int(_number(env.get("unstable_restarts"))),
            "cpu_percent": _number(monit.get("cpu")),
            "memory_bytes": int(_number(monit.get("memory"))),
            "uptime_s": round(max(0.0, time.time() - started_s)) if status == "online" and started_s else 0,
            "level": counted.level(status),
        }


def pm2_home(configured: str = "") -> Path:
    """PM2's folder: as configured, else $PM2_HOME, else ~/.pm2."""
    return expanded(configured or os.environ.get("PM2_HOME") or str(home_folder() / ".pm2"))


def _finding(rows: tuple[Mapping[str, Any], ...], broken: int) -> Finding:
    if not rows:
        return Finding(_("PM2 runs, and has no process"), none=True, mend=_("start it: pm2 start ecosystem.config.js"))
    online = sum(row["status"] == "online" for row in rows)
    change = sum(row.get("restarts_change", 0) for row in rows)
    down = [row for row in rows if row["level"] == "red"]
    words = [_("{online} of {all} online").format(online=online, all=len(rows))]
    words += [f"{row['name']} {row['status']}" for row in down[:3]]
    if change:
        words.append(plural("{n} restart", "{n} restarts", change).format(n=change))
    values = (
        Value("processes", float(len(rows))),
        Value("online", float(online)),
        Value("down", float(len(down)), "", "red" if down else "green"),
        Value("broken", float(broken)),
        Value("restarts_change", float(change)),
        Value("restarts_last_min", float(max(row.get("restarts_last_min", 0) for row in rows))),
        Value("cpu_percent", max(float(row.get("cpu_percent", 0)) for row in rows), "%"),
        Value("memory_bytes", float(sum(row.get("memory_bytes", 0) for row in rows)), "bytes"),
    )
    return Finding(" · ".join(words), values, rows)


def _no_daemon(socket: str) -> Finding:
    return Finding(
        _("no PM2 daemon"),
        none=True,
        mend=_("nothing serves {socket}: start PM2 as the user who owns the processes, or set home").format(
            socket=socket
        ),
    )


def _part(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return shortened(value, TEXT_CHARACTERS) if isinstance(value, str) else ""


def _number(value: object) -> float:
    usable = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15
    return float(value) if usable and isinstance(value, int | float) else 0.0
