"""What `cockpit run` prints of a session while it goes: events as JSON lines, or as a person reads them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cockpit.commands.streams import silence
from cockpit.runs.kept import open_kept
from cockpit.safety.text import Lines, one_line, sanitise
from cockpit.session.record.event import Event
from cockpit.session.record.fanout import FEW, manner_of, some_of
from cockpit.session.record.folder import SessionFolder
from cockpit.session.record.state import begins_attempt
from cockpit.words import _

_LOOK_S = 0.1
# No line of ours begins with it, so that no program can print one that looks like ours.
_GUTTER = "|"


class Telling:
    """Prints events, and a step's output while it comes.

    Once nobody reads any more (a closed pipe, a full disk) it is silent, and the run goes on: a reader that went away
    must not leave a step without its record.
    """

    def __init__(self, folder: SessionFolder, *, as_json: bool) -> None:
        self._folder = folder
        self._as_json = as_json
        self._heard = True
        self._shown: set[int] = set()
        self._outputs: dict[int, OutputReader] = {}
        self._targets: dict[int, str] = {}

    def __call__(self, event: Event) -> None:
        """Print one event."""
        self._print([_as_json(event)] if self._as_json else self._lines(event))

    def _print(self, lines: Sequence[str]) -> None:
        if not lines or not self._heard:
            return
        try:
            print("\n".join(lines), flush=True)
        except OSError as error:
            self._heard = False
            silence()
            told = _("standard output: {error}; the run goes on, `cockpit report {session}` tells of it")
            print("cockpit: " + told.format(error=error.strerror, session=self._folder.name), file=sys.stderr)

    async def follow(self) -> None:
        """Print what running steps write, as they write it, until cancelled."""
        while not self._as_json:
            await asyncio.sleep(_LOOK_S)
            for run, reader in list(self._outputs.items()):
                self._print(self._beside(run, reader.lines()))

    def _lines(self, event: Event) -> list[str]:
        data = event.data
        if event.kind == "session.started":
            where = _("session {session} in {path}").format(session=self._folder.name, path=self._folder.path)
            print(one_line(where), file=sys.stderr)
            return []
        if event.kind == "step.intent":
            if data.get("group"):
                self._targets[data["run"]] = f"{data['target']}: "
            return _intent(data)
        if event.kind == "step.started":
            self._outputs[data["run"]] = OutputReader(self._folder.run(data["run"]) / "output")
            return []
        if event.kind == "message.prepared":
            return ["", f"== {data['step']}", *beside(sanitise(str(data["text"])).split("\n"))]
        if event.kind == "step.repeated":
            return self._outcome(data)
        if event.kind == "step.exited":
            self._shown.add(data.get("run", 0))
            return self._outcome(data)
        if event.kind == "target.finished":
            return [*self._outcome(data), _end_of_target(data)]
        if event.kind == "step.finished":
            return [*(self._outcome(data) if data.get("run") not in self._shown else []), _end(data)]
        return []

    def _outcome(self, data: Mapping[str, Any]) -> list[str]:
        """The output and what the expectations say of it."""
        run = data.get("run") or 0
        reader = self._outputs.pop(run, None)
        lines = self._beside(run, [*reader.lines(), *reader.rest()]) if reader else []
        for finding in data.get("expectations", []):
            held = {True: "ok", False: "x", None: "?"}[finding["held"]]
            seen = f": {one_line(str(finding['seen']))}" if finding["seen"] else ""
            lines.append(f"   {held:>2} {one_line(str(finding['text']))}{seen}")
        return lines

    def _beside(self, run: int, lines: Iterable[str]) -> list[str]:
        """Words that are not ours; where several targets speak at once, behind the name of who says them."""
        whose = self._targets.get(run, "")
        return beside(f"{whose}{each}" for each in lines)


class OutputReader:
    """The output of one run as cleaned lines, each once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._cleaning = Lines(redraws_told=True)

    def lines(self) -> list[str]:
        """Complete lines that came since the last call."""
        try:
            with os.fdopen(open_kept(self._path.parent, self._path.name), "rb") as file:
                file.seek(self._offset)
                new = file.read()
        except OSError:
            return []
        self._offset += len(new)
        return self._cleaning.feed(new)

    def rest(self) -> list[str]:
        """What stands behind the last newline, once the run is over."""
        return self._cleaning.flush()


def beside(lines: Iterable[str]) -> list[str]:
    """Words that are not ours, each line behind a mark that stands before none of ours."""
    return [f"{_GUTTER} {each}" if each else _GUTTER for each in lines]


def command_lines(command: str) -> list[str]:
    """A command as a shell would show it typed: $ before its first line, > before each further one."""
    first, *more = sanitise(command).split("\n")
    return [f"$ {first}", *(f"> {each}" for each in more)]


def _intent(data: Mapping[str, Any]) -> list[str]:
    """What runs and where; of several runs of one step the later ones tell only which they are."""
    told = data.get("repetition") or {}
    number, of = told.get("number", 1), told.get("of", 0)
    which = _("run {number} of {of}").format(number=number, of=of) if of else _("run {number}").format(number=number)
    group = data.get("group") or {}
    if group and not begins_attempt(data):
        return []
    if group:
        targets, stops = group["targets"], bool(group["stop_at_first_failure"])
        names = ", ".join(targets) if len(targets) <= FEW else some_of(targets)
        title = f"== {data['step']}  [{data['verdict']}]  {group['name']}: {names}"
        manner = manner_of(int(group["at_once"]), stops, len(targets))
        return ["", one_line(title), *command_lines(str(data["command"])), one_line(f"-- {data['step']}: {manner}")]
    if number > 1:
        return [f"-- {data['step']}: {which}"]
    place = f" ({data['place']})" if data.get("place") else ""
    title = f"== {data['step']}  [{data['verdict']}]  {data['target']}{place}"
    again = [f"-- {data['step']}: {which}"] if told else []
    return ["", one_line(title), *command_lines(str(data["command"])), *again]


def _as_json(event: Event) -> str:
    record = {"seq": event.seq, "t": event.t, "kind": event.kind, "actor": event.actor, "data": dict(event.data)}
    return json.dumps(record, ensure_ascii=False)


def _end_of_target(data: Mapping[str, Any]) -> str:
    """One target's line: how it ended, how long it took, and why it failed."""
    spent = f", {data['duration_s']:.1f} s" if data.get("duration_s") is not None else ""
    why = data.get("reason") or data.get("told")
    told = f" ({why})" if why else ""
    return one_line(f"-- {data['step']}: {data['target']}: {data['status']}{_how(data)}{spent}{told}")


def _end(data: Mapping[str, Any]) -> str:
    reason = f" ({data['reason']})" if data.get("reason") else ""
    return one_line(f"-- {data['step']}: {data['status']}{_how(data)}{reason}")


def _how(data: Mapping[str, Any]) -> str:
    if data.get("exit_code") is not None:
        return f" exit {data['exit_code']}"
    return f" {_signal_name(data['signal'])}" if data.get("signal") is not None else ""


def _signal_name(number: int) -> str:
    """SIGTERM for 15; the number for a signal this machine has no name for."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
