"""Reading a document in a process of its own while the screen's program is still being loaded.

Reading costs as much as half a first frame, most of it imports; on a second core it costs the viewer nothing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from cockpit.runbook.model import Runbook

_BLOCK_BYTES = 1 << 20


class ReadAhead:
    """A document that is being read. Begun before any thread is started, since it forks.

    Args:
        document: its bytes.
        path: where they are from, for the runbook and its errors.
    """

    def __init__(self, document: bytes, path: Path) -> None:
        self._document = document
        self._path = path
        self._pid: int | None = None
        self._runbook: Runbook | None = None
        self._result, result = os.pipe()
        try:
            self._pid = os.fork()
        except OSError:
            os.close(result)
            return
        if self._pid == 0:
            os.close(self._result)
            _read_and_leave(document, path, result)
        os.close(result)

    def runbook(self) -> Runbook:
        """The runbook, once it is read; read here and now when the other process could not.

        Raises:
            RunbookError: the document can't be read.
        """
        if self._runbook is None:
            self._runbook = self._taken()
        return self._runbook

    def _taken(self) -> Runbook:
        data = self._take()
        try:
            return msgspec.msgpack.decode(data, type=Runbook)
        except msgspec.MsgspecError:
            from cockpit.runbook.reading import read_bytes

            return read_bytes(self._document, str(self._path))

    def _take(self) -> bytes:
        blocks = []
        with os.fdopen(self._result, "rb", buffering=0) as pipe:
            while block := pipe.read(_BLOCK_BYTES):
                blocks.append(block)
        if self._pid:
            os.waitpid(self._pid, 0)
        return b"".join(blocks)


def _read_and_leave(document: bytes, path: Path, result: int) -> None:
    """In the child: write the runbook, or nothing. No exit handler of the parent may run here."""
    try:
        from cockpit.runbook.reading import read_bytes

        data = msgspec.msgpack.encode(read_bytes(document, str(path)), enc_hook=_plain)
        with os.fdopen(result, "wb") as pipe:
            pipe.write(data)
    finally:
        os._exit(0)


def _plain(value: Any) -> Any:
    """What msgpack has no word for: read-only mappings, as plain ones."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(type(value).__name__)
