"""The entries of a configuration (probes, tails, rules, targets, groups) from their tables as written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from cockpit.config.bound import Bound, Operator, Statistic, parse_bound
from cockpit.config.condition import Condition, Standing, check_condition, parse_condition
from cockpit.config.model import (
    MOST_AT_ONCE,
    MOST_TARGETS,
    GroupConfig,
    ProbeConfig,
    Rule,
    TailConfig,
    TargetConfig,
)
from cockpit.config.table import check_keys, fields_of, mapping, typed
from cockpit.errors import ConfigError
from cockpit.places import expanded
from cockpit.words import _, shortened

Entry = TypeVar("Entry", ProbeConfig, TailConfig, Rule, TargetConfig, GroupConfig)

# A name becomes a file name under logs/ and a word in conditions.
_NAME = re.compile(r"[^\W_][\w.-]{0,63}")
_SHORTEST_S = 0.1


def entries(raw: object, where: str, build: Callable[[dict[str, Any], str], Entry]) -> tuple[Entry, ...]:
    """Every entry of `[[kind]]`, `[kind.NAME]` or a front-matter list.

    Raises:
        ConfigError: a broken entry, or two with one name.
    """
    found: dict[str, Entry] = {}
    for table, path in _tables(raw, where):
        entry = build(table, path)
        if not _NAME.fullmatch(entry.name):
            raise ConfigError(
                _("{name} can't be a name").format(name=shortened(repr(entry.name), 80)),
                where=f"{path}.name",
                mend=_("use letters, digits, dots and dashes, at most 64"),
            )
        if entry.name in found:
            raise ConfigError(_("the name {name} is used twice").format(name=entry.name), where=path)
        found[entry.name] = entry
    return tuple(found.values())


def _tables(raw: object, where: str) -> Iterator[tuple[dict[str, Any], str]]:
    if isinstance(raw, list | tuple):
        for index, item in enumerate(raw, start=1):
            table = mapping(item, f"{where} #{index}")
            name = table.get("name")
            named = isinstance(name, str) and _NAME.fullmatch(name)
            yield table, f"{where} {name}" if named else f"{where} #{index}"
    else:
        for name, item in mapping(raw, where).items():
            if not isinstance(item, Mapping):
                kind = where.rpartition(" ")[2]
                mend = _("write [[{kind}]] or [{kind}.NAME] above its keys").format(kind=kind)
                raise ConfigError(_("a table is expected here"), where=f"{where}.{name}", mend=mend)
            yield {"name": name, **mapping(item, f"{where}.{name}")}, f"{where}.{name}"


def probe(table: dict[str, Any], where: str, trusted: bool = True) -> ProbeConfig:
    """A probe; keys that every kind has are taken out, the rest are the kind's options."""
    _check_target(table, where, trusted)
    common = set(fields_of(ProbeConfig)) - {"options"}
    values = {key: value for key, value in table.items() if key in common}
    values["thresholds"] = [_threshold(item, where) for item in _list(values.get("thresholds"), where)]
    values["options"] = {key: value for key, value in table.items() if key not in common}
    if isinstance(values.get("interval_s"), int | float) and "deadline_s" not in values:
        values["deadline_s"] = max(_SHORTEST_S, min(4.0, values["interval_s"]))
    built = typed(values, ProbeConfig, where)
    _check_times(where, interval_s=built.interval_s, deadline_s=built.deadline_s)
    return built


def tail(table: dict[str, Any], where: str, folder: Path, trusted: bool = True) -> TailConfig:
    """A log tail; its path is taken from the configuration file's folder, unless it is on another machine."""
    _check_target(table, where, trusted)
    thresholds = [_threshold(item, where) for item in _list(table.get("thresholds"), where)]
    built = typed({**table, "thresholds": thresholds}, TailConfig, where)
    _check_times(where, interval_s=built.interval_s)
    if bool(built.path) == bool(built.pm2):
        raise ConfigError(
            _("a log needs either path or pm2"),
            where=where,
            mend=_('path = "/var/log/app.log", or pm2 = "NAME" for the error log of a process of PM2'),
        )
    if built.pm2 or built.path.startswith("$"):  # an input of the runbook, filled in when the watch begins
        return built
    if built.target:
        if not built.path.startswith(("/", "~/")):
            raise ConfigError(
                _("on another machine there is no folder that this begins in"),
                where=f"{where}.path",
                mend=_("begin it with / or ~/"),
            )
        return built
    return msgspec.structs.replace(built, path=str(folder / expanded(built.path)))


def target(table: dict[str, Any], where: str, trusted: bool) -> TargetConfig:
    """A target; what its kind needs beyond kind is left to the adapter."""
    common = set(fields_of(TargetConfig)) - {"options", "trusted"}
    values = {key: value for key, value in table.items() if key in common}
    values["options"] = {key: value for key, value in table.items() if key not in common}
    return msgspec.structs.replace(typed(values, TargetConfig, where), trusted=trusted)


