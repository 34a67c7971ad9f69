"""When a connection that stands is asked for a sign of life, and when it is given up."""

from __future__ import annotations

from typing import Any, cast

import pytest

from cockpit.adapters.ssh.sessions import Shell
from cockpit.adapters.ssh.watched import _Link
from tests.waiting import wait_until


class Machine:
    """A connection and its transport, as far as watching goes."""

    def __init__(self) -> None:
        self.silent_s = 0.0
        self.busy = self.closed = self.answers = False
        self.asked = 0

    def heard(self) -> None:
        self.silent_s = 0.0

    def is_active(self) -> bool:
        return not self.closed and (self.answers or not self.asked)

    def global_request(self, _kind: str, *, wait: bool) -> None:
        assert wait
        self.asked += 1

    def close(self) -> None:
        self.closed = True


def watched(machine: Machine) -> Any:
    return _Link(cast(Any, machine), machine)


def test_one_of_hundreds_is_asked_less_often_unless_it_is_in_use() -> None:
    machine = Machine()
    machine.answers = True
    link = watched(machine)
    machine.silent_s = 5.0
    assert not link.is_over(10.0)
    assert machine.asked == 0
    machine.busy = True
    assert not link.is_over(10.0)
    wait_until(lambda: machine.asked == 1 and machine.silent_s == 0.0)


def test_a_machine_is_given_up_after_looks_without_an_answer_and_not_because_we_slept_ourselves() -> None:
    machine = Machine()
    machine.is_active = lambda: not machine.closed  # type: ignore[method-assign]
    machine.heard = lambda: None  # type: ignore[method-assign]
    link = watched(machine)
    machine.silent_s = 3600.0  # this machine was asleep
    assert not link.is_over(2.0)
    looks = 0
    while not link.is_over(2.0):
        looks += 1
        machine.silent_s = 3600.0
    assert looks >= 5
    wait_until(lambda: machine.closed)


def test_a_connection_that_goes_while_something_is_sent_is_a_broken_connection() -> None:
    class Gone:
        def sendall(self, _data: bytes) -> None:
            raise EOFError  # paramiko's

    with pytest.raises(BrokenPipeError):
        Shell(cast(Any, Gone())).send(b"true")
