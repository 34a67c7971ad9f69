"""The administrator's file, the user's home and name, also where the system has never heard of the user."""

from __future__ import annotations

import os
from pathlib import Path

ADMINISTRATORS_FILE = Path("/etc/cockpit/cockpit.toml")


def home_folder() -> Path:
    """The user's home; / for a user that has none, as the login program does it."""
    try:
        return Path.home()
    except RuntimeError:
        return Path("/")


def expanded(path: str) -> Path:
    """The path with a leading ~ or ~NAME as a folder, where there is one; else as it is written."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def user_name(uid: int | None = None) -> str:
    """The name of a user (None: this one, as the environment or the system says), else the user id as text."""
    import getpass
    import pwd

    try:
        return getpass.getuser() if uid is None else pwd.getpwuid(uid).pw_name
    except (KeyError, OSError):
        return str(os.getuid() if uid is None else uid)
