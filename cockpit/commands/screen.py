"""The screen on a session, and the word after it is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from cockpit.runbook.ahead import ReadAhead
from cockpit.runbook.document.opened import document_at
from cockpit.safety.memory import keep_to_itself
from cockpit.session.host.spawn import start_host
from cockpit.session.record.folder import SessionFolder
from cockpit.session.record.reader import SessionReader
from cockpit.words import _


def tell_how_it_stands(folder: SessionFolder) -> None:
    """After the screen is gone, say whether the session goes on, and how to come back to it."""
    reader = SessionReader(folder)
    reader.poll()
    name = folder.name
    if (folder.path / "host.error").exists() and folder.discard_unbegun():
        print(_("no session was begun"))
    elif reader.state.ended_t is None:
        print(_("the session goes on: `cockpit attach {session}`").format(session=name))
    else:
        print(_("the session is over: `cockpit report {session}`").format(session=name))


def show(
    folder: SessionFolder,
    *,
    spectator: bool = False,
    mode: str = "live",
    ahead: ReadAhead | None = None,
    start: Callable[[], None] | None = None,
    replay_speed: float | None = None,
) -> int:
    """Run the viewer on a session; returns its exit code.

    Args:
        mode: the one to show until the record says which it is.
        ahead: the document, if it is being read already.
        start: starts the session's host; called once the first frame stands, since the screen comes first.
        replay_speed: tell a recorded session again, so many times as fast; None shows it as it is.
    """
    ahead = ahead or ReadAhead(document_at(folder.runbook), folder.runbook)
    from screens.app import run_viewer

    async def revive() -> None:
        await asyncio.to_thread(start_host, folder)

    def begin() -> None:
        keep_to_itself()
        if start:
            start()

    return run_viewer(
        folder,
        folder.runbook,
        spectator=spectator,
        mode=mode,
        revive=None if spectator or replay_speed else revive,
        read=ahead.runbook,
        start=begin,
        replay_speed=replay_speed,
    )
