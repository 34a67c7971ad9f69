"""Hundreds of machines: few connections agree on keys at a time, and files are left for the session itself."""

from __future__ import annotations

import contextlib
import resource
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from cockpit.adapters.ssh import link, turns
from cockpit.adapters.ssh.adapter import SshAdapter, SshOptions
from cockpit.errors import CockpitError, NotTried
from cockpit.monitor.sample import Level, Outcome
from tests.servers.far import machines_of, probe_of, sample_of, sample_until
from tests.servers.server import require
from tests.servers.ssh import ssh_server
from tests.waiting import wait_until

MACHINES = 40
AT_ONCE = 8


class Slow:
    """A server that greets, and then never agrees on keys. `spoken_to`: connections whose client has begun to."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=MACHINES)
        self.port = self._listener.getsockname()[1]
        self.open: list[socket.socket] = []
        self.spoken_to = 0
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _address = self._listener.accept()
                self.open.append(connection)
                threading.Thread(target=self._greet, args=(connection,), daemon=True).start()

    def _greet(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            connection.sendall(b"SSH-2.0-Slow\r\n")
            if connection.recv(1):
                with self._lock:
                    self.spoken_to += 1

    def close(self) -> None:
        for each in (self._listener, *self.open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


@pytest.fixture
def slow() -> Iterator[Slow]:
    require("ssh")
    server = Slow()
    yield server
    server.close()


def test_few_connections_agree_on_keys_at_a_time_and_the_others_are_not_called_dead(
    slow: Slow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "_CONNECT_S", 600.0)
    config = tmp_path / "ssh_config"
    config.write_text(f"Host *\n  HostName 127.0.0.1\n  Port {slow.port}\n  IdentityAgent none\n")
    options = SshOptions(host="far", ssh_config=str(config))
    far = [SshAdapter(options).far(f"m{number}") for number in range(MACHINES)]

    def asked(number: int, deadline_s: float) -> str:
        with pytest.raises(CockpitError) as caught:
            far[number].ask("true", deadline_s=deadline_s)
        return "not tried" if isinstance(caught.value, NotTried) else "no answer"

    with ThreadPoolExecutor(MACHINES) as pool:
        looks = [pool.submit(asked, number, 600.0) for number in range(MACHINES)]
        wait_until(lambda: len(slow.open) == MACHINES and slow.spoken_to == AT_ONCE)
        told = [asked(number, 0.0) for number in range(MACHINES)]
        assert slow.spoken_to == AT_ONCE
        slow.close()
        assert {look.result() for look in looks} == {"no answer"}
    assert sorted(told) == ["no answer"] * AT_ONCE + ["not tried"] * (MACHINES - AT_ONCE)


async def test_a_connection_beyond_the_limit_on_open_files_costs_its_own_panel_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ssh_server(tmp_path / "server") as server:
        probe = probe_of(machines_of(server), "machine")
        few = SimpleNamespace(
            getrlimit=lambda _what: (8, 8), RLIMIT_NOFILE=resource.RLIMIT_NOFILE, RLIM_INFINITY=resource.RLIM_INFINITY
        )
        with monkeypatch.context() as patched:
            patched.setattr(turns, "resource", few)
            sample = await sample_of(probe)
        # It says nothing about that machine, which therefore is not red.
        assert (sample.outcome, sample.level) == (Outcome.FAILED, Level.YELLOW)
        assert "too many files open" in sample.error
        assert "ulimit" in sample.mend
        await sample_until(probe, lambda sample: sample.outcome is Outcome.DATA)
