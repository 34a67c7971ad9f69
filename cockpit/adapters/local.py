"""Steps on this machine: bash, or PowerShell, under a runner of its own, which outlives the host that started it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from cockpit.adapters import powershell
from cockpit.adapters.base import RunRequest
from cockpit.adapters.checking import Check
from cockpit.adapters.followed import FollowedRun, adopt, launch
from cockpit.errors import Malformed, PolicyRefusal, ToolMissing
from cockpit.runs.spec import OUTPUT_CAP_BYTES, document_for
from cockpit.safety.environment import assignable, child_environment, fixed_path, steers_programs
from cockpit.safety.permit import Action, Permit
from cockpit.words import _, shortened


class LocalAdapter:
    """Runs shell steps on this machine.

    zsh and sh scripts are run by bash as well, which is what their authors' readers have. PowerShell is a language of
    this machine where it is installed.

    Args:
        output_cap_bytes: of more output than this a run keeps the beginning and the end.
        grace_s: how long a cancelled or timed-out command has between TERM and KILL.
    """

    name = "local"
    languages = frozenset({"bash", "sh", "zsh"})

    def __init__(self, *, output_cap_bytes: int = OUTPUT_CAP_BYTES, grace_s: float = 5.0) -> None:
        self._output_cap_bytes = output_cap_bytes
        self._grace_s = grace_s
        if powershell.program(_path()):
            self.languages = type(self).languages | {powershell.LANGUAGE}

    async def start(self, permit: Permit, request: RunRequest) -> FollowedRun:
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
        document, still = self._document(permit, request), partial(permit.covers, action)
        return await launch(request.folder, document, still, request.runners)

    async def adopt(self, folder: Path, secrets: Sequence[str] = ()) -> FollowedRun:
        """Take over a run that another host started.

        Raises:
            AdapterError: there is no such run.
        """
        return adopt(folder)

    async def checks(self) -> Sequence[Check]:
        """Whether there is a shell. See `ChecksItself`."""
        bash = shutil.which("bash")
        if bash is None:
            return [Check(text=_("there is no bash on this machine"), standing="failed", mend=_("install bash"))]
        pwsh = powershell.program(_path())
        return [Check(text=_("steps run under {program}").format(program=f"{bash}, {pwsh}" if pwsh else bash))]

    def _document(self, permit: Permit, request: RunRequest) -> dict[str, Any]:
        action = permit.action
        steering = sorted(name for name in action.values if not assignable(name))
        if steering:
            raise PolicyRefusal(
                _("the input {name} would change which programs run").format(name=", ".join(steering)),
                mend=_("give it another name in the runbook"),
            )
        _check_text(action)
        environment = _environment(action.values, request)
        in_powershell = action.language == powershell.LANGUAGE
        shell, carries = _powershell(_path()) if in_powershell else _shell(_path())
        more = {"arguments": powershell.arguments(action.values)} if in_powershell else {}
        return document_for(
            request.folder,
            action.body,
            shell,
            environment | dict(powershell.QUIET if in_powershell else {}),
            carries=carries,
            brought=request.shell_state,
            cwd=request.cwd,
            secrets=request.secrets,
            permit=permit.as_told(),
        ) | {
            "timeout_s": request.timeout_s,
            "terminal": request.terminal,
            "umask": request.umask,
            "printed": request.printed,
            "output_cap_bytes": self._output_cap_bytes,
            "grace_s": self._grace_s,
            **more,
        }


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
        raise Malformed(
            _("the command holds characters that are no text"), where=repr(shortened(error.object, 40))
        ) from error
    if any("\0" in name + text or "=" in name for name, text in action.values.items()):
        raise Malformed(_("an input holds a NUL character, or its name an equals sign"))


def _path() -> str:
    return fixed_path(os.environ.get("PATH", ""))


def _powershell(path: str) -> tuple[str, bool]:
    """As `_shell`, of PowerShell, which hands no state on."""
    pwsh = powershell.program(path)
    if pwsh is None:
        raise ToolMissing(_("there is no pwsh on this machine"), where=path, mend=powershell.mend())
    return pwsh, False


def _shell(path: str) -> tuple[str, bool]:
    """The shell to run scripts, and whether it can hand its state on."""
    bash = shutil.which("bash", path=path)
    if bash:
        return bash, True
    sh = shutil.which("sh", path=path)
    if sh:
        return sh, False
    raise ToolMissing(_("neither bash nor sh is here"), where=path, mend=_("install bash, or mend PATH"))
