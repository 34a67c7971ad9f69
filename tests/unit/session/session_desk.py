"""An engine over a fake adapter and a journal in memory."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cockpit.adapters.base import Outcome, RunRequest
from cockpit.runbook.model import Input, Runbook, Step, StepKind
from cockpit.safety.permit import Confirmation, Permit, Rung
from cockpit.session.record.event import Event, Status
from cockpit.session.record.folder import SessionFolder
from cockpit.session.record.secrets import SecretBook
from cockpit.session.steps.engine import Engine
from cockpit.session.steps.execution import Execution

KIM = "operator:kim"


class MemoryJournal:
    """Events in a list; `order` also remembers when something ran between them."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.order: list[str] = []

    def append(self, kind: str, data: Mapping[str, Any], *, actor: str, durable: bool = False) -> Event:
        event = Event(len(self.events), "2026-01-01T00:00:00+00:00", 0, "boot", actor, kind, dict(data))
        self.events.append(event)
        self.order.append(kind + ("!" if durable else ""))
        return event

    def last(self, kind: str) -> Mapping[str, Any]:
        return next(event.data for event in reversed(self.events) if event.kind == kind)


@dataclass
class FakeRun:
    outcome: Outcome
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    pid: int | None = 4242

    async def wait(self) -> Outcome:
        await self.ended.wait()
        return self.outcome

    async def cancel(self) -> None:
        self.outcome = outcome(ending="cancelled", exit_code=None, signal=15)
        self.ended.set()


def outcome(**changes: Any) -> Outcome:
    values: dict[str, Any] = {
        "ending": "exited",
        "exit_code": 0,
        "signal": None,
        "duration_s": 0.1,
        "output_bytes": 0,
        "output_sha256": hashlib.sha256(b"").hexdigest(),
        "pipe_status": (0,),
    }
    return Outcome(**{**values, **changes})


class FakeAdapter:
    """Ends every run at once with `next_outcome` after writing `text` as its output."""

    name = "fake"
    languages = frozenset({"bash"})

    def __init__(self, journal: MemoryJournal) -> None:
        self.journal = journal
        self.permits: list[Permit] = []
        self.next_outcome = outcome()
        self.text = b""
        self.at_once = True
        self.broken: Exception | None = None
        self.told_at_adoption: tuple[str, ...] = ()
        self.adopted: list[FakeRun] = []

    async def start(self, permit: Permit, request: RunRequest) -> FakeRun:
        self.journal.order.append("RAN")
        if self.broken:
            raise self.broken
        self.permits.append(permit)
        (request.folder / "output").write_bytes(self.text)
        run = FakeRun(self.next_outcome)
        if self.at_once:
            run.ended.set()
        return run

    async def adopt(self, folder: Path, secrets: Sequence[str] = ()) -> FakeRun:
        if self.broken:
            raise self.broken
        self.told_at_adoption = tuple(secrets)
        self.adopted.append(FakeRun(self.next_outcome))
        return self.adopted[-1]


def step(step_id: str, code: str | None = None, **changes: Any) -> Step:
    kind = StepKind.COMMAND if code is not None else StepKind.CHECK
    values: dict[str, Any] = {"section": "s", "line": 1, "end_line": 1, "label": step_id, "language": "bash"}
    return Step(id=step_id, kind=kind, code=code, **{**values, **changes})


@dataclass
class Desk:
    engine: Engine
    execution: Execution
    journal: MemoryJournal
    adapter: FakeAdapter

    async def run(self, step_id: str, rung: Rung | None = None, **more: Any) -> Status:
        proposal = self.engine.propose(step_id, part=more.pop("part", None), code=more.pop("code", None))
        yes = Confirmation(proposal.sha256, rung, KIM, **more) if rung else None
        await self.execution.wait(await self.execution.start(proposal.proposal, yes, KIM))
        return self.engine.state.step(step_id).status


def book(*steps: Step, inputs: tuple[Input, ...] = ()) -> Runbook:
    """A runbook of these steps."""
    return Runbook(
        title="T",
        path="t.md",
        language="en",
        text="",
        sha256="0",
        front_matter={},
        sections=(),
        steps=steps,
        inputs=inputs,
    )


def desk_of(folder: Path, runbook: Runbook, adapter_of: type[FakeAdapter] = FakeAdapter) -> Desk:
    """A session of that runbook on one fake target, called local."""
    journal = MemoryJournal()
    adapter = adapter_of(journal)
    engine = Engine(SessionFolder(folder), runbook, journal, {"local": adapter}, SecretBook({}))
    engine.record("session.started", session="INC-1", mode="live", target="local")
    return Desk(engine, Execution(engine), journal, adapter)
