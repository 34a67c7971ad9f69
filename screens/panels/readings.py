"""A panel's named values: each with its level, the bound that decided it, and its history drawn in block characters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from cockpit.monitor.sample import Level, PanelState, Reading
from cockpit.sparkline import sparkline as draw
from cockpit.words import _
from screens.clock import age_text
from screens.paint import Line, line, pad

LEVEL_MARKS = {
    Level.GREEN: ("OK", "ok"),
    Level.YELLOW: ("! ", "warn"),
    Level.RED: ("x ", "bad"),
    Level.GREY: ("  ", ""),
}
_SPARK_CELLS = 16
_VALUE_CELLS = 11
_KIB = 1024


def detail(panel: PanelState, width: int) -> list[Line]:
    """One row a reading."""
    if panel.last_data is None:
        return []
    return rows_of(panel, panel.last_data.readings, width)


def rows_of(panel: PanelState, readings: Iterable[Reading], width: int) -> list[Line]:
    """One row each."""
    return [_reading(panel, reading, width) for reading in readings]


def worst_first(readings: Iterable[Reading]) -> list[Reading]:
    """Those that have left their bounds in front, the rest as they came."""
    return sorted(readings, key=lambda reading: {Level.RED: 0, Level.YELLOW: 1}.get(reading.level, 2))


def _reading(panel: PanelState, reading: Reading, width: int) -> Line:
    mark, style = LEVEL_MARKS[reading.level]
    names = min(20, max(8, width // 3))
    name = label_of(reading)
    spans = [
        ("  ", ""),
        (mark, style),
        (f" {pad(name, names)} ", "dim"),
        (pad(value_text(reading), _VALUE_CELLS), style),
    ]
    room = width - names - _VALUE_CELLS - 6
    if room > _SPARK_CELLS:
        spans.append((" " + pad(sparkline(panel, reading.name), _SPARK_CELLS), "info"))
        room -= _SPARK_CELLS + 2
    bound = reading.bound.removeprefix(reading.name).strip()
    if len(bound) < room:
        spans.append((f" {bound}", "dim"))
    return line(*spans)


def label_of(reading: Reading) -> str:
    """The name as a person writes it; the unit stands with the value."""
    known = _LABELS.get(reading.name)
    if known:
        return known()
    name = reading.name
    for unit in ("_bytes", "_percent", "_ms", "_s"):
        name = name.removesuffix(unit)
    return name.replace("_", " ")


# What our own probes call their values; others are named by whoever configured them.
_LABELS: Mapping[str, Callable[[], str]] = {
    "latency_ms": lambda: _("latency"),
    "status_code": lambda: _("status code"),
    "status": lambda: _("status"),
    "healthy": lambda: _("healthy"),
    "5xx": lambda: _("5xx answer"),
    "certificate_days": lambda: _("certificate"),
    "database": lambda: _("database"),
    "version": lambda: _("version"),
    "exit_code": lambda: _("exit code"),
    "value": lambda: _("value"),
    "cpu_percent": lambda: "CPU",
    "memory_percent": lambda: _("memory"),
    "memory_bytes": lambda: _("memory"),
    "disk_percent": lambda: _("disk"),
    "load1": lambda: _("load, 1 min"),
    "cores": lambda: _("cores"),
    "uptime_s": lambda: _("uptime"),
    "processes": lambda: _("processes"),
    "online": lambda: _("online"),
    "down": lambda: _("down"),
    "broken": lambda: _("broken"),
    "restarts": lambda: _("restarts"),
    "deployments": lambda: _("deployments"),
    "rollouts": lambda: _("rollouts under way"),
    "statefulsets": lambda: _("statefulsets"),
    "statefulsets_unready": lambda: _("statefulsets not ready"),
    "daemonsets": lambda: _("daemonsets"),
    "daemonsets_unready": lambda: _("daemonsets not ready"),
    "jobs_failed": lambda: _("failed jobs"),
    "autoscalers": lambda: _("autoscalers"),
    "autoscalers_maxed": lambda: _("autoscalers maxed out"),
    "warnings": lambda: _("warnings"),
    "node_cpu_percent": lambda: _("fullest node, CPU"),
    "node_memory_percent": lambda: _("fullest node, memory"),
    "deployments_unready": lambda: _("deployments not ready"),
    "pods": lambda: _("pods"),
    "pods_unready": lambda: _("pods not well"),
    "nodes": lambda: _("nodes"),
    "nodes_unready": lambda: _("nodes not well"),
    "restarts_change": lambda: _("new restarts"),
    "restarts_last_min": lambda: _("restarts/min"),
    "apps": lambda: _("applications"),
    "apps_not_healthy": lambda: _("not healthy"),
    "apps_out_of_sync": lambda: _("out of sync"),
    "releases": lambda: _("releases"),
    "releases_not_deployed": lambda: _("releases not deployed"),
    "ready": lambda: _("ready"),
    "newest_percent": lambda: _("share of the newest"),
    "serving": lambda: _("revisions with traffic"),
    "alerts": lambda: _("alerts"),
    "critical": lambda: _("critical"),
    "warning": lambda: _("warnings"),
    "silenced": lambda: _("silenced"),
    "errors_per_min": lambda: _("errors/min"),
    "fatal_per_min": lambda: _("fatal/min"),
    "warnings_per_min": lambda: _("warnings/min"),
    "lines_per_min": lambda: _("lines/min"),
    "error_percent": lambda: _("share of errors"),
    "connections": lambda: _("connections"),
    "connections_percent": lambda: _("of all possible"),
    "active": lambda: _("active"),
    "idle": lambda: _("idle"),
    "idle_in_transaction": lambda: _("idle in transaction"),
    "blocked": lambda: _("blocked"),
    "blocked_s": lambda: _("longest wait"),
    "longest_query_s": lambda: _("longest query"),
    "oldest_transaction_s": lambda: _("oldest transaction"),
    "cache_hit_percent": lambda: _("cache hits"),
    "rollback_percent": lambda: _("rolled back"),
    "deadlocks_change": lambda: _("new deadlocks"),
    "in_recovery": lambda: _("standby"),
    "streaming": lambda: _("streaming"),
    "replay_paused": lambda: _("replay paused"),
    "replay_lag_s": lambda: _("replay behind"),
    "replay_lag_bytes": lambda: _("replay behind"),
    "standbys": lambda: _("standbys"),
    "standby_lag_s": lambda: _("standby behind"),
    "standby_lag_bytes": lambda: _("standby behind"),
    "slow_statements": lambda: _("slow statements"),
    "ping_ms": lambda: _("ping"),
    "fragmentation": lambda: _("fragmentation"),
    "hit_percent": lambda: _("hits"),
    "clients": lambda: _("clients"),
    "clients_percent": lambda: _("of all possible"),
    "blocked_clients": lambda: _("blocked clients"),
    "ops_per_s": lambda: _("commands/s"),
    "evictions_per_s": lambda: _("evictions/s"),
    "keys": lambda: _("keys"),
    "role": lambda: _("role"),
    "link_up": lambda: _("link to primary"),
    "link_silent_s": lambda: _("primary silent"),
    "replicas": lambda: _("replicas"),
    "saves": lambda: _("saves to disk"),
    "unsaved_changes": lambda: _("unsaved changes"),
    "services": lambda: _("services"),
    "services_unsteady": lambda: _("services not steady"),
    "tasks_running": lambda: _("tasks running"),
    "tasks_desired": lambda: _("tasks wanted"),
    "tasks_pending": lambda: _("tasks starting"),
    "tasks_failed": lambda: _("tasks failed"),
    "in_alarm": lambda: _("in alarm"),
    "alarms": lambda: _("alarms"),
    "alarms_unsure": lambda: _("alarms unsure"),
    "functions": lambda: _("functions"),
    "invocations": lambda: _("calls"),
    "errors": lambda: _("errors"),
    "throttles": lambda: _("throttled"),
    "duration_p95_ms": lambda: _("duration, p95"),
}


def value_text(reading: Reading) -> str:
    """The value with its unit, in the size a person would say."""
    value, unit = reading.value, reading.unit
    if value is None:
        return "-"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, str):
        return value
    if unit == "bytes":
        return size_text(value)
    if unit == "s" and value >= 120:
        return age_text(value)
    return f"{value:.0f} {unit}".strip() if abs(value) >= 1000 else f"{value:.4g} {unit}".strip()


def size_text(size_bytes: float) -> str:
    """1.9 GB, 12 MB, 640 B."""
    for unit in ("B", "KB", "MB"):
        if size_bytes < _KIB:
            return f"{size_bytes:.0f} {unit}"
        size_bytes /= _KIB
    return f"{size_bytes:.1f} GB"


def sparkline(panel: PanelState, name: str) -> str:
    """The last values as blocks between their least and greatest; "" for fewer than two."""
    points = panel.extra.get("histories", {}).get(name) or ()
    values = [value for _m, value in points[-_SPARK_CELLS:]]
    return draw(values, _SPARK_CELLS) if len(values) > 1 else ""
