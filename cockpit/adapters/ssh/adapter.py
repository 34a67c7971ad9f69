"""Shell steps on another machine. See `script` for what runs there and `step` for how it is followed."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from cockpit.adapters.base import Ask, Outcome, RunRequest
from cockpit.adapters.checking import Check
from cockpit.adapters.ending import outcome_of
from cockpit.adapters.own_thread import OwnThread
from cockpit.adapters.ssh.address import resolve
from cockpit.adapters.ssh.asking import Asking
from cockpit.adapters.ssh.link import LOGIN_S, SshLink
from cockpit.adapters.ssh.ready import checks_of
from cockpit.adapters.ssh.step import RemotePlace, RemoteStep
from cockpit.errors import AdapterError, ConfigError, Malformed, PolicyRefusal, ToolMissing
from cockpit.runs.files import write_whole
from cockpit.runs.shell_state import without_secrets
from cockpit.runs.spec import OUTPUT_CAP_BYTES, document_for, write_spec
from cockpit.safety.environment import FIXED, assignable, fixed_path
from cockpit.safety.permit import Action, Permit
from cockpit.words import _

_REMOTE = "remote.json"


class SshOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[target.NAME] of kind "ssh". `host` is what one would give ssh: a name of ~/.ssh/config, or [user@]host.

    `ssh_config` is another configuration file than ~/.ssh/config.
    """

    host: str
    port: int | None = None
    ssh_config: str | None = None


class SshAdapter:
    """Runs shell steps on one other machine, over one connection that is made when it is first needed."""

    name = "ssh"
    languages = frozenset({"bash", "sh", "zsh"})
    Options = SshOptions
    elsewhere: Literal[True] = True

    def __init__(
        self,
        options: SshOptions,
        *,
        trusted: bool = True,
        output_cap_bytes: int = OUTPUT_CAP_BYTES,
        grace_s: float = 5.0,
        login_s: float = LOGIN_S,
    ) -> None:
        if options.ssh_config and not trusted:
            raise ConfigError(
                _("a document can't choose the ssh configuration, which can run commands here"),
                mend=_("configure the target in cockpit.toml"),
            )
        self.options = options
        self._output_cap_bytes = output_cap_bytes
        self._grace_s = grace_s
        self._login_s = login_s
        self._link: SshLink | None = None
        self._ask: Ask | None = None
        self._here: Callable[[], bool] = lambda: True
        self._resolving = threading.Lock()

    async def start(self, permit: Permit, request: RunRequest) -> SshRunning:
        """Start the permitted script over there; returns once it is under way.

        Raises:
            PolicyRefusal: no real permit, not of these bytes, or an input that would change which programs run.
            TargetUnreachable, AccessDenied: nothing ran.
        """
        if not isinstance(permit, Permit):
            raise PolicyRefusal(_("a permit is granted by policy, never constructed"))
        action = permit.action
        permit.covers(Action(action.language, action.body, action.target, action.values))
        if action.language not in self.languages:
            raise ToolMissing(_("{language} is no language of a shell").format(language=action.language))
        environment = _environment(action, request)
        loop = asyncio.get_running_loop()
        # Not in the common pool: machines that do not answer would keep those that do waiting for a thread of it.
        return await OwnThread[SshRunning](f"start on {self.options.host}").run(
            lambda: self._start(self._connection(), permit, request, environment, loop)
        )

    async def adopt(self, folder: Path, secrets: Sequence[str] = ()) -> SshRunning:
        """Collect a run that another host started.

        Raises:
            AdapterError: there is no such run, or its machine is not known any more.
        """
        try:
            place = msgspec.json.decode((folder / _REMOTE).read_bytes(), type=RemotePlace)
        except (OSError, msgspec.MsgspecError) as error:
            raise AdapterError(_("there is no such run"), where=str(folder)) from error
        loop = asyncio.get_running_loop()
        if (folder / "exit.json").exists():
            return SshRunning.over(folder, loop)
        for name in ("output", "index"):
            (folder / name).unlink(missing_ok=True)
        link = await asyncio.to_thread(self._connection)
        running = SshRunning(folder, loop)
        running.step = self._step(link, folder, place, tuple(secrets), running)
        running.step.adopt()
        return running

    def ask_through(self, ask: Ask, here: Callable[[], bool]) -> None:
        """Whom to ask for passphrases and codes. See `AsksPerson`."""
        self._ask, self._here = ask, here

    def far(self, name: str) -> Asking:
        """The machine, to be looked at over the connection that steps use. See `LooksAround`."""
        return Asking(name, self._connection, self._here)

    async def checks(self) -> Sequence[Check]:
        """Whether the way there, its key, ours and its tools are as they must be. See `ChecksItself`."""
        return await OwnThread[Sequence[Check]](f"check {self.options.host}").run(
            lambda: checks_of(self._connection(), self.options.host)
        )

    def _connection(self) -> SshLink:
        with self._resolving:
            if self._link is None:
                options = self.options
                address = resolve(options.host, config=options.ssh_config, port=options.port)
                self._link = SshLink(address, ask=self._ask, login_s=self._login_s)
            return self._link

    def _start(
        self,
        link: SshLink,
        permit: Permit,
        request: RunRequest,
        environment: Mapping[str, str],
        loop: asyncio.AbstractEventLoop,
    ) -> SshRunning:
        action = permit.action
        still = partial(permit.covers, action)
        document = document_for(
            request.folder,
            action.body,
            f"ssh:{link.address}",
            environment,
            carries=True,
            brought=request.shell_state,
            cwd=request.cwd or "~",
            secrets=request.secrets,
        )
        secrets = document["secrets"]
        write_spec(document | {"timeout_s": request.timeout_s})
        handed_on = {"cwd": "", "variables": dict(request.shell_state), "lost": []}
        place = RemotePlace(
            folder=f"{time.strftime('%Y%m%d')}-{request.folder.name}-{os.urandom(6).hex()}",
            cwd=request.cwd,
            timeout_s=request.timeout_s,
            began=time.time(),
            brought=without_secrets(handed_on, secrets)["variables"],
            printed=request.printed,
        )
        write_whole(str(request.folder), _REMOTE, msgspec.to_builtins(place), durable=True)
        running = SshRunning(request.folder, loop)
        running.step = self._step(link, request.folder, place, secrets, running)
        if request.terminal:
            running.step.start_talking(action.body, environment, request.terminal, still)
        else:
            running.step.start(action.body, environment, still)
        return running

    def _step(
        self, link: SshLink, folder: Path, place: RemotePlace, secrets: list[str] | tuple[str, ...], running: SshRunning
    ) -> RemoteStep:
        return RemoteStep(
            link,
            folder,
            place,
            secrets,
            output_cap_bytes=self._output_cap_bytes,
            grace_s=self._grace_s,
            ended=running.heard_of_the_end,
        )


