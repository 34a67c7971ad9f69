"""Starting a session's host, detached from this terminal, and telling whether one is alive."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from types import MappingProxyType

from cockpit.errors import SessionError
from cockpit.session.record.folder import SessionFolder, private_opener
from cockpit.words import _

INPUTS_COME = "--inputs-on-stdin"


def start_host(folder: SessionFolder, inputs: Mapping[str, str] = MappingProxyType({})) -> None:
    """Start the host process of a session and return at once; it detaches itself, and its starter is reaped.

    -P keeps the current directory out of the import path: a folder called `textual` there must never be run.

    Args:
        inputs: what was given on the command line. It goes through a pipe, since some of it may be secret and the
            session folder holds no secrets.

    Raises:
        SessionError: the process can't be started.
    """
    try:
        with open(folder.path / "host.log", "ab", opener=private_opener) as log:
            starter = subprocess.Popen(
                [sys.executable, "-P", "-m", "cockpit.commands.host", str(folder.path), INPUTS_COME],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
                close_fds=True,
            )
        # Not waited for here: the screen is to paint meanwhile.
        told = json.dumps(dict(inputs)).encode()
        threading.Thread(target=starter.communicate, args=(told,), name="host-starter").start()
    except OSError as error:
        raise SessionError(_("the host can't be started: {error}").format(error=error), where=folder.name) from error


def host_alive(folder: SessionFolder) -> bool:
    """Whether somebody holds the session's lock: the kernel frees it when a host dies, however it dies."""
    try:
        descriptor = os.open(folder.lock, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
