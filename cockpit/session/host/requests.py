"""What a viewer may ask of the host, by name. Each takes the host, who asks, and the arguments as JSON."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from cockpit.errors import CockpitError, FolderGone, UsageError
from cockpit.safety.permit import Confirmation, Rung
from cockpit.session.host.questions import Questions
from cockpit.session.line.connection import Connection
from cockpit.session.record.folder import SessionFolder
from cockpit.session.steps.engine import Engine
from cockpit.session.steps.execution import Execution
from cockpit.session.steps.messages import LANGUAGE
from cockpit.session.steps.targets import able
from cockpit.words import _

Answer = dict[str, Any] | None


class Served(Protocol):
    """What requests need of the host."""

    folder: SessionFolder
    engine: Engine
    execution: Execution
    ended: asyncio.Event
    questions: Questions

    def watch_gate(self, step: str, by: str) -> None:
        """Have a gate's criteria watched."""

    def probe_now(self, probe: str) -> None:
        """Ask one probe for a sample at once."""

    def end(self, reason: str, by: str) -> None:
        """Record the session's end; the host then stops."""


def error_as_json(error: CockpitError) -> dict[str, Any]:
    """An error as it goes over the socket."""
    told = {"what": error.what, "where": error.where, "mend": error.mend, "exit_code": error.exit_code}
    return {**told, "folder_gone": True} if isinstance(error, FolderGone) else told


def _hello(host: Served, connection: Connection, given: dict[str, Any]) -> Answer:
    connection.user = str(given.get("user", ""))
    connection.spectator = bool(given.get("spectator"))
    connection.greeted = True
    host.engine.record(
        "viewer.attached",
        actor=connection.actor,
        viewer=connection.viewer,
        user=connection.user,
        origin=str(given.get("origin", "")),
        spectator=connection.spectator,
    )
    return {
        "session": host.folder.name,
        "pid": os.getpid(),
        "mode": host.engine.state.mode,
        "viewer": connection.viewer,
        "targets": [*sorted(host.engine.groups), *sorted(host.engine.adapters)],
        "languages": {name: sorted(adapter.languages) for name, adapter in host.engine.adapters.items()},
        "groups": {
            name: {"targets": list(group.targets), "manner": host.engine.manner(name, len(group.targets))}
            for name, group in host.engine.groups.items()
        },
        "environment": host.engine.environment,
        "channels": list(able(host.engine.adapters, LANGUAGE)),
    }


def _propose(host: Served, _connection: Connection, given: dict[str, Any]) -> Answer:
    return host.engine.propose(
        given["step"],
        part=given.get("part"),
        code=given.get("code"),
        target=given.get("target"),
        rest=bool(given.get("rest")),
    ).as_json()


async def _run(host: Served, connection: Connection, given: dict[str, Any]) -> Answer:
    rung = Rung(given.get("rung", "none"))
    confirmation = None
    if rung is not Rung.NONE:
        confirmation = Confirmation(
            given["sha256"], rung, connection.actor, str(given.get("typed", "")), str(given.get("reason", ""))
        )
    terminal = given.get("terminal")
    size = (int(terminal[0]), int(terminal[1])) if terminal else None
    return {"run": await host.execution.start(given["proposal"], confirmation, connection.actor, size)}


async def _cancel(host: Served, connection: Connection, given: dict[str, Any]) -> Answer:
    run = given.get("run")
    return {"runs": await host.execution.cancel(int(run) if run is not None else None, connection.actor)}


def _skip(host: Served, connection: Connection, given: dict[str, Any]) -> None:
    host.engine.skip(given["step"], given.get("reason", ""), connection.actor, given.get("part"))


def _tick(host: Served, connection: Connection, given: dict[str, Any]) -> None:
    held, reason = bool(given["held"]), given.get("reason", "")
    host.engine.tick(given["step"], held, reason, connection.actor, given.get("part"))


def _answer_question(host: Served, connection: Connection, given: dict[str, Any]) -> None:
    host.engine.answer(given["step"], given["question"], bool(given["held"]), connection.actor)


def _reopen(host: Served, connection: Connection, given: dict[str, Any]) -> None:
    host.engine.reopen(given["step"], given.get("reason", ""), connection.actor, given.get("part"))


def _note(host: Served, connection: Connection, given: dict[str, Any]) -> None:
    host.engine.note(given["text"], given.get("step"), connection.actor)


def _set_input(host: Served, connection: Connection, given: dict[str, Any]) -> None:
    host.engine.set_input(given["name"], given["value"], connection.actor)


def _secrets(host: Served, _connection: Connection, _given: dict[str, Any]) -> Answer:
    """What viewers have to mask in the logs that they read themselves. Only the host's own user is on the line."""
    return {"values": list(host.engine.secrets.values)}


def _reveal(host: Served, connection: Connection, given: dict[str, Any]) -> Answer:
    return {"value": host.engine.reveal(given["name"], connection.actor)}


def _set_mode(host: Served, connection: Connection, given: dict[str, Any]) -> None:
    host.engine.set_mode(given["mode"], given.get("reason", ""), connection.actor)


def _set_target(host: Served, connection: Connection, given: dict[str, Any]) -> None:
    host.engine.set_target(given["target"], connection.actor)


def _fresh_shell(host: Served, connection: Connection, given: dict[str, Any]) -> None:
    host.engine.fresh_shell(given["target"], connection.actor)


def _set_severity(host: Served, connection: Connection, given: dict[str, Any]) -> None:
    severity, reason = given["severity"], given.get("reason", "")
    host.engine.record("severity.set", actor=connection.actor, durable=True, severity=severity, reason=reason)


def _message(host: Served, connection: Connection, given: dict[str, Any]) -> None:
    host.engine.message(given["step"], str(given["text"]), bool(given.get("sent")), connection.actor)


def _watch_gate(host: Served, connection: Connection, given: dict[str, Any]) -> None:
    host.watch_gate(given["step"], connection.actor)


def _probe_now(host: Served, _connection: Connection, given: dict[str, Any]) -> None:
    host.probe_now(given["probe"])


def _question(host: Served, _connection: Connection, _given: dict[str, Any]) -> Answer:
    return host.questions.as_json()


def _reply(host: Served, _connection: Connection, given: dict[str, Any]) -> None:
    """To a system that asks before it lets us in. Neither recorded nor kept."""
    host.questions.answer(int(given["number"]), list(given["answers"]))


def _end(host: Served, connection: Connection, given: dict[str, Any]) -> None:
    if host.execution.busy:
        raise UsageError(_("a step is still running"), mend=_("wait for it, or cancel it"))
    host.end(given.get("reason", ""), connection.actor)


REQUESTS: Mapping[str, Callable[[Served, Connection, dict[str, Any]], Answer | Awaitable[Answer]]] = {
    "hello": _hello,
    "propose": _propose,
    "run": _run,
    "cancel": _cancel,
    "skip": _skip,
    "tick": _tick,
    "answer": _answer_question,
    "reopen": _reopen,
    "note": _note,
    "set_input": _set_input,
    "secrets": _secrets,
    "reveal": _reveal,
    "set_mode": _set_mode,
    "set_target": _set_target,
    "fresh-shell": _fresh_shell,
    "set_severity": _set_severity,
    "message": _message,
    "watch_gate": _watch_gate,
    "probe_now": _probe_now,
    "question": _question,
    "reply": _reply,
    "end": _end,
}
