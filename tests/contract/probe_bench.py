"""What a kind of probe brings along so that the contract suite can ask of it what it asks of every other."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

HOSTILE = "\x1b]52;c;aGk=\x07\x9b31m\u202e[red]bold[/] password=hunter2hunter2 한글"


@dataclass
class Bench:
    """Options that find something, options that can't, and one key that this kind does not have."""

    good: dict[str, Any]
    broken: dict[str, Any]


def answering(answers: dict[str, Any]) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    """What answers a question at each of these paths with JSON."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            asked = await reader.readuntil(b"\r\n\r\n")
            found = re.search(rb"(?i)content-length: *(\d+)", asked)
            await reader.readexactly(int(found[1]) if found else 0)
            body = json.dumps(answers[asked.split(b" ")[1].partition(b"?")[0].decode()]).encode()
            head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
            writer.write(head + body)
            await writer.drain()
        writer.close()

    return serve


@contextlib.asynccontextmanager
async def api_bench(answers: dict[str, Any], **options: Any) -> AsyncIterator[Bench]:
    async with await asyncio.start_server(answering(answers), "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield Bench({"url": url, **options}, {"url": "http://127.0.0.1:1", **options})
