"""Connections that stand are watched by one thread: a thread each, or a question each every second, would be work."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from paramiko import Transport

_LOOK_S = 0.5
_UNANSWERED_S = 4.0
_SIGN_OF_LIFE_S = 2.0
_QUESTIONS_PER_S = 50
"""Over all connections. Hundreds that nobody uses are asked less often; one that is in use is not."""


class Standing(Protocol):
    """A connection, as far as watching it goes. Never blocks."""

    @property
    def silent_s(self) -> float:
        """For how long nothing has come from over there."""

    @property
    def busy(self) -> bool:
        """Whether somebody waits for what comes over it."""

    def heard(self) -> None:
        """Something came from over there."""


class Watched:
    """All connections of this process: each is asked for a sign of life when it is silent, and hung up on without one.

    Whoever reads from it is released. paramiko sends keepalives and never counts the answers (measured: a stopped peer
    is not noticed). The time without an answer is counted in looks: a process that stood still itself, or hardly got
    the processor, has heard nobody, and may not blame the others.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._links: dict[Transport, _Link] = {}
        self._thread: threading.Thread | None = None

    def add(self, transport: Transport, link: Standing) -> None:
        """Watch it until it ends."""
        with self._lock:
            self._links[transport] = _Link(transport, link)
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="ssh-watch", daemon=True)
                self._thread.start()

    def _look(self) -> None:
        while True:
            time.sleep(_LOOK_S)
            with self._lock:
                idle_s = max(_SIGN_OF_LIFE_S, len(self._links) / _QUESTIONS_PER_S)
                for transport in [each for each, link in self._links.items() if link.is_over(idle_s)]:
                    del self._links[transport]
                if not self._links:
                    self._thread = None
                    return


class _Link:
    """One of them, and the question that it has not answered yet."""

    def __init__(self, transport: Transport, link: Standing) -> None:
        self._transport = transport
        self._link = link
        self._asked_s: float | None = None
        self._looks = 0

    def is_over(self, idle_s: float) -> bool:
        """Look: ask where it is time to, hang up where nothing came; whether there is nothing to watch any more."""
        silent_s = self._link.silent_s
        if not self._transport.is_active():
            self._aside(self._transport.close)
            return True
        if self._asked_s is not None and silent_s < time.monotonic() - self._asked_s:
            self._asked_s = None
        if self._asked_s is not None:
            self._looks += 1
            if self._looks * _LOOK_S >= _UNANSWERED_S:
                self._aside(self._transport.close)  # it waits for the connection's own thread
                return True
        elif silent_s >= (_SIGN_OF_LIFE_S if self._link.busy else idle_s):
            self._asked_s, self._looks = time.monotonic(), 0
            self._aside(self._ask)
        return False

    def _aside(self, work: Callable[[], None]) -> None:
        threading.Thread(target=work, name="ssh-sign", daemon=True).start()

    def _ask(self) -> None:
        """In a thread of its own: where the way is stopped up, even asking waits."""
        self._transport.global_request("keepalive@openssh.com", wait=True)
        if self._transport.is_active():
            self._link.heard()
