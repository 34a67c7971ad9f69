"""`cockpit replay`: the screen, from a recorded session."""

from __future__ import annotations

import argparse

from cockpit.commands.screen import show
from cockpit.commands.terminal import require_terminal
from cockpit.errors import UsageError
from cockpit.session.record.folder import find_session
from cockpit.session.record.roots import state_roots
from cockpit.words import _


def run(options: argparse.Namespace) -> int:
    """Tell a session again, at its own pace or faster; nothing can be done in it."""
    if options.speed <= 0:
        raise UsageError(_("the speed must be above zero"), where="--speed")
    require_terminal()
    folder = find_session(state_roots(), options.session)
    folder.require_its_own()
    return show(folder, spectator=True, replay_speed=options.speed)
