"""The administrator's lock: who may write it, what it holds against, and when it is looked at."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cockpit.cli import main
from cockpit.commands import rehearse
from cockpit.config import Administrator, load
from cockpit.errors import ConfigError, PolicyRefusal
from cockpit.safety.permit import Confirmation, Mode, Rung
from cockpit.session.host.host import Host
from cockpit.session.record.event import Status
from cockpit.session.record.folder import SessionFolder
from cockpit.session.record.opening import open_session
from cockpit.session.record.reader import SessionReader
from cockpit.session.record.settings import SessionSettings

LOCK = "[safety]\nread_only = true\nlocked = true\n"
KIM = "operator:kim"
RUNBOOK = """---
title: Locked
{front}
---
# Locked

```bash {{name=look}}
uptime
```

```bash {{name=change}}
touch {made}
```
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the administrator of this test writes; nothing stands there yet."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COCKPIT_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("COCKPIT_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "etc").mkdir(mode=0o755)
    return tmp_path / "etc" / "cockpit.toml"


def written(file: Path, text: str = LOCK, mode: int = 0o644) -> Path:
    file.write_text(text)
    file.chmod(mode)
    return file


@dataclass
class Document:
    front_matter: Mapping[str, Any]


def administrator(file: Path) -> Administrator:
    return Administrator(file, os.geteuid())


def test_without_a_file_nothing_is_locked(file: Path) -> None:
    assert administrator(file).lock() == ""
    assert administrator(file.parent / "none" / "none.toml").lock() == ""


def test_nothing_else_lifts_what_the_administrator_locked(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(file)
    own = Path("cockpit.toml")
    own.write_text("[safety]\nread_only = false\n")
    monkeypatch.setenv("COCKPIT_CONFIG", str(own))

    document = Document({"mode": "live", "cockpit": {"safety": {"read_only": False}}})
    safety = load(own, document, administrator=administrator(file)).safety
    assert (safety.read_only, safety.locked) == (True, True)
    own.write_text(LOCK)
    with pytest.raises(ConfigError, match="can lock"):
        load(own, administrator=administrator(file))


def test_the_administrators_environment_wins_over_a_documents(file: Path) -> None:
    written(file, '[cockpit]\nenvironment = "production"\n')

    document = Document({"cockpit": {"cockpit": {"environment": "staging", "title": "Chat"}}})
    general = load(None, document, administrator=administrator(file)).cockpit
    assert (general.environment, general.title) == ("production", "Chat")


@pytest.mark.parametrize("mode", [0o646, 0o666])
def test_a_file_that_others_can_write_is_refused_with_the_mend(file: Path, mode: int) -> None:
    written(file, mode=mode)
    with pytest.raises(ConfigError, match="others can write") as refused:
        load(administrator=administrator(file))
    assert refused.value.where == str(file)
    assert "sudo ch" in refused.value.mend


def test_a_folder_that_others_can_write_is_refused(file: Path) -> None:
    written(file).parent.chmod(0o757)
    with pytest.raises(ConfigError, match="others can write"):
        load(administrator=administrator(file))


def test_a_file_of_another_owner_is_refused_and_locks(file: Path) -> None:
    other = Administrator(written(file, "[safety]\nread_only = false\n"), os.geteuid() + 1)
    with pytest.raises(ConfigError, match="belongs to user"):
        load(administrator=other)
    assert "belongs to user" in other.lock()


def test_a_symlink_is_refused(file: Path, tmp_path: Path) -> None:
    file.symlink_to(written(tmp_path / "elsewhere.toml", "[safety]\nread_only = false\n"))
    with pytest.raises(ConfigError, match="plain file"):
        load(administrator=administrator(file))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[[probe]]\nname = "a"\nkind = "pm2"', "unknown key probe"),
        ("[safety]\nlocked = true", "locked without read_only"),
        ("[safety\n", "not TOML"),
    ],
)
def test_a_file_that_is_wrong_is_refused(file: Path, text: str, told: str) -> None:
    written(file, text)
    with pytest.raises(ConfigError, match=told):
        load(administrator=administrator(file))
    assert told in administrator(file).lock()


def test_what_is_written_later_is_noticed_at_once(file: Path) -> None:
    watched = administrator(file)
    assert watched.lock() == ""
    written(file)
    assert "read-only" in watched.lock()
    written(file, "[safety]\n")
    assert watched.lock() == ""


# -- sessions ----------------------------------------------------------------------------------------------------------


@pytest.fixture
async def host(file: Path, tmp_path: Path) -> AsyncIterator[Host]:
    """A live session, begun before anybody locked anything."""
    host = Host(session(tmp_path), administrator=administrator(file))
    await host.begin()
    yield host
    await host.close()


