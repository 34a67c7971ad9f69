"""Steps on this machine: bash under a runner of its own, which outlives the host that started it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cockpit.adapters.base import Outcome, RunRequest
from cockpit.adapters.ending import outcome_of
from cockpit.errors import AccessDenied, AdapterError, Malformed, PolicyRefusal, ToolMissing
from cockpit.runs.files import write_all
from cockpit.runs.run import Run
from cockpit.runs.spec import OUTPUT_CAP_BYTES, document_for, write_spec
from cockpit.safety.environment import assignable, child_environment, fixed_path, steers_programs
from cockpit.safety.permit import Action, Permit
from cockpit.words import _

_RUNNER = Path(__file__).parent.parent / "runs" / "runner.py"
_FIRST_LOOK_S, _SLOWEST_LOOK_S = 0.02, 0.25


class LocalAdapter:
    """Runs shell steps on this machine.

    zsh and sh scripts are run by bash as well, which is what their authors' readers have.

    Args:
        output_cap_bytes: of more output than this a run keeps the beginning and the end.
        grace_s: how long a cancelled or timed-out command has between TERM and KILL.
    """

    name = "local"
    languages = frozenset({"bash", "sh", "zsh"})

    def __init__(self, *, output_cap_bytes: int = OUTPUT_CAP_BYTES, grace_s: float = 5.0) -> None:
        self._output_cap_bytes = output_cap_bytes
        self._grace_s = grace_s

    async def start(self, permit: Permit, request: RunRequest) -> LocalRunning:
        """Start the permitted script; returns once its runner has put it on record and let it go.

        Raises:
            PolicyRefusal: no real permit, not of these bytes, or an input that would change which programs run.
            ToolMissing: no shell. AccessDenied, AdapterError: it could not be started; nothing ran.
        """
        if not isinstance(permit, Permit):
            raise PolicyRefusal(_("a permit is granted by policy, never constructed"))
        action = permit.action
        permit.covers(Action(action.language, action.body, action.target, action.values))
        if action.language not in self.languages:
            raise ToolMissing(_("{language} is no language of this machine's shell").format(language=action.language))
        document = self._document(action, request)
        descriptor = await asyncio.to_thread(_launch, document)
        return LocalRunning.followed(Run(request.folder), descriptor)

    async def adopt(self, folder: Path) -> LocalRunning:
        """Take over a run that another host started.

        Raises:
            AdapterError: there is no such run.
        """
        run = Run(folder)
        if not run.exists:
            raise AdapterError(_("there is no such run"), where=str(folder))
        return LocalRunning.adopted(run)

    def _document(self, action: Action, request: RunRequest) -> dict[str, Any]:
        steering = sorted(name for name in action.values if not assignable(name))
        if steering:
            raise PolicyRefusal(
                _("the input {name} would change which programs run").format(name=", ".join(steering)),
                mend=_("give it another name in the runbook"),
            )
        _check_text(action)
        environment = _environment(action.values, request)
        shell, carries = _shell(fixed_path(os.environ.get("PATH", "")))
        return document_for(
            request.folder,
            action.body,
            shell,
            environment,
            carries=carries,
            brought=request.shell_state,
            cwd=request.cwd,
            secrets=request.secrets,
        ) | {
            "timeout_s": request.timeout_s,
            "terminal": request.terminal,
            "output_cap_bytes": self._output_cap_bytes,
            "grace_s": self._grace_s,
        }


class LocalRunning:
    """A run of this machine under way. Made by LocalAdapter."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._passed_on: dict[str, Any] | None = None
        self._ended: dict[str, Any] | None = None
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @classmethod
    def followed(cls, run: Run, descriptor: int) -> LocalRunning:
        """A run whose runner tells of its end through the descriptor, which is closed then."""
        running = cls(run)
        told = bytearray()
        asyncio.get_running_loop().add_reader(descriptor, running._hear, descriptor, told)
        return running

    @classmethod
    def adopted(cls, run: Run) -> LocalRunning:
        """A run known by its folder alone."""
        running = cls(run)
        running._look(_FIRST_LOOK_S)
        return running

    @property
    def pid(self) -> int | None:
        """The pid of the command, which leads its group."""
        return self.run.runner().get("child")

    async def wait(self) -> Outcome:
        """Wait for the end."""
        await asyncio.shield(self._over)
        end = await asyncio.to_thread(self.run.end) if self._ended is None else self._ended
        return outcome_of(end, self.run.carried() if self._passed_on is None else self._passed_on)

    async def cancel(self) -> None:
        """Ask the whole group to end: TERM, then KILL after the grace.

        Raises:
            TargetUnreachable: its runner is gone and the command still runs; says which process it is.
        """
        if self.run.state() != "finished":
            self.run.send({"cancel": True})

    def _hear(self, descriptor: int, told: bytearray) -> None:
        try:
            chunk = os.read(descriptor, 1 << 16)
        except OSError:
            chunk = b""
        told += chunk
        if chunk:
            return
        asyncio.get_running_loop().remove_reader(descriptor)
        os.close(descriptor)
        for message in map(_message, bytes(told).splitlines()):
            self._ended = message.get("ended", self._ended)
            self._passed_on = message.get("carried", self._passed_on)
        self._finish()

    def _look(self, patience_s: float) -> None:
        """Look into the folder, and again a little later each time."""
        if self._over.done():
            return
        state = self.run.state()
        if state == "lost" and not self.run.runner() and not self._abandoned():
            state = "starting"
        if state in ("starting", "running"):
            later_s = min(patience_s * 1.5, _SLOWEST_LOOK_S)
            asyncio.get_running_loop().call_later(patience_s, self._look, later_s)
        else:
            self._finish()

    def _abandoned(self) -> bool:
        try:
            return self.run.abandon()
        except OSError:
            return True  # the outcome then says that its end is not known, not that nothing ran

    def _finish(self) -> None:
        if not self._over.done():
            self._over.set_result(None)


