"""A script's place at a session: commands over the socket of its host, and the state read from its folder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from cockpit.errors import HostUnreachable
from cockpit.session.line.client import HostClient
from cockpit.session.record.folder import SessionFolder
from cockpit.session.record.reader import SessionReader
from cockpit.session.record.state import SessionState

_CONNECT_S = 20.0
_KNOCK_S = 0.1


class SessionDesk:
    """One viewer without a screen. Made by `at_desk`."""

    def __init__(self, client: HostClient, reader: SessionReader) -> None:
        self._client = client
        self._reader = reader
        self._woken = asyncio.Event()
        client.on_wake = lambda _what: self._woken.set()
        client.on_lost = self._woken.set

    async def call(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Send one command to the host, as `HostClient.call` does."""
        return await self._client.call(command, **arguments)

    def state(self) -> SessionState:
        """The session as its folder tells it now."""
        self._reader.poll()
        return self._reader.state

    async def change(self) -> None:
        """Wait for the host's next word.

        Raises:
            HostUnreachable: the host is gone: there will be none.
        """
        await self._woken.wait()
        self._woken.clear()
        if not self._client.connected:
            raise HostUnreachable("the session's host went away", where=self._client.folder.name)


@asynccontextmanager
async def at_desk(folder: SessionFolder) -> AsyncIterator[SessionDesk]:
    """A desk at a session whose host has just been started.

    Raises:
        HostUnreachable: the host does not answer.
    """
    client = HostClient(folder)
    desk = SessionDesk(client, SessionReader(folder))
    end_s = asyncio.get_running_loop().time() + _CONNECT_S
    while not client.connected:
        try:
            await client.connect()
        except HostUnreachable:
            if asyncio.get_running_loop().time() > end_s:
                raise
            await asyncio.sleep(_KNOCK_S)
    try:
        yield desk
    finally:
        await client.close()
