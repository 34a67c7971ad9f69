"""The host's own process: `python -P -m cockpit.commands.host FOLDER`. Only session/host/spawn.py starts it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.commands.open_files import allow_many_files
from cockpit.commands.streams import Cleaned
from cockpit.errors import AdapterError, CockpitError
from cockpit.safety.memory import keep_to_itself, no_core_dumps
from cockpit.safety.telling import told
from cockpit.session.host.spawn import INPUTS_COME
from cockpit.session.record.folder import SessionFolder, private_opener
from cockpit.session.record.settings import SessionSettings

if TYPE_CHECKING:
    from cockpit.rehearsal.world import World

# A killed host's heir has this long to take the rehearsal's world over before it ends by itself.
_WORLD_LINGERS_S = 300.0


async def serve(folder: SessionFolder, inputs: Mapping[str, str], umask: int | None = None) -> None:
    """Be the session's host until it ends or a SIGTERM comes.

    Args:
        inputs: given when the session was opened.
        umask: the operator's, which steps get; None for that of this process.
    """
    # Imported here, after the fork: whoever started us must not wait for it.
    from cockpit.session.host.host import Host

    (folder.path / "host.error").unlink(missing_ok=True)
    host = Host(folder, inputs, umask=umask)
    if isinstance(sys.stderr, Cleaned):
        sys.stderr.clean = host.secrets.redact
    world = _take_world(host.settings.world)
    try:
        await host.begin()
        await host.server.listen()
        if host.settings.watch:
            await host.watch()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, host.ended.set)
        await host.ended.wait()
    finally:
        await host.close()
        if world and host.engine.state.ended_t:
            world.stop()


def _take_world(folder: str | None) -> World | None:
    """The rehearsal's world, now ours; None without one, or when it has ended meanwhile: the panel shows that."""
    if folder is None:
        return None
    from cockpit.rehearsal.world import World

    try:
        world = World.open(Path(folder))
    except AdapterError:
        return None
    world.hand_over(os.getpid(), linger_s=_WORLD_LINGERS_S)
    return world


def main(arguments: list[str]) -> int:
    """Detach and serve. The first process returns at once, so that whoever started it has no child left."""
    folder = SessionFolder(Path(arguments[0]))
    inputs = json.loads(sys.stdin.buffer.read() or b"{}") if INPUTS_COME in arguments else {}
    if os.fork():
        os._exit(0)
    os.setsid()
    umask = os.umask(0o077)
    no_core_dumps()
    allow_many_files()
    for name in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        signal.signal(name, signal.SIG_IGN)
    sys.stderr = Cleaned(sys.stderr, told)  # host.log: a traceback may quote anything
    try:
        if SessionSettings.load(folder).world is None:
            keep_to_itself()  # a rehearsal's world looks its host up in /proc, and holds no real secret
        asyncio.run(serve(folder, inputs, umask))
    except CockpitError as error:
        _leave_word(folder, error)
        return error.exit_code
    return 0


def _leave_word(folder: SessionFolder, error: CockpitError) -> None:
    """A host that can't serve tells its viewers through the folder: nobody reads its stderr."""
    from cockpit.session.host.requests import error_as_json
    from cockpit.session.record.secrets import redacted

    with contextlib.suppress(OSError), open(folder.path / "host.error", "w", opener=private_opener) as file:
        json.dump(redacted(error_as_json(error), told), file)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