class SshRunning:
    """A step over there, under way. Made by SshAdapter."""

    step: RemoteStep

    def __init__(self, folder: Path, loop: asyncio.AbstractEventLoop) -> None:
        self._folder = folder
        self._loop = loop
        self._over = loop.create_future()
        self._known: Outcome | None = None

    @classmethod
    def over(cls, folder: Path, loop: asyncio.AbstractEventLoop) -> SshRunning:
        """One whose end is on record already."""
        running = cls(folder, loop)
        end = json.loads((folder / "exit.json").read_bytes())
        try:
            handed_on = json.loads((folder / "carried.json").read_bytes())
        except (OSError, ValueError):
            handed_on = {}
        running._known = outcome_of(end, handed_on)
        running._over.set_result(None)
        return running

    @property
    def pid(self) -> int | None:
        """None: it is no process of this machine."""
        return None

    async def wait(self) -> Outcome:
        """Wait for the end."""
        await asyncio.shield(self._over)
        return self._known or outcome_of(self.step.end, self.step.passed_on)

    async def cancel(self) -> None:
        """Ask the whole group over there to end: TERM, then KILL after the grace."""
        if not self._over.done():
            await OwnThread[None](f"cancel {self._folder.name}").run(lambda: self.step.cancel("cancelled"))

    @property
    def out_of_touch_s(self) -> float:
        """For how long the link has been gone; 0 while it is there. See `LosesTouch`."""
        return 0.0 if self._over.done() else self.step.out_of_touch_s

    def give_up(self) -> None:
        """Wait for the link no longer."""
        if not self._over.done():
            self.step.give_up()

    def heard_of_the_end(self) -> None:
        """Called in the follower's thread."""
        try:
            self._loop.call_soon_threadsafe(self._finish)
        except RuntimeError:
            pass  # the host is gone; the next one reads exit.json

    def _finish(self) -> None:
        if not self._over.done():
            self._over.set_result(None)


def _environment(action: Action, request: RunRequest) -> dict[str, str]:
    """Laid over the far side's own: what earlier steps there exported, then this step's inputs."""
    steering = sorted(name for name in action.values if not assignable(name))
    if steering:
        raise PolicyRefusal(
            _("the input {name} would change which programs run").format(name=", ".join(steering)),
            mend=_("give it another name in the runbook"),
        )
    for text in (action.body, *action.values, *action.values.values()):
        if "\0" in text:
            raise Malformed(_("the command holds a NUL character"))
    environment = dict(FIXED) | dict(request.shell_state) | dict(action.values)
    if "PATH" in environment:
        environment["PATH"] = fixed_path(environment["PATH"])
    return environment
