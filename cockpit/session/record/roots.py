"""Where sessions lie, where hosts listen, and that nobody else has a hand in it."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from cockpit.errors import FolderRefused
from cockpit.places import home_folder
from cockpit.words import _

PRIVATE_DIR = 0o700
_OTHERS_WRITE = 0o022
# A socket's path has 104 bytes on macOS, its name here 25.
_LONGEST_BYTES = 78
_SHORTEST = Path("/tmp")  # noqa: S108 - what is made there is checked to be ours alone


def state_root() -> Path:
    """Where new sessions go: $COCKPIT_STATE_DIR, else the XDG state folder. Made private if absent.

    Where nobody chose a folder and the usual one can't be written (no home, a full or read-only one), it is in the
    runtime folder, which a restart of the machine empties; `is_passing` tells.

    Raises:
        FolderRefused: a symlink, another owner, writable by others, or not creatable.
    """
    chosen = os.environ.get("COCKPIT_STATE_DIR")
    if chosen:
        root = Path(chosen).absolute()
        make_private(root)
        return root
    usual = _usual_root()
    if os.path.lexists(usual):
        require_private(usual)
    if _writable(usual):
        make_private(usual)
        return usual
    passing = runtime_folder() / "sessions"
    make_private(passing)
    return passing


def state_roots() -> tuple[Path, ...]:
    """Every folder in which sessions of this user may lie, that of new ones first.

    Raises:
        FolderRefused: see `state_root`.
    """
    root = state_root()
    return (root,) if os.environ.get("COCKPIT_STATE_DIR") else tuple(dict.fromkeys((root, _usual_root())))


def is_passing(folder: Path) -> bool:
    """Whether a restart of the machine takes this folder away."""
    return folder.is_relative_to(runtime_folder())


def runtime_folder() -> Path:
    """A folder that lasts as long as the machine runs, with room for a socket's name: in $XDG_RUNTIME_DIR, and where
    that is not ours (after sudo) or too deep, in the temporary folder.

    Raises:
        FolderRefused: none of them is ours alone.
    """
    base, own = os.environ.get("XDG_RUNTIME_DIR"), f"cockpit-{os.geteuid()}"
    places = [Path(base) / "cockpit"] if base and Path(base).is_dir() else []
    places += [Path(tempfile.gettempdir()) / own, _SHORTEST / own]
    fitting = [place for place in places if len(os.fsencode(place)) <= _LONGEST_BYTES]
    for place in fitting[:-1]:
        with contextlib.suppress(FolderRefused):
            make_private(place)
            return place
    make_private(fitting[-1])
    return fitting[-1]


def make_private(folder: Path) -> None:
    """Create the folder 0700, with what is missing above it, or check that an existing one is ours alone.

    Raises:
        FolderRefused: see `require_private`; or it can't be made.
    """
    try:
        for each in reversed([folder, *folder.parents]):
            if not each.exists():
                each.mkdir(mode=PRIVATE_DIR, exist_ok=True)
    except OSError as error:
        raise _cannot_be_made(folder, error) from error
    require_private(folder)


def require_private(folder: Path) -> None:
    """Check that a folder is ours, and closed to others. What others can only read is closed to them now.

    Raises:
        FolderRefused: a symlink, another owner, writable by others; or its parent lets others put another in its place.
    """
    try:
        info, above = folder.lstat(), folder.parent.stat()
    except OSError as error:
        raise _cannot_be_made(folder, error) from error
    if not stat.S_ISDIR(info.st_mode):
        raise FolderRefused(_("not a plain folder"), where=str(folder), mend=_("use a real folder, no symlink"))
    if info.st_uid != os.geteuid():
        raise FolderRefused(
            _("the folder belongs to another user"),
            where=str(folder),
            mend=_("set COCKPIT_STATE_DIR to a folder of your own"),
        )
    if info.st_mode & _OTHERS_WRITE:
        raise FolderRefused(_("others can write to the folder"), where=str(folder), mend=f"chmod 700 {folder}")
    if above.st_mode & stat.S_IWOTH and not above.st_mode & stat.S_ISVTX:
        raise FolderRefused(
            _("others can put another folder in its place"), where=str(folder), mend=f"chmod go-w {folder.parent}"
        )
    if info.st_mode & 0o077:
        folder.chmod(PRIVATE_DIR)


def _usual_root() -> Path:
    base = os.environ.get("XDG_STATE_HOME") or home_folder() / ".local" / "state"
    return Path(base).absolute() / "cockpit"


def _writable(folder: Path) -> bool:
    """Whether something can be made in it, or it in what is above it."""
    nearest = next(each for each in (folder, *folder.parents) if os.path.lexists(each))
    return os.access(nearest, os.W_OK | os.X_OK)


def _cannot_be_made(folder: Path, error: OSError) -> FolderRefused:
    return FolderRefused(
        _("the folder can't be made: {error}").format(error=error.strerror),
        where=str(folder),
        mend=_("set COCKPIT_STATE_DIR to a folder you can write"),
    )