def session(tmp_path: Path, front: str = "", **settings: Any) -> SessionFolder:
    document = tmp_path / "locked.md"
    document.write_text(RUNBOOK.format(front=front, made=tmp_path / "made"))
    return open_session(SessionSettings(runbook_path=str(document), watch=False, cwd=str(tmp_path), **settings))


async def tried(host: Host, step: str) -> Status:
    shown = host.engine.propose(step)
    yes = Confirmation(shown.sha256, Rung.CONFIRM, KIM, reason="r")
    await host.execution.wait(await host.execution.start(shown.proposal, yes, KIM))
    return host.engine.state.step(step).status


async def test_a_lock_put_on_later_holds_for_a_live_session(host: Host, file: Path, tmp_path: Path) -> None:
    shown = host.engine.propose("change")
    assert not shown.refusal
    written(file)
    yes = Confirmation(shown.sha256, Rung.CONFIRM, KIM)
    with pytest.raises(PolicyRefusal):
        await host.execution.start(shown.proposal, yes, KIM)
    assert host.engine.state.step("change").status is Status.REFUSED
    assert "administrator" in host.engine.propose("change").mend
    assert await tried(host, "look") is Status.PASSED
    assert not (tmp_path / "made").exists()


async def test_a_lock_put_on_between_permit_and_start_still_holds(
    host: Host, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    intent = host.engine.intent

    def locked_meanwhile(*given: Any, **named: Any) -> None:
        intent(*given, **named)
        written(file)

    monkeypatch.setattr(host.engine, "intent", locked_meanwhile)
    with pytest.raises(PolicyRefusal, match="read-only before this could run"):
        await tried(host, "change")
    assert host.engine.state.step("change").status is Status.REFUSED
    assert not (tmp_path / "made").exists()


async def test_no_request_lifts_a_lock(host: Host, file: Path) -> None:
    written(file)
    for mode in (Mode.LIVE, Mode.REHEARSAL):
        with pytest.raises(PolicyRefusal, match="administrator"):
            host.engine.set_mode(mode, "please", KIM)
    assert host.engine.mode is Mode.READ_ONLY


async def test_a_lock_is_told_to_everybody_who_looks(host: Host, file: Path) -> None:
    written(file)
    host._keep_read_only()
    reader = SessionReader(host.folder)
    last = reader.poll()[-1]
    assert (last.kind, last.data["mode"], last.actor) == ("mode.changed", "read-only", "host")
    assert "administrator" in last.data["reason"]


async def test_a_session_that_goes_on_after_a_lock_is_read_only(file: Path, tmp_path: Path) -> None:
    folder = session(tmp_path)
    before = Host(folder, administrator=administrator(file))
    await before.begin()
    await before.close()
    written(file)
    after = Host(folder, administrator=administrator(file))
    await after.begin()
    try:
        assert after.engine.state.mode == "read-only"
        assert after.engine.propose("change").rung is Rung.REFUSED
    finally:
        await after.close()


@pytest.mark.parametrize("mode", ["live", "rehearsal"])
async def test_neither_settings_nor_front_matter_open_a_locked_machine(file: Path, tmp_path: Path, mode: str) -> None:
    written(file)
    host = Host(session(tmp_path, "mode: live", mode=mode), administrator=administrator(file))
    await host.begin()
    try:
        assert host.engine.state.mode == "read-only"
        with pytest.raises(PolicyRefusal):
            await tried(host, "change")
    finally:
        await host.close()


def test_a_locked_machine_is_not_rehearsed_on(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(rehearse, "administered_read_only", lambda: True)
    assert main(["rehearse", "--headless"]) == PolicyRefusal.exit_code
    assert "read-only" in capsys.readouterr().err
    assert not Path("state").exists()


async def test_a_rehearsal_never_becomes_real_nor_the_reverse(host: Host, file: Path, tmp_path: Path) -> None:
    with pytest.raises(PolicyRefusal, match="rehearsal"):
        host.engine.set_mode("rehearsal", "", KIM)
    training = Host(session(tmp_path, mode="rehearsal"), administrator=administrator(file))
    await training.begin()
    try:
        training.engine.set_mode("read-only", "", KIM)
        with pytest.raises(PolicyRefusal, match="rehearsal"):
            training.engine.set_mode("live", "", KIM)
        training.engine.set_mode("rehearsal", "", KIM)
    finally:
        await training.close()


async def test_a_runbook_changed_in_the_folder_changes_nothing_any_more(file: Path, tmp_path: Path) -> None:
    folder = session(tmp_path)
    before = Host(folder, administrator=administrator(file))
    await before.begin()
    await before.close()
    folder.runbook.write_text(folder.runbook.read_text().replace("touch", "rm -rf"))
    after = Host(folder, administrator=administrator(file))
    await after.begin()
    try:
        shown = after.engine.propose("change")
        assert shown.rung is Rung.REFUSED
        assert "runbook" in shown.mend
    finally:
        await after.close()
