"""The shape of a configuration: frozen values, nothing that acts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct

from cockpit.config.bound import Bound
from cockpit.config.condition import Condition

SecondPerson = Literal["", "destructive", "mutating"]

AT_ONCE = 10
"""Targets of a group that run at a time where the group does not say."""
MOST_AT_ONCE = 50
MOST_TARGETS = 500
"""Of a group: each has a connection here, and a run in the record. For more there is what runs on the other side."""


class General(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[cockpit]: what the screen is headed with."""

    title: str = ""
    environment: str = ""


class Safety(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[safety]. `read_only` anywhere makes the session so; `locked` (administrator's file only) keeps it so.

    `timeout_s` is the deadline of a step that has none of its own; None lets it run. `second_person` says what another
    user has to approve too: "destructive" steps, or "mutating": all that is not provably read-only; `approvers` is the
    unix group whose members may.
    """

    read_only: bool = False
    locked: bool = False
    timeout_s: float | None = None
    second_person: SecondPerson = ""
    approvers: str = ""


class ProbeConfig(Struct, frozen=True, kw_only=True):
    """[[probe]]: what to look at, how often, and what is too much.

    `target` names the machine that is looked at, or looked from; "" is this one. `options` are the keys of that kind of
    probe (an http probe's url, headers …), checked by the kind itself.
    """

    name: str
    kind: str
    target: str = ""
    title: str = ""
    interval_s: float = 5.0
    deadline_s: float = 4.0
    thresholds: tuple[Bound, ...] = ()
    options: Mapping[str, Any] = {}


class TailConfig(Struct, frozen=True, kw_only=True):
    """[[tail]]: a log file to follow. `filter` is the text that shown lines hold to begin with; "a|b" is either.

    `target` names the machine where the file is; "" is this one. `pm2` in place of `path` names a process of PM2, whose
    error log is followed wherever PM2 says that it is.
    """

    name: str
    path: str = ""
    pm2: str = ""
    target: str = ""
    title: str = ""
    filter: str = ""
    interval_s: float = 2.0
    thresholds: tuple[Bound, ...] = ()


class Rule(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """[[rule]]: when any (or all) of the conditions hold, recommend a section of the runbook. It never acts."""

    name: str
    conditions: tuple[Condition, ...]
    match: Literal["any", "all"] = "any"
    section: str = ""
    text: str = ""

    @property
    def written(self) -> str:
        """The conditions as a sentence."""
        return (" or " if self.match == "any" else " and ").join(c.text for c in self.conditions)


class TargetConfig(Struct, frozen=True, kw_only=True):
    """[target.NAME]: where steps run. `options` belong to the adapter of that kind.

    `trusted` targets stand in a file, and may name credentials of this machine; those of a document may not.
    """

    name: str
    kind: str = "local"
    options: Mapping[str, Any] = {}
    trusted: bool = True


class GroupConfig(Struct, frozen=True, kw_only=True):
    """[group.NAME]: targets that one step can go to together, in this order.

    `at_once` how many run at a time; `rolling` the same, with the first that does not pass keeping the rest from
    beginning. `stop_at_first_failure` says that for itself, one target after the other unless `at_once` says more.
    """

    name: str
    targets: tuple[str, ...]
    rolling: int | None = None
    at_once: int | None = None
    stop_at_first_failure: bool | None = None

    @property
    def width(self) -> int:
        """How many targets run at a time, at most."""
        return self.rolling or self.at_once or (1 if self.stops else AT_ONCE)

    @property
    def stops(self) -> bool:
        """Whether the first target that does not pass keeps further ones from beginning."""
        stated = self.stop_at_first_failure
        return self.rolling is not None if stated is None else stated


class Config(Struct, frozen=True, kw_only=True):
    """Everything a session watches and may do.

    `origin` says where probes and tails came from; `problems` are sentences about front matter that was left out.
    """

    cockpit: General = General()
    safety: Safety = Safety()
    probes: tuple[ProbeConfig, ...] = ()
    tails: tuple[TailConfig, ...] = ()
    rules: tuple[Rule, ...] = ()
    targets: tuple[TargetConfig, ...] = ()
    groups: tuple[GroupConfig, ...] = ()
    severity: str | None = None
    origin: str = ""
    problems: tuple[str, ...] = ()

    def as_panel(self) -> dict[str, Any]:
        """What panel.json holds: {"probes": [...], "tails": [...], "rules": [...]}, without headers or secrets."""
        return {
            "origin": self.origin,
            "problems": list(self.problems),
            "probes": [_probe_panel(probe) for probe in self.probes],
            "tails": [
                {"name": tail.name, "title": _title(tail), "path": tail.path, "filter": tail.filter}
                for tail in self.tails
            ],
            "rules": [msgspec.to_builtins(rule) | {"when": rule.written} for rule in self.rules],
        }


def _probe_panel(probe: ProbeConfig) -> dict[str, Any]:
    return {
        "name": probe.name,
        "kind": probe.kind,
        "title": _title(probe),
        "interval_s": probe.interval_s,
        "thresholds": [f"{bound} {bound.level}" for bound in probe.thresholds],
    }


def _title(one: ProbeConfig | TailConfig) -> str:
    if one.title or one.target in ("", one.name):
        return one.title or one.name
    return f"{one.name} ({one.target})"
