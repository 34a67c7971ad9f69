"""What this machine holds ready: where sessions lie, the files they are configured by, the clock, the programs."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from cockpit.adapters.checking import Check, failed_check
from cockpit.config import Administrator
from cockpit.errors import CockpitError
from cockpit.session.host.footing import weaknesses
from cockpit.session.record.roots import state_root
from cockpit.words import _

_LEAST_FREE_BYTES = 256 << 20
_MIB = 1 << 20
_ASK_S = 3.0


def surroundings() -> Sequence[Check]:
    """Every finding about this machine itself. Blocks for a few seconds at most."""
    return [*_state_folder(), *_administrator(), *_clock()]


def _state_folder() -> Iterator[Check]:
    about = _("state folder")
    try:
        root = state_root()
    except CockpitError as error:
        failed = failed_check(error)
        yield Check(about=about, text=failed.text, standing="failed", mend=failed.mend)
        return
    weak = weaknesses(root)
    for weakness in weak:
        yield Check(about=about, text=weakness.text, standing="warning", mend=weakness.mend)
    free_bytes = shutil.disk_usage(root).free
    if free_bytes < _LEAST_FREE_BYTES:
        yield Check(
            about=about,
            text=_("{folder} has only {free} MiB left").format(folder=root, free=free_bytes // _MIB),
            standing="failed" if free_bytes < _MIB else "warning",
            mend=_("make room, or set COCKPIT_STATE_DIR to another disk"),
        )
    elif not weak:
        yield Check(about=about, text=_("{folder}, closed to others").format(folder=root))


def configuration(path: Path | None) -> Iterator[Check]:
    """What is to be said of the file that was read; None where there is none."""
    about = _("configuration")
    if path is None:
        text = _("there is none: what is found on this machine is watched")
        yield Check(about=about, text=text, mend=_("README says what cockpit.toml may hold"))
        return
    mode = path.stat().st_mode
    if mode & stat.S_IWGRP:
        text = _("a group can write to {file}").format(file=path)
        yield Check(about=about, text=text, standing="warning", mend=f"chmod g-w {path}")
    else:
        yield Check(about=about, text=str(path))


def _administrator() -> Iterator[Check]:
    about = _("administrator")
    try:
        config = Administrator().config()
    except CockpitError as error:
        failed = failed_check(error)
        yield Check(about=about, text=failed.text, standing="failed", mend=failed.mend)
        return
    if config.safety.locked:
        yield Check(about=about, text=_("this machine is kept read-only"))


def _clock() -> Iterator[Check]:
    """Whether a time server keeps the clock, where systemd tells: records of several machines are laid side by side."""
    program = shutil.which("timedatectl")
    if program is None:
        return
    try:
        done = subprocess.run(
            [program, "show", "--property=NTPSynchronized", "--value"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_ASK_S,
            check=False,
            env=dict(os.environ) | {"LC_ALL": "C"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return
    about = _("clock")
    if done.stdout.strip() == "yes":
        yield Check(about=about, text=_("it follows a time server"))
    elif done.stdout.strip() == "no":
        yield Check(
            about=about, text=_("it follows no time server"), standing="warning", mend="timedatectl set-ntp true"
        )
