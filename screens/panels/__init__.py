"""Panels: one file a kind, each saying what it shows when there is room; `PANELS` is the registry, `stack` the pane."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cockpit.monitor.sample import PanelState
from screens.paint import Line
from screens.panels import (
    alarms,
    alerting,
    cache,
    database,
    functions,
    log_lines,
    machine,
    processes,
    readings,
    releases,
    revisions,
    services,
    workflow_runs,
    workloads,
)

Detail = Callable[[PanelState, int], list[Line]]

PANELS: Mapping[str, Detail] = {
    "alertmanager": alerting.detail,
    "argocd": releases.detail,
    "cloud-logging": log_lines.detail,
    "cloud-run": revisions.detail,
    "cloudwatch": alarms.detail,
    "cloudwatch-logs": log_lines.detail,
    "ecs": services.detail,
    "github": workflow_runs.detail,
    "grafana": alerting.detail_below_readings,
    "helm": releases.detail,
    "kubernetes": workloads.detail,
    "kubernetes-logs": log_lines.detail,
    "lambda": functions.detail,
    "loki": log_lines.detail,
    "machine": machine.detail,
    "pm2": processes.detail,
    "postgresql": database.detail,
    "redis": cache.detail,
}


def detail_of(panel: PanelState, width: int) -> list[Line]:
    """The rows of a panel below its title: those of its kind, else its readings."""
    return PANELS.get(panel.kind, readings.detail)(panel, width)
