"""What Redis says when it can't serve: told with what to do about it, and never as a traceback."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

import pytest

from cockpit.adapters.redis.adapter import RedisAdapter
from cockpit.adapters.redis.server import ServerOptions
from cockpit.adapters.step_program.__main__ import exit_status
from cockpit.adapters.step_program.adapter import Task
from cockpit.adapters.step_program.page import Page
from cockpit.errors import AccessDenied, CockpitError, Declined, OutcomeUnknown, TargetUnreachable


@contextmanager
def saying(*replies: bytes) -> Iterator[int]:
    """A server that gives these replies, whatever it is asked, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            one, _peer = listener.accept()
            with one:
                for reply in replies:
                    one.recv(1 << 16)
                    one.sendall(reply)
                one.recv(1 << 16)

        threading.Thread(target=serve, daemon=True).start()
        yield int(listener.getsockname()[1])


def perform(port: int, body: str, *, read_only: bool = False) -> None:
    adapter = RedisAdapter(ServerOptions(host="127.0.0.1", port=port))
    adapter.perform(Task(language="redis", body=body, read_only=read_only), Page(BytesIO()))


@pytest.mark.parametrize(
    ("reply", "error", "mend"),
    [
        (b"-LOADING Redis is loading the dataset in memory\r\n", Declined, "try again"),
        (b"-READONLY You can't write against a read only replica.\r\n", Declined, "primary"),
        (b"-MOVED 3999 127.0.0.1:6381\r\n", Declined, "node"),
        (b"-OOM command not allowed when used memory > 'maxmemory'.\r\n", Declined, "memory"),
        (b"-NOAUTH Authentication required.\r\n", AccessDenied, "password_env"),
        (b"-NOPERM this user has no permissions to run the 'set' command\r\n", AccessDenied, "ACL"),
        (b"-WRONGTYPE Operation against a key\r\n", Declined, ""),
        (b"-ERR unknown command 'FOO'\r\n", Declined, ""),
    ],
)
def test_each_refusal_is_told_with_what_to_do(reply: bytes, error: type[CockpitError], mend: str) -> None:
    with saying(b"+OK\r\n", reply) as port, pytest.raises(error) as told:
        perform(port, "SET a b")

    assert type(told.value) is error
    assert mend in told.value.mend
    assert told.value.where


def test_a_server_that_hangs_up_leaves_a_change_unknown_and_a_read_failed() -> None:
    with saying(b"+OK\r\n") as port, pytest.raises(OutcomeUnknown) as changed:
        perform(port, "SET a b")
    with saying(b"+OK\r\n") as port, pytest.raises(TargetUnreachable) as read:
        perform(port, "PING", read_only=True)

    assert (exit_status(changed.value), exit_status(read.value)) == (4, 2)


def test_what_speaks_something_else_is_said_so() -> None:
    with saying(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port, pytest.raises(CockpitError) as told:
        perform(port, "PING")

    assert "protocol" in str(told.value).lower()


def test_a_list_of_commands_stops_at_the_first_that_fails_and_says_where() -> None:
    with (
        saying(b"+OK\r\n", b"+OK\r\n", b"-ERR no\r\n") as port,
        pytest.raises(Declined) as told,
    ):
        perform(port, "SET a b\nSET c d\nSET e f")

    assert "2 of 3" in str(told.value)