def group(table: dict[str, Any], where: str) -> GroupConfig:
    """A group of targets; whether there are such targets is looked at once all are known."""
    built = typed(table, GroupConfig, where)
    twice = next((name for name in built.targets if built.targets.count(name) > 1), None)
    if twice:
        raise ConfigError(_("{name} is named twice").format(name=twice), where=f"{where}.targets")
    if not built.targets:
        raise ConfigError(_("a group needs a target"), where=f"{where}.targets", mend=_("name one"))
    if len(built.targets) > MOST_TARGETS:
        raise ConfigError(
            _("{count} targets are too many for one group").format(count=len(built.targets)),
            where=f"{where}.targets",
            mend=_("at most {most}; for more use what runs over there: SSM Run Command, Kubernetes, Ansible").format(
                most=MOST_TARGETS
            ),
        )
    if built.rolling is not None and built.at_once is not None:
        raise ConfigError(_("rolling and at_once say the same thing"), where=where, mend=_("give one of them"))
    for key, value in (("rolling", built.rolling), ("at_once", built.at_once)):
        if value is not None and not 1 <= value <= MOST_AT_ONCE:
            mend = _("use 1 to {most}").format(most=MOST_AT_ONCE)
            raise ConfigError(_("{value} is out of range").format(value=value), where=f"{where}.{key}", mend=mend)
    return built


def _check_target(table: dict[str, Any], where: str, trusted: bool) -> None:
    """A document that is merely opened must have nothing done on another machine, not even looked at."""
    if table.get("target") and not trusted:
        raise ConfigError(
            _("a document can't have other machines looked at"),
            where=f"{where}.target",
            mend=_("put it into cockpit.toml"),
        )


class _RuleTable(Struct, kw_only=True):
    name: str
    section: str = ""
    text: str = ""
    when: str | None = None
    any: list[Any] = []
    all: list[Any] = []


class _ConditionTable(Struct, kw_only=True):
    probe: str
    standing: Standing | None = None
    metric: str = ""
    operator: Operator = ">"
    bound: float | bool | str = 0.0
    unit: str = ""
    statistic: Statistic = "single"
    over: int = 12
    times: int = 1
    of: int | None = None
    for_s: float | None = None


def rule(table: dict[str, Any], where: str) -> Rule:
    """A rule, with its condition in `when`, in `any`, in `all`, or as typed fields beside its name."""
    inline = set(fields_of(_ConditionTable)) & set(table)
    check_keys(table, (*fields_of(_RuleTable), *fields_of(_ConditionTable)), where)
    head = typed({key: value for key, value in table.items() if key not in inline}, _RuleTable, where)
    written = [*([head.when] if head.when is not None else []), *head.any, *head.all]
    if inline:
        written.append({key: table[key] for key in inline})
    if sum((head.when is not None, bool(head.any), bool(head.all), bool(inline))) != 1:
        raise ConfigError(
            _("a rule needs its condition in exactly one place"), where=where, mend=_("give one of when, any, all")
        )
    return Rule(
        name=head.name,
        conditions=tuple(_condition(item, where) for item in written),
        match="all" if head.all else "any",
        section=head.section.lstrip("#"),
        text=head.text,
    )


def _condition(item: object, where: str) -> Condition:
    if isinstance(item, str):
        return parse_condition(item, f"{where}.when")
    table = typed(item, _ConditionTable, where)
    bounds: tuple[Bound, ...] = ()
    if table.metric:
        bounds = (
            Bound(
                metric=table.metric,
                operator=table.operator,
                bound=table.bound,
                unit=table.unit,
                statistic=table.statistic,
                over=table.over,
            ),
        )
    tests = " or ".join([*((table.standing,) if table.standing else ()), *map(str, bounds)])
    condition = Condition(
        probe=table.probe,
        bounds=bounds,
        standings=(table.standing,) if table.standing else (),
        times=table.times,
        of=table.of,
        for_s=table.for_s,
        text=f"{table.probe} {tests}",
    )
    check_condition(condition, where)
    return condition


def _threshold(item: object, where: str) -> Bound:
    if isinstance(item, str):
        return parse_bound(item, f"{where}.thresholds")
    return typed(item, Bound, f"{where}.thresholds")


def _list(raw: object, where: str) -> list[Any]:
    if raw is None:
        return []
    if not isinstance(raw, list | tuple):
        raise ConfigError(_("a list is expected here"), where=f"{where}.thresholds", mend=_("write [ … ]"))
    return list(raw)


def _check_times(where: str, **durations: float) -> None:
    for key, value in durations.items():
        if not _SHORTEST_S <= value <= 86400:
            raise ConfigError(
                _("{value} s is out of range").format(value=value), where=f"{where}.{key}", mend=_("use 0.1 to 86400")
            )
