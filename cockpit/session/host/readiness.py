"""Is this machine ready for an incident: every configured target, probe and log is asked, until a deadline."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path

from msgspec.structs import replace

from cockpit.adapters.base import KnowsSecrets, RunsSteps
from cockpit.adapters.checking import Check, ChecksItself, failed_check
from cockpit.adapters.own_thread import OwnThread
from cockpit.config import Config, ProbeConfig, TailConfig
from cockpit.config.bound import Bound
from cockpit.config.names import LOCAL
from cockpit.errors import AdapterError, CockpitError, TimedOut
from cockpit.monitor.machines import Machines
from cockpit.monitor.probe import Probe
from cockpit.monitor.registry import build
from cockpit.monitor.sample import Outcome
from cockpit.monitor.tails import build_tail
from cockpit.monitor.threshold import never_held
from cockpit.monitor.turns import FirstLooks
from cockpit.session.host.surroundings import surroundings
from cockpit.session.record.secrets import SecretBook
from cockpit.session.steps.targets import targets_of
from cockpit.words import _

DEADLINE_S = 7.0
"""Of all checks together. Of hundreds not all may get their turn by then, which is told of each."""

_AT_ONCE = 64
_FAIR_S = 3.0
"""Who was given less did not have the time to answer."""

_END_S = 1.0

Look = Callable[[], Awaitable[Sequence[Check]]]


async def findings(config: Config, secrets: SecretBook, scratch: Path) -> list[Check]:
    """Every finding, in the order of the configuration. Reads only.

    Args:
        scratch: an empty folder for what a log's look would keep.
    """
    adapters: dict[str, RunsSteps] = {}
    looks: list[tuple[str, Look]] = [(_("this machine"), _surroundings)]
    for target in config.targets or ():
        name = _("target {name}").format(name=target.name)
        try:
            adapters |= targets_of([target], config.origin)
        except CockpitError as error:
            looks.append((name, _found(failed_check(error))))
            continue
        if isinstance(adapter := adapters[target.name], KnowsSecrets):
            secrets.learn(adapter.secrets())
        looks.append((name, _of_target(adapters[target.name])))
    adapters = targets_of() | adapters
    if LOCAL not in {target.name for target in config.targets}:
        looks.insert(1, (_("target {name}").format(name=LOCAL), _of_target(adapters[LOCAL])))
    machines = Machines(adapters)
    for probe in config.probes:
        looks.append((_("probe {name}").format(name=probe.name), _of_probe(probe, config, machines, secrets)))
    for tail in config.tails:
        looks.append((_("log {name}").format(name=tail.name), _of_tail(tail, config, machines, secrets, scratch)))
    turns, until_s = FirstLooks(_AT_ONCE), time.monotonic() + DEADLINE_S
    found = await asyncio.gather(*(_in_time(about, look, turns, until_s) for about, look in looks))
    return [replace(check, about=check.about or about) for about, checks in found for check in checks]


async def _in_time(about: str, look: Look, turns: FirstLooks, until_s: float) -> tuple[str, Sequence[Check]]:
    """What a look finds; what goes wrong, what takes too long, and what was not come to, is a finding as well."""
    begun_s: float | None = None

    async def in_turn() -> Sequence[Check]:
        nonlocal begun_s
        async with turns.turn():
            begun_s = time.monotonic()
            return await look()

    task = asyncio.ensure_future(in_turn())
    await asyncio.wait((task,), timeout=max(0.0, until_s - time.monotonic()))
    if not task.done():
        task.cancel()
        await asyncio.wait((task,), timeout=_END_S)  # what it started has to be ended before the loop is
        return about, [failed_check(_too_late(None if begun_s is None else until_s - begun_s))]
    error = task.exception()
    if error is None:
        return about, task.result()
    if not isinstance(error, CockpitError):
        error = AdapterError(_("a defect of the cockpit itself: {error}").format(error=repr(error)))
    return about, [failed_check(error)]


def _too_late(given_s: float | None) -> CockpitError:
    """What to say of one that did not answer in so long; None where its turn had not come."""
    if given_s is None or given_s < _FAIR_S:
        return TimedOut(
            _("not looked at: there is too much to look at in {seconds:g} s").format(seconds=DEADLINE_S),
            mend=_("look at fewer at a time, with a configuration of their own (--config)"),
        )
    return TimedOut(
        _("no answer within {seconds:.0f} s").format(seconds=given_s), mend=_("is it up, and is the way there open?")
    )


def _found(*checks: Check) -> Look:
    async def look() -> Sequence[Check]:
        return checks

    return look


async def _surroundings() -> Sequence[Check]:
    return await OwnThread[Sequence[Check]]("look at this machine").run(surroundings)


def _of_target(adapter: object) -> Look:
    if isinstance(adapter, ChecksItself):
        return adapter.checks
    return _found(Check(text=_("nothing can be checked beforehand")))


def _of_probe(config: ProbeConfig, whole: Config, machines: Machines, secrets: SecretBook) -> Look:
    patient = replace(config, deadline_s=min(config.deadline_s, DEADLINE_S))
    return _of(lambda: build(patient, secrets.redact, whole.origin, machines), config.thresholds)


def _of_tail(tail: TailConfig, whole: Config, machines: Machines, secrets: SecretBook, scratch: Path) -> Look:
    evidence = scratch / f"{tail.name}.log"
    return _of(
        lambda: build_tail(tail, whole, evidence, secrets.redact, lambda: secrets.known, machines, {}), tail.thresholds
    )


def _of(make: Callable[[], Probe], thresholds: Sequence[Bound]) -> Look:
    """One look of a probe. How the service fares is the panel's affair: here counts that it can be seen.

    A threshold that nothing is held against would never tell of anything.
    """

    async def look() -> Sequence[Check]:
        probe = make()
        try:
            sample = await probe.sample()
        finally:
            await probe.close()
        if sample.outcome is Outcome.FAILED:
            return [Check(text=sample.error, standing="failed", mend=sample.mend)]
        doubt = sample.outcome is Outcome.NONE or sample.mend
        seen = Check(text=sample.text, standing="warning" if doubt else "ok", mend=sample.mend)
        if doubt:
            return [seen]
        idle = ((bound, why) for bound in thresholds if (why := never_held(bound, sample)))
        told = _("the threshold {bound} is never held against anything")
        return [seen, *(Check(text=told.format(bound=bound), standing="warning", mend=why) for bound, why in idle)]

    return look


def ready(checks: Iterable[Check]) -> bool:
    """Whether everything that is configured can be used."""
    return all(check.standing != "failed" for check in checks)
