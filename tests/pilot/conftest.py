"""Stories begin with `opens`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cockpit import words
from tests.pilot.story import Story, opened

Opens = Callable[..., AbstractAsyncContextManager[Story]]


@pytest.fixture
def opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Opens:
    """Open a runbook's text on a screen: `async with opens(text) as story`."""
    for name in ("NO_COLOR", "COCKPIT_THEME", "SSH_CONNECTION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLORTERM", "truecolor")
    words.choose("en")
    return partial[Any](opened, tmp_path, monkeypatch)
