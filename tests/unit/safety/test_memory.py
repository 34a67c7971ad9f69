"""What processes that hold secrets leave behind and let others see."""

from __future__ import annotations

import subprocess
import sys

import pytest

_ASK = """
import ctypes, resource
from cockpit.safety.memory import keep_to_itself
keep_to_itself()
print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="prctl is Linux's")
def test_nobody_looks_into_a_process_that_keeps_to_itself() -> None:
    done = subprocess.run([sys.executable, "-c", _ASK], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "(0, 0) 0\n"
