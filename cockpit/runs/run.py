"""A run as its folder tells of it: whether it still runs, how it ended, and a way to talk to it.

runs/0007/
├── spec.json     what was to run (redacted), written before anything starts
├── runner.json   which processes run it, written before the script begins
├── output        redacted bytes in the order they came
├── index         whose bytes they are and when they came (recording.FRAME)
├── control       orders to the runner, a JSON object a line
├── abandoned    it was given up before it began, and will not begin
├── carried.json  working directory and exported variables for the next step, secrets left out by name
└── exit.json     how it ended; its being there is what says so
"""

from __future__ import annotations

import base64
import errno
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cockpit.errors import TargetUnreachable, TimedOut
from cockpit.runs.files import ABANDONED
from cockpit.runs.kept import read_kept
from cockpit.runs.process import boot_id, is_same_process
from cockpit.words import _

State = Literal["starting", "running", "finished", "lost", "rebooted"]

_STARTING_S = 10.0
_INPUT_BYTES = 300
"""As much typed input as fits one order of 512 bytes, which a pipe takes whole or not at all on every system."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run's folder. Reads only, but for `send`."""

    folder: Path

    @property
    def output(self) -> Path:
        """The file of its output so far."""
        return self.folder / "output"

    @property
    def exists(self) -> bool:
        """Whether there is such a folder."""
        return self.folder.is_dir()

    def state(self) -> State:
        """Where the run stands.

        starting: the runner has not yet written down who it is. running: the runner lives. finished: exit.json is
        there. lost: the runner is gone without it, so the command's end is not known (see `child`). rebooted: the
        machine went down in between.
        """
        if (self.folder / "exit.json").exists():
            return "finished"
        runner = self.runner()
        if not runner:
            return self._state_without_runner()
        if runner["boot_id"] != boot_id():
            return "rebooted"
        if is_same_process(runner["pid"], runner["start_time"] or ""):
            return "running"
        # It may have finished between the first look and this one.
        return "finished" if (self.folder / "exit.json").exists() else "lost"

    def _state_without_runner(self) -> State:
        # The spec is durable before anything starts; who runs it need not have reached the disk when power failed.
        spec = _document(self.folder / "spec.json")
        if spec and spec.get("boot_id") != boot_id():
            return "rebooted"
        return "starting" if self._age_s() < _STARTING_S else "lost"

    def abandon(self) -> bool:
        """Give up a run that nobody took up in time. True: it did not begin and never will. False: it did after all.

        Raises:
            OSError: the mark that keeps a late runner from beginning can't be made.
        """
        flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        os.close(os.open(self.folder / ABANDONED, flags, 0o600))
        # The runner writes who it is and then looks for the mark: one of the two sees the other.
        return not self.runner()

    def runner(self) -> dict[str, Any]:
        """runner.json: pid, start_time, boot_id, child, child_start_time, pgid, keeper; {} when it is not there."""
        return _document(self.folder / "runner.json")

    @property
    def child(self) -> int | None:
        """The pid of the command, if it is alive and still the same process."""
        runner = self.runner()
        if not runner or runner["boot_id"] != boot_id():
            return None
        alive = is_same_process(runner["child"], runner["child_start_time"] or "")
        return int(runner["child"]) if alive else None

    def end(self) -> dict[str, Any]:
        """exit.json; of a run without it what can be told: ending "lost", output_bytes, survivors, never_began,
        rebooted."""
        return _document(self.folder / "exit.json") or self._lost()

    def carried(self) -> dict[str, Any]:
        """carried.json: cwd, variables (no secrets), lost (names); {} when it is not there."""
        return _document(self.folder / "carried.json")

    def send(self, order: Mapping[str, Any]) -> None:
        """Give the runner an order: {"cancel": true}, {"signal": "TERM"|"INT"|"KILL"|"HUP"|"QUIT"},
        {"resize": [rows, columns]}; for typed input see `type`. It goes to the runner's own pipe, never to a pid.

        Raises:
            TargetUnreachable: the runner is gone, or was never there.
            TimedOut: it does not take orders at the moment.
        """
        self._send(json.dumps(order).encode("ascii") + b"\n")

    def type(self, text: bytes) -> None:
        """Type into the run's terminal. Never recorded by itself: what is seen of it is what the terminal echoes.

        Raises:
            TargetUnreachable, TimedOut: see `send`.
        """
        for start in range(0, len(text), _INPUT_BYTES):
            piece = base64.b64encode(text[start : start + _INPUT_BYTES]).decode("ascii")
            self.send({"input": piece})

    def _send(self, line: bytes) -> None:
        try:
            descriptor = os.open(self.folder / "control", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError as error:
            if error.errno in (errno.ENXIO, errno.ENOENT):
                raise self._gone() from error
            raise
        try:
            os.write(descriptor, line)
        except BlockingIOError as error:
            raise TimedOut(_("the run does not take orders at the moment"), where=self.folder.name) from error
        except BrokenPipeError as error:
            raise self._gone() from error
        finally:
            os.close(descriptor)

    def _gone(self) -> TargetUnreachable:
        child = self.child
        return TargetUnreachable(
            _("nobody looks after this run any more"),
            where=self.folder.name,
            mend=_("process {pid} still runs; end it by hand if it must stop").format(pid=child) if child else "",
        )

    def _lost(self) -> dict[str, Any]:
        child = self.child
        size = self.output.stat().st_size if self.output.exists() else 0
        abandoned = (self.folder / ABANDONED).exists() and not self.runner()
        return {
            "ending": "lost",
            "output_bytes": size,
            "survivors": [child] if child else [],
            "never_began": "no process took it up" if abandoned else "",
            "rebooted": self.state() == "rebooted",
        }

    def _age_s(self) -> float:
        try:
            return time.time() - self.folder.stat().st_mtime
        except OSError:
            return _STARTING_S


def _document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(read_kept(path.parent, path.name))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}
