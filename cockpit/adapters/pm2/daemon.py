"""Asking PM2's daemon over its socket, and `pm2 jlist` where the socket's answer can't be read.

A message is one byte (version 1 in the high half, the number of arguments in the low one), then for each argument its
length in four bytes, big end first, and its bytes: "j:" and JSON, or "s:" and text. A request's last argument is an
id, which the reply repeats.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import msgspec

from cockpit.adapters.probing import TEXT_CHARACTERS
from cockpit.errors import AccessDenied, Malformed, TargetUnreachable, ToolMissing
from cockpit.safety.environment import child_environment
from cockpit.words import _, shortened

PROCESSES = "getMonitorData"
"""The method that lists all processes."""
_VERSION = 1
_ID = "s:cockpit:1"
CAP_BYTES = 32 << 20
_HEAD_BYTES = 5


async def ask_daemon(socket: Path, method: str) -> list[Any]:
    """The processes as the daemon lists them.

    Raises:
        FileNotFoundError: no daemon serves the socket.
        AccessDenied: the socket is somebody else's.
        TargetUnreachable: the daemon broke off, or answered with an error.
        Malformed: the answer can't be understood.
    """
    try:
        reader, writer = await asyncio.open_unix_connection(str(socket))
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise FileNotFoundError(str(socket)) from error
    except PermissionError as error:
        raise AccessDenied(
            _("PM2 belongs to another user"), where=str(socket), mend=_("run the cockpit as that user")
        ) from error
    except OSError as error:
        raise TargetUnreachable(
            _("PM2's socket can't be used: {error}").format(error=error), where=str(socket)
        ) from error
    try:
        writer.write(request_for(method))
        await writer.drain()
        return listing_of(await _reply(reader), str(socket))
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        raise TargetUnreachable(
            _("PM2's daemon broke off its answer"), where=str(socket), mend=_("look at pm2.log in that folder")
        ) from error
    finally:
        writer.close()


async def run_jlist(home: Path) -> list[Any]:
    """The processes as `pm2 jlist` prints them. Call it only while a daemon runs: it would start one.

    Raises:
        ToolMissing: no `pm2` on PATH.
        Malformed: it failed, or printed no list.
    """
    program = shutil.which("pm2")
    if program is None:
        raise ToolMissing(
            _("PM2's daemon answers in an unknown way, and there is no pm2 on PATH"), mend=_("put pm2 on PATH")
        )
    process = await asyncio.create_subprocess_exec(
        program,
        "jlist",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=child_environment(os.environ) | {"PM2_HOME": str(home)},
        start_new_session=True,
    )
    try:
        output, _nothing = await process.communicate()
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    return printed_listing(output, str(home))


def request_for(method: str) -> bytes:
    """What to send the daemon to have it call that method."""
    request = msgspec.json.encode({"type": "call", "method": method, "args": [{}]})
    arguments = (b"j:" + request, _ID.encode())
    head = bytes([_VERSION << 4 | len(arguments)])
    return head + b"".join(len(part).to_bytes(4, "big") + part for part in arguments)


def is_whole(received: bytearray) -> bool:
    """Whether the first argument of a reply is here, or it will never be understood."""
    return len(received) >= _HEAD_BYTES and len(received) >= _HEAD_BYTES + _size_of(received)


def argument_of(reply: bytes) -> bytes:
    """The first argument of a reply.

    Raises:
        Malformed: the reply is not whole, or of another protocol.
    """
    if len(reply) < _HEAD_BYTES or len(reply) < _HEAD_BYTES + (size := _size_of(reply)):
        raise Malformed(_("PM2's daemon broke off its answer"))
    return reply[_HEAD_BYTES : _HEAD_BYTES + size]


def _size_of(reply: bytes | bytearray) -> int:
    _check_version(reply)
    size = int.from_bytes(reply[1:_HEAD_BYTES], "big")
    if size > CAP_BYTES:
        raise Malformed(_("PM2's answer is too large"))
    return size


def _check_version(reply: bytes | bytearray) -> None:
    if reply[0] >> 4 != _VERSION or not reply[0] & 0x0F:
        raise Malformed(_("PM2's daemon speaks another protocol"))


async def _reply(reader: asyncio.StreamReader) -> bytes:
    """The first argument of the reply."""
    head = await reader.readexactly(1)
    _check_version(head)
    head += await reader.readexactly(_HEAD_BYTES - 1)
    return await reader.readexactly(_size_of(head))


def listing_of(argument: bytes, where: str) -> list[Any]:
    """The list in {"args": [null, [...]]}."""
    try:
        if not argument.startswith(b"j:"):
            raise ValueError("not JSON")
        message = msgspec.json.decode(argument[2:])
        if "error" in message:
            raise TargetUnreachable(
                _("PM2 answered with an error: {error}").format(
                    error=shortened(str(message["error"]), TEXT_CHARACTERS)
                ),
                where=where,
            )
        listing = message["args"][-1]
        if not isinstance(listing, list):
            raise TypeError("no list")
    except (ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
        raise Malformed(_("PM2's daemon answered with something else than a list"), where=where) from error
    return listing


def printed_listing(output: bytes, where: str) -> list[Any]:
    """The list that `pm2 jlist` printed.

    Raises:
        Malformed: it printed none.
    """
    # Notices ("In-memory PM2 is out-of-date") may stand before the one line that holds the list.
    for line in reversed(output.splitlines()):
        if line.startswith(b"["):
            try:
                listing = msgspec.json.decode(line)
            except (ValueError, RecursionError):
                break
            if isinstance(listing, list):
                return listing
    raise Malformed(
        _("pm2 jlist printed no list of processes"), where=where, mend=_("run pm2 jlist by hand, and pm2 update")
    )
