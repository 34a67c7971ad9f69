"""A wire to an HTTP server that holds back certain requests until they are let go, or cut."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Tls = tuple[ssl.SSLContext, ssl.SSLContext]
_LENGTH = re.compile(rb"(?i)^content-length:\s*(\d+)\s*$", re.M)


class HoldingWire:
    """Passes one request a connection on to a port of loopback; those that `waits` says so of wait.

    Args:
        waits: of a request, and of whether the wire is cut: then it is broken as well.
        tls: (what shows a certificate on this side, what trusts the one on the other); None for plain HTTP.
    """

    def __init__(self, onward: int, waits: Callable[[bytes, bool], bool], tls: Tls | None = None) -> None:
        self._onward = onward
        self._waits = waits
        self._tls = tls
        self._held: list[tuple[socket.socket, bytes]] = []
        self._broken = False
        self._arrived = threading.Condition()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def holds(self) -> bool:
        """Whether somebody waits for an answer now. Asking mends a cut wire."""
        self._broken = False
        return any(not _is_gone(near) for near, _request in self._held)

    def cut(self) -> None:
        """Break what is held, and what comes again for it."""
        self._broken = True
        for near, _request in self._taken():
            _end(near)

    def let_go(self) -> None:
        """Wait for a request to hold, and let every one through."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._held, timeout=30)
        for near, request in self._taken():
            self._exchange(near, request)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _taken(self) -> list[tuple[socket.socket, bytes]]:
        held, self._held = self._held, []
        return held

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _peer = self._listener.accept()
                threading.Thread(target=self._take, args=(near,), daemon=True).start()

    def _take(self, near: socket.socket) -> None:
        with contextlib.suppress(OSError):
            near = self._tls[0].wrap_socket(near, server_side=True) if self._tls else near
            request = request_of(near)
            if not self._waits(request, self._broken):
                self._exchange(near, request)
            elif self._broken:
                _end(near)
            else:
                with self._arrived:
                    self._held.append((near, request))
                    self._arrived.notify_all()

    def _exchange(self, near: socket.socket, request: bytes) -> None:
        with self._connected() as far, contextlib.suppress(OSError):
            head, gap, body = request.partition(b"\r\n\r\n")
            far.sendall(head + b"\r\nConnection: close" + gap + body)
            while data := far.recv(1 << 16):
                near.sendall(data)
        _end(near)

    def _connected(self) -> socket.socket:
        far = socket.create_connection(("127.0.0.1", self._onward))
        return self._tls[1].wrap_socket(far, server_hostname="127.0.0.1") if self._tls else far


def request_of(near: socket.socket) -> bytes:
    """Head and body of a request, without its wish to keep the connection."""
    read = b""
    while b"\r\n\r\n" not in read:
        more = near.recv(1 << 16)
        if not more:
            return read
        read += more
    head, gap, body = read.partition(b"\r\n\r\n")
    if b"100-continue" in head.lower():
        near.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    found = _LENGTH.search(head)
    while len(body) < int(found[1] if found else 0):
        body += near.recv(1 << 16)
    return re.sub(rb"(?im)^(?:connection|expect):.*\r\n", b"", head + b"\r\n")[:-2] + gap + body


def _is_gone(near: socket.socket) -> bool:
    """Whether the other side has hung up."""
    try:
        # Past TLS, which can't peek: all that matters is the end of the connection.
        return socket.socket.recv(near, 1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def _end(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


@contextmanager
def holding(port: int, marker: bytes) -> Iterator[HoldingWire]:
    """A wire that holds back requests with a certain text in them."""
    with holding_where(port, lambda request, _cut: marker in request) as wire:
        yield wire


@contextmanager
def holding_where(port: int, waits: Callable[[bytes, bool], bool], tls: Tls | None = None) -> Iterator[HoldingWire]:
    """A wire that holds back such requests. See `HoldingWire`."""
    wire = HoldingWire(port, waits, tls)
    yield wire
    wire.close()
