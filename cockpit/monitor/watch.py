"""What a host runs: probes, logs, rules, their record, and the word to the journal."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import msgspec

from cockpit.adapters.own_thread import OwnThread
from cockpit.config import Config, TailConfig
from cockpit.config.document import WHERE as FRONT_MATTER
from cockpit.errors import CockpitError, ConfigError, UsageError
from cockpit.monitor.filling import known_inputs, with_inputs
from cockpit.monitor.gate import GateState, begin_gate, fold_gate
from cockpit.monitor.logs.kept import KeptLines
from cockpit.monitor.logs.probe import FETCHED, LogProbe
from cockpit.monitor.machines import Machines
from cockpit.monitor.probe import Probe, WatchedProbe
from cockpit.monitor.record import SampleLog
from cockpit.monitor.registry import build
from cockpit.monitor.rule import RuleState, begin, fold_rule, recommendation
from cockpit.monitor.sample import Sample
from cockpit.monitor.schedule import Monitor
from cockpit.monitor.tails import build_tail
from cockpit.runbook.model import Runbook, Step
from cockpit.safety.redaction.redactor import Known
from cockpit.words import _

_LOGS = frozenset({"cloud-logging", "cloudwatch-logs", "kubernetes-logs", "loki"})
"""Kinds of probes whose looks bring lines."""


class Keeps(Protocol):
    """Where a watch writes: the paths of a session folder."""

    @property
    def samples(self) -> Path:
        """samples.jsonl."""

    @property
    def panel(self) -> Path:
        """panel.json."""

    @property
    def logs(self) -> Path:
        """The folder of log lines kept as evidence."""


class Watch:
    """Watches for one session.

    Args:
        config: what to watch; with neither probes nor tails, `start` looks at what this machine has.
        runbook: for the rules that come of themselves, and for what it names.
        folder: the session's.
        on_sample: called after each sample is on record.
        on_change: called with the data of a `probe.changed` event.
        on_gate: called with the data of a `gate.changed` event.
        on_recommendation: called with "recommendation.raised" or ".cleared" and that event's data.
        redact: masks the session's secrets in a text.
        known: what is known of them at this moment, for logs.
        raised: names of rules that an earlier host raised and nobody cleared.
        inputs: the session's, for addresses and paths that name them; the runbook's defaults stand in.
        adapters: the targets by name, of which probes and tails may name those that can be looked at.

    Raises:
        ConfigError: a probe's kind or options can't be used.
    """

    def __init__(
        self,
        config: Config,
        runbook: Runbook,
        folder: Keeps,
        *,
        on_sample: Callable[[], None] = lambda: None,
        on_change: Callable[[Mapping[str, Any]], None] = lambda _data: None,
        on_recommendation: Callable[[str, Mapping[str, Any]], None] = lambda _kind, _data: None,
        on_gate: Callable[[Mapping[str, Any]], None] = lambda _data: None,
        redact: Callable[[str], str] = lambda text: text,
        known: Callable[[], Known] = lambda: Known(()),
        raised: Iterable[str] = (),
        inputs: Mapping[str, str] = MappingProxyType({}),
        adapters: Mapping[str, object] = MappingProxyType({}),
    ) -> None:
        self._machines = Machines(adapters)
        self._inputs = known_inputs(runbook, inputs)
        self.config = with_inputs(config, self._inputs)
        self._runbook = runbook
        self._folder = folder
        self._on_sample = on_sample
        self._on_change = on_change
        self._on_recommendation = on_recommendation
        self._on_gate = on_gate
        self._gates: dict[str, GateState] = {}
        self._redact = redact
        self._known = known
        self._raised = frozenset(raised)
        self._record = SampleLog(folder.samples)
        self._rules: tuple[RuleState, ...] = ()
        self._monitor: Monitor | None = None
        self._probes = self._build()

    async def start(self) -> None:
        """Write panel.json and take the first samples."""
        from cockpit.monitor.discover import discover, with_own_rules

        if not self.config.probes and not self.config.tails:
            found = await OwnThread[Config]("discover").run(lambda: discover(self._runbook, self._inputs))
            self.config = msgspec.structs.replace(
                self.config, probes=found.probes, tails=found.tails, origin=found.origin
            )
            self._probes = self._build()
        self.config = with_own_rules(self.config, self._runbook)
        self._rules = tuple(
            begin(rule, raised_t="" if rule.name in self._raised else None) for rule in self.config.rules
        )
        _write_panel(self._folder.panel, self._cleaned(self._panel()))
        self._monitor = Monitor(self._probes, self._take, self._on_change)
        self._monitor.start()

    async def stop(self) -> None:
        """Stop every probe and close the record."""
        if self._monitor is not None:
            await self._monitor.stop()
        self._record.close()

    def begin_gate(self, step: Step) -> Mapping[str, Any]:
        """Watch a gate from now on; returns the data of its first `gate.changed` event.

        Raises:
            UsageError: none of its criteria is called as a configured metric.
        """
        state = begin_gate(step, self.config.probes)
        if not state.criteria:
            raise UsageError(
                _("no configured metric is called as a criterion of this gate"),
                mend=_("name queries of a prometheus probe after them, or judge it by hand"),
            )
        self._gates[step.id] = state
        for probe in {one.probe for one in state.criteria}:
            self.request_now(probe)
        return state.as_json()

    def end_gate(self, step: str) -> None:
        """Watch it no longer."""
        self._gates.pop(step, None)

    def request_now(self, name: str) -> bool:
        """Have that probe looked at now; False when there is none of that name."""
        return self._monitor is not None and self._monitor.request_now(name)

    def _build(self) -> tuple[Probe, ...]:
        probes: list[Probe] = []
        for probe in self.config.probes:
            try:
                made = build(probe, self._redact, self.config.origin, self._machines)
                if probe.kind in _LOGS:
                    made.kept = KeptLines(self._folder.logs / f"{probe.name}{FETCHED}", self._known, self._redact)
                probes.append(made)
            except ConfigError as error:
                # An operator mends a file of their own; a document's mistake must not keep it from opening.
                if not self.config.origin.startswith(FRONT_MATTER):
                    raise
                self.config = without_probe(self.config, probe.name, str(error))
        by_name = {probe.name: probe for probe in probes}
        return (*probes, *(self._log_probe(tail, by_name) for tail in self.config.tails))

    def _log_probe(self, tail: TailConfig, made: Mapping[str, Probe]) -> LogProbe:
        evidence = self._folder.logs / f"{tail.name}.log"
        return build_tail(tail, self.config, evidence, self._redact, self._known, self._machines, made)

    def _panel(self) -> dict[str, Any]:
        """What panel.json holds. The log of another machine is followed where its lines are kept."""
        panel = self.config.as_panel()
        fetched = {probe.name: probe.fetched for probe in self._probes if isinstance(probe, LogProbe)}
        for tail in panel["tails"]:
            if kept := fetched.get(tail["name"]):
                kept.begin(())
                tail |= {"path": str(kept.path), "fetched": True}
        panel["tails"] += [
            _kept_tail(probe) for probe in self._probes if isinstance(probe, WatchedProbe) and probe.kept
        ]
        return panel

    def _cleaned(self, panel: Any) -> Any:
        """What is told of the configuration, masked; a path is one that viewers open, and stays as it is."""
        if isinstance(panel, str):
            return self._redact(panel)
        if isinstance(panel, Mapping):
            return {key: value if key == "path" else self._cleaned(value) for key, value in panel.items()}
        return [self._cleaned(each) for each in panel] if isinstance(panel, list | tuple) else panel

    def _take(self, sample: Sample) -> None:
        self._record.append(sample)
        self._on_sample()
        self._rules = tuple(self._after(state, sample) for state in self._rules)
        for step, gate in list(self._gates.items()):
            self._gates[step] = self._after_gate(gate, sample)

    def _after_gate(self, state: GateState, sample: Sample) -> GateState:
        """The gate after the sample, told where it stands otherwise than before."""
        after = fold_gate(state, sample)
        if _standing(after) != _standing(state):
            try:
                self._on_gate(after.as_json())
            except (CockpitError, OSError):
                return state
        return after

    def _after(self, state: RuleState, sample: Sample) -> RuleState:
        """The rule after the sample, with its change told. What could not be told is told again next time."""
        after, change = fold_rule(state, sample)
        if change is not None:
            try:
                self._on_recommendation(change, recommendation(after, change))
            except (CockpitError, OSError):
                return replace(after, raised_t=state.raised_t)
        return after


def _kept_tail(probe: WatchedProbe) -> dict[str, Any]:
    """What panel.json holds of a log whose lines a probe brings."""
    assert probe.kept is not None
    probe.kept.begin()
    return {"name": probe.name, "title": probe.title, "path": str(probe.kept.path), "filter": "", "fetched": True}


def _standing(gate: GateState) -> tuple[object, ...]:
    """What of a gate is worth a record: how it stands, since when, and what each criterion says."""
    said = tuple((one.held, one.in_a_row if one.held is False else 0) for one in gate.criteria)
    return gate.phase, gate.since_t, said


def without_probe(config: Config, name: str, problem: str) -> Config:
    """The configuration without that probe and the rules about it, and with the problem told."""
    return msgspec.structs.replace(
        config,
        probes=tuple(probe for probe in config.probes if probe.name != name),
        rules=tuple(rule for rule in config.rules if all(c.probe != name for c in rule.conditions)),
        problems=(*config.problems, problem),
    )


def _write_panel(path: Path, panel: Mapping[str, Any]) -> None:
    """Whole or not at all: a viewer may be reading."""
    new = path.with_name(path.name + ".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(panel, file, ensure_ascii=False)
    new.replace(path)
