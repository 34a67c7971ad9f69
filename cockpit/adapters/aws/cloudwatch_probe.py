"""CloudWatch as a probe: metrics that are held against thresholds and drawn, and the alarms that are set up there.

[[probe]]
name = "edge"
kind = "cloudwatch"
region = "ap-northeast-2"
interval_s = 60
alarms = ["shop-*", "db-cpu"]           # names; * at the end for all that begin so
thresholds = ["error_percent > 5 % red", "p95_s > 1 s yellow"]
[probe.metrics.p95_s]                   # an ending _s, _ms, _percent or _bytes is its unit
namespace = "AWS/ApplicationELB"
metric = "TargetResponseTime"
dimensions = { LoadBalancer = "app/shop/50dc6c495c0c9188" }
statistic = "p95"
[probe.metrics.errors]
namespace = "AWS/ApplicationELB"
metric = "HTTPCode_Target_5XX_Count"
dimensions = { LoadBalancer = "app/shop/50dc6c495c0c9188" }
statistic = "Sum"
missing = 0                             # what stands for no data: it is only written when there are errors
[probe.metrics.error_percent]
expression = "100 * errors / requests"  # of the other metrics, by their names
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from cockpit.adapters.aws.failure import SignInOver
from cockpit.adapters.aws.looking import Asking, AwsProbe, AwsProbeOptions
from cockpit.adapters.aws.metric_data import Points, ask, whole_minutes
from cockpit.adapters.probing import TEXT_CHARACTERS, Finding, Value
from cockpit.errors import AccessDenied, ConfigError
from cockpit.safety.permit import Action
from cockpit.words import _, plural, shortened

_UNITS = {"_percent": "%", "_ms": "ms", "_s": "s", "_seconds": "s", "_bytes": "bytes"}
_STATISTIC = re.compile(
    r"Average|Sum|Minimum|Maximum|SampleCount|IQM|(?:p|tm|tc|ts|wm)\d{1,2}(?:\.\d{1,10})?|p100|(?:PR|TM|TC|TS|WM)\(.+\)"
)
_NAME = re.compile(r"[a-z]\w*", re.ASCII)
_PERIODS = (1, 5, 10, 30)
_MOST_METRICS = 50
_MOST_ALARMS = 100
_STILL_NEW_S = 300.0
"""Many services tell CloudWatch minutes late. What is older than this, and than three periods, is no state of now."""
_LEVELS = {"ALARM": "red", "INSUFFICIENT_DATA": "yellow", "OK": ""}
_RANK = {"ALARM": 0, "": 1, "INSUFFICIENT_DATA": 2, "OK": 3}


class Metric(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One metric: where it is and how its points are put together, or an expression of others."""

    namespace: str = ""
    metric: str = ""
    dimensions: dict[str, str] = {}
    statistic: str = "Average"
    period_s: int = 60
    expression: str = ""
    missing: float | None = None


class CloudwatchProbeOptions(AwsProbeOptions, frozen=True, kw_only=True):
    """Keys of a probe of kind "cloudwatch"."""

    metrics: Mapping[str, Metric] = msgspec.field(default_factory=dict)
    alarms: tuple[str, ...] = ()


class _Alarm(Struct, rename="pascal"):
    alarm_name: str
    state_value: str = ""
    state_reason: str = ""
    alarm_description: str = ""
    actions_enabled: bool = True
    state_updated_timestamp: datetime | None = None
    state_transitioned_timestamp: datetime | None = None


class _Alarms(Struct, rename="pascal"):
    metric_alarms: list[_Alarm] = []
    composite_alarms: list[_Alarm] = []
    next_token: str = ""


