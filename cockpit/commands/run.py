"""`cockpit run`: the same engine without a screen."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit import words
from cockpit.adapters.base import RunsSteps
from cockpit.commands import INTERRUPTED
from cockpit.commands.given import given_values, tell_of_secrets
from cockpit.commands.only import narrowed, rest_of
from cockpit.commands.open import chosen_config, inputs_of, require_target
from cockpit.commands.open_files import allow_many_files
from cockpit.commands.person import at_terminal
from cockpit.commands.telling import Telling
from cockpit.config.names import LOCAL
from cockpit.errors import CockpitError
from cockpit.runbook.document.opened import document_at
from cockpit.runbook.model import Runbook, Step
from cockpit.safety.memory import keep_to_itself
from cockpit.safety.text import one_line
from cockpit.session.headless import Headless, Leave, chosen_steps, exit_code, interruptible, left_out_of_all
from cockpit.session.host.host import Host
from cockpit.session.record.folder import SessionFolder
from cockpit.session.record.opening import current_folder, open_session
from cockpit.session.record.settings import SessionSettings
from cockpit.session.steps.targets import targets_of
from cockpit.words import _

if TYPE_CHECKING:
    from cockpit.config import Config


def run(options: argparse.Namespace) -> int:
    """Run the chosen steps in order; the record is a session like any other."""
    keep_to_itself()
    allow_many_files()
    path = current_folder() / options.runbook
    document = document_at(path)
    chosen = _choice(path, document, options)
    if options.dry_run:
        from cockpit.commands.dry_run import dry_run

        return dry_run(
            chosen.runbook, chosen.steps, chosen.inputs, chosen.adapters, target=options.target or LOCAL,
            read_only=options.read_only or chosen.config.safety.read_only, as_json=options.json,
            groups=narrowed(chosen.config.groups, options.only, options.target or LOCAL),
            unasked=left_out_of_all(chosen.runbook, section=bool(options.section), named=bool(options.step)),
        )  # fmt: skip
    settings = SessionSettings(
        runbook_path=str(path),
        mode="read-only" if options.read_only else "live",
        target=options.target or LOCAL,
        language=words.chosen(),
        config_path=chosen_config(options),
        cwd=str(current_folder()),
        watch=False,
    )
    folder = open_session(settings, document)
    try:
        return asyncio.run(_drive(folder, options, chosen.inputs))
    except (CockpitError, KeyboardInterrupt):
        folder.discard_unbegun()
        raise


@dataclass(frozen=True, slots=True)
class _Choice:
    """What was asked for, understood. `inputs` are by the names the runbook gives them."""

    runbook: Runbook
    config: Config
    adapters: Mapping[str, RunsSteps]
    steps: Sequence[Step]
    inputs: Mapping[str, str]


def _choice(path: Path, document: bytes, options: argparse.Namespace) -> _Choice:
    """What the arguments say; whatever can't be understood is told before there is a session."""
    from cockpit.config import load
    from cockpit.runbook.reading import read_bytes

    runbook = read_bytes(document, str(path))
    config = load(Path(options.config) if options.config else None, runbook)
    problems = list(config.problems)
    adapters = targets_of(config.targets, config.origin, left_out=problems.append)
    for problem in problems:
        print(f"cockpit: {one_line(problem)}", file=sys.stderr)
    steps = chosen_steps(runbook, options.section, options.step)
    require_target(options.target or LOCAL, [*adapters, *(group.name for group in config.groups)])
    narrowed(config.groups, options.only, options.target or LOCAL)
    inputs = inputs_of(runbook, given_values(options))
    tell_of_secrets(runbook, options.set)
    return _Choice(runbook, config, adapters, steps, inputs)


async def _drive(folder: SessionFolder, options: argparse.Namespace, inputs: Mapping[str, str]) -> int:
    host = Host(folder, inputs)
    host.engine.groups = narrowed(host.engine.groups.values(), options.only, options.target or LOCAL)
    host.questions.person = at_terminal()
    leave = Leave(options.yes, options.allow_destructive, options.send, options.keep_going, options.reason)
    telling = Telling(folder, as_json=options.json)
    headless = Headless(host, leave, telling, section=bool(options.section), named=bool(options.step))
    following = asyncio.create_task(telling.follow(), name="follow-output")
    try:
        await host.begin()
        await host.server.listen()
        steps = chosen_steps(host.runbook, options.section, options.step)
        interrupted = await interruptible(headless, steps, _warn)
        host.end(_("interrupted") if interrupted else "", "host")
    except (asyncio.CancelledError, CockpitError) as error:  # Ctrl-C before the first step, or twice; or no socket
        if host.engine.state.started_t and not host.engine.state.running:
            host.end(_("interrupted") if isinstance(error, asyncio.CancelledError) else str(error), "host")
        raise
    finally:
        following.cancel()
        await host.close()
    for line in rest_of(host.engine.state, steps):
        print(f"cockpit: {one_line(line)}", file=sys.stderr)
    statuses = [host.engine.state.step(step.id).status.value for step in steps]
    return INTERRUPTED if interrupted else exit_code(statuses, unable=headless.unable)


def _warn() -> None:
    print(_("cockpit: ending the step; Ctrl-C again leaves that to its runner"), file=sys.stderr, flush=True)
