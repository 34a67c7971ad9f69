"""The stand-in's daemon: answers on `$PM2_HOME/rpc.sock` until told to end, or until its world's keeper is gone."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from cockpit.rehearsal.backend import keeper_gone
from cockpit.rehearsal.pm2.supervisor import Supervisor
from cockpit.rehearsal.pm2.wire import pack, unpack

VERSION = "stand-in"
_LOOK_S = 1.0


class Daemon:
    """The socket's methods, by PM2's names."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.supervisor = Supervisor()
        self.ending = asyncio.Event()
        self.methods: dict[str, Callable[..., Awaitable[Any]]] = {
            "getVersion": self._version,
            "getMonitorData": self._monitor_data,
            "prepare": self._prepare,
            "restartProcessId": lambda options: self._changed(self.supervisor.restart(int(options["id"]))),
            "stopProcessId": lambda app_id: self._changed(self.supervisor.stop(int(app_id))),
            "deleteProcessId": lambda app_id: self._changed(self.supervisor.delete(int(app_id))),
            "resetMetaProcessId": self._reset,
            "killMe": self._kill,
        }

    async def serve(self) -> None:
        """Answer until `killMe`, a TERM, or the keeper's end; then stop every application."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.ending.set)
        socket_path = self.home / "rpc.sock"
        socket_path.unlink(missing_ok=True)
        server = await asyncio.start_unix_server(self._converse, path=socket_path)
        (self.home / "pm2.pid").write_text(str(os.getpid()), encoding="utf-8")
        watch = asyncio.create_task(self._watch_keeper())
        await self.ending.wait()
        watch.cancel()
        server.close()
        await self.supervisor.stop_all()
        for path in (socket_path, self.home / "pm2.pid"):
            path.unlink(missing_ok=True)

    async def _watch_keeper(self) -> None:
        lock = Path(os.environ["WORLD_LOCK"])
        while not self.ending.is_set():
            if keeper_gone(lock):
                self.ending.set()
            try:
                async with asyncio.timeout(_LOOK_S):
                    await self.ending.wait()
            except TimeoutError:
                continue

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                request, *identity = await _frame(reader)
                writer.write(pack([await self._answer(request), *identity]))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            writer.close()

    async def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        method = self.methods.get(request.get("method", ""))
        if method is None:
            return {"error": f'method "{request.get("method")}" does not exist'}
        try:
            return {"args": [await method(*request.get("args", []))]}
        except KeyError as error:
            return {"error": f"{error.args[0]} unknown"}
        except OSError as error:
            return {"error": str(error)}

    async def _version(self) -> str:
        return VERSION

    async def _monitor_data(self, *_options: Any) -> list[dict[str, Any]]:
        return [app.describe() for app in self.supervisor.apps.values()]

    async def _prepare(self, spec: dict[str, Any]) -> list[dict[str, Any]]:
        return await self._changed(self.supervisor.start(spec))

    async def _changed(self, change: Awaitable[None]) -> list[dict[str, Any]]:
        await change
        return await self._monitor_data()

    async def _reset(self, app_id: int) -> list[dict[str, Any]]:
        app = self.supervisor.apps[int(app_id)]
        app.restarts = app.short_lives = 0
        return await self._monitor_data()

    async def _kill(self, *_options: Any) -> str:
        # The caller must be able to rely on it: the applications are down before the answer goes out.
        await self.supervisor.stop_all()
        self.ending.set()
        return "killed"


async def _frame(reader: asyncio.StreamReader) -> list[Any]:
    head = await reader.readexactly(1)
    data = bytearray(head)
    for _number in range(head[0] & 0x0F):
        size = await reader.readexactly(4)
        data += size + await reader.readexactly(int.from_bytes(size, "big"))
    view = memoryview(bytes(data))
    position = 0

    def read(count: int) -> bytes:
        nonlocal position
        position += count
        return bytes(view[position - count : position])

    return unpack(read)