class CloudwatchProbe(AwsProbe):
    """A few metrics, asked for together, and alarms."""

    Options: ClassVar[type[Struct]] = CloudwatchProbeOptions

    def __init__(self, options: CloudwatchProbeOptions, deadline_s: float) -> None:
        _check(options)
        super().__init__(options, deadline_s, "cloudwatch")
        self._options = options
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @property
    def action(self) -> Action:
        """Exactly what is asked."""
        lines = []
        if self._options.metrics:
            lines.append(f"cloudwatch get-metric-data --metric-data-queries {shlex.quote(json.dumps(self._queries()))}")
        if self._options.alarms:
            lines.append(f"cloudwatch describe-alarms --alarm-names {shlex.join(self._options.alarms)}")
        return Action("aws", "\n".join(lines), self._options.target)

    def _look(self, asking: Asking) -> Finding:
        values = tuple(self._values(asking))
        told = [f"{value.name} {_told(value)}" for value in values]
        try:
            alarms = self._alarms(asking)
        except AccessDenied as error:
            if not values or isinstance(error, SignInOver):
                raise
            # What may be seen is worth having: the permission for alarms is one of its own.
            told[:0] = [error.what]
            unseen = Value("alarms", None, "", "yellow")
            return Finding(" · ".join(told), (unseen, *values), mend=error.mend)
        if self._options.alarms:
            told[:0] = _alarms_told(alarms)
            values = (*_counts(alarms), *values)
        if not alarms and all(value.value == _no_data() for value in values if value.name in self._options.metrics):
            mend = _("check namespace, metric and dimensions: aws cloudwatch list-metrics")
            return Finding(_("no data: no metric has points"), values, none=True, mend=mend)
        return Finding(" · ".join(told), values, tuple(map(_row, alarms)))

    def _queries(self) -> list[dict[str, Any]]:
        return [_query(name, metric) for name, metric in self._options.metrics.items()]

    def _values(self, asking: Asking) -> Iterator[Value]:
        metrics = self._options.metrics
        if not metrics:
            return
        now = self.now()
        longest_s = max(metric.period_s for metric in metrics.values())
        shortest_s = min(metric.period_s for metric in metrics.values())
        begin, _end = whole_minutes(now, longest_s, max(_STILL_NEW_S, 3 * longest_s))
        _begin, end = whole_minutes(now, shortest_s, 0)
        found = ask(asking, self._queries(), begin, end)
        for name, metric in metrics.items():
            yield _value(name, metric, found.get(name), now)

    def _alarms(self, asking: Asking) -> list[_Alarm]:
        exact = [name for name in self._options.alarms if not name.endswith("*")]
        beginnings = [name[:-1] for name in self._options.alarms if name not in exact]
        questions: list[dict[str, Any]] = [{"AlarmNamePrefix": name} if name else {} for name in beginnings]
        if exact:
            questions.append({"AlarmNames": exact})
        found: dict[str, _Alarm] = {}
        for question in questions:
            asked: dict[str, Any] = {"AlarmTypes": ["MetricAlarm", "CompositeAlarm"], "MaxRecords": 100, **question}
            while len(found) < _MOST_ALARMS:
                answer = asking.call("cloudwatch", "DescribeAlarms", asked, _Alarms)
                found |= {it.alarm_name: it for it in (*answer.metric_alarms, *answer.composite_alarms)}
                if not answer.next_token:
                    break
                asked["NextToken"] = answer.next_token
        found |= {name: _Alarm(name) for name in exact if name not in found}
        return sorted(found.values(), key=lambda it: (_RANK.get(it.state_value, 1), it.alarm_name))[:_MOST_ALARMS]


def _check(options: CloudwatchProbeOptions) -> None:
    if (not options.metrics and not options.alarms) or len(options.metrics) > _MOST_METRICS:
        raise ConfigError(_("there is no metric and no alarm, or more than {most}").format(most=_MOST_METRICS))
    for name, metric in options.metrics.items():
        where = f"metrics.{name}"
        if not _NAME.fullmatch(name):
            raise ConfigError(
                _("CloudWatch takes no such name"),
                where=where,
                mend=_("begin it with a small letter; letters, digits, _"),
            )
        if bool(metric.expression.strip()) == bool(metric.namespace and metric.metric):
            raise ConfigError(_("give namespace and metric, or an expression"), where=where)
        if not _STATISTIC.fullmatch(metric.statistic):
            raise ConfigError(
                _("there is no statistic {name}").format(name=shortened(metric.statistic, 80)),
                where=where,
                mend="Average, Sum, Minimum, Maximum, SampleCount, p95, tm99 …",
            )
        if metric.period_s <= 0 or (metric.period_s % 60 and metric.period_s not in _PERIODS):
            raise ConfigError(_("a period is 1, 5, 10, 30 or whole minutes in seconds"), where=where)


