"""PM2's socket protocol, as its own command line speaks it on `$PM2_HOME/rpc.sock`.

A frame is one byte 0x10 | argument count, then each argument as a 4-byte big-endian length and `j:` JSON or `s:` text.
A request is [{type: "call", method, args}, id]; its reply is [{args: [...]} or {error: text}, id].
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

_LIMIT_BYTES = 1 << 24


def pack(arguments: list[Any]) -> bytes:
    """One frame."""
    parts = [bytes([0x10 | len(arguments)])]
    for argument in arguments:
        text = f"s:{argument}" if isinstance(argument, str) else "j:" + json.dumps(argument)
        encoded = text.encode()
        parts += [struct.pack(">I", len(encoded)), encoded]
    return b"".join(parts)


def unpack(read: Callable[[int], bytes]) -> list[Any]:
    """The next frame's arguments; `read(n)` gives exactly n bytes.

    Raises:
        ValueError: not a frame.
    """
    arguments: list[Any] = []
    for _number in range(read(1)[0] & 0x0F):
        (length,) = struct.unpack(">I", read(4))
        if length > _LIMIT_BYTES:
            raise ValueError(f"a frame argument of {length} bytes")
        kind, _colon, text = read(length).decode().partition(":")
        arguments.append(json.loads(text) if kind == "j" else text)
    return arguments


def call(path: Path, method: str, *arguments: Any, timeout_s: float = 20.0) -> Any:
    """Call the daemon behind `path` and return its answer.

    Raises:
        OSError: no daemon answers. RuntimeError: it answered with an error.
    """
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(timeout_s)
        line.connect(str(path))
        line.sendall(pack([{"type": "call", "method": method, "args": list(arguments)}, "1"]))
        with line.makefile("rb") as stream:
            reply = unpack(lambda count: _exactly(stream.read(count), count))[0]
    if "error" in reply:
        raise RuntimeError(reply["error"])
    return reply["args"][0] if reply.get("args") else None


def _exactly(data: bytes | None, count: int) -> bytes:
    if data is None or len(data) != count:
        raise ConnectionResetError("the daemon hung up")
    return data
