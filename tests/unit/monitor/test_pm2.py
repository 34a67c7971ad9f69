"""PM2's socket when it says odd things, and the command line as the way round."""

from __future__ import annotations

import asyncio
import json
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cockpit.adapters.pm2.probe import Pm2Options, Pm2Probe
from cockpit.adapters.probing import Finding
from cockpit.errors import AdapterError, Malformed, TargetUnreachable, ToolMissing
from cockpit.safety.permit import Mode, grant
from tests.waiting import PATIENCE_S

Serve = Callable[[bytes], AbstractAsyncContextManager[None]]


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A PM2_HOME of short path (a socket's has a limit), with a PATH that has no pm2 of this machine."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        monkeypatch.setenv("PATH", f"{folder}/bin:/usr/bin:/bin")
        (Path(folder) / "bin").mkdir()
        yield Path(folder)


@pytest.fixture
def serve(home: Path) -> Serve:
    @asynccontextmanager
    async def serving(reply: bytes) -> AsyncIterator[None]:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readexactly(5)
            writer.write(reply)
            await writer.drain()
            writer.close()

        async with await asyncio.start_unix_server(answer, home / "rpc.sock"):
            yield

    return serving


def frame(message: Any) -> bytes:
    argument = b"j:" + json.dumps(message).encode()
    return b"\x12" + len(argument).to_bytes(4, "big") + argument + (4).to_bytes(4, "big") + b"s:id"


def install_pm2(home: Path, printed: str, exit_code: int = 0) -> None:
    """A stand-in for the command line, which notes that it was called."""
    (home / "printed").write_text(printed)
    program = home / "bin" / "pm2"
    program.write_text(f'#!/bin/sh\necho "$@" >> "{home}/calls"\ncat "{home}/printed"\nexit {exit_code}\n')
    program.chmod(0o755)


async def look(home: Path) -> Finding:
    return await within(Pm2Probe(Pm2Options(home=str(home)), 5.0))


async def within(probe: Pm2Probe) -> Finding:
    async with asyncio.timeout(PATIENCE_S):
        return await probe.look(grant(probe.action, probe.judgement, Mode.READ_ONLY, by="test"))


async def failure(awaitable: Awaitable[Finding]) -> AdapterError:
    with pytest.raises(AdapterError) as caught:
        await awaitable
    return caught.value


PROCESS = {"name": "web", "pm_id": 3, "pid": 9, "monit": {"cpu": 2.5, "memory": 1024}, "pm2_env": {"status": "online"}}
ODD = [b"\x22zzzz", b"\x10", frame([1]), frame({"args": [None, {}]}), frame({"args": []}), b"\x11\x00\x00\x00\x03s:x"]


async def test_the_daemons_list(home: Path, serve: Serve) -> None:
    async with serve(frame({"args": [None, [PROCESS]]})):
        found = await look(home)
    assert [(row["name"], row["pm_id"], row["cpu_percent"]) for row in found.rows] == [("web", 3, 2.5)]


@pytest.mark.parametrize("reply", ODD)
async def test_an_answer_in_another_protocol_goes_round_by_the_command_line(
    home: Path, serve: Serve, reply: bytes
) -> None:
    install_pm2(home, ">>>> In-memory PM2 is out-of-date, do:\n>>>> $ pm2 update\n" + json.dumps([PROCESS]) + "\n")
    async with serve(reply):
        found = await look(home)
    assert [row["name"] for row in found.rows] == ["web"]
    assert (home / "calls").read_text() == "jlist\n"


@pytest.mark.parametrize("printed", ["", "not a list", "[1, 2", '{"a": 1}', "[" * 100_000])
async def test_garbage_from_the_command_line_is_malformed(home: Path, serve: Serve, printed: str) -> None:
    install_pm2(home, printed)
    async with serve(ODD[0]):
        assert isinstance(await failure(look(home)), Malformed)


async def test_no_command_line_either(home: Path, serve: Serve) -> None:
    async with serve(ODD[0]):
        assert isinstance(await failure(look(home)), ToolMissing)


@pytest.mark.parametrize("reply", [b"", b"\x12\x00\x00\x01\x00j:", frame({"error": "boom", "stack": "x"})])
async def test_a_daemon_that_breaks_off_or_says_no_has_failed(home: Path, serve: Serve, reply: bytes) -> None:
    install_pm2(home, "[]")
    async with serve(reply):
        assert isinstance(await failure(look(home)), TargetUnreachable)
    assert not (home / "calls").exists()


async def test_a_socket_that_nobody_serves_is_no_daemon_and_starts_none(home: Path) -> None:
    install_pm2(home, "[]")
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(home / "rpc.sock"))
    found = await look(home)
    assert found.none
    assert not (home / "calls").exists()


@pytest.mark.parametrize("process", [None, 5, {}, {"pm2_env": []}, {"name": 3, "pm_id": "x", "monit": {"cpu": "?"}}])
async def test_processes_of_odd_shapes_do_no_harm(home: Path, serve: Serve, process: Any) -> None:
    async with serve(frame({"args": [None, [process, PROCESS]]})):
        found = await look(home)
    assert [row["name"] for row in found.rows] == ["", "web"]


async def test_one_restart_is_a_deployment_and_several_in_a_minute_are_a_loop(home: Path) -> None:
    replies: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(5)
        writer.write(replies.pop(0))
        await writer.drain()
        writer.close()

    for restarts in (7, 8, 9, 0):
        process = {**PROCESS, "pm2_env": {"status": "online", "restart_time": restarts}}
        replies.append(frame({"args": [None, [process]]}))
    probe = Pm2Probe(Pm2Options(home=str(home)), 5.0)
    async with await asyncio.start_unix_server(answer, home / "rpc.sock"):
        rows = [(await within(probe)).rows[0] for _look in range(4)]
    assert [(row["restarts_change"], row["level"]) for row in rows] == [
        (0, "green"),
        (1, "green"),
        (2, "yellow"),
        (0, "green"),
    ]


async def test_a_process_that_waits_for_its_restart_for_ever_is_down(
    home: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    # PM2 says so of a process that it gave up on after too many unstable restarts.
    probe, now_s = Pm2Probe(Pm2Options(home=str(home)), 5.0), time.monotonic()
    monkeypatch.setattr("cockpit.adapters.pm2.probe.time", SimpleNamespace(monotonic=lambda: now_s, time=time.time))
    waiting = frame({"args": [None, [{**PROCESS, "pm2_env": {"status": "waiting restart", "restart_time": 3}}]]})
    async with serve(waiting):
        assert (await within(probe)).rows[0]["level"] == "yellow"
        now_s += 60
        found = await within(probe)
    assert found.rows[0]["level"] == "red"
    assert found.text == "0 of 1 online · web waiting restart"
    assert next(value.level for value in found.values if value.name == "down") == "red"
