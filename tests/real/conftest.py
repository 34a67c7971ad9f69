"""A far machine for every test that goes to one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from cockpit.monitor.machines import Machines
from tests.servers.far import Desk, machines_of
from tests.servers.ssh import SshServer, ssh_server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    """An sshd of this test alone, which it may stop and cut."""
    with ssh_server(tmp_path / "server") as made:
        yield made


@pytest.fixture
def machines(server: SshServer) -> Machines:
    """The links of a monitor to it."""
    return machines_of(server)


@pytest.fixture
async def desk(server: SshServer, tmp_path: Path) -> AsyncIterator[Desk]:
    """Steps on it, all ended afterwards."""
    made = Desk(server, tmp_path)
    yield made
    await made.end_all()
