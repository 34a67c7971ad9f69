"""`cockpit RUNBOOK`: open a session, start its host, and show the screen.

Little is imported before the document is being read: reading it and loading the rest then take their time together.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from cockpit import words
from cockpit.commands.terminal import require_terminal
from cockpit.errors import UsageError
from cockpit.places import ADMINISTRATORS_FILE
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
    read_only = options.read_only or administered_read_only()
    settings = SessionSettings(
        runbook_path=str(current_folder() / runbook),
        mode="read-only" if read_only else "live",
        target=options.target or "local",
        language=words.chosen(),
        config_path=chosen_config(options),
        cwd=str(current_folder()),
    )
    folder = open_session(settings, document)
    code = show(folder, mode=settings.mode, ahead=ahead, start=lambda: start_host(folder, inputs))
    tell_how_it_stands(folder)
    return code


def chosen_config(options: argparse.Namespace) -> str | None:
    """The configuration file that was named, by --config or $COCKPIT_CONFIG; any later host reads the same one."""
    from cockpit.session.opening import current_folder

    named = options.config or os.environ.get("COCKPIT_CONFIG")
    return str(current_folder() / named) if named else None


def administered_read_only() -> bool:
    """Whether the administrator makes sessions on this machine read-only.

    Raises:
        ConfigError: that can't be told for sure.
    """
    if not os.path.lexists(ADMINISTRATORS_FILE.parent):  # mostly so, and what reads the file is slow to load
        return False
    from cockpit.config import Administrator

    return Administrator().config().safety.read_only


def first_look() -> Path:
    """The shipped runbook for a machine that nothing is known about."""
    return RUNBOOKS / f"first-look.{words.chosen()}.md"


def assignments(given: Sequence[str]) -> dict[str, str]:
    """`--set NAME=VALUE` arguments as a mapping.

    Raises:
        UsageError: one without a name or an equals sign, or whose value no command could take.
    """
    from cockpit.session.inputs import check_value

    pairs: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise UsageError(_("not NAME=VALUE: {text}").format(text=text), where="--set")
        check_value(name, value)
        pairs[name] = value
    return pairs
