"""Scripts: read with their mistakes named, and played against a session that answers as a host does."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from cockpit.errors import CockpitError, UsageError
from cockpit.rehearsal.script import Player, read_script
from cockpit.runbook.reading import read
from cockpit.safety.permit import Rung
from cockpit.safety.verdict import Verdict
from cockpit.session.record.event import Status
from cockpit.session.record.state import ProbeChange, RunRecord, SessionState, StepState
from cockpit.session.steps.proposal import Proposal
from cockpit.shipped import RUNBOOKS

RUNBOOK = read(RUNBOOKS / "p0-rollback.en.md")


class PaperDesk:
    """A session on paper: every run ends at the next change, with the status it was told for the step."""

    def __init__(self, *, rung: Rung = Rung.NONE, ends: Status = Status.PASSED) -> None:
        self.rung = rung
        self.ends = ends
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self._state = SessionState(inputs={"PREVIOUS_VERSION": "v2"})
        self.probes: list[ProbeChange] = []

    async def call(self, command: str, **arguments: Any) -> dict[str, Any]:
        self.asked.append((command, arguments))
        if command == "propose":
            step = arguments["step"]
            return Proposal("p1", step, None, "abc", "bash", "true", "prod-1", Verdict.MUTATING, self.rung).as_json()
        if command == "run":
            step = next(given["step"] for do, given in reversed(self.asked) if do == "propose")
            record = RunRecord(1, step, Status.RUNNING, "t")
            self._state = replace(self._state, runs={1: record}, steps={step: StepState(Status.RUNNING)})
            return {"run": 1}
        return {}

    def state(self) -> SessionState:
        return self._state

    async def change(self) -> None:
        if self.probes:
            self._state = replace(self._state, probes={"health": self.probes.pop(0)})
        if 1 in self._state.runs:
            record = replace(self._state.runs[1], status=self.ends)
            self._state = replace(self._state, runs={1: record}, steps={record.step: StepState(self.ends)})


async def _play(desk: PaperDesk, text: str) -> list[str]:
    told: list[str] = []
    await Player(desk, RUNBOOK, told.append).play(read_script(text, {"stable_version": "v2"}))
    return told


def _asked(desk: PaperDesk, command: str) -> dict[str, Any]:
    return next(given for do, given in desk.asked if do == command)


@pytest.mark.parametrize(("rung", "typed"), [(Rung.NONE, ""), (Rung.CONFIRM, ""), (Rung.TYPE_TARGET, "prod-1")])
async def test_a_run_is_confirmed_as_its_rung_asks(rung: Rung, typed: str) -> None:
    desk = PaperDesk(rung=rung)
    await _play(desk, "run roll-back")
    told = {"rung": rung.value, "typed": typed, "reason": "the script says so"}
    assert _asked(desk, "run") == {"proposal": "p1", "sha256": "abc", **told}


async def test_a_run_that_fails_stops_the_script_at_its_line_and_a_try_does_not() -> None:
    with pytest.raises(CockpitError, match=r"script line 3.*roll-back.*failed"):
        await _play(PaperDesk(ends=Status.FAILED), "# first\nnote begin\nrun roll-back\nnote never")
    assert await _play(PaperDesk(ends=Status.FAILED), "try roll-back\nnote after") == ["try roll-back", "note after"]


async def test_names_of_the_world_are_put_in() -> None:
    desk = PaperDesk()
    await _play(desk, "set PREVIOUS_VERSION={stable_version}")
    assert _asked(desk, "set_input") == {"name": "PREVIOUS_VERSION", "value": "v2"}


async def test_a_message_is_sent_with_the_values_that_are_known() -> None:
    desk = PaperDesk()
    await _play(desk, "send message#1")
    sent = _asked(desk, "message")
    assert sent["sent"] is True
    assert "AI chat service is down" in sent["text"]


async def test_waiting_ends_when_the_probe_is_there() -> None:
    desk = PaperDesk()
    desk.probes = [ProbeChange("failed", None, "", "t"), ProbeChange("data", "green", "", "t")]
    told = await _play(desk, "wait health red 5s\nwait health green 5s")
    assert len(told) == 2


async def test_the_other_acts_reach_the_host() -> None:
    desk = PaperDesk()
    await _play(desk, "severity P0\ntick decision#1\nskip message#1 told by telephone\nnote odd")
    assert [do for do, _given in desk.asked] == ["set_severity", "tick", "skip", "note"]
    assert _asked(desk, "skip")["reason"] == "told by telephone"


@pytest.mark.parametrize(
    ("text", "told"),
    [("note a\ndance", "script:2"), ("set A={nobody}", "nobody"), ("set A={", "script:1")],
)
def test_a_script_that_can_not_be_read_names_the_line(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        read_script(text, {"stable_version": "v2"})


async def test_a_wait_that_is_not_one_is_refused() -> None:
    with pytest.raises(UsageError, match="not a wait"):
        await _play(PaperDesk(), "wait for better days")


class RepeatingDesk(PaperDesk):
    """Its steps go on after their first run is over, as those do that must hold several times."""

    async def change(self) -> None:
        goes_on = self._state.steps and self._state.runs[1].status is Status.RUNNING
        await super().change()
        if goes_on:
            step = self._state.runs[1].step
            self._state = replace(self._state, steps={step: StepState(Status.RUNNING)})


async def test_a_step_of_several_runs_is_waited_for() -> None:
    desk = RepeatingDesk()
    await _play(desk, "run list-releases\n")
    assert desk.state().steps["list-releases"].status is Status.PASSED
