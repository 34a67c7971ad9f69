"""A program on a pseudo terminal, seen as a person sees it: when text shows, what a key changes, what it costs.

A thread stamps every chunk as it leaves the pty; the screen is drawn from the chunks afterwards, so drawing never
lengthens what is measured.
"""

from __future__ import annotations

import codecs
import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil
import pyte

KEYS = {
    "enter": b"\r",
    "tab": b"\t",
    "escape": b"\x1b",
    "space": b" ",
    "up": b"\x1b[A",
    "down": b"\x1b[B",
    "shift+tab": b"\x1b[Z",
    "pageup": b"\x1b[5~",
    "pagedown": b"\x1b[6~",
}
# Sequences that pyte would draw as text: private prefixes, mode reports, strings.
_UNKNOWN = re.compile(rb"\x1b\[[<=>][\d:;]*[A-Za-z]|\x1b\[\?[\d;]*\$p|\x1b[P\]_^X][^\x07\x1b]*(?:\x07|\x1b\\)")
_MODE_QUESTION = re.compile(rb"\x1b\[\?(\d+)\$p")
_MODE = re.compile(rb"\x1b\[\?([\d;]+)([hl])")
_HARMLESS_MODES = frozenset({7, 12, 25})
_CUT = re.compile(rb"\x1b[^\x1b]{0,40}\Z")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a program used so far: bytes written to the terminal, CPU seconds, and memory now, its children's too."""

    output_bytes: int
    cpu_s: float
    rss_bytes: int
    anonymous_bytes: int


class Missed(Exception):
    """What was waited for did not show in time."""


