"""A trainee made of text: a script, a line an act, played against a session through the same commands a viewer sends.

    set NAME=VALUE          fill an input; {stable_version} and the world's other names are put in
    severity P0             set the severity
    run STEP                run a step, confirming it as it asks, and wait for its end; it must pass
    try STEP                the same, whatever comes back
    tick STEP [WORDS]       say that a check or decision holds
    send STEP               a message: prepared as the runbook has it, and sent
    skip STEP WORDS         leave a step out, saying why
    note WORDS              write something down
    wait PROBE LEVEL 60s    until a probe is green, yellow or red (a probe that gets no answer is red)

STEP is a step's id or KIND#N. Empty lines and lines that begin with # are passed over.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from cockpit.errors import CockpitError, UsageError
from cockpit.rehearsal.reference import step_named
from cockpit.runbook.model import Runbook
from cockpit.session.filling.filling import fill_text
from cockpit.session.record.event import Status
from cockpit.session.record.state import ProbeChange, SessionState
from cockpit.session.steps.proposal import Proposal
from cockpit.words import _

_RUN_S = 120.0
_VERBS = ("set", "severity", "run", "try", "tick", "send", "skip", "note", "wait")
_WAIT = re.compile(r"(\S+) (green|yellow|red) (\d+)s")


class Desk(Protocol):
    """What a script needs of a session: to command it, and to see it."""

    async def call(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Send one command, as `HostClient.call` does."""

    def state(self) -> SessionState:
        """The session as it stands now."""

    async def change(self) -> None:
        """Return once the state may be another than at the last call."""


@dataclass(frozen=True, slots=True)
class Act:
    """One line of a script."""

    line: int
    verb: str
    words: str


def read_script(text: str, names: Mapping[str, str], where: str = "script") -> tuple[Act, ...]:
    """The acts of a script.

    Raises:
        UsageError: an unknown verb or name, with its line.
    """
    acts = []
    for number, line in enumerate(text.splitlines(), 1):
        written = line.strip()
        if not written or written.startswith("#"):
            continue
        verb, _space, words = written.partition(" ")
        if verb not in _VERBS:
            raise UsageError(
                _("a script can't {verb}").format(verb=verb),
                where=f"{where}:{number}",
                mend=_("it knows {verbs}").format(verbs=", ".join(_VERBS)),
            )
        try:
            acts.append(Act(number, verb, words.strip().format_map(names)))
        except (KeyError, ValueError, IndexError) as error:
            raise UsageError(
                _("no name {name}").format(name=error),
                where=f"{where}:{number}",
                mend=_("it knows {names}").format(names=", ".join(names)),
            ) from error
    return tuple(acts)


class Player:
    """Plays acts, one after the other. `tell` gets a line for each, as it begins."""

    def __init__(self, desk: Desk, runbook: Runbook, tell: Callable[[str], None]) -> None:
        self._desk = desk
        self._runbook = runbook
        self._tell = tell
        self._verbs: dict[str, Callable[[str], Awaitable[object]]] = {
            "set": self._set,
            "severity": self._severity,
            "run": self._run,
            "try": self._run_to_end,
            "tick": self._tick,
            "send": self._send,
            "skip": self._skip,
            "note": self._note,
            "wait": self._wait,
        }

    async def play(self, acts: Sequence[Act]) -> None:
        """Play all acts.

        Raises:
            CockpitError: one could not be done, or did not come to what it must; its line is named.
        """
        for act in acts:
            self._tell(f"{act.verb} {act.words}")
            try:
                await self._verbs[act.verb](act.words)
            except CockpitError as error:
                place = _("script line {line}").format(line=act.line)
                error.where = f"{place}, {error.where}" if error.where else place
                raise

    async def _set(self, words: str) -> None:
        name, _equals, value = words.partition("=")
        await self._desk.call("set_input", name=name, value=value)

    async def _severity(self, words: str) -> None:
        await self._desk.call("set_severity", severity=words)

    async def _run(self, words: str) -> None:
        status = await self._run_to_end(words)
        if status is not Status.PASSED:
            raise CockpitError(_("the step did not pass: {status}").format(status=status), where=words)

    async def _run_to_end(self, name: str) -> Status:
        step = step_named(self._runbook, name)
        proposal = Proposal.from_json(await self._desk.call("propose", step=step.id))
        typed = proposal.target if proposal.rung == "type-target" else ""
        yes = {"rung": proposal.rung.value, "typed": typed, "reason": _("the script says so")}
        run = await self._desk.call("run", proposal=proposal.proposal, sha256=proposal.sha256, **yes)
        number = int(run["run"])

        def over() -> bool:
            state = self._desk.state()
            record = state.runs.get(number)
            # Of several runs of one step the first may be over long before the step is.
            return record is not None and Status.RUNNING not in (record.status, state.step(record.step).status)

        await self._until(over, _RUN_S, step.id)
        return self._desk.state().step(step.id).status

    async def _tick(self, words: str) -> None:
        name, _space, reason = words.partition(" ")
        await self._desk.call("tick", step=step_named(self._runbook, name).id, held=True, reason=reason)

    async def _send(self, words: str) -> None:
        step = step_named(self._runbook, words)
        state = self._desk.state()
        known = [blank for blank in self._runbook.inputs if blank.name not in state.secret_inputs]
        text = fill_text(step.text or "", known, state.inputs)
        await self._desk.call("message", step=step.id, text=text, sent=True)

    async def _skip(self, words: str) -> None:
        name, _space, reason = words.partition(" ")
        await self._desk.call("skip", step=step_named(self._runbook, name).id, reason=reason)

    async def _note(self, words: str) -> None:
        await self._desk.call("note", text=words)

    async def _wait(self, words: str) -> None:
        match = _WAIT.fullmatch(words)
        if match is None:
            raise UsageError(_("not a wait: {words}").format(words=words), mend=_("write it like health green 60s"))
        probe, level, seconds = match.groups()

        def there() -> bool:
            change = self._desk.state().probes.get(probe)
            return change is not None and _level(change) == level

        await self._until(there, float(seconds), f"{probe} {level}")

    async def _until(self, holds: Callable[[], bool], deadline_s: float, what: str) -> None:
        try:
            async with asyncio.timeout(deadline_s):
                while not holds():
                    await self._desk.change()
        except TimeoutError as error:
            raise CockpitError(_("waited {seconds} s in vain").format(seconds=round(deadline_s)), where=what) from error


def _level(change: ProbeChange) -> str:
    if change.outcome == "failed":
        return "red"
    return "green" if change.level in (None, "grey") else change.level
