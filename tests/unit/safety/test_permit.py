"""The ladder from a verdict to a permit: which rung, which bytes, which word."""

from __future__ import annotations

import pytest

from cockpit.errors import PolicyRefusal
from cockpit.safety.judge import judge
from cockpit.safety.permit import Action, Confirmation, Mode, Permit, Rung, grant, required_rung
from cockpit.safety.verdict import Judgement, Verdict

READ = Action("bash", "ls", "web-1")
CHANGE = Action("bash", "pm2 restart api", "web-1")
LOSS = Action("bash", "pm2 delete api", "web-1")


def confirmation(action: Action, rung: Rung = Rung.CONFIRM, typed: str = "", reason: str = "disk") -> Confirmation:
    return Confirmation(action.sha256, rung, by="kim", typed=typed, reason=reason)


def granted(action: Action, mode: Mode, confirmed: Confirmation | None = None) -> Permit:
    return grant(action, judge(action.language, action.body), mode, by="kim", confirmation=confirmed)


@pytest.mark.parametrize("mode", list(Mode))
def test_reading_needs_no_confirmation_in_any_mode(mode: Mode) -> None:
    permit = granted(READ, mode)
    permit.covers(READ)
    assert (permit.action, permit.mode) == (READ, mode)


@pytest.mark.parametrize("action", [CHANGE, LOSS, Action("bash", "./mystery", "web-1")])
def test_read_only_mode_refuses_all_that_is_not_proven_whatever_is_confirmed(action: Action) -> None:
    with pytest.raises(PolicyRefusal) as refusal:
        granted(action, Mode.READ_ONLY, confirmation(action, Rung.TYPE_TARGET, "web-1"))
    assert refusal.value.exit_code == 3
    assert refusal.value.mend


@pytest.mark.parametrize("mode", [Mode.LIVE, Mode.REHEARSAL])
def test_a_change_needs_one_confirmation_of_the_same_bytes(mode: Mode) -> None:
    with pytest.raises(PolicyRefusal):
        granted(CHANGE, mode)
    with pytest.raises(PolicyRefusal, match="changed"):
        granted(CHANGE, mode, confirmation(Action("bash", "pm2 restart api ", "web-1")))
    granted(CHANGE, mode, confirmation(CHANGE)).covers(CHANGE)


@pytest.mark.parametrize("mode", [Mode.LIVE, Mode.REHEARSAL])
def test_a_permit_ends_when_the_session_becomes_read_only(mode: Mode) -> None:
    now = [mode]
    made = grant(CHANGE, judge("bash", CHANGE.body), mode, lambda: now[0], by="kim", confirmation=confirmation(CHANGE))
    made.covers(CHANGE)
    now[0] = Mode.READ_ONLY
    with pytest.raises(PolicyRefusal, match="became read-only"):
        made.covers(CHANGE)
    now[0] = mode
    made.covers(CHANGE)


@pytest.mark.parametrize("reason", ["", "  ", "\n"])
def test_a_loss_needs_a_reason(reason: str) -> None:
    with pytest.raises(PolicyRefusal, match="reason"):
        granted(LOSS, Mode.LIVE, confirmation(LOSS, Rung.TYPE_TARGET, "web-1", reason))


def test_a_loss_needs_the_target_s_name_typed() -> None:
    with pytest.raises(PolicyRefusal):
        granted(LOSS, Mode.LIVE, confirmation(LOSS))
    with pytest.raises(PolicyRefusal):
        granted(LOSS, Mode.LIVE, confirmation(LOSS, Rung.TYPE_TARGET, "web-2"))
    granted(LOSS, Mode.LIVE, confirmation(LOSS, Rung.TYPE_TARGET, "web-1")).covers(LOSS)


@pytest.mark.parametrize(
    "other",
    [
        Action("bash", "pm2 restart api\n", "web-1"),
        Action("sh", "pm2 restart api", "web-1"),
        Action("bash", "pm2 restart api", "web-2"),
        Action("bash", "pm2 restart api", "web-1", {"A": "1"}),
    ],
)
def test_a_permit_covers_one_action_byte_for_byte(other: Action) -> None:
    permit = granted(CHANGE, Mode.LIVE, confirmation(CHANGE))
    with pytest.raises(PolicyRefusal):
        permit.covers(other)


def test_a_permit_can_t_be_made_by_hand() -> None:
    with pytest.raises(PolicyRefusal):
        Permit(CHANGE, Judgement(Verdict.READ_ONLY), Mode.LIVE, "kim", object())


def test_values_that_would_run_together_are_told_apart() -> None:
    assert Action("bash", "x", "t", {"A": "1", "B": "2"}).sha256 != Action("bash", "x", "t", {"A": "1B=2"}).sha256
    assert Action("bash", "ab", "c").sha256 != Action("bash", "a", "bc").sha256


@pytest.mark.parametrize(
    ("verdict", "mode", "rung"),
    [
        (Verdict.READ_ONLY, Mode.READ_ONLY, Rung.NONE),
        (Verdict.UNKNOWN, Mode.LIVE, Rung.CONFIRM),
        (Verdict.UNKNOWN, Mode.READ_ONLY, Rung.REFUSED),
        (Verdict.MUTATING, Mode.REHEARSAL, Rung.CONFIRM),
        (Verdict.DESTRUCTIVE, Mode.LIVE, Rung.TYPE_TARGET),
    ],
)
def test_each_verdict_has_its_rung(verdict: Verdict, mode: Mode, rung: Rung) -> None:
    assert required_rung(Judgement(verdict), mode) is rung
