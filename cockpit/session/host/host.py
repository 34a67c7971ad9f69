"""The host: it holds the session's lock, acts for its viewers, watches, and writes the record.

In a process of its own (`commands/host.py`) it outlives every terminal. Killed in the middle, it leaves a whole journal
and its running steps alive; the next host takes them over.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from cockpit import __version__
from cockpit.adapters.base import AsksPerson, KnowsSecrets, RunsElsewhere, RunsSteps
from cockpit.adapters.runners import Runners
from cockpit.errors import CockpitError, ConfigError, JournalError, UsageError
from cockpit.places import user_name
from cockpit.runbook.model import StepKind
from cockpit.runs.run import Run
from cockpit.safety.permit import Mode
from cockpit.session.host.ground import Ground
from cockpit.session.host.questions import Questions
from cockpit.session.host.second_person import SecondPersonLine
from cockpit.session.host.server import Server
from cockpit.session.record.artefacts import grown_files, sha256_of
from cockpit.session.record.event import Event, Status
from cockpit.session.record.folder import SessionFolder
from cockpit.session.record.journal import Journal
from cockpit.session.record.modes import Modes
from cockpit.session.record.reader import SessionReader
from cockpit.session.record.roots import require_private
from cockpit.session.record.secrets import SecretBook, secrets_of_config
from cockpit.session.record.settings import SessionSettings
from cockpit.session.steps.approvals import Approvals
from cockpit.session.steps.engine import Engine
from cockpit.session.steps.execution import Execution
from cockpit.session.steps.targets import targets_of
from cockpit.words import _, choose, shortened

if TYPE_CHECKING:
    from cockpit.config import Administrator
    from cockpit.monitor.watch import Watch


_SYNC_S = 1.0
_LEFT_ALONE_S = 24 * 3600.0
_ONLY_LOOKED_AT_S = 600.0
_LONGEST_TITLE = 300


class Host:
    """One session's writer: journal, engine, runs, monitor, and the socket its viewers talk to.

    Args:
        inputs: given when the session was opened; unlike those of the settings they may be secret.
        administrator: who may lock the machine; None for this machine's own.
        umask: the operator's; None where it is that of this process.
    """

    _loop: asyncio.AbstractEventLoop | None = None

    def __init__(
        self,
        folder: SessionFolder,
        inputs: Mapping[str, str] = MappingProxyType({}),
        *,
        left_alone_s: float = _LEFT_ALONE_S,
        administrator: Administrator | None = None,
        umask: int | None = None,
    ) -> None:
        from cockpit.config import Administrator, load
        from cockpit.runbook.reading import read

        require_private(folder.path)
        self.folder = folder
        self.settings = SessionSettings.load(folder)
        choose(self.settings.language)
        os.environ.update(self.settings.environment)
        self.secrets = SecretBook(os.environ)
        self.journal = Journal.open(folder, redact=self.secrets.redact)
        reader = SessionReader(folder)
        reader.poll()
        self.resumed = reader.state.started_t is not None
        self.runbook = read(folder.runbook)
        self.administrator = administrator or Administrator()
        self.config = load(
            _path(self.settings.config_path),
            self.runbook,
            here=Path(self.settings.cwd or ""),
            administrator=self.administrator,
        )
        self.questions = Questions(self._question_changed, lambda: self.server.somebody_acts)
        adapters = self._adapters()
        self.engine = Engine(
            folder,
            self.runbook,
            self.journal,
            adapters,
            self.secrets,
            state=reader.state,
            timeout_s=self.config.safety.timeout_s,
            environment=self._environment(),
            modes=Modes(self._kept_read_only),
            approvals=Approvals(self._second_person),
            groups=self.config.groups,
        )
        self.execution = Execution(self.engine, umask=umask, runners=Runners(ahead=True))
        self.ended = asyncio.Event()
        self.server = Server(self)
        self.ground = Ground(self.engine)
        self.second_person: SecondPersonLine | None = None
        self.engine.on_event = self._on_event
        self.secrets.on_new = lambda: self.server.wake("secrets")
        self._given = inputs
        self._watch: Watch | None = None
        self._syncing: asyncio.Task[None] | None = None
        self._left_alone_s = left_alone_s
        self._last_needed_m = time.monotonic()
        self._take_home(adapters)

    def _take_home(self, adapters: Mapping[str, RunsSteps]) -> None:
        """Where steps of this machine begin. Another machine has folders of its own, and begins at home."""
        self.engine.folders.written_in = str(Path(self.settings.runbook_path).parent)
        if home := self.engine.folders.home() or self.settings.cwd:
            here = [name for name, adapter in adapters.items() if not isinstance(adapter, RunsElsewhere)]
            self.engine.homes |= dict.fromkeys(here, home)

    def _adapters(self) -> dict[str, RunsSteps]:
        """What runs the steps of each target, once everything they and the configuration know is masked."""
        problems: list[str] = []
        adapters = targets_of(self.config.targets, self.config.origin, left_out=problems.append)
        self.config = replace(self.config, problems=(*self.config.problems, *problems))
        for adapter in adapters.values():
            if isinstance(adapter, AsksPerson):
                adapter.ask_through(self.questions.ask, self.questions.somebody_is_here)
            if isinstance(adapter, KnowsSecrets):
                self.secrets.learn(adapter.secrets())
        self.secrets.learn(secrets_of_config(self.config))
        return adapters

    def _question_changed(self) -> None:
        """A thread that connects asks something, or does not any more."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # this host is about to end
                self._loop.call_soon_threadsafe(self.server.wake, "question")

    def _environment(self) -> str:
        """Where this is. A rehearsal says so, whatever the machine is called."""
        return _("rehearsal") if self.settings.mode == "rehearsal" else self.config.cockpit.environment

    def _kept_read_only(self) -> str:
        """Why nothing may be changed now, whatever anybody asks for; "" when the session's mode decides."""
        if locked := self.administrator.lock():
            return locked
        if self.config.safety.read_only:
            return _("the configuration keeps this read-only ([safety] read_only)")
        changed = self._runbook_changed()
        return _("the session's copy of the runbook is not the one it began with: open a new one") if changed else ""

    def _second_person(self) -> str:
        """What takes a second person now: the administrator may ask for more while a session runs."""
        from cockpit.config import stricter

        with contextlib.suppress(ConfigError):  # a file that can't be trusted locks; see the administrator
            return stricter(self.config.safety.second_person, self.administrator.config().safety.second_person)
        return self.config.safety.second_person

    async def _open_to_second_person(self) -> None:
        """Where a second person is wanted, they need a way in.

        Raises:
            ConfigError, FolderRefused: none can be made.
        """
        if self._second_person() and self.second_person is None:
            approvers = self.administrator.config().safety.approvers or self.config.safety.approvers
            line = SecondPersonLine(self.engine, approvers)
            await line.listen()
            self.second_person = line

    def _runbook_changed(self) -> bool:
        began_with = self.engine.state.runbook.get("sha256") if self.resumed else None
        return began_with not in (None, self.runbook.sha256)

    def _on_event(self, event: Event) -> None:
        self.server.wake("journal")
        if event.kind == "step.finished" and self._watch:
            self._watch.end_gate(event.data["step"])
        if event.kind == "mode.changed":
            self.ground.mode_changed()

    async def begin(self) -> None:
        """Record that the session starts, or that this host takes over from one that died."""
        self._loop = asyncio.get_running_loop()
        self._syncing = asyncio.create_task(self._sync(), name="journal-sync")
        if not self.resumed:
            self._record_start()
            for name, value in {**self.settings.inputs, **self._given}.items():
                if self.runbook.input(name):
                    self.engine.set_input(name, value, "host", source="settings")
        else:
            self._carry_on()
            self._keep_read_only()
            adopted, lost = await self.execution.adopt(list(self.engine.adapters.values()))
            self.engine.record("host.recovered", durable=True, pid=os.getpid(), adopted=adopted, lost=lost)
        await self._open_to_second_person()
        self.ground.begin()

    def _carry_on(self) -> None:
        """Shell state that the last finished steps left: what was secret in it went with the host that died."""
        state = self.engine.state
        for record in state.runs.values():
            target = str(record.intent.get("target"))
            if record.run <= state.fresh.get(target, 0):
                continue
            carried = Run(self.folder.run(record.run)).carried()
            if carried and record.status is not Status.RUNNING:
                shell = self.engine.shell(target)
                shell.variables = dict(carried.get("variables", {}))
                # A folder that a step had for itself is not carried on, and stands in none of these records.
                shell.cwd = state.cwd.get(target, shell.cwd)

    async def _sync(self) -> None:
        """Bring records that are not durable by themselves (notes of probes, viewers) to the disk soon after."""
        while True:
            await asyncio.sleep(_SYNC_S)
            self._end_when_left_alone()
            self._keep_read_only()
            self.execution.runners.get_ready()
            with contextlib.suppress(CockpitError):  # without a way in nothing is approved, and nothing runs
                await self._open_to_second_person()
            with contextlib.suppress(JournalError):  # `suspect` keeps it, and the next durable record raises
                if not self.journal.suspect:
                    self.journal.sync()

    def _keep_read_only(self) -> None:
        """Say in the record, and so on every screen, that the session may change nothing any more."""
        why = self._kept_read_only()
        if why and self.engine.state.mode != Mode.READ_ONLY and not self.ended.is_set():
            with contextlib.suppress(JournalError):  # a full disk: it is kept read-only all the same, and told later
                self.engine.set_mode(Mode.READ_ONLY, why, "host")

    def _end_when_left_alone(self) -> None:
        """A session that nobody looks at and that runs nothing does not watch for ever."""
        if self.server.viewers or self.execution.busy:
            self._last_needed_m = time.monotonic()
        elif time.monotonic() - self._last_needed_m > self._patience_s() and not self.ended.is_set():
            self.end(_("nobody came back"), "host")

    def _patience_s(self) -> float:
        """A session in which nobody did anything was only looked at: it is not kept running for a day."""
        state = self.engine.state
        used = bool(state.steps or state.notes)
        return self._left_alone_s if used else min(self._left_alone_s, _ONLY_LOOKED_AT_S)

    def _record_start(self) -> None:
        settings, runbook = self.settings, self.runbook
        self.engine.record(
            "session.started",
            durable=True,
            session=self.folder.name,
            runbook={
                "title": shortened(runbook.title, _LONGEST_TITLE),
                "path": settings.runbook_path,
                "sha256": runbook.sha256,
                "language": runbook.language,
            },
            mode="read-only" if self._kept_read_only() else settings.mode,
            target=settings.target,
            environment=self.engine.environment,
            title=self.config.cockpit.title,
            user=user_name(),
            origin=os.environ.get("SSH_CONNECTION", "").split(" ")[0],
            version=__version__,
            pid=os.getpid(),
            scenario=settings.scenario,
            brief=settings.brief,
            rehearsal=settings.mode == "rehearsal",
            settings_sha256=sha256_of(self.folder.path, self.folder.settings.name),
        )
        if self.config.severity:
            reason = _("the runbook's front matter says so")
            self.engine.record("severity.set", durable=True, severity=self.config.severity, reason=reason)

    async def watch(self) -> None:
        """Start the monitor. What it can't start costs its own panel only."""
        from cockpit.monitor.watch import Watch

        self._watch = Watch(
            self.config,
            self.runbook,
            self.folder,
            on_sample=lambda: self.server.wake("samples"),
            on_change=self._probe_changed,
            on_recommendation=self._recommended,
            on_gate=self._gate_changed,
            redact=self.secrets.redact,
            known=lambda: self.secrets.known,
            raised=self.engine.state.recommendations,
            inputs=self.engine.values(),
            adapters=self.engine.adapters,
        )
        await self._watch.start()
        for problem in self._watch.config.problems:
            self.ground.warn("front matter", problem, _("mend the runbook's front matter; until then it is left out"))

    def _probe_changed(self, data: Mapping[str, Any]) -> None:
        self._observe("probe.changed", data)

    def _recommended(self, kind: str, data: Mapping[str, Any]) -> None:
        self._observe(kind, data)

    def _gate_changed(self, data: Mapping[str, Any]) -> None:
        self._observe("gate.changed", data)

    def _observe(self, kind: str, data: Mapping[str, Any]) -> None:
        """Record what was seen. A full disk must not stop the watching: viewers are told, and acting is refused."""
        try:
            self.engine.record(kind, **data)
        except JournalError:
            self.server.wake("record-failed")

    def watch_gate(self, step: str, by: str) -> None:
        """Have a gate's criteria watched; what they come to is proposed.

        Raises:
            UsageError: no such gate, nothing is watched, or no metric is called as a criterion.
        """
        found = self.runbook.step(step)
        if found is None or found.kind is not StepKind.GATE or self._watch is None:
            raise UsageError(_("there is nothing to watch this by"), mend=_("judge it by hand"))
        self.engine.record("gate.changed", actor=by, durable=True, **self._watch.begin_gate(found))

    def probe_now(self, probe: str) -> None:
        """Ask one probe for a sample at once."""
        if self._watch:
            self._watch.request_now(probe)

    def end(self, reason: str, by: str) -> None:
        """Record the session's end; the host then stops."""
        self.engine.record(
            "session.ended",
            actor=by,
            durable=True,
            session=self.folder.name,
            counts=self.engine.state.counts,
            reason=reason,
            files=grown_files(self.folder.path),
        )
        self.ended.set()

    async def close(self) -> None:
        """Stop watching and following, and let the lock go. Running steps go on."""
        await self.server.close()
        if self.second_person:
            await self.second_person.close()
        await self.ground.close()
        if self._watch:
            await self._watch.stop()
        await self.execution.leave()
        if self._syncing:
            self._syncing.cancel()
        self.journal.close()


def _path(name: str | None) -> Path | None:
    return Path(name) if name else None
