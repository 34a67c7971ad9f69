"""Looking at another machine: short, fixed questions that /bin/sh over there answers, and that change nothing.

What is asked is text of ours, with the values of the configuration as quoted arguments. No document can have anything
asked: see `cockpit.config.entries`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable


class Far(Protocol):
    """Another machine that can be asked. Any thread may ask, several at once."""

    @property
    def name(self) -> str:
        """What the configuration calls it."""

    def ask(self, script: str, *, deadline_s: float, most_bytes: int = 1 << 20) -> bytes:
        """What the script prints on standard output; its standard input is empty. Blocks until the deadline at most.

        Raises:
            LinkDown: no way there, now. It is looked for again in the background.
            AccessDenied: it is not the machine it was, or lets nobody in.
            TimedOut: it did not end in time. Malformed: it printed more than `most_bytes`.
        """


@runtime_checkable
class ReachesSockets(Far, Protocol):
    """Its sockets can be spoken to as well, with no process started over there."""

    def exchange(
        self, socket: str, request: bytes, whole: Callable[[bytearray], bool], *, deadline_s: float, most_bytes: int
    ) -> bytes:
        """What is answered to a request over a unix socket. Blocks until the deadline at most.

        Args:
            socket: its absolute path.
            whole: whether what came so far is all of the answer.

        Raises:
            ToolMissing: there is no such socket, or the way to it is closed. Otherwise as `ask`.
        """


@runtime_checkable
class LooksAround(Protocol):
    """An adapter whose machine can be looked at, over the connection that its steps use."""

    def far(self, name: str) -> Far:
        """The machine, called as the configuration calls it. Connects to nothing yet."""
