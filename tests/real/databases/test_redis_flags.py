"""The flags that safety has written down are those that a server answers with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cockpit.safety.judge import judge
from cockpit.safety.redis.flags import ADMIN, READONLY, WRITE
from cockpit.safety.verdict import Verdict
from tests.servers.redis import redis_server

pytestmark = pytest.mark.real


def commands(entries: list[Any]) -> Iterator[tuple[str, set[str]]]:
    """Every command and sub-command with its flags."""
    for entry in entries:
        below = entry[9] if len(entry) > 9 else []
        if below:
            yield from commands(below)
        else:
            yield entry[0].decode(), {flag.decode() for flag in entry[2]}


@pytest.fixture(scope="module")
def flags() -> dict[str, set[str]]:
    import redis

    with redis_server() as server, redis.Redis(port=server.port, protocol=2) as client:
        client.set_response_callback("COMMAND", lambda reply, **_options: reply)
        return dict(commands(client.execute_command("COMMAND")))


def test_what_is_written_down_is_what_the_server_says(flags: dict[str, set[str]]) -> None:
    for flag, listed in (("readonly", READONLY), ("write", WRITE), ("admin", ADMIN)):
        wrong = sorted(name for name in listed if name in flags and flag not in flags[name])
        assert wrong == []


def test_no_command_that_the_server_calls_a_writer_is_called_read_only(flags: dict[str, set[str]]) -> None:
    writers = [name.replace("|", " ") for name, given in flags.items() if "write" in given]
    assert len(writers) > 90
    assert [name for name in writers if judge("redis", f"{name} k").verdict is Verdict.READ_ONLY] == []