def _environment(values: Mapping[str, str], request: RunRequest) -> dict[str, str]:
    """The step's environment: the operator's, then what earlier steps exported, then this step's inputs.

    An exported PATH carries on, without entries that depend on the directory: a judged `ls` must stay that `ls`.
    """
    environment = child_environment(os.environ, values)
    for name, text in request.shell_state.items():
        if name not in values and not steers_programs(name):
            environment[name] = text
    environment["PATH"] = fixed_path(environment["PATH"])
    if request.terminal:
        environment.setdefault("TERM", "xterm-256color")
    environment["COCKPIT_RUN"] = str(request.folder)
    environment.pop("OLDPWD", None)
    return environment


def _check_text(action: Action) -> None:
    """Raise Malformed where the script or a value can't be handed to a program at all."""
    try:
        for text in (action.body, *action.values, *action.values.values()):
            text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise Malformed(_("the command holds characters that are no text"), where=repr(error.object[:40])) from error
    if any("\0" in name + text or "=" in name for name, text in action.values.items()):
        raise Malformed(_("an input holds a NUL character, or its name an equals sign"))


def _shell(path: str) -> tuple[str, bool]:
    """The shell to run scripts, and whether it can hand its state on."""
    bash = shutil.which("bash", path=path)
    if bash:
        return bash, True
    sh = shutil.which("sh", path=path)
    if sh:
        return sh, False
    raise ToolMissing(_("neither bash nor sh is here"), where=path, mend=_("install bash, or mend PATH"))


def _launch(document: Mapping[str, Any]) -> int:
    """Start a runner and hear that the script began; returns the descriptor that tells of its end.

    Blocks for as long as Python needs to start, so it runs in a thread.
    """
    try:
        runner = subprocess.Popen(
            [sys.executable, "-I", "-S", "-X", "utf8", str(_RUNNER)],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PATH": os.defpath},
        )
        with runner:
            _hand_over(runner, document)
            assert runner.stdout is not None
            _check_started(runner.stdout.readline())
            descriptor = os.dup(runner.stdout.fileno())
    except OSError as error:
        raise AdapterError(
            _("the step could not be started: {error}").format(error=error.strerror), where=str(error.filename or "")
        ) from error
    os.set_blocking(descriptor, False)
    return descriptor


def _hand_over(runner: subprocess.Popen[bytes], document: Mapping[str, Any]) -> None:
    """Write the spec while the runner's Python starts; without the document, or all of it, it runs nothing."""
    assert runner.stdin is not None
    with runner.stdin:
        write_spec(document)
        try:
            write_all(runner.stdin.fileno(), json.dumps(document).encode("ascii"))
        except BrokenPipeError:
            pass  # it died; the end of its line says so


def _check_started(line: bytes) -> None:
    """No deadline here: only the runner can say that nothing ran, and if it dies the line ends."""
    if not line:
        raise Malformed(
            _("the runner ended without a word"), mend=_("see what the run's folder says, and run it again")
        )
    failure = _message(line).get("failed")
    if failure:
        raise _refused_start(failure)


def _refused_start(failure: Mapping[str, str]) -> AdapterError | PolicyRefusal:
    kind, detail = failure["kind"], failure["detail"]
    if kind == "bytes":
        return PolicyRefusal(_("what is about to run is not what was confirmed"), mend=_("confirm it again"))
    if kind == "cwd":
        return AccessDenied(
            _("the working directory that earlier steps left behind can't be entered"),
            where=detail,
            mend=_("make it again, or start from another directory"),
        )
    if kind == "shell":
        return ToolMissing(_("the shell can't be started"), where=detail)
    return AdapterError(_("the step could not be started: {error}").format(error=detail))


def _message(line: bytes) -> dict[str, Any]:
    try:
        message = json.loads(line)
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}