class Terminal:
    """Starts a program on a terminal of (columns, rows); use it as a context manager.

    Args:
        environment: what to set besides the usual.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        size: tuple[int, int] = (120, 40),
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        columns, rows = size
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.Stream(self._screen)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = b""
        self._chunks: list[tuple[float, bytes]] = []
        self._drawn = 0
        self._arrived = threading.Condition()
        self._modes: set[int] = set()
        self._ended = False
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        wanted = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8", **(environment or {})}
        unwanted = {"COLUMNS", "LINES", "NO_COLOR", "LC_ALL"}
        self.started_at = time.monotonic()
        self._process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**{key: value for key, value in os.environ.items() if key not in unwanted}, **wanted},
            cwd=cwd,
            start_new_session=True,
        )
        os.close(slave)
        self._tree = psutil.Process(self._process.pid)
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        for end in (signal.SIGTERM, signal.SIGKILL):
            if self._process.poll() is None:
                os.killpg(self._process.pid, end)
                try:
                    self._process.wait(3)
                except subprocess.TimeoutExpired:
                    continue
        self._ended = True
        self._process.wait()

    # -- seeing ------------------------------------------------------------------------------------------------------

    @property
    def sent(self) -> bytes:
        """Every byte that it was sent so far."""
        return b"".join(data for _at, data in self._chunks)

    @property
    def text(self) -> str:
        """The screen, as far as it has been drawn."""
        return "\n".join(self._screen.display)

    def wait_for(self, pattern: str, timeout_s: float = 20.0) -> float:
        """When the pattern showed: monotonic seconds.

        Raises:
            Missed: it did not, in that time.
        """
        wanted = re.compile(pattern)
        deadline = time.monotonic() + timeout_s
        at = time.monotonic()  # it may show already
        while not wanted.search(self.text):
            chunk = self._next(deadline)
            if chunk is None:
                raise Missed(f"{pattern!r} did not show in {timeout_s:g} s; the screen is:\n{self.text}")
            at = chunk
        return at

    def wait_for_change(self, timeout_s: float = 2.0) -> float:
        """When the screen first looked different from now.

        Raises:
            Missed: it did not change in that time.
        """
        before, deadline = self._looks(), time.monotonic() + timeout_s
        while (at := self._next(deadline)) is not None:
            if self._looks() != before:
                return at
        raise Missed("nothing changed")

    def settle(self, quiet_s: float = 0.25, timeout_s: float = 20.0) -> float:
        """When the last chunk came before a pause of `quiet_s`."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            self.draw()
            last = self._chunks[-1][0] if self._chunks else self.started_at
            rest_s = last + quiet_s - time.monotonic()
            if rest_s <= 0:
                return last
            with self._arrived:
                self._arrived.wait(rest_s)
        raise Missed("it never paused")

    def watch(self, seconds: float) -> list[tuple[float, str]]:
        """Let it run; the screens it showed since the last look, drawn afterwards."""
        begin = self._drawn
        self.rest_until(time.monotonic() + seconds)
        shown: list[tuple[float, str]] = []
        chunks = self._chunks[begin:]
        for n, (at, data) in enumerate(chunks):
            self._feed(data)
            self._drawn += 1
            if n + 1 == len(chunks) or chunks[n + 1][0] - at > 0.004:
                shown.append((at, self.text))
        return shown

    def rest_until(self, at_s: float) -> None:
        """Let it be until that monotonic time: how far keys are apart and how long one measures belong to a figure."""
        time.sleep(max(0.0, at_s - time.monotonic()))

    def draw(self) -> None:
        """Draw all that has come."""
        while self._drawn < len(self._chunks):
            self._feed(self._chunks[self._drawn][1])
            self._drawn += 1

    # -- acting ------------------------------------------------------------------------------------------------------

    def press(self, key: str) -> float:
        """Press a key; when, in monotonic seconds.

        Raises:
            Missed: there is no program any more.
        """
        self.draw()
        if self._process.poll() is not None:
            raise Missed(f"it ended by itself, with exit code {self._process.returncode}; the screen is:\n{self.text}")
        at = time.monotonic()
        os.write(self._master, KEYS.get(key, key.encode()))
        return at

    def quit(self, key: str, timeout_s: float = 5.0) -> float:
        """Press the key that ends it; seconds until it had ended.

        Raises:
            Missed: it did not end.
        """
        begun = self.press(key)
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired as error:
            raise Missed(f"{key} did not end it") from error
        return time.monotonic() - begun

    # -- costs -------------------------------------------------------------------------------------------------------

    def cost(self) -> Cost:
        """What it used so far."""
        processes = [self._tree, *self._tree.children(recursive=True)]
        times = [process.cpu_times() for process in processes]
        memory = [process.memory_info() for process in processes]
        return Cost(
            output_bytes=sum(len(data) for _at, data in self._chunks),
            cpu_s=sum(time.user + time.system for time in times),
            rss_bytes=sum(each.rss for each in memory),
            anonymous_bytes=sum(each.rss - getattr(each, "shared", 0) for each in memory),
        )

    @property
    def modes_left(self) -> set[int]:
        """Terminal modes that are still set, but for those that terminals begin with."""
        return self._modes - _HARMLESS_MODES

    # -- the pty -----------------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        while not self._ended:
            if not select.select([self._master], [], [], 0.2)[0]:
                continue
            try:
                data = os.read(self._master, 1 << 16)
            except OSError:
                break
            at = time.monotonic()
            with self._arrived:
                self._chunks.append((at, data))
                self._arrived.notify_all()
            for modes, state in _MODE.findall(data):
                change = self._modes.add if state == b"h" else self._modes.discard
                for mode in filter(None, modes.split(b";")):
                    change(int(mode))
            for question in _MODE_QUESTION.finditer(data):
                known = 2 if question[1] == b"2026" else 0
                os.write(self._master, b"\x1b[?%b;%d$y" % (question[1], known))
        os.close(self._master)

    def _next(self, deadline: float) -> float | None:
        """Draw the next chunk and say when it came; None when none comes before the deadline."""
        with self._arrived:
            while self._drawn == len(self._chunks):
                rest_s = deadline - time.monotonic()
                if rest_s <= 0:
                    return None
                if not self._arrived.wait(min(rest_s, 0.2)) and self._process.poll() is not None:
                    return None
            at, data = self._chunks[self._drawn]
        self._feed(data)
        self._drawn += 1
        return at

    def _feed(self, data: bytes) -> None:
        data = self._rest + data
        cut = _CUT.search(data, max(0, len(data) - 64))
        self._rest = b""
        if cut and not re.search(rb"[A-Za-z~\x07\\]", data[cut.start() + 2 :]):
            data, self._rest = data[: cut.start()], data[cut.start() :]
        self._stream.feed(self._decoder.decode(_UNKNOWN.sub(b"", data)))

    def _looks(self) -> tuple[int, ...]:
        return tuple(
            hash(tuple(self._screen.buffer[y][x] for x in range(self._screen.columns)))
            for y in range(self._screen.lines)
        )
