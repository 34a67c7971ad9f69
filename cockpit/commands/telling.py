"""What `cockpit run` prints of a session while it goes: events as JSON lines, or as a person reads them."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Mapping
from typing import Any

from cockpit.commands.streams import silence
from cockpit.safety.text import decode, sanitise
from cockpit.session.event import Event
from cockpit.session.folder import SessionFolder
from cockpit.words import _


class Telling:
    """Prints events. Once nobody reads any more (a closed pipe, a full disk) it is silent, and the run goes on:
    a reader that went away must not leave a step without its record."""

    def __init__(self, folder: SessionFolder, *, as_json: bool) -> None:
        self._folder = folder
        self._as_json = as_json
        self._heard = True
        self._shown: set[int] = set()

    def __call__(self, event: Event) -> None:
        """Print one event."""
        lines = [_as_json(event)] if self._as_json else self._lines(event)
        if not lines or not self._heard:
            return
        try:
            print("\n".join(lines), flush=True)
        except OSError as error:
            self._heard = False
            silence()
            told = _("standard output: {error}; the run goes on, `cockpit report {session}` tells of it")
            print("cockpit: " + told.format(error=error.strerror, session=self._folder.name), file=sys.stderr)

    def _lines(self, event: Event) -> list[str]:
        data = event.data
        if event.kind == "session.started":
            where = _("session {session} in {path}").format(session=self._folder.name, path=self._folder.path)
            print(where, file=sys.stderr)
            return []
        if event.kind == "step.intent":
            title = f"== {data['step']}  [{data['verdict']}]  {data['target']}"
            return ["", title, f"$ {sanitise(str(data['command']))}"]
        if event.kind == "message.prepared":
            return ["", f"== {data['step']}", sanitise(str(data["text"]))]
        if event.kind == "step.exited":
            self._shown.add(data["run"])
            return self._outcome(data)
        if event.kind == "step.finished":
            return [*(self._outcome(data) if data.get("run") not in self._shown else []), _end(data)]
        return []

    def _outcome(self, data: Mapping[str, Any]) -> list[str]:
        """The output and what the expectations say of it."""
        lines = []
        output = self._folder.path / str(data["output"]) if data.get("output") else None
        if output and output.exists() and (text := sanitise(decode(output.read_bytes())).rstrip("\n")):
            lines += text.split("\n")
        for finding in data.get("expectations", []):
            held = {True: "ok", False: "x", None: "?"}[finding["held"]]
            seen = f": {sanitise(str(finding['seen']))}" if finding["seen"] else ""
            lines.append(f"   {held:>2} {sanitise(str(finding['text']))}{seen}")
        return lines


def _as_json(event: Event) -> str:
    record = {"seq": event.seq, "t": event.t, "kind": event.kind, "actor": event.actor, "data": dict(event.data)}
    return json.dumps(record, ensure_ascii=False)


def _end(data: Mapping[str, Any]) -> str:
    how = ""
    if data.get("exit_code") is not None:
        how = f" exit {data['exit_code']}"
    elif data.get("signal") is not None:
        how = f" {_signal_name(data['signal'])}"
    reason = f" ({sanitise(str(data['reason']))})" if data.get("reason") else ""
    return f"-- {data['step']}: {data['status']}{how}{reason}"


def _signal_name(number: int) -> str:
    """SIGTERM for 15; the number for a signal this machine has no name for."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
