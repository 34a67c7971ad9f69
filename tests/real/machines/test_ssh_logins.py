"""Logins over there that give no shell, or give it late: told with their cause, and nothing waits for them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cockpit.adapters.ssh import script, step
from cockpit.adapters.ssh.adapter import SshAdapter
from cockpit.errors import LinkDown, ToolMissing
from cockpit.monitor.sample import Level, Outcome
from tests.servers.far import DEADLINE_S, Desk, machines_of, probe_of, sample_of, sample_until
from tests.servers.ssh import SshServer
from tests.waiting import until

WAITS = {
    "ends": ("echo no quota left >&2; exit 3", "ends at once, with exit status 3; it says “no quota left”"),
    "hides": ("exec >/dev/null 2>&1", "ends at once"),
    "hangs": ("read x <{gate}", "has given no shell for"),
    "asks": ("printf 'Which project? '; read x", "no shell for .*; it says “Which project?"),
    "leaves": ("exec cat", "no shell for"),
}


def login_files(server: SshServer, text: str) -> None:
    (server.home / ".bashrc").write_text(text + "\n")


@contextmanager
def gate(tmp_path: Path) -> Iterator[Path]:
    """Whoever reads it waits until it is opened, at the latest at the end of the test."""
    made = tmp_path / "gate"
    os.mkfifo(made)
    try:
        yield made
    finally:
        os.close(os.open(made, os.O_RDWR))
        made.unlink()


def hasty(desk: Desk) -> None:
    """Give logins a second only."""
    desk.adapter = SshAdapter(desk.server.options, grace_s=1.0, login_s=1.0)


@pytest.mark.parametrize("case", WAITS)
async def test_start_up_files_that_give_no_shell_are_told_wherever_one_is_needed(
    desk: Desk, tmp_path: Path, case: str
) -> None:
    text, told = WAITS[case]
    mark = tmp_path / "mark"
    with gate(tmp_path) as held:
        login_files(desk.server, text.format(gate=held))
        hasty(desk)
        for terminal in (None, (24, 80)):
            with pytest.raises(LinkDown, match=told) as refused:
                await desk.start(f"touch {mark}", terminal=terminal)
            assert "~/.bashrc" in refused.value.mend
        hasty(desk)
        with pytest.raises(LinkDown, match=told):
            await desk.adapter.checks()
        sample = await sample_of(probe_of(machines_of(desk.server), "machine", deadline_s=2.0))

    assert (sample.outcome, sample.level) == (Outcome.FAILED, Level.RED)
    assert "gives no shell" in sample.error or "given no shell" in sample.error
    assert "~/.bashrc" in sample.mend
    assert not mark.exists()


@pytest.mark.parametrize(
    ("forced", "told"),
    [
        ("echo This account is not available.; exit 1", "exit status 1; it says “This account is not available.”"),
        ("echo backup done", "exit status 0; it says “backup done”"),
        ('/bin/bash --restricted -c "$SSH_ORIGINAL_COMMAND"', "it says “.*restricted"),
    ],
)
async def test_an_account_that_may_not_have_a_shell_is_told_in_its_own_words(
    desk: Desk, forced: str, told: str
) -> None:
    desk.server.set(f"ForceCommand {forced}")
    with pytest.raises(LinkDown, match=told):
        await desk.start("true")
    sample = await sample_of(probe_of(machines_of(desk.server), "pm2"))

    assert sample.outcome is Outcome.FAILED
    assert "gives no shell" in sample.error


@pytest.mark.parametrize("shell", ["tcsh", "fish", "zsh", "mksh"])
async def test_whatever_shell_the_account_has_steps_and_talks_run(desk: Desk, shell: str) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"no {shell} here")
    desk.server.set(f'ForceCommand {program} -c "$SSH_ORIGINAL_COMMAND"')
    for terminal in (None, (24, 80)):
        outcome, output = await desk.run("echo 'in it!'; exit 3", terminal=terminal)
        assert (outcome.exit_code, output.split()) == (3, ["in", "it!"])


async def test_what_an_accounts_shell_is_given_is_one_line(desk: Desk) -> None:
    """As csh wants it, which is not everywhere."""
    assert "\n" not in script.enter("name")
    desk.server.set(r'ForceCommand printf "%s\n" "$SSH_ORIGINAL_COMMAND" | wc -l; exit 7')
    with pytest.raises(LinkDown, match="exit status 7; it says “1”"):
        await desk.start("true")


async def test_a_shell_that_wakes_after_it_was_given_up_runs_nothing(desk: Desk, tmp_path: Path) -> None:
    mark, awake = tmp_path / "mark", tmp_path / "awake"
    with gate(tmp_path) as held:
        login_files(desk.server, f"read x <{held}; touch {awake}")
        hasty(desk)
        with pytest.raises(LinkDown):
            await desk.start(f"touch {mark}")
    await until(awake.exists)
    login_files(desk.server, "")

    outcome, output = await desk.run("echo well")

    assert (outcome.exit_code, output) == (0, "well\n")
    assert not mark.exists()


async def test_a_login_that_takes_longer_than_a_look_may_is_looked_at_all_the_same(desk: Desk, tmp_path: Path) -> None:
    with gate(tmp_path) as held:
        login_files(desk.server, f"[ -e {tmp_path}/open ] || read x <{held}")
        probe = probe_of(machines_of(desk.server), "machine", deadline_s=1.0)
        sample = await sample_until(probe, lambda one: "no shell" in one.error)
        assert sample.outcome is Outcome.FAILED
        (tmp_path / "open").touch()

    sample = await sample_until(probe_of(machines_of(desk.server), "machine"), lambda one: one.outcome is Outcome.DATA)
    assert sample.error == ""
    await sample_until(probe, lambda one: one.outcome is Outcome.DATA)


async def test_a_step_can_be_cancelled_where_new_logins_have_come_to_hang(desk: Desk, tmp_path: Path) -> None:
    hasty(desk)
    far = desk.adapter.far("far")
    running, folder = await desk.start("echo began; sleep 1000")
    await until(lambda: "began\n" in (folder / "output").read_text())
    assert await asyncio.to_thread(far.ask, "printf well", deadline_s=DEADLINE_S) == b"well"
    with gate(tmp_path) as held:
        login_files(desk.server, f"read x <{held}")

        async def told() -> bool:
            """Again where a machine under load was so slow that its connection was no longer taken for sure."""
            with contextlib.suppress(LinkDown):
                await asyncio.to_thread(far.ask, "printf well", deadline_s=DEADLINE_S)
                await running.cancel()
                return True
            return False

        await until(told)
        assert (await running.wait()).ending == "cancelled"


async def test_a_path_that_leads_to_no_tools_costs_steps_only_and_is_told(desk: Desk) -> None:
    login_files(desk.server, "PATH=/no/such")
    for terminal in (None, (24, 80)):
        with pytest.raises(ToolMissing, match=r"mkdir is not found there .*PATH is “/no/such”"):
            await desk.start("true", terminal=terminal)
    told = [(check.text, check.standing, check.mend) for check in await desk.adapter.checks()]
    sample = await sample_of(probe_of(machines_of(desk.server), "machine"))

    assert any("no step can run there" in text and how == "failed" and "/no/such" in mend for text, how, mend in told)
    assert sample.outcome is Outcome.DATA


async def test_who_is_not_let_in_again_is_followed_until_they_are(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step, "_DENIED_PAUSE_S", 0.2)
    keys = desk.server.folder / "authorized_keys"
    with gate(tmp_path) as held:
        running, folder = await desk.start(f"echo began; read x <{held}; exit 7")
        await until(lambda: "began\n" in (folder / "output").read_text())
        known = keys.read_text()
        keys.write_text("")
        desk.server.cut()
        await until(lambda: "nobody is let in" in (folder / "output").read_text())
        assert running.out_of_touch_s > 0
        keys.write_text(known)
    outcome = await running.wait()

    assert (outcome.ending, outcome.exit_code) == ("exited", 7)
    assert (folder / "output").read_text().count("nobody is let in") == 1
