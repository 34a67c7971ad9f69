"""`cockpit RUNBOOK`: open a session, start its host, and show the screen.

Little is imported before the document is being read: reading it and loading the rest then take their time together.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from cockpit import words
from cockpit.commands.terminal import require_terminal
from cockpit.errors import UsageError
from cockpit.runbook.ahead import ReadAhead
from cockpit.runbook.document import document_at
from cockpit.shipped import RUNBOOKS
from cockpit.words import _


def run(options: argparse.Namespace) -> int:
    """Open the runbook (or the first look at this machine) on the screen."""
    require_terminal()
    runbook = Path(options.runbook) if options.runbook else first_look()
    document = document_at(runbook)
    return _show(options, runbook, document, ReadAhead(document, runbook))


def _show(options: argparse.Namespace, runbook: Path, document: bytes, ahead: ReadAhead) -> int:
    from cockpit.commands.screen import show, tell_how_it_stands
    from cockpit.session.opening import current_folder, open_session
    from cockpit.session.settings import SessionSettings
    from cockpit.session.spawn import start_host

    inputs = assignments(options.set)
    settings = SessionSettings(
        runbook_path=str(current_folder() / runbook),
        mode="read-only" if options.read_only else "live",
        target=options.target or "local",
        language=words.chosen(),
        config_path=str(current_folder() / options.config) if options.config else None,
        cwd=str(current_folder()),
    )
    folder = open_session(settings, document)
    code = show(folder, ahead=ahead, start=lambda: start_host(folder, inputs))
    tell_how_it_stands(folder)
    return code


def first_look() -> Path:
    """The shipped runbook for a machine that nothing is known about."""
    return RUNBOOKS / f"first-look.{words.chosen()}.md"


def assignments(given: Sequence[str]) -> dict[str, str]:
    """`--set NAME=VALUE` arguments as a mapping.

    Raises:
        UsageError: one without a name or an equals sign.
    """
    pairs: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise UsageError(_("not NAME=VALUE: {text}").format(text=text), where="--set")
        pairs[name] = value
    return pairs
