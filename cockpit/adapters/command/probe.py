"""A command as a probe: its exit status, a text it must say, a number it prints. Only commands proven to read run."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from typing import ClassVar

from msgspec import Struct

from cockpit.adapters.probing import TEXT_CHARACTERS, Finding, Value
from cockpit.errors import ConfigError, ToolMissing
from cockpit.runs.files import in_memory
from cockpit.safety.environment import child_environment
from cockpit.safety.judge import judge
from cockpit.safety.permit import Action, Permit
from cockpit.safety.text import decode
from cockpit.safety.verdict import Judgement
from cockpit.words import _, shortened

_OUTPUT_BYTES = 64 * 1024
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")


class CommandOptions(Struct, frozen=True, kw_only=True):
    """Keys of a command probe. `contains` is a text that must come; the first number printed is the value."""

    command: str
    contains: str = ""
    unit: str = ""


class CommandProbe:
    """One shell command, run by bash on this machine with nothing on its standard input."""

    Options: ClassVar[type[Struct]] = CommandOptions

    def __init__(self, options: CommandOptions, _deadline_s: float) -> None:
        if not options.command.strip():
            raise ConfigError(_("the command is empty"), mend=_("give a command that prints something"))
        self._options = options

    @property
    def action(self) -> Action:
        """The exact script."""
        return Action("bash", self._options.command, "local")

    @property
    def judgement(self) -> Judgement:
        """What safety can prove of it."""
        return judge("bash", self._options.command)

    async def look(self, permit: Permit) -> Finding:
        """Run it once. See `Watchable`."""
        permit.covers(self.action)
        exit_code, output = await self._run()
        said = not self._options.contains or self._options.contains in output
        healthy = exit_code == 0 and said
        number = _NUMBER.search(output)
        first_line = shortened(output.strip().partition("\n")[0], TEXT_CHARACTERS)
        values = (
            *([Value("value", float(number[0]), self._options.unit)] if number else []),
            Value("exit_code", float(exit_code), "", "green" if exit_code == 0 else "red"),
            Value("healthy", healthy, "", "green" if healthy else "red"),
        )
        return Finding(first_line or _("exit {code}, and no output").format(code=exit_code), values)

    async def close(self) -> None:
        """Nothing is kept open."""

    async def _run(self) -> tuple[int, str]:
        """Exit status (128 + signal when killed, as shells say it) and the beginning of what was printed."""
        # Not as an argument: everybody on the machine can read those.
        script = in_memory(self._options.command.encode("utf-8", "surrogateescape"))
        try:
            process = await asyncio.create_subprocess_exec(
                "bash",
                "--noprofile",
                "--norc",
                f"/dev/fd/{script}",
                pass_fds=(script,),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env=child_environment(os.environ),
                start_new_session=True,
            )
        except OSError as error:
            raise ToolMissing(
                _("bash can't be started: {error}").format(error=error), mend=_("install bash")
            ) from error
        finally:
            os.close(script)
        assert process.stdout is not None
        try:
            output = await _beginning(process.stdout)
            status = await process.wait()
        finally:
            # The whole group, also after the shell has ended: what it left behind would go on between looks.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        return (status if status >= 0 else 128 - status), decode(output)


async def _beginning(stream: asyncio.StreamReader) -> bytes:
    """The first bytes; the rest is read and dropped, so that the command can end."""
    output = b""
    while chunk := await stream.read(65536):
        output = (output + chunk)[:_OUTPUT_BYTES]
    return output
