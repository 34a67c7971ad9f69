"""What is told of a cluster at one look: rows of what is not well, then of what is, and values."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from cockpit.adapters.kubernetes.events import SeenWarning, warning_rows
from cockpit.adapters.kubernetes.jobs import SeenJob, failed_lately, job_row
from cockpit.adapters.kubernetes.mirror import Mirrored
from cockpit.adapters.kubernetes.nodes import Node, node_row
from cockpit.adapters.kubernetes.pods import SeenPod, pod_row
from cockpit.adapters.kubernetes.row import Row, row
from cockpit.adapters.kubernetes.sets import SeenSet, set_row
from cockpit.adapters.kubernetes.usage import Usage
from cockpit.adapters.kubernetes.workloads import Autoscaler, Deployment, autoscaler_row, deployment_row
from cockpit.adapters.probing import Finding, Value
from cockpit.words import _, plural

_MOST_ROWS, _MOST_WARNINGS, _MOST_BUSY = 100, 8, 3
_ORDER = {"red": 0, "yellow": 1}
_WORKLOADS = ("deployment", "statefulset", "daemonset", "job")


class Picture:
    """What is told of a cluster at one look: rows of what is not well, of what is, and values."""

    def __init__(self, everywhere: bool, now: float, usage: Usage) -> None:
        self._everywhere, self._now, self._usage = everywhere, now, usage
        self._ill: list[Row] = []
        self._well: list[Row] = []
        self._warned: list[Row] = []
        self._past: list[Row] = []
        self._pods: frozenset[str] = frozenset()
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

    def stateful_sets(self, found: Sequence[SeenSet]) -> None:
        """Take in StatefulSets."""
        late = self._sets(found, "statefulsets")
        if found:
            words = _("{ready} of {all} statefulsets ready").format(ready=len(found) - late, all=len(found))
            self._words.append(words)

    def daemon_sets(self, found: Sequence[SeenSet]) -> None:
        """Take in DaemonSets."""
        late = self._sets(found, "daemonsets")
        if found:
            words = _("{ready} of {all} daemonsets ready").format(ready=len(found) - late, all=len(found))
            self._words.append(words)

    def _sets(self, found: Sequence[SeenSet], name: str) -> int:
        """How many of them are not well."""
        late = self._sort([set_row(it, self._called(it.namespace, it.name), self._now) for it in found])
        self._empty = self._empty and not found
        self._values += [
            Value(name, float(len(found))),
            Value(f"{name}_unready", float(len(late)), "", _worst(late)),
        ]
        return len(late)

    def jobs(self, found: Sequence[SeenJob]) -> None:
        """Take in Jobs: those that failed lately."""
        failed = failed_lately(found, self._now)
        rows = self._sort([job_row(it, self._called(it.namespace, it.name), self._now) for it in failed])
        self._empty = self._empty and not rows
        self._values.append(Value("jobs_failed", float(len(rows)), "", _worst(rows)))

    def pods(self, seen: Sequence[SeenPod]) -> None:
        """Take in pods."""
        rows = []
        for it in seen:
            made = pod_row(it, self._called(it.namespace, it.name), self._now)
            if made is not None:
                rows.append(made | self._used(it))
        self._sort(rows)
        self._pods = frozenset(f"pod/{it.name}" for it in seen)
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
            name = self._called(it.namespace, it.name)
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
        """Take in warning events, after pods: those about pods that are gone stand behind everything else."""
        rows = warning_rows(events, self._now)
        shown = rows[:_MOST_WARNINGS]
        self._past = [one for one in shown if one["name"].startswith("pod/") and one["name"] not in self._pods]
        self._warned = [one for one in shown if one not in self._past]
        self._values.append(Value("warnings", float(sum(one["count"] for one in rows))))

    def finding(self, absent: Sequence[str]) -> Finding:
        """All of it; `absent` names what could not be had."""
        notes = [row("note", _("can't be had here: {names}").format(names=", ".join(absent)))] if absent else []
        if self._empty:
            mend = _("is it the right namespace?")
            return Finding(_("no deployments and no pods"), none=True, mend=mend)
        self._ill.sort(key=lambda one: _ORDER.get(one["level"], 2))
        # What is wrong comes first: where there is room for a few words, they are these.
        words = [*(f"{one['name']} {one['status']}" for one in self._gravest()), *self._words]
        rows = [*self._ill[:_MOST_ROWS], *self._warned, *self._well, *self._busy, *self._past]
        if len(self._ill) > _MOST_ROWS:
            more = len(self._ill) - _MOST_ROWS
            notes.append(row("note", plural("{n} more is not well", "{n} more are not well", more).format(n=more)))
        return Finding(" · ".join(words), tuple(self._values), (*rows[:_MOST_ROWS], *notes))

    def _gravest(self) -> list[Row]:
        """What is told in words: of workloads, and of the rest, the first that is not well; the worse first."""
        serves = next((one for one in self._ill if one["what"] in _WORKLOADS), None)
        other = next((one for one in self._ill if one["what"] not in _WORKLOADS), None)
        return sorted(filter(None, (serves, other)), key=lambda one: _ORDER.get(one["level"], 2))

    def _sort(self, rows: Sequence[Row], *, well: bool = True) -> list[Row]:
        """Put rows where they belong; returns those of what is not well."""
        ill = [one for one in rows if one["level"] in _ORDER]
        self._ill += ill
        if well:
            self._well += [one for one in rows if one["level"] not in _ORDER]
        return ill

    def _named(self, it: Mirrored) -> str:
        return self._called(it.metadata.namespace, it.metadata.name)

    def _called(self, namespace: str, name: str) -> str:
        return f"{namespace}/{name}" if self._everywhere else name


def _worst(rows: Sequence[Mapping[str, Any]]) -> str:
    levels = {one["level"] for one in rows}
    return "red" if "red" in levels else "yellow" if levels else "green"
