"""A machine over a real sshd: steps on it, probes of it, and their samples."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cockpit.adapters.base import Outcome
from cockpit.adapters.far import LooksAround
from cockpit.adapters.ssh.adapter import SshAdapter, SshRunning
from cockpit.config import ProbeConfig
from cockpit.monitor.machines import Machines
from cockpit.monitor.probe import Probe
from cockpit.monitor.registry import build
from cockpit.monitor.sample import Sample
from cockpit.safety.permit import Permit
from cockpit.safety.redaction.redactor import Redactor
from tests.runs import Runs, read_permit
from tests.servers.ssh import SshServer
from tests.waiting import until

DEADLINE_S = 20.0


def permit_for(text: str, **values: str) -> Permit:
    return read_permit(text, values, target="far")


class Desk(Runs[SshRunning]):
    """Starts steps on "far"."""

    def __init__(self, server: SshServer, root: Path) -> None:
        super().__init__(root)
        self.server = server
        self.anew()

    def anew(self) -> None:
        """Forget the connection, and what ssh was told."""
        self.adapter = SshAdapter(self.server.options, grace_s=1.0)

    async def start(self, text: str, **request: Any) -> tuple[SshRunning, Path]:
        return await self.begin(self.adapter, permit_for(text), **request)

    async def run(self, text: str, **request: Any) -> tuple[Outcome, str]:
        outcome, output = await self.over(self.start(text, **request))
        return outcome, output.decode()


def said(folder: Path) -> str:
    """Output without what the cockpit itself put in between."""
    lines = (folder / "output").read_text().split("\n")
    return "\n".join(line for line in lines if line and not line.startswith("[cockpit:"))


def machines_of(server: SshServer) -> Machines:
    """The server as the target "far"."""
    adapter = SshAdapter(server.options)
    assert isinstance(adapter, LooksAround)
    return Machines({"far": adapter})


def probe_of(machines: Machines, kind: str, deadline_s: float = DEADLINE_S, **options: Any) -> Probe:
    config = ProbeConfig(name="it", kind=kind, target="far", deadline_s=deadline_s, options=options)
    return build(config, Redactor().redact, "cockpit.toml", machines)


async def sample_of(probe: Probe) -> Sample:
    async with asyncio.timeout(60):
        return await probe.sample()


async def sample_until(probe: Probe, condition: Callable[[Sample], bool]) -> Sample:
    seen: list[Sample] = []

    async def holds() -> bool:
        seen.append(await probe.sample())
        return condition(seen[-1])

    await until(holds)
    return seen[-1]


def values(sample: Sample) -> dict[str, Any]:
    return {reading.name: reading.value for reading in sample.readings}
