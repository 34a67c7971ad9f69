"""The processes that look after runs of this machine, one a run; the next one is started before it is needed.

Python takes longer to start than most steps take to run. A runner that waits has been told nothing: no script, no
secret, no folder. It ends with the line to whoever started it.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path

_RUNNER = Path(__file__).parent.parent / "runs" / "runner.py"


class Runners:
    """What starts runners. Its methods block for as long as the system takes to make a process.

    Args:
        ahead: have one wait; whoever asks for that closes this.
    """

    def __init__(self, *, ahead: bool = False) -> None:
        self._ahead = ahead
        self._waiting: deque[subprocess.Popen[bytes]] = deque()
        self._lock = threading.Lock()

    def get_ready(self) -> None:
        """Have a runner wait for the next run; nothing happens when one does, is not wanted, or can't be had."""
        with self._lock, contextlib.suppress(OSError):  # whoever needs one tries again, and says what is wrong
            if self._ahead and not self._waiting:
                self._waiting.append(new_runner())

    def take(self) -> subprocess.Popen[bytes]:
        """A runner for one run: the one that waits, or a new one.

        Raises:
            OSError: there is none to be had.
        """
        try:
            runner = self._waiting.popleft()
        except IndexError:
            return new_runner()
        if runner.poll() is None:
            return runner
        _hang_up(runner)
        return new_runner()

    def close(self) -> None:
        """End the runner that waits; none is started ahead any more."""
        with self._lock:
            self._ahead = False
            while self._waiting:
                _hang_up(self._waiting.popleft())


def new_runner() -> subprocess.Popen[bytes]:
    """A runner that waits for its document, in a session of its own: a Ctrl-C at the terminal does not reach it.

    Raises:
        OSError: the system would not.
    """
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-X", "utf8", str(_RUNNER)],
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.defpath},
        start_new_session=True,
    )


def _hang_up(runner: subprocess.Popen[bytes]) -> None:
    with runner:  # closes both ends, and waits
        pass
