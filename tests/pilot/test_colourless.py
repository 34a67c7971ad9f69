"""NO_COLOR in a real terminal: what is sent, byte for byte."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEADLINE_S = 60.0
RUNBOOK = "# Deploy\n\n> [!WARNING]\n> Careful.\n\n- [ ] **it** is `well`\n\n```bash\nrm -rf ./gone\n```\n"
_STYLES = re.compile(rb"\x1b\[([0-9;:]*)m")
_COLOURS = {*range(30, 50), *range(90, 108)}


class Terminal:
    """A program in a terminal of 80x24, and all that it has sent."""

    def __init__(self, *command: str, **environment: str) -> None:
        self._ours, inside = pty.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.program = subprocess.Popen(
            command, stdin=inside, stdout=inside, stderr=inside, env={**os.environ, **environment}, close_fds=True
        )
        os.close(inside)
        self.sent = b""

    def sees(self, text: str) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while text.encode() not in self.sent:
            assert time.monotonic() < deadline, f"no {text!r} in {self.sent[-2000:]!r}"
            if select.select([self._ours], [], [], 0.2)[0]:
                self.sent += os.read(self._ours, 1 << 16)

    def types(self, keys: bytes) -> None:
        os.write(self._ours, keys)

    def close(self) -> None:
        self.program.kill()
        self.program.wait()
        os.close(self._ours)


@contextlib.contextmanager
def running(*command: str, **environment: str) -> Iterator[Terminal]:
    terminal = Terminal(*command, **environment)
    try:
        yield terminal
    finally:
        terminal.close()


@pytest.mark.parametrize("theme", ["", "dark", "light"])
def test_no_colour_at_all_is_sent_but_bold_and_reverse(tmp_path: Path, theme: str) -> None:
    document = tmp_path / "deploy.md"
    document.write_text(RUNBOOK)
    with running(
        *(sys.executable, "-P", "-m", "cockpit.cli", "open", str(document)),
        NO_COLOR="1",
        TERM="xterm-256color",
        COLORTERM="truecolor",
        COCKPIT_THEME=theme,
        PYTHONPATH=str(ROOT),
        LC_ALL="C.UTF-8",
        COCKPIT_STATE_DIR=str(tmp_path / "s"),
    ) as terminal:
        terminal.sees("[1/2]")
        terminal.types(b"?")
        terminal.sees("Keys")
        sent = terminal.sent
    styles = {tuple(int(code or 0) for code in re.split(rb"[;:]", found)) for found in _STYLES.findall(sent)}
    assert {(1,), (7,)} <= styles
    assert not [style for style in styles if _COLOURS & set(style)]
