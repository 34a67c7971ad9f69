"""`cockpit doctor` asked of more than it can look at in its time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from cockpit.adapters.checking import Check
from cockpit.adapters.local import LocalAdapter
from cockpit.config import Config, TargetConfig
from cockpit.session.host import readiness
from cockpit.session.record.secrets import SecretBook

TARGETS = 100


class Hung(LocalAdapter):
    """Never says whether it is ready."""

    async def checks(self) -> Sequence[Check]:
        await asyncio.Event().wait()
        raise AssertionError


async def test_what_was_not_come_to_is_said_so_and_is_not_called_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hung(configured: Sequence[TargetConfig] = (), *_more: Any) -> dict[str, Any]:
        return {target.name: Hung() for target in configured} or {"local": Hung()}

    monkeypatch.setattr(readiness, "targets_of", hung)
    monkeypatch.setattr(readiness, "DEADLINE_S", 1.0)
    monkeypatch.setattr(readiness, "_FAIR_S", 0.0)
    targets = tuple(TargetConfig(name=f"m{number}") for number in range(TARGETS))
    found = await readiness.findings(Config(targets=targets), SecretBook({}), tmp_path)
    told = Counter(
        "not looked at" if "not looked at" in check.text else check.text
        for check in found
        if check.about.startswith("target m")
    )
    assert sum(told.values()) == TARGETS
    assert told["not looked at"] >= TARGETS - 64
    assert told["no answer within 1 s"] > 0
    assert not readiness.ready(found)
