"""`cockpit attach`: join a session again; its host is started anew when it died."""

from __future__ import annotations

import argparse

from cockpit.commands.screen import show, tell_how_it_stands
from cockpit.commands.terminal import require_terminal
from cockpit.session.host.spawn import host_alive, start_host
from cockpit.session.record.folder import find_session
from cockpit.session.record.reader import SessionReader
from cockpit.session.record.roots import state_roots


def run(options: argparse.Namespace) -> int:
    """Show the session; an ended one is only shown."""
    require_terminal()
    folder = find_session(state_roots(), options.session)
    folder.require_its_own()
    reader = SessionReader(folder)
    reader.poll()
    ended = reader.state.ended_t is not None
    if not ended and not options.spectate and not host_alive(folder):
        start_host(folder)
    code = show(folder, mode=reader.state.mode, spectator=options.spectate or ended)
    tell_how_it_stands(folder)
    return code
