"""Which probe follows a log of the configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

from cockpit.config import Config, ProbeConfig, TailConfig
from cockpit.monitor.logs.probe import LogProbe
from cockpit.monitor.machines import Machines
from cockpit.monitor.probe import Probe, WatchedProbe
from cockpit.monitor.registry import build
from cockpit.safety.redaction.redactor import Known

_PM2 = "pm2"


def build_tail(
    tail: TailConfig,
    config: Config,
    evidence: Path,
    redact: Callable[[str], str],
    known: Callable[[], Known],
    machines: Machines,
    probes: Mapping[str, Probe],
) -> LogProbe:
    """The probe that follows it. It connects to nothing yet.

    Args:
        config: the whole; an error log of PM2 is looked for where its probes of kind pm2 look.
        evidence: where its bad lines are kept.
        machines: those that its `target` may name.
        probes: those that are made already, by name, whose looks may be shared.

    Raises:
        ConfigError: the target can't be looked at.
    """
    far = machines.called(tail.target, f"{config.origin}: {tail.name}.target") if tail.target else None
    if not tail.pm2:
        return LogProbe(tail, evidence, redact, known, far)
    from cockpit.monitor.logs.pm2 import KnowsErrorLogs, Pm2LogProbe

    at_home = ProbeConfig(name=tail.name, kind=_PM2, target=tail.target)
    asking = [one for one in config.probes if one.kind == _PM2 and one.target == tail.target] or [at_home]
    made = [probes.get(one.name) or build(one, redact, config.origin, machines) for one in asking]
    daemons = [cast(KnowsErrorLogs, probe.watchable) for probe in made if isinstance(probe, WatchedProbe)]
    return Pm2LogProbe(tail, evidence, redact, known, far, daemons)
