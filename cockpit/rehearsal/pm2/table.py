"""What the stand-in prints: the narrow table that PM2 shows on small terminals, and one application in full."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

_HEADS = ("id", "name", "mode", "↺", "status", "cpu", "memory")


def listing(apps: Sequence[Mapping[str, Any]]) -> str:
    """The table of all applications."""
    rows = [_HEADS, *(_cells(app) for app in apps)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADS))]
    body = [_line(row, widths) for row in rows]
    return "\n".join(
        [_rule("┌", "┬", "┐", widths), body[0], _rule("├", "┼", "┤", widths), *body[1:], _rule("└", "┴", "┘", widths)]
    )


def description(app: Mapping[str, Any]) -> str:
    """One application, a fact a line."""
    environment = app["pm2_env"]
    facts = {
        "status": environment["status"],
        "name": app["name"],
        "restarts": environment["restart_time"],
        "uptime": _uptime(app),
        "exit code": environment["exit_code"],
        "script path": environment["pm_exec_path"],
        "error log path": environment["pm_err_log_path"],
        "out log path": environment["pm_out_log_path"],
        "exec mode": environment["exec_mode"],
        "unstable restarts": environment["unstable_restarts"],
    }
    lines = [f"│ {name:<18} │ {value}" for name, value in facts.items()]
    return "\n".join([f" Describing process with id {app['pm_id']} - name {app['name']}", *lines])


def _cells(app: Mapping[str, Any]) -> tuple[str, ...]:
    environment, monitor = app["pm2_env"], app["monit"]
    return (
        str(app["pm_id"]),
        str(app["name"]),
        "fork",
        str(environment["restart_time"]),
        str(environment["status"]),
        f"{monitor['cpu']}%",
        f"{monitor['memory'] / 1048576:.1f}mb",
    )


def _uptime(app: Mapping[str, Any]) -> str:
    if not app["pid"]:
        return "0"
    return f"{int(time.time() - app['pm2_env']['pm_uptime'] / 1000)}s"


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "│ " + " │ ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " │"


def _rule(left: str, middle: str, right: str, widths: Sequence[int]) -> str:
    return left + middle.join("─" * (width + 2) for width in widths) + right
