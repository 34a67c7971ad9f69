"""Runs under way: started with a permit, followed to their end, checked, recorded; adopted from a host that died."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Any

from cockpit.adapters.base import Outcome, Running, RunRequest, RunsSteps
from cockpit.errors import AdapterError, CockpitError, UsageError
from cockpit.runbook.model import Expectation
from cockpit.safety.permit import Confirmation
from cockpit.safety.text import decode, sanitise
from cockpit.session.checking import Finding, Result, check
from cockpit.session.drafting import Draft
from cockpit.session.engine import Engine
from cockpit.session.event import Status
from cockpit.session.folder import PRIVATE_DIR
from cockpit.session.state import RunRecord
from cockpit.words import _

_SILENCE_S = 30.0
_CHECKED_BYTES = 4 << 20
_LAST_COMMAND = re.compile(r"(?:^|[|;&\n])\s*(?:sudo\s+)?([\w./-]+)[^|;&\n]*\s*$")
_ENDS = {
    "cancelled": Status.CANCELLED,
    "timed-out": Status.TIMED_OUT,
    "lost": Status.UNKNOWN,
    "signalled": Status.FAILED,
}


class Execution:
    """The runs of one session. One at a time a target, since a step's shell state is the next one's start.

    Args:
        silence_s: after so long without output a step is told of.
        umask: the operator's, which steps get; None for that of this process.
    """

    def __init__(self, engine: Engine, *, silence_s: float = _SILENCE_S, umask: int | None = None) -> None:
        self._engine = engine
        self._silence_s = silence_s
        self._umask = umask
        self._starting: dict[int, asyncio.Event] = {}
        self._running: dict[int, Running] = {}
        self._followers: dict[int, asyncio.Task[None]] = {}

    @property
    def busy(self) -> bool:
        """Whether anything is under way."""
        return bool(self._followers or self._starting)

    async def start(
        self, proposal: str, confirmation: Confirmation | None, by: str, terminal: tuple[int, int] | None = None
    ) -> int:
        """Run what was proposed; returns its number once it is under way.

        Raises:
            UsageError: the target is busy, or the proposal is out of date. PolicyRefusal: no permit.
            AdapterError: it could not be started; nothing ran, and the record says so.
        """
        engine = self._engine
        made, permit = engine.permitted(proposal, confirmation, by)
        self._require_idle(made.action.target)
        run = max(engine.state.runs, default=0) + 1
        folder = engine.folder.run(run)
        folder.mkdir(mode=PRIVATE_DIR, parents=True)
        engine.intent(made, run, confirmation, by)
        shell = engine.shell(made.action.target)
        adapter = engine.adapter(made)
        request = RunRequest(
            folder=folder,
            timeout_s=None if made.endless or made.interactive else (made.step.timeout_s or engine.timeout_s),
            terminal=terminal if made.interactive else None,
            secrets=engine.secrets.values,
            shell_state=dict(shell.variables),
            cwd=shell.cwd,
            umask=self._umask,
        )
        begun = self._starting[run] = asyncio.Event()
        try:
            running = await self._begun(adapter.start(permit, request), made, run)
            engine.record("step.started", step=made.step.id, run=run, pid=running.pid)
            self._follow(run, running, made.action.target, made.expectations)
        finally:
            del self._starting[run]
            begun.set()
        return run

    async def _begun(self, starting: Awaitable[Running], made: Draft, run: int) -> Running:
        try:
            return await starting
        except CockpitError as error:
            part = made.part.id if made.part else None
            self._engine.finish(made.step.id, Status.REFUSED, part=part, run=run, reason=str(error))
            raise

    def _require_idle(self, target: str) -> None:
        for record in self._engine.state.running:
            if record.intent.get("target") == target:
                raise UsageError(
                    _("a step is still running on {target}").format(target=target),
                    where=record.step,
                    mend=_("wait for it, or cancel it"),
                )

    async def adopt(self, adapters: Sequence[RunsSteps]) -> tuple[list[int], list[int]]:
        """After a host died: take over what still runs, and end the record of what is over. Returns (adopted, lost)."""
        adopted, lost = [], []
        for record in self._engine.state.running:
            adapter = self._engine.adapters.get(str(record.intent.get("target")), adapters[0])
            try:
                running = await adapter.adopt(self._engine.folder.run(record.run))
            except AdapterError as error:
                lost.append(record.run)
                self._finish(record, Status.UNKNOWN, reason=str(error))
                continue
            adopted.append(record.run)
            self._follow(record.run, running, str(record.intent.get("target")), self._expected(record))
        return adopted, lost

    def _expected(self, record: RunRecord) -> tuple[Expectation, ...]:
        step = self._engine.runbook.step(record.step)
        part = next((p for p in step.parts if p.id == record.intent.get("part")), None) if step else None
        if part:
            return part.expectations
        return step.expectations if step else ()

    async def cancel(self, run: int | None) -> list[int]:
        """Ask runs to end: one, or all that are under way. Their end is recorded when it comes.

        A run that is only being started is asked as soon as it can hear: nothing can call it back before.

        Raises:
            UsageError: nothing of that number is running.
        """
        under_way = [*self._starting, *self._running]
        chosen = [run] if run is not None else under_way
        if not chosen or any(number not in under_way for number in chosen):
            raise UsageError(_("nothing is running"))
        await asyncio.gather(*(self._cancel(number) for number in chosen))
        return chosen

    async def _cancel(self, run: int) -> None:
        if run in self._starting:
            await self._starting[run].wait()
        if run in self._running:
            await self._running[run].cancel()

    async def wait(self, run: int) -> None:
        """Wait until a run is over and recorded."""
        follower = self._followers.get(run)
        if follower:
            await asyncio.wait([follower])

    async def leave(self) -> None:
        """Stop following; what runs goes on."""
        for follower in self._followers.values():
            follower.cancel()
        await asyncio.gather(*self._followers.values(), return_exceptions=True)

    # -- following -------------------------------------------------------------------------------------------------

    def _follow(self, run: int, running: Running, target: str, expectations: tuple[Expectation, ...]) -> None:
        self._running[run] = running
        task = asyncio.create_task(self._to_the_end(run, running, target, expectations), name=f"run-{run}")
        self._followers[run] = task

    async def _to_the_end(self, run: int, running: Running, target: str, expectations: tuple[Expectation, ...]) -> None:
        record = self._engine.state.runs[run]
        watch = asyncio.create_task(self._warn_of_silence(record), name=f"silence-{run}")
        try:
            outcome = await running.wait()
            result = await asyncio.to_thread(_read_result, self._engine.folder.run(run), outcome, record)
            findings = await asyncio.to_thread(check, expectations, result) if outcome.ending == "exited" else ()
            self._conclude(record, outcome, findings, target)
        finally:
            watch.cancel()
            self._running.pop(run, None)
            self._followers.pop(run, None)

    async def _warn_of_silence(self, record: RunRecord) -> None:
        """Tell once per stretch when a step has said nothing for long. Nothing is killed for being quiet."""
        output = self._engine.folder.run(record.run) / "output"
        size, since, told = -1, time.monotonic(), False
        while True:
            await asyncio.sleep(min(self._silence_s, 5.0))
            now_size = output.stat().st_size if output.exists() else 0
            if now_size != size:
                size, since, told = now_size, time.monotonic(), False
            elif not told and (silence_s := time.monotonic() - since) >= self._silence_s:
                told = True
                self._engine.record("step.silent", step=record.step, run=record.run, silence_s=round(silence_s, 1))

    def _conclude(self, record: RunRecord, outcome: Outcome, findings: tuple[Finding, ...], target: str) -> None:
        self._carry(target, outcome)
        data: dict[str, Any] = {
            "exit_code": outcome.exit_code,
            "signal": outcome.signal,
            "duration_s": round(outcome.duration_s, 6),
            "output": record.output,
            "output_bytes": outcome.output_bytes,
            "output_sha256": outcome.output_sha256,
            "dropped_bytes": outcome.dropped_bytes,
            "pipe_status": list(outcome.pipe_status),
            "survivors": list(outcome.survivors),
            "expectations": [finding.as_json() for finding in findings],
        }
        status = _ENDS.get(outcome.ending)
        if status is None and any(finding.held is False for finding in findings):
            status = Status.FAILED
        questions = [finding.text for finding in findings if finding.held is None]
        if status is None and questions:
            self._engine.record(
                "step.exited",
                durable=True,
                step=record.step,
                part=record.intent.get("part"),
                run=record.run,
                questions=questions,
                **data,
            )
            return
        self._finish(record, status or Status.PASSED, reason=outcome.detail, **data)

    def _finish(self, record: RunRecord, status: Status, **data: Any) -> None:
        self._engine.finish(record.step, status, part=record.intent.get("part"), run=record.run, **data)

    def _carry(self, target: str, outcome: Outcome) -> None:
        """Hand exported variables and the working directory on to the target's next step."""
        if outcome.ending != "exited" or (not outcome.shell_state and outcome.cwd is None):
            return
        shell = self._engine.shell(target)
        if dict(outcome.shell_state) == shell.variables and outcome.cwd == shell.cwd:
            return
        self._engine.forget_drafts()
        shell.variables = dict(outcome.shell_state)
        shell.cwd = outcome.cwd
        self._engine.record(
            "state.carried",
            target=target,
            cwd=shell.cwd,
            variables=sorted(shell.variables),
            lost=sorted(outcome.lost_variables),
        )


def _read_result(folder: Path, outcome: Outcome, record: RunRecord) -> Result:
    """The cleaned output (its first and last stretches when it is large) as the expectations see it."""
    try:
        with (folder / "output").open("rb") as file:
            head = file.read(_CHECKED_BYTES)
            if outcome.output_bytes > 2 * _CHECKED_BYTES:
                file.seek(-_CHECKED_BYTES, 2)
            tail = file.read(_CHECKED_BYTES)
    except OSError:
        head = tail = b""
    cleaned = sanitise(decode(head + tail))
    match = _LAST_COMMAND.search(str(record.intent.get("command", "")).strip())
    name = match.group(1).rsplit("/", 1)[-1] if match else ""
    return Result(outcome.exit_code, outcome.pipe_status, cleaned, name)
