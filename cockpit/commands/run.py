"""`cockpit run`: the same engine without a screen."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit import words
from cockpit.commands import INTERRUPTED
from cockpit.commands.open import assignments, chosen_config
from cockpit.commands.telling import Telling
from cockpit.errors import UsageError
from cockpit.runbook.document import document_at
from cockpit.safety.memory import keep_to_itself
from cockpit.session.folder import SessionFolder
from cockpit.session.headless import Headless, Leave, chosen_steps, exit_code, interruptible
from cockpit.session.host import Host
from cockpit.session.opening import current_folder, open_session
from cockpit.session.settings import SessionSettings
from cockpit.session.targets import LOCAL
from cockpit.words import _

if TYPE_CHECKING:
    from cockpit.config import Config


def run(options: argparse.Namespace) -> int:
    """Run the chosen steps in order; the record is a session like any other."""
    keep_to_itself()
    path = current_folder() / options.runbook
    document = document_at(path)
    config = _check_choice(path, document, options)
    if options.dry_run:
        from cockpit.commands.dry_run import dry_run

        return dry_run(path, options, read_only=options.read_only or config.safety.read_only)
    settings = SessionSettings(
        runbook_path=str(path),
        mode="read-only" if options.read_only else "live",
        target=options.target or "local",
        language=words.chosen(),
        config_path=chosen_config(options),
        cwd=str(current_folder()),
        watch=False,
    )
    folder = open_session(settings, document)
    return asyncio.run(_drive(folder, options))


def _check_choice(path: Path, document: bytes, options: argparse.Namespace) -> Config:
    """A target, step, section or input that nobody knows is told before a session is made."""
    from cockpit.config import load
    from cockpit.runbook.reading import read_bytes

    runbook = read_bytes(document, str(path))
    config = load(Path(options.config) if options.config else None, runbook)
    for problem in config.problems:
        print(f"cockpit: {problem}", file=sys.stderr)
    chosen_steps(runbook, options.section, options.step)
    _require_known("--target", [options.target or LOCAL], [LOCAL, *(target.name for target in config.targets)])
    names = [blank.name for blank in runbook.inputs]
    _require_known("--set", [name for name in assignments(options.set) if runbook.input(name) is None], names)
    return config


def _require_known(option: str, given: Iterable[str], known: Iterable[str]) -> None:
    names = sorted(known)
    for name in given:
        if name not in names:
            raise UsageError(
                _("nothing is called {name}").format(name=name),
                where=option,
                mend=_("known ones: {names}").format(names=", ".join(names) or "-"),
            )


async def _drive(folder: SessionFolder, options: argparse.Namespace) -> int:
    host = Host(folder, assignments(options.set))
    leave = Leave(options.yes, options.allow_destructive, options.send, options.keep_going, options.reason)
    telling = Telling(folder, as_json=options.json)
    headless = Headless(host, leave, telling)
    following = asyncio.create_task(telling.follow(), name="follow-output")
    try:
        await host.begin()
        await host.server.listen()
        steps = chosen_steps(host.runbook, options.section, options.step)
        interrupted = await interruptible(headless, steps, _warn)
        host.end(_("interrupted") if interrupted else "", "host")
    except asyncio.CancelledError:  # Ctrl-C before the first step, or twice
        if not host.engine.state.running:
            host.end(_("interrupted"), "host")
        raise
    finally:
        following.cancel()
        await host.close()
    statuses = [host.engine.state.step(step.id).status.value for step in steps]
    return INTERRUPTED if interrupted else exit_code(statuses)


def _warn() -> None:
    print(_("cockpit: ending the step; Ctrl-C again leaves that to its runner"), file=sys.stderr, flush=True)
