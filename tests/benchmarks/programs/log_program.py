"""A program with nothing but a log in it: `log_program.py pane|log FILE`. `log` is the framework's own widget."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.widget import Widget
from textual.widgets import Log, Static


class LogProgram(App[None]):
    """A line that a key changes, and the log below it."""

    ENABLE_COMMAND_PALETTE = False
    CSS = "Log { height: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [("q", "quit", "Quit"), ("x", "count", "Count")]
    presses = 0

    def __init__(self, log: Widget) -> None:
        super().__init__()
        self.shown = log

    def compose(self) -> ComposeResult:
        yield Static("count=0;", id="count")
        yield self.shown

    def action_count(self) -> None:
        self.presses += 1
        self.query_one("#count", Static).update(f"count={self.presses};", layout=False)


def feed(log: Log, path: Path) -> None:
    """What the framework's log is fed with: whole lines, ten times a second, as its makers advise."""
    descriptor = os.open(path, os.O_RDONLY)
    os.lseek(descriptor, max(0, os.fstat(descriptor).st_size - 65536), os.SEEK_SET)
    rest = b""
    while True:
        head, newline, rest = (rest + os.read(descriptor, 1 << 22)).rpartition(b"\n")
        if newline:
            log.app.call_from_thread(log.write_lines, head.decode("utf-8", "replace").split("\n"))
        time.sleep(0.1)


def main(kind: str, path: Path) -> None:
    if kind == "pane":
        from screens.logs.pane import LogPane
        from screens.logs.source import LogSource

        LogProgram(LogPane([LogSource(path.name, path)])).run()
        return
    log = Log(max_lines=50_000)
    program = LogProgram(log)
    program.call_later(threading.Thread(target=feed, args=(log, path), daemon=True).start)
    program.run()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
