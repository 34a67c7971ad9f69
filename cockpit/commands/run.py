"""`cockpit run`: the same engine without a screen."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cockpit import words
from cockpit.commands import INTERRUPTED
from cockpit.commands.open import assignments
from cockpit.safety.text import sanitise
from cockpit.session.event import Event
from cockpit.session.folder import SessionFolder
from cockpit.session.headless import Headless, Leave, chosen_steps, exit_code, interruptible
from cockpit.session.host import Host
from cockpit.session.opening import open_session, read_document
from cockpit.session.settings import SessionSettings
from cockpit.words import _


def run(options: argparse.Namespace) -> int:
    """Run the chosen steps in order; the record is a session like any other."""
    path = Path(options.runbook).absolute()
    read_document(path)
    if options.dry_run:
        from cockpit.commands.dry_run import dry_run

        return dry_run(path, options)
    _check_choice(path, options)
    settings = SessionSettings(
        runbook_path=str(path),
        mode="read-only" if options.read_only else "live",
        target=options.target or "local",
        language=words.chosen(),
        config_path=str(Path(options.config).absolute()) if options.config else None,
        inputs=assignments(options.set),
        cwd=str(Path.cwd()),
        watch=False,
    )
    folder = open_session(settings)
    return asyncio.run(_drive(folder, options))


def _check_choice(path: Path, options: argparse.Namespace) -> None:
    """Wrong --step, --section or --set is told before a session is made."""
    from cockpit.runbook.reading import read

    runbook = read(path)
    chosen_steps(runbook, options.section, options.step)
    known = {blank.name for blank in runbook.inputs}
    for name in assignments(options.set):
        if name not in known:
            from cockpit.errors import UsageError

            raise UsageError(
                _("the runbook has no input {name}").format(name=name),
                where="--set",
                mend=_("its inputs: {names}").format(names=", ".join(sorted(known)) or "-"),
            )


async def _drive(folder: SessionFolder, options: argparse.Namespace) -> int:
    host = Host(folder)
    leave = Leave(options.yes, options.allow_destructive, options.send, options.keep_going)
    headless = Headless(host, leave, _teller(options.json, folder))
    try:
        await host.begin()
        await host.server.listen()
        steps = chosen_steps(host.runbook, options.section, options.step)
        interrupted = await interruptible(host, headless.run(steps))
        host.end(_("interrupted") if interrupted else "", "host")
    finally:
        await host.close()
    statuses = [host.engine.state.step(step.id).status.value for step in steps]
    return INTERRUPTED if interrupted else exit_code(statuses)


def _teller(as_json: bool, folder: SessionFolder) -> Callable[[Event], None]:
    def tell_json(event: Event) -> None:
        record: dict[str, Any] = {
            "seq": event.seq,
            "t": event.t,
            "kind": event.kind,
            "actor": event.actor,
            "data": dict(event.data),
        }
        print(json.dumps(record, ensure_ascii=False), flush=True)

    def tell(event: Event) -> None:
        lines = _lines(event, folder)
        if lines:
            print("\n".join(lines), flush=True)

    return tell_json if as_json else tell


def _lines(event: Event, folder: SessionFolder) -> list[str]:
    """An event as a person reads it on a plain terminal."""
    data = event.data
    if event.kind == "session.started":
        print(_("session {session} in {path}").format(session=folder.name, path=folder.path), file=sys.stderr)
        return []
    if event.kind == "step.intent":
        return ["", f"== {data['step']}  [{data['verdict']}]  {data['target']}", f"$ {sanitise(str(data['command']))}"]
    if event.kind == "message.prepared":
        return ["", f"== {data['step']}", sanitise(str(data["text"]))]
    if event.kind in ("step.finished", "step.exited"):
        return _finished_lines(data, folder)
    return []


def _finished_lines(data: Any, folder: SessionFolder) -> list[str]:
    lines = []
    output = folder.path / str(data["output"]) if data.get("output") else None
    if output and output.exists():
        from cockpit.safety.text import decode

        lines += sanitise(decode(output.read_bytes())).rstrip("\n").split("\n")
    for finding in data.get("expectations", []):
        held = {True: "ok", False: "x", None: "?"}[finding["held"]]
        lines.append(f"   {held:>2} {sanitise(str(finding['text']))}: {sanitise(str(finding['seen']))}")
    if "status" in data:
        code = f" exit {data['exit_code']}" if data.get("exit_code") is not None else ""
        reason = f" ({sanitise(str(data['reason']))})" if data.get("reason") else ""
        lines.append(f"-- {data['step']}: {data['status']}{code}{reason}")
    return lines
