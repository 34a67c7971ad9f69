"""A second person: what takes one, whose word counts, on what, how often and how long."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cockpit.config import load
from cockpit.errors import ConfigError, PolicyRefusal, SecondPersonMissing, UsageError
from cockpit.safety.permit import Approval, Confirmation, Mode, Rung, needs_second_person
from cockpit.safety.verdict import Judgement, Verdict
from cockpit.session.host.second_person import SecondPersonLine
from cockpit.session.line.address import Peer
from cockpit.session.record.event import Status
from cockpit.session.steps.approvals import ASKED_S, GIVEN_S, Approvals, digest_of
from tests.unit.session.session_desk import KIM, Desk
from tests.unit.session.test_engine import desk

__all__ = ["desk"]
LEE = Peer(54321, None)


@dataclass
class Told:
    """The time, as told."""

    now_m: float = 0.0
    rule: str = "mutating"
    approvals: Approvals = field(init=False)

    def __post_init__(self) -> None:
        self.approvals = Approvals(lambda: self.rule, lambda: self.now_m)


@pytest.fixture
def told(desk: Desk) -> Told:
    """The desk of an engine that wants a second person for whatever changes anything."""
    told = Told()
    desk.engine.approvals = told.approvals
    return told


def yes(sha256: str, rung: Rung = Rung.CONFIRM) -> Confirmation:
    return Confirmation(sha256, rung, KIM, typed="local", reason="it is down")


async def tried(desk: Desk, step: str = "restart") -> None:
    shown = desk.engine.propose(step)
    await desk.execution.wait(await desk.execution.start(shown.proposal, yes(shown.sha256, shown.rung), KIM))


async def asked(desk: Desk, step: str = "restart") -> tuple[str, Mapping[str, Any]]:
    with pytest.raises(SecondPersonMissing):
        await tried(desk, step)
    waiting = desk.engine.approvals.pending()[-1]
    return waiting.number, waiting.shown


def approve(desk: Desk, number: str, shown: Mapping[str, Any], *, yes: bool = True) -> None:
    desk.engine.second_word(number, digest_of(shown), yes=yes, name="lee", uid=LEE.uid)


@pytest.mark.parametrize(
    ("verdict", "mode", "rule", "needed"),
    [
        (Verdict.DESTRUCTIVE, Mode.LIVE, "destructive", True),
        (Verdict.MUTATING, Mode.LIVE, "destructive", False),
        (Verdict.MUTATING, Mode.LIVE, "mutating", True),
        (Verdict.UNKNOWN, Mode.LIVE, "mutating", True),
        (Verdict.READ_ONLY, Mode.LIVE, "mutating", False),
        (Verdict.DESTRUCTIVE, Mode.LIVE, "", False),
        (Verdict.DESTRUCTIVE, Mode.REHEARSAL, "mutating", False),
    ],
)
def test_what_takes_a_second_person(verdict: Verdict, mode: Mode, rule: str, needed: bool) -> None:
    assert needs_second_person(Judgement(verdict), mode, rule) is needed


async def test_one_person_alone_runs_nothing_that_takes_two(desk: Desk, told: Told) -> None:
    number, shown = await asked(desk)
    assert (shown["command"], shown["target"], shown["reason"]) == ("pm2 restart backend", "local", "it is down")
    assert await asked(desk) == (number, shown)
    assert desk.adapter.permits == []
    assert desk.engine.state.step("restart").status is Status.TODO
    assert [e.kind for e in desk.journal.events].count("approval.asked") == 1


async def test_approved_it_runs_once_on_the_word_of_both(desk: Desk, told: Told) -> None:
    approve(desk, *await asked(desk))
    await tried(desk)
    assert desk.journal.last("step.intent")["approved_by"] == "lee"
    assert desk.journal.last("approval.given")["uid"] == LEE.uid
    await asked(desk)
    assert len(desk.adapter.permits) == 1


async def test_an_approval_spares_nobody_the_confirmation(desk: Desk, told: Told) -> None:
    approve(desk, *await asked(desk))
    shown = desk.engine.propose("restart")
    with pytest.raises(PolicyRefusal, match="needs a confirmation"):
        await desk.execution.start(shown.proposal, None, KIM)


async def test_denied_it_does_not_run(desk: Desk, told: Told) -> None:
    approve(desk, *await asked(desk), yes=False)
    assert desk.journal.last("approval.denied")["by"] == "lee"
    await asked(desk)
    assert desk.adapter.permits == []


async def test_what_was_shown_has_to_be_what_waits(desk: Desk, told: Told) -> None:
    number, shown = await asked(desk)
    with pytest.raises(UsageError, match="not what waits"):
        approve(desk, number, {**shown, "command": "ls"})
    with pytest.raises(UsageError, match="no longer waits"):
        approve(desk, "a99", shown)


@pytest.mark.parametrize("other", ["edited", "folder", "mode"])
async def test_a_word_is_on_one_command_in_one_place(desk: Desk, told: Told, other: str) -> None:
    approve(desk, *await asked(desk))
    code = None
    if other == "edited":
        code = "pm2 restart backend --force"
    elif other == "folder":
        desk.engine.shell("local").cwd = "/"
    else:
        desk.engine.set_mode("live", "", KIM)
    shown = desk.engine.propose("restart", code=code)
    with pytest.raises(SecondPersonMissing):
        await desk.execution.start(shown.proposal, yes(shown.sha256, shown.rung), KIM)


async def test_words_and_wishes_expire(desk: Desk, told: Told) -> None:
    number, shown = await asked(desk)
    told.now_m += ASKED_S
    with pytest.raises(UsageError, match="no longer waits"):
        approve(desk, number, shown)
    approve(desk, *await asked(desk))
    told.now_m += GIVEN_S
    await asked(desk)
    assert desk.adapter.permits == []


async def test_a_secret_is_not_shown_to_the_second_person(desk: Desk, told: Told) -> None:
    desk.engine.set_input("PASSWORD", "hunter2-hunter2", KIM)
    shown = desk.engine.propose("restart", code="pm2 restart backend --token hunter2-hunter2")
    with pytest.raises(SecondPersonMissing):
        await desk.execution.start(shown.proposal, yes(shown.sha256, shown.rung), KIM)
    waiting = desk.engine.approvals.pending()[-1]
    assert "hunter2" not in repr(waiting.shown)
    assert waiting.sha256 not in repr(waiting.shown)


def test_an_approval_of_something_else_is_none(told: Told) -> None:
    assert told.approvals.given("0" * 64, None) is None
    assert Approval("0" * 64, "lee").sha256 != "1" * 64


# -- who counts as another person --------------------------------------------------------------------------------------


def line_of(desk: Desk, tmp_path: Path, logins: Mapping[int | None, str] | None = None) -> SecondPersonLine:
    return SecondPersonLine(desk.engine, "x", tmp_path, lambda pid: (logins or {}).get(pid, ""))


async def test_the_same_person_is_never_two(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_UID", "1234")
    logins = {None: "777", 42: "777", 43: "888", 44: "4294967295"}
    line = line_of(desk, tmp_path, logins)
    for peer in (None, Peer(0, None), Peer(os.geteuid(), None), Peer(1234, None), Peer(777, None), Peer(54321, 42)):
        with pytest.raises(PolicyRefusal):
            line._another(peer)
    assert line._another(Peer(54321, 43)) == Peer(54321, 43)
    assert line._another(Peer(54321, 44)) == Peer(54321, 44)


@pytest.mark.parametrize("do", ["run", "hello", "set_mode", "propose", "end", "", "LOOK"])
async def test_on_that_line_nothing_else_can_be_asked(desk: Desk, tmp_path: Path, told: Told, do: str) -> None:
    line = line_of(desk, tmp_path)
    answer = line._answer(LEE, f'{{"do": "{do}", "mode": "live", "step": "restart"}}'.encode())
    assert answer["error"]["exit_code"] == 2
    for broken in (b"", b"[]", b"{", b'{"do": "approve"}', b'{"do": ["look"]}'):
        assert "error" in line._answer(LEE, broken)


# -- configuration -----------------------------------------------------------------------------------------------------


@dataclass
class Document:
    front_matter: Mapping[str, Any]


def test_the_stricter_wish_wins_and_needs_a_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    own = tmp_path / "own.toml"
    own.write_text('[safety]\nsecond_person = "destructive"\napprovers = "oncall"\n')
    more = Document({"cockpit": {"safety": {"second_person": "mutating"}}})
    assert load(own, more).safety.second_person == "mutating"
    assert load(own, Document({"cockpit": {"safety": {"second_person": ""}}})).safety.second_person == "destructive"
    own.write_text('[safety]\nsecond_person = "destructive"\n')
    with pytest.raises(ConfigError, match="not whose") as refused:
        load(own)
    assert "approvers" in refused.value.mend
