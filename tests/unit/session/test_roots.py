"""Where sessions go: private whatever the umask, refused when not ours, and somewhere else when there is no home."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from cockpit.errors import FolderRefused
from cockpit.session.record.roots import (
    is_passing,
    make_private,
    require_private,
    runtime_folder,
    state_root,
    state_roots,
)


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """No folder chosen, a home and a runtime folder of the test's own, and the worst umask."""
    for name in ("COCKPIT_STATE_DIR", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "home").mkdir(mode=0o755)
    (tmp_path / "run").mkdir(mode=0o700)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    before = os.umask(0)
    yield tmp_path
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_everything_made_is_private_up_to_what_was_there(nowhere: Path) -> None:
    root = state_root()
    assert root == nowhere / "home" / ".local" / "state" / "cockpit"
    assert [mode(each) for each in (root, *list(root.parents)[:2])] == [0o700] * 3


def test_a_folder_that_others_could_read_is_closed(nowhere: Path) -> None:
    (nowhere / "mine").mkdir(mode=0o755)
    make_private(nowhere / "mine")
    assert mode(nowhere / "mine") == 0o700


@pytest.mark.parametrize(("given", "mend"), [(0o777, "chmod 700"), (0o770, "chmod 700"), (0o1777, "chmod 700")])
def test_a_folder_that_others_can_write_is_refused(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch, given: int, mend: str
) -> None:
    monkeypatch.setenv("COCKPIT_STATE_DIR", str(nowhere / "open"))
    (nowhere / "open").mkdir()
    (nowhere / "open").chmod(given)
    with pytest.raises(FolderRefused, match="others can write") as refused:
        state_root()
    assert mend in refused.value.mend


def test_a_folder_that_others_can_exchange_is_refused(nowhere: Path) -> None:
    (nowhere / "open").mkdir(mode=0o777)
    with pytest.raises(FolderRefused, match="another folder in its place"):
        make_private(nowhere / "open" / "state")


@pytest.mark.parametrize("kind", ["symlink", "file", "dangling"])
def test_what_is_no_plain_folder_is_refused(nowhere: Path, kind: str) -> None:
    place = nowhere / "state"
    if kind == "file":
        place.touch()
    else:
        place.symlink_to(nowhere / "home" if kind == "symlink" else nowhere / "none")
    with pytest.raises(FolderRefused, match=r"plain folder|can't be made"):
        make_private(place)


def test_a_folder_of_another_user_is_refused(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state_root()
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    with pytest.raises(FolderRefused, match="another user") as refused:
        state_root()
    assert "COCKPIT_STATE_DIR" in refused.value.mend


def test_without_a_home_that_can_be_written_sessions_go_where_a_restart_takes_them(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = state_root()
    assert not is_passing(kept)
    monkeypatch.setattr(os, "access", lambda path, _mode: not Path(path).is_relative_to(nowhere / "home"))
    passing = state_root()
    assert is_passing(passing)
    assert mode(passing) == 0o700
    assert state_roots() == (passing, kept)


def test_a_chosen_folder_is_never_exchanged_for_another(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COCKPIT_STATE_DIR", "/proc/none/state")
    with pytest.raises(FolderRefused, match="can't be made") as refused:
        state_root()
    assert "COCKPIT_STATE_DIR" in refused.value.mend


def test_a_session_folder_of_somebody_else_is_not_written(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = nowhere / "home" / "INC-20260101-001"
    folder.mkdir(mode=0o700)
    require_private(folder)
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    with pytest.raises(FolderRefused, match="another user"):
        require_private(folder)


def test_a_runtime_folder_too_deep_for_a_socket_is_passed_over(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = nowhere / ("deep" * 30)
    deep.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(deep))
    assert not runtime_folder().is_relative_to(deep)
    assert mode(runtime_folder()) == 0o700
