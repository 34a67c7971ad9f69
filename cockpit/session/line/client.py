"""A viewer's line to the host: commands over a unix socket, wake-ups back.

One JSON object a line. Request {"id", "do", ...arguments}; answer {"id", "ok": {...}} or {"id", "error": {what, where,
mend, exit_code}}; wake-up {"wake": "journal" | "samples"}. The session folder stays the truth: an answer only says
that a command was taken.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Callable
from typing import Any

from cockpit.errors import CockpitError, FolderGone, HostUnreachable, PolicyRefusal, UsageError
from cockpit.places import user_name
from cockpit.session.record.folder import SessionFolder
from cockpit.session.steps.proposal import Proposal
from cockpit.words import _

_LINE_LIMIT = 16 << 20


class HostClient:
    """Commands to the host of one session. `on_wake(kind)` and `on_lost()` are called on the event loop."""

    def __init__(self, folder: SessionFolder, *, spectator: bool = False) -> None:
        self.folder = folder
        self.spectator = spectator
        self.on_wake: Callable[[str], None] = lambda _kind: None
        self.on_lost: Callable[[], None] = lambda: None
        self._writer: asyncio.StreamWriter | None = None
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._next_id = 0
        self._listener: asyncio.Task[None] | None = None

    @property
    def connected(self) -> bool:
        """Whether the line is up."""
        return self._writer is not None

    async def connect(self) -> dict[str, Any]:
        """Open the line and say hello; returns {"session", "pid", "mode"}.

        Raises:
            HostUnreachable: no host, or it does not answer (yet). Other CockpitErrors: the host could not serve, and
                why; trying again without mending that is no use.
        """
        try:
            socket_path = json.loads(self.folder.host.read_bytes())["socket"]
            reader, self._writer = await asyncio.open_unix_connection(socket_path, limit=_LINE_LIMIT)
        except (OSError, ValueError, KeyError) as error:
            self._raise_last_word()
            raise HostUnreachable(
                _("the session's host does not answer"),
                where=self.folder.name,
                mend=_("`cockpit attach {session}` starts it again").format(session=self.folder.name),
            ) from error
        self._listener = asyncio.create_task(self._listen(reader), name="host-client")
        return await self.call(
            "hello",
            user=user_name(),
            origin=os.environ.get("SSH_CONNECTION", "").split(" ")[0],
            pid=os.getpid(),
            spectator=self.spectator,
        )

    def _raise_last_word(self) -> None:
        """A host that could not serve (a broken cockpit.toml) leaves its error in the folder."""
        try:
            data = json.loads((self.folder.path / "host.error").read_bytes())
        except (OSError, ValueError):
            return
        raise error_from(data)

    async def call(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Send one command and wait for its answer.

        Raises:
            HostUnreachable: the line is down. Other CockpitErrors: the host refused, with its reason.
        """
        if self._writer is None:
            raise HostUnreachable(_("the session's host does not answer"), where=self.folder.name)
        self._next_id += 1
        number = self._next_id
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        line = json.dumps({"id": number, "do": command, **arguments}).encode() + b"\n"
        try:
            self._writer.write(line)
            await self._writer.drain()
            message = await answer
        except ConnectionError as error:
            raise HostUnreachable(_("the session's host went away"), where=self.folder.name) from error
        finally:
            self._answers.pop(number, None)
        if "error" in message:
            raise error_from(message["error"])
        return dict(message.get("ok") or {})

    async def propose(
        self,
        step: str,
        *,
        part: str | None = None,
        code: str | None = None,
        target: str | None = None,
        rest: bool = False,
    ) -> Proposal:
        """What running the step (or one part, or an edited text) would do, judged; nothing runs.

        Args:
            rest: of a group only where it has not passed.
        """
        asked = await self.call("propose", step=step, part=part, code=code, target=target, rest=rest)
        return Proposal.from_json(asked)

    async def run(
        self,
        proposal: Proposal,
        *,
        rung: str = "none",
        typed: str = "",
        reason: str = "",
        terminal: tuple[int, int] | None = None,
    ) -> int:
        """Run what was proposed; returns the run's number once it is under way. `rung` is how it was confirmed."""
        answer = await self.call(
            "run",
            proposal=proposal.proposal,
            sha256=proposal.sha256,
            rung=rung,
            typed=typed,
            reason=reason,
            terminal=list(terminal) if terminal else None,
        )
        return int(answer["run"])

    async def close(self) -> None:
        """Hang up. The session goes on."""
        listener, writer = self._listener, self._writer
        self._listener = self._writer = None
        if listener:
            listener.cancel()
            await asyncio.gather(listener, return_exceptions=True)
        if writer:
            await _hang_up(writer)

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        try:
            while line := await reader.readline():
                message = json.loads(line)
                if "wake" in message:
                    self.on_wake(message["wake"])
                elif (answer := self._answers.get(message.get("id", -1))) and not answer.done():
                    answer.set_result(message)
        except (OSError, ValueError):
            pass  # a broken line is a lost host: told below, and `call` raises for whoever waits
        writer, self._writer = self._writer, None
        if writer:
            await _hang_up(writer)
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(ConnectionResetError())
        self.on_lost()


async def _hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


def error_from(data: dict[str, Any]) -> CockpitError:
    """The error a host sent, as one of ours, with its exit code kept."""
    kinds = {2: UsageError, 3: PolicyRefusal}
    kind = FolderGone if data.get("folder_gone") else kinds.get(int(data.get("exit_code", 1)), CockpitError)
    return kind(str(data["what"]), where=str(data.get("where", "")), mend=str(data.get("mend", "")))
