"""What each entry point loads: headless commands know no screen, help loads nothing heavy, the viewer no backend."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
RUNBOOK = str(ROOT / "runbooks" / "first-look.en.md")
SCREEN = {"textual", "screens"}
BACKENDS = {"boto3", "botocore", "kubernetes", "paramiko", "psycopg", "redis"}
HEAVY = SCREEN | BACKENDS | {"httpx", "jinja2", "markdown_it", "psutil", "rich", "tree_sitter", "yaml"}

_REPORT = """
import json, sys
arguments = json.loads(sys.argv[1])
from cockpit.cli import main
try:
    main(arguments)
except SystemExit:
    pass
print("\\n@" + json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
"""


def _modules(code: str, argument: str, tmp_path: Path) -> set[str]:
    environment = {**os.environ, "COCKPIT_STATE_DIR": str(tmp_path / "state"), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code, argument],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.rpartition("\n@")[2]))


def _loaded(arguments: list[str], tmp_path: Path) -> set[str]:
    return _modules(_REPORT, json.dumps(arguments), tmp_path)


HEADLESS = [
    ["show", RUNBOOK, "--json"],
    ["lint", RUNBOOK],
    ["run", RUNBOOK, "--dry-run"],
    ["run", RUNBOOK, "--step", "load"],
    ["verdict", "ls -la"],
    ["sessions"],
    ["verify", "nothing"],
    ["report", "nothing"],
    ["rehearse", "--list"],
]


@pytest.mark.parametrize("arguments", HEADLESS, ids=lambda arguments: " ".join(arguments[:1] + arguments[2:]))
def test_headless_commands_load_no_screen_and_no_backend(arguments: list[str], tmp_path: Path) -> None:
    assert _loaded(arguments, tmp_path) & (SCREEN | BACKENDS) == set()


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["run", "--help"], ["rehearse", "--help"]])
def test_help_loads_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    assert _loaded(arguments, tmp_path) & HEAVY == set()


def test_the_viewer_loads_no_backend(tmp_path: Path) -> None:
    code = (
        "import json, sys; import screens.app; "
        'print("\\n@" + json.dumps(sorted({".".join(name.split(".")[:2]) for name in sys.modules})))'
    )
    loaded = _modules(code, "", tmp_path)
    assert "textual.app" in loaded
    assert loaded & (BACKENDS | {"httpx", "tree_sitter", "cockpit.adapters", "cockpit.monitor.watch"}) == set()


def test_the_runner_and_the_rehearsed_service_need_nothing_but_python(tmp_path: Path) -> None:
    for script in (ROOT / "cockpit" / "rehearsal" / "backend.py",):
        code = f"import runpy, sys, json; runpy.run_path({str(script)!r}, run_name='loaded'); "
        code += 'print("\\n@" + json.dumps(sorted({name.split(".")[0] for name in sys.modules})))'
        assert _modules(code, "", tmp_path) & (HEAVY | {"cockpit", "msgspec"}) == set()
