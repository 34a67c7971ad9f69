"""Starting another Python that has this package and nothing of the caller's environment."""

from __future__ import annotations

import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_LAUNCH = (
    "import runpy, sys; sys.path.append(sys.argv.pop(1)); "
    "sys.argv[0] = sys.argv.pop(1); runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)"
)


def module_command(module: str, *arguments: str) -> list[str]:
    """The command that runs a module of this package in isolated mode, installed or from a checkout."""
    return [sys.executable, "-I", "-c", _LAUNCH, str(_ROOT), module, *arguments]
