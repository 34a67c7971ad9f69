"""A session with five machines called web, together, and what becomes of each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cockpit.adapters.base import RunRequest
from cockpit.config import GroupConfig
from cockpit.runbook.model import Expectation, ExpectationKind
from cockpit.safety.permit import Confirmation, Permit, Rung
from cockpit.session.record.event import Status
from cockpit.session.record.folder import SessionFolder
from cockpit.session.record.secrets import SecretBook
from cockpit.session.record.state import SessionState
from cockpit.session.steps.engine import Engine
from cockpit.session.steps.execution import Execution
from tests.unit.session.session_desk import KIM, FakeAdapter, FakeRun, MemoryJournal, book, outcome, step

WEB = ("web-1", "web-2", "web-3", "web-4", "web-5")
RUNBOOK = book(
    step("look", "uptime"),
    step("restart", "systemctl restart app"),
    step("wipe", "rm -rf /srv/app"),
    step("follow", "tail -f app.log", endless=True),
    step("edit", "vi app.conf", interactive=True),
    step("here", "uptime", attributes={"target": "web"}),
    step("up", "curl -s http://localhost/health", expectations=(
        Expectation(ExpectationKind.CONTAINS, "UP", text="UP"),
    )),
    step("twice", "curl -s http://localhost/health", expectations=(
        Expectation(ExpectationKind.CONTAINS, "UP", text="UP", every_s=0.001, in_a_row=True, times=2),
    )),
    step("judged", "uptime", expectations=(Expectation(ExpectationKind.MANUAL, "calm?", text="calm?"),)),
)  # fmt: skip


class Web(FakeAdapter):
    """One machine: it ends at once as it is told to, or waits until it is let go."""

    def __init__(self, journal: MemoryJournal, name: str) -> None:
        super().__init__(journal)
        self.name_here = name
        self.runs: list[FakeRun] = []

    async def start(self, permit: Permit, request: RunRequest) -> FakeRun:
        permit.covers(permit.action)
        assert permit.action.target == self.name_here
        run = await super().start(permit, request)
        self.runs.append(run)
        self.told = request
        return run

    @property
    def going(self) -> bool:
        return any(not run.ended.is_set() for run in self.runs)

    def let_go(self, **changes: Any) -> None:
        self.runs[-1].outcome = outcome(**changes)
        self.runs[-1].ended.set()


class Room:
    """A session with five machines called web, together."""

    def __init__(self, folder: Path, state: SessionState | None = None, **policy: Any) -> None:
        self.journal = MemoryJournal()
        self.web = {name: Web(self.journal, name) for name in WEB}
        self.engine = Engine(
            SessionFolder(folder), RUNBOOK, self.journal, {"local": FakeAdapter(self.journal), **self.web},
            SecretBook({}), groups=[GroupConfig(name="web", targets=WEB, **policy)], state=state,
        )  # fmt: skip
        if state is None:
            self.engine.record("session.started", session="INC-1", mode="live", target="web")
        self.execution = Execution(self.engine, out_of_touch_s=0.0)

    def hold(self) -> None:
        for each in self.web.values():
            each.at_once = False

    @property
    def going(self) -> list[str]:
        return [name for name, each in self.web.items() if each.going]

    @property
    def ran(self) -> dict[str, int]:
        return {name: len(each.permits) for name, each in self.web.items()}

    async def begin(self, step_id: str, rung: Rung | None = None, *, rest: bool = False, **more: Any) -> int:
        proposal = self.engine.propose(step_id, rest=rest)
        yes = Confirmation(proposal.sha256, rung, KIM, **more) if rung else None
        return await self.execution.start(proposal.proposal, yes, KIM)

    async def run(self, step_id: str, rung: Rung | None = None, **more: Any) -> Status:
        await self.execution.wait(await self.begin(step_id, rung, **more))
        return self.engine.state.step(step_id).status

    def ends(self) -> dict[str, str]:
        told = [event.data for event in self.journal.events if event.kind == "target.finished"]
        return {data["target"]: data["status"] for data in told}
