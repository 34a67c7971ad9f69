"""A whole rehearsal without a screen: the shipped script cures the shipped world by the shipped runbook."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cockpit.rehearsal.world import World
from tests.waiting import eventually

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(shutil.which("curl") is None or shutil.which("bash") is None, reason="needs bash and curl"),
]


def _cockpit(state: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COCKPIT_STATE_DIR": str(state)}
    return subprocess.run(
        [sys.executable, "-m", "cockpit.cli", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def _assert_world_ends(state: Path) -> None:
    """The session's host stops the world it was given, by itself, soon after the session's end."""
    (folder,) = (state / "worlds").iterdir()
    world = World.open(folder)
    assert eventually(lambda: not world.alive)
    assert world.health() == ""


def _lost(score: dict[str, Any]) -> dict[str, Any]:
    return {mark["goal"]: mark["evidence"] for mark in score["marks"] if mark["points"] != mark["of"]}


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_shipped_script_brings_the_service_back_and_scores_everything(tmp_path: Path, language: str) -> None:
    done = _cockpit(tmp_path, "--lang", language, "rehearse", "--headless", "--json")
    assert done.returncode == 0, done.stderr
    score = json.loads(done.stdout)
    assert _lost(score) == {}
    verified = _cockpit(tmp_path, "verify", score["session"])
    assert verified.returncode == 0, verified.stdout
    _assert_world_ends(tmp_path)


def test_a_script_that_does_not_roll_back_fails_and_leaves_no_world_behind(tmp_path: Path) -> None:
    script = tmp_path / "idle.script"
    script.write_text("wait health red 60s\nrun verify-chat\n", encoding="utf-8")
    done = _cockpit(tmp_path / "state", "rehearse", "--headless", "--script", str(script))
    assert done.returncode == 1
    assert "script line 2" in done.stderr
    assert "Traceback" not in done.stderr
    _assert_world_ends(tmp_path / "state")


def test_the_list_names_every_scenario(tmp_path: Path) -> None:
    done = _cockpit(tmp_path, "rehearse", "--list", "--json")
    assert [one["id"] for one in json.loads(done.stdout)] == ["p0-bad-release"]
    unknown = _cockpit(tmp_path, "rehearse", "nothing", "--headless")
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert "p0-bad-release" in unknown.stderr
