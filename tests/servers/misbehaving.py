"""An HTTP server that answers every request with bytes of the test's choosing, and keeps what it was asked."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.servers.holding import request_of


@dataclass
class Misbehaving:
    """`answer` is sent as it is; then the connection ends, unless `hangs`. `requests` are the heads that came."""

    port: int
    answer: bytes = b""
    hangs: bool = False
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def says(self, body: bytes, status: str = "200 OK", head: str = "") -> None:
        """A whole answer, after which the client knows that the connection ends."""
        head += f"Content-Length: {len(body)}\r\nConnection: close\r\n"
        self.answer = f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


@contextmanager
def misbehaving() -> Iterator[Misbehaving]:
    listener = socket.create_server(("127.0.0.1", 0))
    held = Misbehaving(int(listener.getsockname()[1]))
    over = threading.Event()

    def serve(near: socket.socket) -> None:
        with near, contextlib.suppress(OSError):
            held.requests.append(request_of(near))
            near.sendall(held.answer)
            if held.hangs:
                over.wait(60)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield held
    over.set()
    with contextlib.suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
    listener.close()
