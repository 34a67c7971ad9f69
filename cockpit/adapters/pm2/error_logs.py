"""Where PM2 says that the error logs of its processes are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cockpit.errors import ToolMissing

_MOST_CHARACTERS = 4096
_NOWHERE = "/dev/null"


class NoDaemon(ToolMissing):
    """No PM2 runs there."""


@dataclass(frozen=True, slots=True)
class ErrorLog:
    """The file that one process writes its standard error to. `path` is "" where PM2 throws it away."""

    name: str
    pm_id: int
    path: str


def error_logs_of(listing: Sequence[Any]) -> tuple[ErrorLog, ...]:
    """That of every process in a listing of PM2, in its order."""
    return tuple(_told(listing))


def _told(listing: Sequence[Any]) -> Iterator[ErrorLog]:
    for one in listing:
        env = one.get("pm2_env") if isinstance(one, Mapping) else None
        if not isinstance(env, Mapping):
            continue
        name, pm_id, path = one.get("name"), one.get("pm_id"), env.get("pm_err_log_path")
        if isinstance(name, str) and isinstance(pm_id, int):
            yield ErrorLog(name, pm_id, _usable(path))


def _usable(path: object) -> str:
    if not isinstance(path, str) or not path.startswith("/") or path == _NOWHERE:
        return ""
    return path if len(path) <= _MOST_CHARACTERS and path.isprintable() else ""