def _query(name: str, metric: Metric) -> dict[str, Any]:
    if metric.expression:
        return {"Id": name, "Expression": metric.expression, "Period": metric.period_s}
    dimensions = [{"Name": key, "Value": value} for key, value in metric.dimensions.items()]
    what = {"Namespace": metric.namespace, "MetricName": metric.metric, "Dimensions": dimensions}
    return {"Id": name, "MetricStat": {"Metric": what, "Period": metric.period_s, "Stat": metric.statistic}}


def _no_data() -> str:
    """What stands for a value where nothing was measured lately."""
    return _("no data")


def _value(name: str, metric: Metric, points: Points | None, now: datetime) -> Value:
    unit = next((unit for ending, unit in _UNITS.items() if name.endswith(ending)), "")
    if points is not None and points.refused:
        return Value(name, _("refused: {why}").format(why=shortened(points.refused, TEXT_CHARACTERS)), "", "yellow")
    newest_s = max(_STILL_NEW_S, 3 * metric.period_s) + metric.period_s
    whole = now - timedelta(seconds=metric.period_s)
    found = points.between(now - timedelta(seconds=newest_s), whole) if points else []
    if found:
        return Value(name, found[0], unit)
    if metric.missing is not None:
        return Value(name, metric.missing, unit)
    return Value(name, _no_data(), "", "yellow")


def _counts(alarms: Sequence[_Alarm]) -> tuple[Value, ...]:
    red = sum(it.state_value == "ALARM" for it in alarms)
    unsure = sum(it.state_value not in ("ALARM", "OK") for it in alarms)
    return (
        Value("alarms", float(len(alarms)), "", "red" if red else "yellow" if unsure or not alarms else "green"),
        Value("in_alarm", float(red), "", "red" if red else ""),
        Value("alarms_unsure", float(unsure), "", "yellow" if unsure else ""),
    )


def _alarms_told(alarms: Sequence[_Alarm]) -> list[str]:
    if not alarms:
        return [_("there is no such alarm")]
    rising = [it.alarm_name for it in alarms if it.state_value == "ALARM"]
    unsure = sum(it.state_value not in ("ALARM", "OK") for it in alarms)
    all_of_them = plural("{n} alarm", "{n} alarms", len(alarms)).format(n=len(alarms))
    told = [f"{all_of_them}: " + _("{n} in alarm").format(n=len(rising))]
    told += [_("{n} without enough data").format(n=unsure)] if unsure else []
    return [*told, *(shortened(name, TEXT_CHARACTERS) for name in rising[:3])]


def _row(alarm: _Alarm) -> dict[str, Any]:
    """As the panel of alerts shows them."""
    states = {"ALARM": "ALARM", "OK": "OK", "INSUFFICIENT_DATA": _("unsure"), "": _("missing")}
    since = alarm.state_transitioned_timestamp or alarm.state_updated_timestamp
    told = alarm.state_reason or alarm.alarm_description
    if not alarm.actions_enabled:
        told = _("its actions are switched off") + (f"; {told}" if told else "")
    return {
        "name": shortened(alarm.alarm_name, TEXT_CHARACTERS),
        "severity": states.get(alarm.state_value, shortened(alarm.state_value, TEXT_CHARACTERS)),
        "since": since.astimezone(UTC).isoformat(timespec="seconds") if since else "",
        "summary": shortened(told, TEXT_CHARACTERS),
        "level": _LEVELS.get(alarm.state_value, "yellow"),
    }


def _told(value: Value) -> str:
    return f"{value.value:.4g}{value.unit}" if isinstance(value.value, float) else str(value.value)
