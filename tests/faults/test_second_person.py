"""Another user of this machine approves over their own line, and can do nothing else; with real user ids."""

from __future__ import annotations

import asyncio
import contextlib
import grp
import os
import pty
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cockpit.errors import ConfigError, FolderRefused, SecondPersonMissing
from cockpit.safety.permit import Confirmation, Rung
from cockpit.session.host.second_person import SecondPersonLine, ask_line, lines
from tests.unit.session.session_desk import KIM, Desk
from tests.unit.session.test_engine import desk
from tests.waiting import until

__all__ = ["desk"]
NOBODY = 65534
APPROVE = """
import argparse, functools, sys
from pathlib import Path
from cockpit.commands import approve
approve.lines = functools.partial(approve.lines, Path(sys.argv[1]))
sys.exit(approve.run(argparse.Namespace(session=None)))
"""
ASK = """
import json, sys
from pathlib import Path
from cockpit.session.host.second_person import ask_line
print(json.dumps(ask_line(Path(sys.argv[1]), json.loads(sys.argv[2]))[0]))
"""


def as_nobody(gid: int, code: str, *arguments: str) -> list[str]:
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={gid}", "--clear-groups", sys.executable, "-c", code, *arguments]


@pytest.fixture
def gid() -> int:
    """A group that another user is in; skips where this process can't become one."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("needs root and setpriv to be another user")
    gid = next(group.gr_gid for group in grp.getgrall() if group.gr_gid not in (0, NOBODY))
    done = subprocess.run(as_nobody(gid, "import cockpit.commands.approve"), capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"another user can't read this checkout: {done.stderr.decode()[-200:]}")
    return gid


@pytest.fixture
async def line(desk: Desk, gid: int) -> AsyncIterator[SecondPersonLine]:
    """The line of an engine that wants a second person, in a place that every user can reach; its path is short."""
    place = Path(tempfile.mkdtemp(prefix="meet", dir="/tmp"))
    place.chmod(0o755)
    desk.engine.approvals.rule = lambda: "mutating"
    line = SecondPersonLine(desk.engine, grp.getgrgid(gid).gr_name, place, lambda _pid: "")
    await line.listen()
    yield line
    await line.close()
    shutil.rmtree(place)


async def asked(desk: Desk) -> None:
    shown = desk.engine.propose("restart")
    with pytest.raises(SecondPersonMissing):
        await desk.execution.start(shown.proposal, Confirmation(shown.sha256, Rung.CONFIRM, KIM), KIM)


async def told(command: list[str]) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, timeout=60, check=False, env={"PATH": os.defpath}
    )


async def on_a_terminal(command: list[str], typed: str) -> str:
    """What a program on a terminal shows, once this was typed to it."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env={"PATH": os.defpath})
    os.close(theirs)
    os.set_blocking(ours, False)
    shown = bytearray()

    def asks() -> bool:
        with contextlib.suppress(OSError):
            shown.extend(os.read(ours, 65536))
        return b"to approve" in shown or process.poll() is not None

    await until(asks, "it asks")
    os.write(ours, typed.encode() + b"\n")

    def over() -> bool:
        with contextlib.suppress(OSError):
            shown.extend(os.read(ours, 65536))
        return process.poll() is not None

    await until(over, "it ends")
    os.close(ours)
    return shown.decode("utf-8", "replace")


async def test_another_user_reads_and_approves_and_it_runs(desk: Desk, line: SecondPersonLine, gid: int) -> None:
    await asked(desk)
    command = as_nobody(gid, APPROVE, str(line.path.parent.parent))
    shown = await on_a_terminal(command, "local")
    assert "$ pm2 restart backend" in shown
    assert "approved" in shown
    proposal = desk.engine.propose("restart")
    run = await desk.execution.start(proposal.proposal, Confirmation(proposal.sha256, Rung.CONFIRM, KIM), KIM)
    await desk.execution.wait(run)
    assert desk.journal.last("step.intent")["approved_by"] == "nobody"
    assert desk.journal.last("approval.given")["uid"] == NOBODY


@pytest.mark.parametrize(("typed", "kind"), [("no", "approval.denied"), ("", None), ("y", None), ("lokal", None)])
async def test_whatever_else_is_typed_approves_nothing(
    desk: Desk, line: SecondPersonLine, gid: int, typed: str, kind: str | None
) -> None:
    await asked(desk)
    await on_a_terminal(as_nobody(gid, APPROVE, str(line.path.parent.parent)), typed)
    assert [e.kind for e in desk.journal.events if e.kind in ("approval.given", "approval.denied")] == [
        *([kind] if kind else [])
    ]
    await asked(desk)
    assert desk.adapter.permits == []


async def test_a_user_outside_the_group_gets_no_line(line: SecondPersonLine) -> None:
    done = await told(as_nobody(NOBODY, ASK, str(line.path), '{"do": "look"}'))
    assert "PermissionError" in done.stderr
    assert stat.S_IMODE(line.path.stat().st_mode) == 0o660
    assert stat.S_IMODE(line.path.parent.stat().st_mode) == 0o750


async def test_another_user_can_ask_for_nothing_else(desk: Desk, line: SecondPersonLine, gid: int) -> None:
    await asked(desk)
    before = len(desk.journal.events)
    for question in ('{"do": "run"}', '{"do": "set_mode", "mode": "live"}', '{"do": "approve"}', "[1]", '"x"'):
        done = await told(as_nobody(gid, ASK, str(line.path), question))
        assert done.returncode != 0
    assert len(desk.journal.events) == before


async def test_the_operator_gets_no_word_on_it(desk: Desk, line: SecondPersonLine) -> None:
    await asked(desk)
    with pytest.raises(Exception, match="root can be anybody"):
        await asyncio.to_thread(ask_line, line.path, {"do": "look"})


async def test_a_false_folder_is_neither_used_nor_looked_into(desk: Desk, gid: int, tmp_path: Path) -> None:
    false = tmp_path / "cockpit-approve-0"
    false.mkdir()
    os.chown(false, NOBODY, gid)
    (false / "x.sock").touch()
    assert lines(tmp_path) == []
    with pytest.raises(FolderRefused):
        await SecondPersonLine(desk.engine, grp.getgrgid(gid).gr_name, tmp_path).listen()


async def test_a_group_that_is_not_there_is_told(desk: Desk, tmp_path: Path) -> None:
    unknown: Any = "no-such-group-here"
    with pytest.raises(ConfigError, match="no group"):
        await SecondPersonLine(desk.engine, unknown, tmp_path).listen()
