"""What is told of weak ground before the first step: logout that kills, a folder far away, a folder that passes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cockpit.places import user_name
from cockpit.session.host.footing import weaknesses

INSIDE = "0::/user.slice/user-1000.slice/session-3.scope\n"
LOCAL = "29 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose cgroup, mounts and logind are the test's own; all is well with it."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    (tmp_path / "run").mkdir(mode=0o700)
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    (tmp_path / "cgroup").write_text(INSIDE)
    (tmp_path / "mounts").write_text(LOCAL)
    logind(tmp_path, kills="false")
    return tmp_path


def logind(here: Path, *, kills: str, only: str = "as 0", spared: str = 'as 1 "nobody-else"') -> None:
    answers = {"KillUserProcesses": f"b {kills}", "KillOnlyUsers": only, "KillExcludeUsers": spared}
    cases = "".join(f"{name}) echo '{answer}';;\n" for name, answer in answers.items())
    busctl = here / "bin" / "busctl"
    busctl.write_text(f'#!/bin/sh\nfor last; do :; done\ncase "$last" in\n{cases}esac\n')
    busctl.chmod(0o755)


def told(here: Path) -> list[str]:
    found = weaknesses(here / "sessions", cgroup=here / "cgroup", mounts=here / "mounts")
    assert all(each.text and each.mend for each in found)
    return [each.about for each in found]


def test_firm_ground_is_not_talked_about(here: Path) -> None:
    assert told(here) == []


def test_a_logout_that_kills_is_told(here: Path) -> None:
    logind(here, kills="true")
    assert told(here) == ["logind"]


@pytest.mark.parametrize(("only", "spared"), [("as 0", "me"), ('as 1 "nobody-else"', "as 0")])
def test_a_logout_that_kills_others_only_is_not(here: Path, only: str, spared: str) -> None:
    logind(here, kills="true", only=only, spared=spared.replace("me", f'as 1 "{user_name()}"'))
    assert told(here) == []


def test_outside_of_a_login_nothing_is_killed(here: Path) -> None:
    logind(here, kills="true")
    (here / "cgroup").write_text("0::/user.slice/user-1000.slice/user@1000.service/app.slice/run-1.scope\n")
    assert told(here) == []
    (here / "cgroup").unlink()
    assert told(here) == []


def test_a_machine_without_logind_or_with_a_dumb_one_is_fine(here: Path) -> None:
    (here / "bin" / "busctl").write_text("#!/bin/sh\nexit 1\n")
    assert told(here) == []


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs"])
def test_a_folder_on_another_machine_is_told(here: Path, kind: str) -> None:
    odd = str(here / "sessions").replace(" ", "\\040")
    (here / "mounts").write_text(f"{LOCAL}44 29 0:40 / {odd} rw - {kind} server:/home rw\n")
    assert told(here) == ["network-folder"]
    (here / "mounts").write_text(f"{LOCAL}44 29 0:40 / {odd}-other rw - {kind} server:/home rw\n")
    assert told(here) == []


def test_a_folder_that_a_restart_empties_is_told(here: Path) -> None:
    passing = here / "run" / "cockpit" / "sessions"
    found = weaknesses(passing, cgroup=here / "cgroup", mounts=here / "mounts")
    assert [each.about for each in found] == ["state-folder"]
    assert str(passing) in found[0].text
