"""What the ground a session stands on does not hold: told before the first step runs, since after it is too late."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from cockpit.places import user_name
from cockpit.session.record.roots import is_passing
from cockpit.words import _

_CGROUP = Path("/proc/self/cgroup")
_MOUNTS = Path("/proc/self/mountinfo")
_FAR = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "glusterfs", "lustre", "afs", "fuse.sshfs"})
_LOGIND = ("org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager")
_ASK_S = 3.0


class Weakness(NamedTuple):
    """Something that does not hold: `about` names it for the record, `mend` is what to do about it."""

    about: str
    text: str
    mend: str


def weaknesses(folder: Path, *, cgroup: Path = _CGROUP, mounts: Path = _MOUNTS) -> list[Weakness]:
    """All that is known to be weak about a session in this folder. Blocks for as long as logind needs to answer.

    Args:
        cgroup, mounts: what the kernel says of this process, for tests.
    """
    found = []
    if is_passing(folder):
        found.append(
            Weakness(
                "state-folder",
                _("there is no home to write to: this session lies in {folder}, which a restart empties").format(
                    folder=folder
                ),
                _("set COCKPIT_STATE_DIR to a folder that stays"),
            )
        )
    kind = _file_system(folder, mounts)
    if kind in _FAR:
        found.append(
            Weakness(
                "network-folder",
                _("sessions lie on {kind}: another machine may not see who holds this one").format(kind=kind),
                _("set COCKPIT_STATE_DIR to a folder on a local disk"),
            )
        )
    if _ends_with_the_login(cgroup):
        found.append(
            Weakness(
                "logind",
                _("logging out kills this session and its steps (KillUserProcesses=yes)"),
                "loginctl enable-linger; systemd-run --user --scope cockpit …",
            )
        )
    return found


def _file_system(folder: Path, mounts: Path) -> str:
    """The kind of file system the folder is on; "" where the system does not say."""
    best, kind = Path(), ""
    try:
        lines = mounts.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return ""
    for line in lines:
        before, _dash, after = line.partition(" - ")
        place = Path(before.split(" ")[4].encode().decode("unicode_escape"))
        if folder.is_relative_to(place) and len(place.parts) >= len(best.parts):
            best, kind = place, after.split(" ")[0]
    return kind


def _ends_with_the_login(cgroup: Path) -> bool:
    """Whether logind would end this process when its user logs out."""
    try:
        inside = ".scope" in (told := cgroup.read_text()) and "/session-" in told
    except OSError:
        return False
    if not inside or _logind("KillUserProcesses") != "b true":
        return False
    me = f'"{user_name()}"'
    only, spared = _logind("KillOnlyUsers"), _logind("KillExcludeUsers")
    return me not in spared and (me in only or only in ("", "as 0"))


def _logind(name: str) -> str:
    """A property of logind as busctl prints it; "" without logind."""
    busctl = shutil.which("busctl")
    if busctl is None:
        return ""
    try:
        done = subprocess.run(
            [busctl, "--system", "get-property", *_LOGIND, name],
            capture_output=True,
            text=True,
            timeout=_ASK_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()
