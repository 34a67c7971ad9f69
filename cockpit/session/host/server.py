"""The host's side of the line: one connection a viewer, one JSON object a line, spectators only read."""

from __future__ import annotations

import asyncio
import json
import os
import traceback
from collections.abc import Awaitable
from typing import Any

from cockpit.errors import CockpitError, PolicyRefusal, UsageError
from cockpit.runs.process import boot_id, process_start_time
from cockpit.session.host.requests import REQUESTS, Served, error_as_json
from cockpit.session.line.address import peer_of, socket_path
from cockpit.session.line.connection import Connection
from cockpit.session.record.folder import private_opener
from cockpit.session.record.secrets import redacted
from cockpit.words import _

_LINE_LIMIT = 16 << 20
_READING = frozenset({"hello", "secrets", "probe_now"})
_TELLING_SECRETS = frozenset({"secrets", "reveal"})


class Server:
    """Listens on the session's socket and carries out what viewers ask of the host."""

    def __init__(self, host: Served) -> None:
        self._host = host
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self._path = socket_path(host.folder)
        self._count = 0

    @property
    def viewers(self) -> int:
        """How many are on the line."""
        return len(self._connections)

    @property
    def somebody_acts(self) -> bool:
        """Whether somebody is on the line who may do more than read."""
        return any(one.greeted and not one.spectator for one in self._connections)

    async def listen(self) -> None:
        """Open the socket, 0600, and say in host.json where it is."""
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, path=str(self._path), limit=_LINE_LIMIT)
        self._path.chmod(0o600)
        self._publish()

    def _publish(self) -> None:
        pid = os.getpid()
        address = {
            "pid": pid,
            "start_time": process_start_time(pid),
            "boot_id": boot_id(),
            "socket": str(self._path),
        }
        host_file = self._host.folder.host
        temporary = host_file.with_suffix(".new")
        temporary.unlink(missing_ok=True)
        with open(temporary, "x", opener=private_opener) as file:
            json.dump(address, file)
        temporary.replace(host_file)

    def wake(self, what: str) -> None:
        """Tell every viewer that there is something new to read."""
        for connection in self._connections:
            connection.send({"wake": what})

    async def close(self) -> None:
        """Stop listening and hang up."""
        if self._server:
            self._server.close()
        for connection in list(self._connections):
            connection.writer.close()
        self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = peer_of(writer.get_extra_info("socket"))
        if peer is None or peer.uid != os.geteuid():
            writer.close()
            return
        self._count += 1
        connection = Connection(writer, f"v{os.getpid()}-{self._count}")
        self._connections.add(connection)
        try:
            while line := await reader.readline():
                task = asyncio.create_task(self._answer(connection, line))
                connection.tasks.add(task)
                task.add_done_callback(connection.tasks.discard)
        except (ConnectionError, ValueError):
            pass  # an overlong line or a dead link: hang up, the viewer reads on from the folder
        finally:
            self._connections.discard(connection)
            writer.close()
            if connection.greeted and not self._host.ended.is_set():
                self._host.engine.record(
                    "viewer.detached", actor=connection.actor, viewer=connection.viewer, user=connection.user
                )

    async def _answer(self, connection: Connection, line: bytes) -> None:
        number: Any = None
        try:
            request = json.loads(line)
            number = request.pop("id", None)
            do = str(request.pop("do", ""))
            answer = await self._carry_out(connection, do, request)
            connection.send({"id": number, "ok": answer if do in _TELLING_SECRETS else self._cleaned(answer)})
        except CockpitError as error:
            self._refuse(connection, number, error_as_json(error))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            what = _("the request is malformed: {error}").format(error=repr(error))
            self._refuse(connection, number, {"what": what, "where": "", "mend": "", "exit_code": 2})
        except Exception as error:  # noqa: BLE001  # whatever went wrong, the viewer that waits must hear of it
            traceback.print_exc()  # to host.log
            what = _("a defect of the cockpit itself: {error}").format(error=repr(error))
            self._refuse(connection, number, {"what": what, "where": "host.log", "mend": "", "exit_code": 1})

    def _refuse(self, connection: Connection, number: Any, error: dict[str, Any]) -> None:
        """Errors quote what was wrong, and that may be a secret."""
        connection.send({"id": number, "error": self._cleaned(error)})

    def _cleaned(self, answer: dict[str, Any]) -> dict[str, Any]:
        return redacted(answer, self._host.engine.secrets.redact)

    async def _carry_out(self, connection: Connection, do: str, given: dict[str, Any]) -> dict[str, Any]:
        command = REQUESTS.get(do)
        if command is None:
            raise UsageError(_("unknown command {name}").format(name=do))
        if connection.spectator and do not in _READING:
            raise PolicyRefusal(_("a spectator only reads"), mend=_("attach without --spectate"))
        answer = command(self._host, connection, given)
        if isinstance(answer, Awaitable):
            answer = await answer
        return answer or {}
