"""What a host does by itself, in this process."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from cockpit.session.host.host import Host
from cockpit.session.record.opening import open_session
from cockpit.session.record.reader import SessionReader
from cockpit.session.record.settings import SessionSettings
from tests.waiting import PATIENCE_S


async def test_a_session_that_nobody_comes_back_to_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COCKPIT_STATE_DIR", str(tmp_path / "state"))
    document = tmp_path / "x.md"
    document.write_text("# X\n")
    folder = open_session(SessionSettings(runbook_path=str(document), watch=False))
    host = Host(folder, left_alone_s=0.0)
    await host.begin()
    async with asyncio.timeout(PATIENCE_S):
        await host.ended.wait()
    await host.close()
    reader = SessionReader(folder)
    assert reader.poll()[-1].data["reason"] == "nobody came back"
