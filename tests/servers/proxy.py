"""A wire between a client and a server that can be cut."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Proxy:
    """Passes bytes on to a port of loopback until it is cut."""

    def __init__(self, onward: int) -> None:
        self._onward = onward
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._barred = False
        self._left: int | None = None
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break every connection there is; new ones are taken."""
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def reset(self) -> None:
        """As `cut`, and both ends get a reset in place of an end."""
        for one in self._open:
            with contextlib.suppress(OSError):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.cut()

    def reset_after(self, passed_bytes: int) -> None:
        """`reset` once so many more bytes have gone to the server, and not one more."""
        self._left = passed_bytes

    def bar(self) -> None:
        """Cut, and break every new connection too."""
        self._barred = True
        self.cut()

    def open_again(self) -> None:
        """Take new ones again."""
        self._barred = False

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _peer = self._listener.accept()
                if self._barred:
                    near.close()
                    continue
                far = socket.create_connection(("127.0.0.1", self._onward))
                self._open += [near, far]
                threading.Thread(target=_pass_on, args=(near, far, self._allowed), daemon=True).start()
                threading.Thread(target=_pass_on, args=(far, near, lambda data: data), daemon=True).start()

    def _allowed(self, data: bytes) -> bytes:
        if self._left is None:
            return data
        passed = data[: self._left]
        self._left -= len(passed)
        if not self._left:
            self._left = None
            self.reset()
        return passed


def _pass_on(source: socket.socket, sink: socket.socket, allowed: Callable[[bytes], bytes]) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            sink.sendall(allowed(data))
    for one in (source, sink):
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
    source.close()


@contextmanager
def proxied(port: int) -> Iterator[Proxy]:
    proxy = Proxy(port)
    yield proxy
    proxy.close()
