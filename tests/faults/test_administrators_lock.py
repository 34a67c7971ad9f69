"""The lock where it stands in earnest: /etc/cockpit/cockpit.toml, in a view of the file system of the test's own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

RUNBOOK = """---
mode: live
cockpit:
  safety:
    read_only: false
---
# Locked

```bash {name=look}
uptime
```

```bash {name=change}
touch "$MADE"
```
"""
LOCK = "[safety]\nread_only = true\nlocked = true\n"
INSIDE = """
set -e
mount -t tmpfs none "$1"
cp -a /etc/. "$1"
mkdir -p "$1/cockpit"
cp "$2" "$1/cockpit/cockpit.toml"
chmod -R go-w,a+rX "$1/cockpit"
mount --bind "$1" /etc
shift 2
exec "$@"
"""
Locked = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def locked(tmp_path: Path) -> Locked:
    """Runs `cockpit` on a machine whose /etc/cockpit/cockpit.toml holds this text."""
    unshare = [shutil.which("unshare") or "unshare", *([] if os.geteuid() == 0 else ["--map-root-user"]), "--mount"]
    try:
        subprocess.run([*unshare, "mount", "-t", "tmpfs", "none", "/mnt"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no mount namespace of one's own here: {error}")
    (tmp_path / "etc").mkdir()
    (tmp_path / "runbook.md").write_text(RUNBOOK)
    (tmp_path / "mine.toml").write_text("[safety]\nread_only = false\n")

    def run(*arguments: str, text: str = LOCK) -> subprocess.CompletedProcess[str]:
        (tmp_path / "lock.toml").write_text(text)
        view = ["sh", "-c", INSIDE, "sh", str(tmp_path / "etc"), str(tmp_path / "lock.toml")]
        environment = {
            **os.environ,
            "COCKPIT_STATE_DIR": str(tmp_path / "state"),
            "COCKPIT_CONFIG": str(tmp_path / "mine.toml"),
            "XDG_RUNTIME_DIR": str(tmp_path),
            "MADE": str(tmp_path / "made"),
            "LC_ALL": "C.UTF-8",
        }
        command = [*unshare, *view, sys.executable, "-m", "cockpit.cli", *arguments]
        return subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )

    return run


def test_a_locked_machine_reads_and_changes_nothing_whatever_is_asked(locked: Locked, tmp_path: Path) -> None:
    done = locked(
        "run", "runbook.md", "--config", "mine.toml", "--yes", "--allow-destructive", "--keep-going", "--json"
    )
    ends = [json.loads(line) for line in done.stdout.splitlines()]
    statuses = {e["data"]["step"]: e["data"]["status"] for e in ends if e["kind"] == "step.finished"}
    assert statuses == {"look": "passed", "change": "refused"}, done.stderr
    assert done.returncode == 3
    assert not (tmp_path / "made").exists()


def test_the_same_runs_without_the_lock(locked: Locked, tmp_path: Path) -> None:
    assert locked("run", "runbook.md", "--yes", text="").returncode == 0
    assert (tmp_path / "made").exists()


def test_a_locked_machine_is_not_rehearsed_on(locked: Locked) -> None:
    done = locked("rehearse", "--headless")
    assert done.returncode == 3
    assert "/etc/cockpit/cockpit.toml" in done.stderr


def test_a_broken_lock_stops_everything_with_one_line(locked: Locked, tmp_path: Path) -> None:
    done = locked("run", "runbook.md", "--yes", text="[safety]\nlockt = true\n")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "locked" in done.stderr
    assert not (tmp_path / "made").exists()
