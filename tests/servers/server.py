"""Real servers for tests: each in a folder of its own, on a free port of loopback, ended by its pid."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import eventually

_END_S = 10.0
# Not the common one, whose seed Hypothesis sets: several processes would choose the same.
_CHANCE = random.SystemRandom()


def require(*commands: str, also_in: Sequence[Path] = ()) -> list[str]:
    """The paths of programs; the test skips where one is missing, or fails with COCKPIT_REAL=required."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *map(str, also_in)])
    found = [shutil.which(command, path=path) for command in commands]
    missing = [command for command, place in zip(commands, found, strict=True) if place is None]
    if missing:
        reason = f"there is no {', '.join(missing)} on this machine"
        if os.environ.get("COCKPIT_REAL") == "required":
            pytest.fail(f"COCKPIT_REAL=required, and {reason}")
        pytest.skip(reason)
    return [place for place in found if place]


def free_port() -> int:
    """A port that nobody has, below those that the system gives to whoever connects somewhere."""
    for _attempt in range(100):
        port = _CHANCE.randrange(15_000, 30_000)
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port of loopback is free")


@contextmanager
def server_folder() -> Iterator[Path]:
    """A short path: a unix socket's has a limit."""
    with tempfile.TemporaryDirectory(prefix="ck", dir="/tmp", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@contextmanager
def running(
    argv: Sequence[str],
    ready: Callable[[], bool],
    folder: Path,
    *,
    user: int | None = None,
    ending: signal.Signals = signal.SIGTERM,
) -> Iterator[subprocess.Popen[bytes]]:
    """The server while it answers; its words are in the folder's `log`.

    Args:
        user: the uid and gid to run it as.
        ending: the signal that ends it at once.
    """
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder, **as_user(user))
    try:
        if not eventually(lambda: process.poll() is not None or ready()) or process.poll() is not None:
            pytest.fail(f"{argv[0]} does not start: {(folder / 'log').read_text(errors='replace')[-2000:]}")
        yield process
    finally:
        process.send_signal(ending)
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def as_user(user: int | None) -> dict[str, Any]:
    """What makes a child of subprocess run as that uid and gid, with no other groups; nothing for None."""
    return {} if user is None else {"user": user, "group": user, "extra_groups": []}


def answers(port: int) -> bool:
    """Whether something listens there."""
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0
