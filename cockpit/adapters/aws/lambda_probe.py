"""Lambda functions as a probe: calls, errors, throttles and times of the last five minutes, and the last update.

[[probe]]
name = "worker"
kind = "lambda"
region = "ap-northeast-2"
interval_s = 30
functions = ["worker"]
thresholds = ["error_percent > 5 % red", "duration_p95_ms > 30000 ms yellow"]
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from msgspec import Struct

from cockpit.adapters.aws.looking import Asking, AwsProbe, AwsProbeOptions
from cockpit.adapters.aws.metric_data import Points, ask, whole_minutes
from cockpit.adapters.probing import TEXT_CHARACTERS, Finding, Value
from cockpit.errors import ConfigError, Declined
from cockpit.safety.permit import Action
from cockpit.words import _, shortened

_BACK_S = 300.0
_PERIOD_S = 60
_MOST_FUNCTIONS = 25
_METRICS = {
    "invocations": ("Invocations", "Sum"),
    "errors": ("Errors", "Sum"),
    "throttles": ("Throttles", "Sum"),
    "duration_p95_ms": ("Duration", "p95"),
}
_RANK = {"red": 0, "yellow": 1}


class LambdaProbeOptions(AwsProbeOptions, frozen=True, kw_only=True):
    """Keys of a probe of kind "lambda"."""

    functions: tuple[str, ...]


class _Configuration(Struct, rename="pascal"):
    """What of a function is kept; its environment is not."""

    function_name: str
    state: str = ""
    state_reason: str = ""
    last_update_status: str = ""
    last_update_status_reason: str = ""
    last_modified: str = ""


class LambdaProbe(AwsProbe):
    """A few functions."""

    Options: ClassVar[type[Struct]] = LambdaProbeOptions

    def __init__(self, options: LambdaProbeOptions, deadline_s: float) -> None:
        if not 0 < len(options.functions) <= _MOST_FUNCTIONS:
            raise ConfigError(_("there is no function, or more than {most}").format(most=_MOST_FUNCTIONS))
        super().__init__(options, deadline_s, "lambda")
        self._options = options
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @property
    def action(self) -> Action:
        """Exactly what is asked."""
        lines = [
            f"lambda get-function-configuration --function-name {shlex.quote(name)}" for name in self._options.functions
        ]
        return Action("aws", "\n".join([*lines, "cloudwatch get-metric-data"]), self._options.target)

    def _look(self, asking: Asking) -> Finding:
        names = self._options.functions
        found = [_configuration(asking, name) for name in names]
        queries = [_query(number, name, metric) for number, name in enumerate(names) for metric in _METRICS]
        begin, end = whole_minutes(self.now(), _PERIOD_S, _BACK_S)
        points = ask(asking, queries, begin, end)
        figures = [_figures(number, points, begin, end) for number in range(len(names))]
        rows = [_row(name, it, counted) for name, it, counted in zip(names, found, figures, strict=True)]
        rows.sort(key=lambda row: _RANK.get(row["level"], 2))
        return Finding(_text(rows, figures), _values(figures, rows), tuple(rows))


def _configuration(asking: Asking, name: str) -> _Configuration | None:
    """None where there is no such function."""
    try:
        return asking.call("lambda", "GetFunctionConfiguration", {"FunctionName": name}, _Configuration)
    except Declined as error:
        if error.where.startswith("ResourceNotFound"):
            return None
        raise


def _query(number: int, function: str, metric: str) -> dict[str, Any]:
    name, statistic = _METRICS[metric]
    # A name may be an ARN, or have a version behind it; the metrics are the function's.
    bare = function.rpartition("function:")[2].partition(":")[0]
    what = {"Namespace": "AWS/Lambda", "MetricName": name, "Dimensions": [{"Name": "FunctionName", "Value": bare}]}
    return {"Id": f"f{number}_{metric}", "MetricStat": {"Metric": what, "Period": _PERIOD_S, "Stat": statistic}}


def _figures(number: int, points: Mapping[str, Points], begin: datetime, end: datetime) -> dict[str, float | None]:
    """Sums of the last minutes, and the time of the slowest minute; None where there is no point."""
    asked = {metric: points.get(f"f{number}_{metric}") for metric in _METRICS}
    found = {metric: each.between(begin, end) if each else [] for metric, each in asked.items()}
    slowest = found.pop("duration_p95_ms")
    sums: dict[str, float | None] = {metric: float(sum(values)) for metric, values in found.items()}
    return sums | {"duration_p95_ms": max(slowest, default=None)}


def _values(figures: Sequence[Mapping[str, float | None]], rows: Sequence[Mapping[str, Any]]) -> tuple[Value, ...]:
    """Over all functions: sums, the share of errors, and the slowest."""
    calls, errors, throttles = (sum(it[name] or 0.0 for it in figures) for name in list(_METRICS)[:3])
    slowest = max((it["duration_p95_ms"] for it in figures if it["duration_p95_ms"] is not None), default=None)
    levels = {row["level"] for row in rows}
    worst = next((level for level in ("red", "yellow") if level in levels), "green")
    return (
        Value("functions", float(len(figures)), "", worst),
        Value("invocations", calls),
        Value("errors", errors, "", "yellow" if errors else ""),
        Value("error_percent", round(100 * errors / calls, 2) if calls else None, "%"),
        Value("throttles", throttles, "", "yellow" if throttles else ""),
        Value("duration_p95_ms", slowest, "ms"),
    )


def _row(name: str, it: _Configuration | None, counted: Mapping[str, float | None]) -> dict[str, Any]:
    status, level, detail = _standing(it)
    if not level:
        level = "yellow" if counted["errors"] or counted["throttles"] else "green"
    return {
        "name": shortened(name, TEXT_CHARACTERS),
        "status": status,
        "detail": shortened(detail, TEXT_CHARACTERS),
        "level": level,
        **counted,
    }


def _standing(it: _Configuration | None) -> tuple[str, str, str]:
    """A word for how the function itself stands, a level where that is not well, and why."""
    if it is None:
        return _("missing"), "red", ""
    if it.last_update_status == "Failed":
        return _("update failed"), "red", it.last_update_status_reason
    if it.state == "Failed":
        return _("failed"), "red", it.state_reason
    if it.last_update_status == "InProgress" or it.state == "Pending":
        return _("updating"), "yellow", it.last_update_status_reason or it.state_reason
    changed = _("changed {at}").format(at=it.last_modified[:19]) if it.last_modified else ""
    return (it.state or "Active").lower(), "", changed


def _text(rows: Sequence[Mapping[str, Any]], figures: Sequence[Mapping[str, float | None]]) -> str:
    calls, errors, throttles = (sum(it[name] or 0.0 for it in figures) for name in list(_METRICS)[:3])
    told = [_("{errors:g} errors of {calls:g} calls in 5 min").format(errors=errors, calls=calls)]
    told += [_("{n:g} throttled").format(n=throttles)] if throttles else []
    return " · ".join([*told, *(f"{row['name']} {row['status']}" for row in rows if row["level"] == "red")])
