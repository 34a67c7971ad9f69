"""`cockpit RUNBOOK`: open a session, start its host, and show the screen."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from cockpit import words
from cockpit.errors import UsageError
from cockpit.session.folder import SessionFolder
from cockpit.session.opening import current_folder, open_session
from cockpit.session.reader import SessionReader
from cockpit.session.settings import SessionSettings
from cockpit.session.spawn import start_host
from cockpit.shipped import RUNBOOKS
from cockpit.words import _


def run(options: argparse.Namespace) -> int:
    """Open the runbook (or the first look at this machine) on the screen."""
    require_terminal()
    runbook = Path(options.runbook) if options.runbook else first_look()
    inputs = assignments(options.set)
    settings = SessionSettings(
        runbook_path=str(current_folder() / runbook),
        mode="read-only" if options.read_only else "live",
        target=options.target or "local",
        language=words.chosen(),
        config_path=str(current_folder() / options.config) if options.config else None,
        cwd=str(current_folder()),
    )
    folder = open_session(settings)
    code = show(folder, start=lambda: start_host(folder, inputs))
    tell_how_it_stands(folder)
    return code


def tell_how_it_stands(folder: SessionFolder) -> None:
    """After the screen is gone, say whether the session goes on, and how to come back to it."""
    reader = SessionReader(folder)
    reader.poll()
    name = folder.name
    if reader.state.ended_t is None:
        print(_("the session goes on: `cockpit attach {session}`").format(session=name))
    else:
        print(_("the session is over: `cockpit report {session}`").format(session=name))


def show(
    folder: SessionFolder,
    *,
    spectator: bool = False,
    start: Callable[[], None] | None = None,
    replay_speed: float | None = None,
) -> int:
    """Run the viewer on a session; returns its exit code.

    Args:
        start: starts the session's host; called once the first frame stands, since the screen comes first.
        replay_speed: tell a recorded session again, so many times as fast; None shows it as it is.
    """
    from cockpit.runbook.ahead import ReadAhead

    ahead = ReadAhead(folder.runbook)
    from screens.app import run_viewer

    async def revive() -> None:
        await asyncio.to_thread(start_host, folder)

    return run_viewer(
        folder,
        folder.runbook,
        spectator=spectator,
        revive=None if spectator or replay_speed else revive,
        read=ahead.runbook,
        start=start,
        replay_speed=replay_speed,
    )


def require_terminal() -> None:
    """Refuse to paint where there is no terminal to paint on.

    Raises:
        UsageError: standard input or output is no terminal, or TERM says that it can't be painted on.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(_("this needs a terminal"), mend=_("`cockpit run RUNBOOK` is the same without a screen"))
    if os.environ.get("TERM", "") in ("", "dumb"):
        raise UsageError(
            _("this terminal can't be painted on"),
            where="TERM=" + os.environ.get("TERM", ""),
            mend=_("set TERM, for example TERM=xterm-256color; or use `cockpit run`"),
        )


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
