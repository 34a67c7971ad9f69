"""Which class looks at which kind of thing. A new kind is one file in adapters/ and one line here.

Others' kinds come in by the entry-point group `cockpit.probes`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from cockpit.adapters.far import Far
from cockpit.config import ProbeConfig
from cockpit.config.table import check_word, typed
from cockpit.errors import ConfigError
from cockpit.monitor.machines import Machines
from cockpit.monitor.probe import WatchedProbe
from cockpit.words import _

GROUP = "cockpit.probes"
KINDS: Mapping[str, str] = {
    "alertmanager": "cockpit.adapters.alertmanager.probe:AlertmanagerProbe",
    "argocd": "cockpit.adapters.argocd.probe:ArgocdProbe",
    "cloud-logging": "cockpit.monitor.logs.cloud_logging:CloudLoggingProbe",
    "cloud-monitoring": "cockpit.adapters.google.cloud_monitoring:CloudMonitoringProbe",
    "cloud-run": "cockpit.adapters.google.cloud_run:CloudRunProbe",
    "cloudwatch": "cockpit.adapters.aws.cloudwatch_probe:CloudwatchProbe",
    "cloudwatch-logs": "cockpit.monitor.logs.cloudwatch:CloudwatchLogsProbe",
    "command": "cockpit.adapters.command.probe:CommandProbe",
    "ecs": "cockpit.adapters.aws.ecs_probe:EcsProbe",
    "github": "cockpit.adapters.github.probe:GithubProbe",
    "grafana": "cockpit.adapters.grafana.probe:GrafanaProbe",
    "helm": "cockpit.adapters.helm.probe:HelmProbe",
    "http": "cockpit.adapters.http.probe:HttpProbe",
    "kubernetes": "cockpit.adapters.kubernetes.probe:KubernetesProbe",
    "kubernetes-logs": "cockpit.monitor.logs.kubernetes:KubernetesLogsProbe",
    "lambda": "cockpit.adapters.aws.lambda_probe:LambdaProbe",
    "loki": "cockpit.monitor.logs.loki:LokiProbe",
    "machine": "cockpit.adapters.machine.probe:MachineProbe",
    "pm2": "cockpit.adapters.pm2.probe:Pm2Probe",
    "postgresql": "cockpit.adapters.postgresql.probe:PostgresqlProbe",
    "prometheus": "cockpit.adapters.prometheus.probe:PrometheusProbe",
    "redis": "cockpit.adapters.redis.probe:RedisProbe",
}
FAR_KINDS: Mapping[str, str] = {
    "http": "cockpit.adapters.http.far:FarHttpProbe",
    "machine": "cockpit.adapters.machine.far:FarMachineProbe",
    "pm2": "cockpit.adapters.pm2.far:FarPm2Probe",
}
"""Those that can look at, or from, another machine; made with (options, deadline_s, far)."""


@cache
def kinds() -> Mapping[str, str]:
    """Every kind's class as "module:name", ours before others'. Looked up once, as adapters are."""
    return {point.name: point.value for point in entry_points(group=GROUP)} | dict(KINDS)


def build(
    config: ProbeConfig,
    redact: Callable[[str], str],
    origin: str = "",
    machines: Machines | None = None,
) -> WatchedProbe:
    """The probe that a table of the configuration asks for. It connects to nothing yet.

    Args:
        machines: those that the probe's `target` may name.

    Raises:
        ConfigError: unknown kind, or options that this kind can't use.
    """
    where = f"{origin}: probe {config.name}" if origin else f"probe {config.name}"
    known = kinds()
    check_word(config.kind, known, f"{where}.kind", _("no probe is of the kind {word}"))
    further: tuple[Far, ...] = ()
    if config.target:
        known = FAR_KINDS
        check_word(config.kind, known, f"{where}.kind", _("a probe of kind {word} can't look at another machine"))
        further = ((machines or Machines({})).called(config.target, f"{where}.target"),)
    module, _colon, name = known[config.kind].partition(":")
    kind: Any = getattr(import_module(module), name)
    options = typed(config.options, kind.Options, where)
    try:
        return WatchedProbe(config, kind(options, config.deadline_s, *further), redact)
    except ConfigError as error:
        raise ConfigError(error.what, where=error.where or where, mend=error.mend) from error
