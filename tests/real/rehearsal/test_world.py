"""A rehearsal's world, as its trainee meets it: a real service, broken and mended by real commands."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from cockpit.errors import AdapterError
from cockpit.rehearsal.layout import Layout
from cockpit.rehearsal.world import World
from tests.waiting import PATIENCE_S, eventually

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(shutil.which("curl") is None or shutil.which("bash") is None, reason="needs bash and curl"),
]


def _processes_of(root: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            told = [*process.cmdline(), *process.environ().values()]
        except psutil.Error:
            continue
        if any(str(root) in text for text in told):
            found.append(process)
    return found


def _shell(world: World, command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **world.environment, **world.inputs}
    return subprocess.run(
        ["bash", "-c", command], env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )


@pytest.fixture(params=["stand-in", "pm2"])
def world(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    real = shutil.which("pm2")
    if request.param == "pm2" and real is None:
        if os.environ.get("COCKPIT_REAL") == "required":
            pytest.fail("COCKPIT_REAL=required, and there is no pm2 on PATH")
        pytest.skip("no pm2 on PATH")
    if request.param == "stand-in" and real is not None:
        monkeypatch.setenv("PATH", _without(real))
    world = World.start(tmp_path / "world")
    try:
        yield world
    finally:
        world.stop()


def _without(program: str) -> str:
    """PATH with no folder that holds the program's name; curl and the like are linked back in by the shell's own."""
    folders = os.environ["PATH"].split(os.pathsep)
    return os.pathsep.join(f for f in folders if not Path(f, Path(program).name).exists())


def test_only_a_rollback_mends_a_bad_release(world: World) -> None:
    bad, stable, _older = world.versions
    assert (world.health(), world.current_version) == ("UP", stable)
    world.break_it()
    assert (world.health(), world.current_version) == ("DOWN", bad)
    assert "OutOfMemoryError" in world.layout.app_log.read_text(encoding="utf-8")
    _shell(world, "pm2 restart backend")
    world.wait_until(lambda: world.health() == "DOWN", PATIENCE_S)
    done = _shell(world, f'cd "$SCRIPTS_DIR" && sudo ./rollback.sh backend {stable.removeprefix("v")}')
    assert done.returncode == 0, done.stdout + done.stderr
    marks = ("Rollback Start", f"Switching to version {stable}", "Restarting backend with PM2", "Rollback Complete")
    assert [mark for mark in marks if mark not in done.stdout] == []
    assert (world.health(), world.current_version) == ("UP", stable)


def test_a_rollback_to_nowhere_is_refused_and_changes_nothing(world: World) -> None:
    before = world.current_version
    for version in ("20200101-000000", "../../etc", ""):
        done = _shell(world, f'"$SCRIPTS_DIR/rollback.sh" backend "{version}"')
        assert done.returncode == 1
        assert "Error: Version not found" in done.stderr
    assert world.current_version == before
    assert world.health() == "UP"


def test_pm2_tells_how_the_service_stands(world: World) -> None:
    assert '"status":"online"' in _shell(world, "pm2 jlist").stdout.replace('": ', '":')
    assert "online" in _shell(world, "pm2 describe backend").stdout
    assert _shell(world, "pm2 stop backend").returncode == 0
    assert world.health() == ""
    assert _shell(world, "pm2 restart backend").returncode == 0
    world.wait_until(lambda: world.health() == "UP", PATIENCE_S)
    assert _shell(world, "pm2 restart nobody").returncode != 0


def test_the_chat_wants_its_token(world: World) -> None:
    ask = 'curl -s -o /dev/null -w "%{http_code}" "$SERVICE_URL/api/v1/ai/chat" -d \'{"message": "hello"}\''
    assert _shell(world, ask).stdout == "401"
    assert _shell(world, ask + ' -H "Authorization: Bearer $TEST_TOKEN"').stdout == "200"
    world.break_it()
    assert _shell(world, ask + ' -H "Authorization: Bearer $TEST_TOKEN"').stdout == "500"


def test_nothing_is_left_after_stop(world: World) -> None:
    assert _processes_of(world.layout.root)
    world.stop()
    assert _processes_of(world.layout.root) == []
    assert not world.alive
    world.stop()


def test_nothing_is_left_when_the_keeper_is_killed(world: World) -> None:
    os.kill(world.keeper.pid, signal.SIGKILL)
    assert eventually(lambda: not _processes_of(world.layout.root)), _processes_of(world.layout.root)


_OWNER = """
import sys, time
from pathlib import Path
from cockpit.rehearsal.world import World
World.start(Path(sys.argv[1]))
print("ready", flush=True)
time.sleep(600)
"""


def _owner(folder: Path) -> subprocess.Popen[str]:
    owner = subprocess.Popen([sys.executable, "-c", _OWNER, str(folder)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    assert owner.stdout.readline() == "ready\n"
    return owner


def test_a_world_ends_with_its_owner(tmp_path: Path) -> None:
    owner = _owner(tmp_path / "world")
    world = World.open(tmp_path / "world")
    assert world.health() == "UP"
    owner.kill()
    owner.communicate()
    assert eventually(lambda: not _processes_of(tmp_path / "world")), _processes_of(tmp_path / "world")


def test_a_world_that_was_handed_over_outlives_its_first_owner(tmp_path: Path) -> None:
    owner = _owner(tmp_path / "world")
    world = World.open(tmp_path / "world")
    try:
        world.hand_over(os.getpid(), linger_s=0)
        owner.kill()
        owner.communicate()
        # Twice as long as the keeper takes to notice: it looks for its owner every half second.
        assert not eventually(lambda: not world.alive, within_s=1.2)
        assert world.health() == "UP"
    finally:
        world.stop()


def test_two_worlds_live_side_by_side(tmp_path: Path) -> None:
    first = World.start(tmp_path / "one", seed=1)
    try:
        second = World.start(tmp_path / "two", seed=2)
        try:
            first.break_it()
            assert (first.health(), second.health()) == ("DOWN", "UP")
        finally:
            second.stop()
        assert first.alive
    finally:
        first.stop()


def test_a_folder_without_a_world_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AdapterError, match="no rehearsal world"):
        World.open(tmp_path)


def test_long_paths_get_a_short_home_for_pm2_which_goes_with_the_world(tmp_path: Path) -> None:
    folder = tmp_path / ("long-" * 20) / "world"
    world = World.start(folder)
    home = Path(world.environment["PM2_HOME"])
    try:
        assert not home.is_relative_to(Layout(folder).root)
        assert home.is_dir()
    finally:
        world.stop()
    assert not home.exists()
