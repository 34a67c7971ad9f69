"""`cockpit RUNBOOK`: open a session, start its host, and show the screen.

Little is imported before the document is being read: reading it and loading the rest then take their time together.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit import words
from cockpit.commands.terminal import require_terminal
from cockpit.errors import UsageError
from cockpit.places import ADMINISTRATORS_FILE
from cockpit.runbook.ahead import ReadAhead
from cockpit.runbook.document.opened import document_at
from cockpit.shipped import RUNBOOKS
from cockpit.words import _

if TYPE_CHECKING:
    from cockpit.runbook.model import Runbook


def run(options: argparse.Namespace) -> int:
    """Open the runbook (or the first look at this machine) on the screen."""
    require_terminal()
    runbook = Path(options.runbook) if options.runbook else first_look()
    document = document_at(runbook)
    return _show(options, runbook, document, ReadAhead(document, runbook))


def _show(options: argparse.Namespace, runbook: Path, document: bytes, ahead: ReadAhead) -> int:
    from cockpit.commands.given import given_values, tell_of_secrets
    from cockpit.commands.screen import show, tell_how_it_stands
    from cockpit.session.host.spawn import start_host
    from cockpit.session.record.opening import current_folder, open_session
    from cockpit.session.record.settings import SessionSettings

    given = given_values(options)
    inputs = inputs_of(ahead.runbook(), given) if given else {}
    if options.set:
        tell_of_secrets(ahead.runbook(), options.set)
    if options.target:
        require_target(options.target, _targets(options, ahead.runbook()))
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
    from cockpit.session.record.opening import current_folder

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


def inputs_of(runbook: Runbook, given: Mapping[str, str]) -> dict[str, str]:
    """The values that were given, by the names the runbook gives its inputs.

    Raises:
        UsageError: it has no input of that name; the nearest one is named.
    """
    values = {}
    for name, value in given.items():
        blank = runbook.input(name)
        if blank is None:
            raise UsageError(
                _("the runbook has no input called {name}").format(name=name),
                where="--set",
                mend=_nearest(name, [each.name for each in runbook.inputs]),
            )
        values[blank.name] = value
    return values


def _targets(options: argparse.Namespace, runbook: Runbook) -> list[str]:
    """The targets there will be, by name."""
    from cockpit.config import load

    config = load(_named(options), runbook)
    return ["local", *(target.name for target in config.targets), *(group.name for group in config.groups)]


def _named(options: argparse.Namespace) -> Path | None:
    named = chosen_config(options)
    return Path(named) if named else None


def require_target(name: str, known: Iterable[str], *, option: str = "--target") -> None:
    """Refuse a target that is not there, before there is a session.

    Raises:
        UsageError: with the nearest name there is.
    """
    names = list(known)
    if name not in names:
        raise UsageError(
            _("no target is called {target}").format(target=name), where=option, mend=_nearest(name, names)
        )


def _nearest(name: str, known: Sequence[str]) -> str:
    import difflib

    folded = {each.casefold(): each for each in known}
    near = difflib.get_close_matches(name.casefold(), folded, 1, 0.5)
    if near:
        return _("did you mean {word}?").format(word=folded[near[0]])
    return _("known ones: {names}").format(names=", ".join(sorted(known)) or "-")
