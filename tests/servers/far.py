"""A machine over a real sshd, to be looked at: probes of it, and their samples."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from cockpit.adapters.far import LooksAround
from cockpit.adapters.ssh.adapter import SshAdapter
from cockpit.config import ProbeConfig
from cockpit.monitor.machines import Machines
from cockpit.monitor.probe import Probe
from cockpit.monitor.registry import build
from cockpit.monitor.sample import Sample
from cockpit.safety.redaction.redactor import Redactor
from tests.servers.ssh import SshServer
from tests.waiting import until

DEADLINE_S = 20.0


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
