"""What is told of a cluster at one look: rows of what is not well, then of what is, and values."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from cockpit.adapters.kubernetes.events import SeenWarning, warning_rows
from cockpit.adapters.kubernetes.mirror import Mirrored
from cockpit.adapters.kubernetes.nodes import Node, node_row
from cockpit.adapters.kubernetes.pods import SeenPod, pod_row
from cockpit.adapters.kubernetes.row import Row, row
from cockpit.adapters.kubernetes.usage import Usage
from cockpit.adapters.kubernetes.workloads import Autoscaler, Deployment, autoscaler_row, deployment_row
from cockpit.adapters.probing import Finding, Value
from cockpit.words import _, plural

_MOST_ROWS, _MOST_WARNINGS, _MOST_BUSY = 100, 8, 3
_ORDER = {"red": 0, "yellow": 1}


class Picture:
    """What is told of a cluster at one look: rows of what is not well, of what is, and values."""

    def __init__(self, everywhere: bool, now: float, usage: Usage) -> None:
        self._everywhere, self._now, self._usage = everywhere, now, usage
        self._ill: list[Row] = []
        self._well: list[Row] = []
        self._warned: list[Row] = []
        self._busy: list[Row] = []
        self._values: list[Value] = []
        self._words: list[str] = []
        self._empty = True

    def deployments(self, found: Sequence[Deployment], wanted: Sequence[str]) -> None:
        """Take in deployments, those of `wanted` that are not there as missing."""
        rows = [deployment_row(it, self._named(it), self._now) for it in found]
        there = {it.metadata.name for it in found}
        missing = [name for name in wanted if name not in there]
        rows += [row("deployment", name, ready="0/?", status=_("missing"), level="red") for name in missing]
        late = self._sort(rows)
        self._empty = not rows
        words = _("{ready} of {all} deployments ready").format(ready=len(rows) - len(late), all=len(rows))
        self._words.append(words)
        self._values += [
            Value("deployments", float(len(rows))),
            Value("deployments_unready", float(len(late)), "", _worst(late)),
            Value("rollouts", float(sum(it.rolling for it in found))),
        ]

    def pods(self, seen: Sequence[SeenPod]) -> None:
        """Take in pods."""
        rows = []
        for it in seen:
            made = pod_row(it, f"{it.namespace}/{it.name}" if self._everywhere else it.name, self._now)
            if made is not None:
                rows.append(made | self._used(it))
        self._sort(rows)
        self._empty = self._empty and not seen
        told = _("{all} pods, {sick} not well").format(all=len(seen), sick=len(rows))
        self._words.append(told)
        now_m = time.monotonic()
        self._values += [
            Value("pods", float(len(seen))),
            Value("pods_unready", float(len(rows)), "", _worst(rows)),
            Value("restarts", float(sum(it.restarts for it in seen))),
            Value("restarts_change", float(sum(it.restarts_change for it in seen))),
            Value("restarts_last_min", float(sum(it.restarts_within(60, now_m) for it in seen if it.rises))),
        ]
        self._busiest(seen)

    def _busiest(self, seen: Sequence[SeenPod]) -> None:
        used = self._usage.pods
        known = [it for it in seen if (it.namespace, it.name) in used]
        known.sort(key=lambda it: used[it.namespace, it.name].cpu_cores, reverse=True)
        for it in known[:_MOST_BUSY]:
            name = f"{it.namespace}/{it.name}" if self._everywhere else it.name
            self._busy.append(row("pod", name, status=_("busiest"), ready=it.ready) | self._used(it))

    def _used(self, it: SeenPod) -> Row:
        used = self._usage.pods.get((it.namespace, it.name))
        return {} if used is None else {"cpu_cores": used.cpu_cores, "memory_bytes": used.memory_bytes}

    def nodes(self, found: Sequence[Node]) -> None:
        """Take in nodes."""
        rows = [node_row(it, self._now, self._usage.nodes.get(it.metadata.name)) for it in found]
        ill = self._sort(rows, well=False)
        self._values += [Value("nodes", float(len(rows))), Value("nodes_unready", float(len(ill)), "", _worst(ill))]
        for name in ("cpu_percent", "memory_percent"):
            full = [one[name] for one in rows if name in one]
            if full:
                self._values.append(Value(f"node_{name}", max(full), "%"))
        self._busy += [one for one in rows if not one["level"] and "cpu_percent" in one][:_MOST_BUSY]

    def autoscalers(self, found: Sequence[Autoscaler]) -> None:
        """Take in autoscalers."""
        rows = [autoscaler_row(it, self._named(it), self._now) for it in found]
        self._sort(rows)
        maxed = sum(it.maxed for it in found)
        if rows:
            level = "yellow" if maxed else "green"
            self._values += [
                Value("autoscalers", float(len(rows))),
                Value("autoscalers_maxed", float(maxed), "", level),
            ]

    def warnings(self, events: Sequence[SeenWarning]) -> None:
        """Take in warning events."""
        rows = warning_rows(events, self._now)
        self._warned = rows[:_MOST_WARNINGS]
        self._values.append(Value("warnings", float(sum(one["count"] for one in rows))))

    def finding(self, absent: Sequence[str]) -> Finding:
        """All of it; `absent` names what could not be had."""
        notes = [row("note", _("can't be had here: {names}").format(names=", ".join(absent)))] if absent else []
        if self._empty:
            mend = _("is it the right namespace?")
            return Finding(_("no deployments and no pods"), none=True, mend=mend)
        self._ill.sort(key=lambda one: _ORDER.get(one["level"], 2))
        told = sorted(self._ill, key=lambda one: (_ORDER.get(one["level"], 2), one["what"] == "deployment"))
        words = [*self._words, *(f"{one['name']} {one['status']}" for one in told[:2])]
        rows = [*self._ill[:_MOST_ROWS], *self._warned, *self._well, *self._busy]
        if len(self._ill) > _MOST_ROWS:
            more = len(self._ill) - _MOST_ROWS
            notes.append(row("note", plural("{n} more is not well", "{n} more are not well", more).format(n=more)))
        return Finding(" · ".join(words), tuple(self._values), (*rows[:_MOST_ROWS], *notes))

    def _sort(self, rows: Sequence[Row], *, well: bool = True) -> list[Row]:
        """Put rows where they belong; returns those of what is not well."""
        ill = [one for one in rows if one["level"] in _ORDER]
        self._ill += ill
        if well:
            self._well += [one for one in rows if one["level"] not in _ORDER]
        return ill

    def _named(self, it: Mirrored) -> str:
        return f"{it.metadata.namespace}/{it.metadata.name}" if self._everywhere else it.metadata.name


def _worst(rows: Sequence[Mapping[str, Any]]) -> str:
    levels = {one["level"] for one in rows}
    return "red" if "red" in levels else "yellow" if levels else "green"
