"""A folder for each test, with a name as short wherever the suite runs, and a home that is nobody's."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from cockpit.session.record.folder import SessionFolder

# What is drawn is the same each time, so that a change is taken or not for what it is; a nightly run draws anew. No
# example has a deadline: how long one takes is the machine's affair.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("anew", deadline=None)
settings.load_profile("anew" if "VERDICT_FUZZ_EXAMPLES" in os.environ else "same")

_ACCOUNTS = ("AWS_PROFILE", "AWS_CONFIG_FILE", "CLOUDSDK_CONFIG", "GOOGLE_APPLICATION_CREDENTIALS", "KUBECONFIG")


def pytest_configure() -> None:
    """Whoever runs the tests has login files, settings and accounts: none of them is read, and none is used."""
    home = tempfile.mkdtemp(prefix="ck-home-", dir="/tmp")
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    os.environ["HOME"] = home
    for name in _ACCOUNTS:
        os.environ.pop(name, None)


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """In place of pytest's own, whose length hangs on the user, on $TMPDIR and on `-n`: a socket's path ends at 104
    bytes, what stands on a screen at its last column, and other users can't enter what lies above pytest's."""
    folder = Path(tempfile.mkdtemp(prefix="ck-", dir="/tmp")).resolve()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def folder(tmp_path: Path) -> SessionFolder:
    """Where a watch writes: a session's folder that nobody else writes to."""
    made = SessionFolder(tmp_path / "session")
    made.logs.mkdir(parents=True)
    return made
